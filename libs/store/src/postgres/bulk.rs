//! Values on their way to the server, kept until they are sent.

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::{Column, Error, Param};

/// A value of its own.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    Null,
    Int(i64),
    Text(String),
}

/// Rows, column by column.
#[derive(Debug)]
pub(crate) struct Arrays(pub(crate) Vec<Array>);

#[derive(Debug)]
pub(crate) enum Array {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

impl Arrays {
    pub(crate) fn of(columns: &[Column]) -> Self {
        Self(
            columns
                .iter()
                .map(|column| match column {
                    Column::Int(_) => Array::Ints(Vec::new()),
                    Column::Text(_) => Array::Texts(Vec::new()),
                })
                .collect(),
        )
    }

    pub(crate) fn rows(&self) -> usize {
        match self.0.first() {
            Some(Array::Ints(values)) => values.len(),
            Some(Array::Texts(values)) => values.len(),
            None => 0,
        }
    }

    pub(crate) fn push(&mut self, values: &[Param<'_>]) -> Result<(), Error> {
        if values.len() != self.0.len() {
            return Err(Error::Refused(format!("{} values for {} columns", values.len(), self.0.len())));
        }
        for (array, value) in self.0.iter_mut().zip(values) {
            match (array, value) {
                (Array::Ints(array), Param::Null) => array.push(None),
                (Array::Ints(array), Param::Int(value)) => array.push(Some(*value)),
                (Array::Texts(array), Param::Null) => array.push(None),
                (Array::Texts(array), Param::Text(value)) => array.push(Some((*value).to_owned())),
                (array, value) => {
                    return Err(Error::Refused(format!("{value:?} is not for a column of {}", array.kind())));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0
            .iter()
            .map(|array| match array {
                Array::Ints(values) => values as &(dyn ToSql + Sync),
                Array::Texts(values) => values as &(dyn ToSql + Sync),
            })
            .collect()
    }
}

impl Array {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ints(_) => "numbers",
            Self::Texts(_) => "texts",
        }
    }
}

impl From<Param<'_>> for Owned {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Int(value) => Self::Int(value),
            Param::Text(value) => Self::Text(value.to_owned()),
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Self::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Self::Text(value) if <&str as ToSql>::accepts(ty) => value.to_sql(ty, out),
            value => Err(format!("{value:?} is given where the statement has {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Owned {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::Text(value) => Param::Text(value),
        }
        .to_sql(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
