//! Lists that are read a page at a time, in order of their orders' ids.

use serde::Deserialize;
use uuid::Uuid;

use crate::Problem;

/// Rows of a page at most, and where nothing is said.
const LONGEST: u32 = 500;
const USUAL: u32 = 100;

/// Which page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before; the first page where there is none.
    after: Option<Uuid>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

impl PageQuery {
    /// After which id it begins, as ids are kept, and how many rows it has at most.
    ///
    /// # Errors
    /// 400: the limit is out of range.
    pub fn part(&self) -> Result<(String, u32), Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=LONGEST).contains(&limit) {
            return Err(Problem::invalid_parameter("limit", format!("must be 1 to {LONGEST}, not {limit}")));
        }
        Ok((self.after.map(|order_id| order_id.to_string()).unwrap_or_default(), limit))
    }
}
