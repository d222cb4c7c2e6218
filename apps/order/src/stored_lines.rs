//! How the lines of an order are stored: as lists of values, for an order is written again with every piece of news, and as
//! objects they would be more than half of what is written.

use std::sync::Arc;

use cafe_events::{LineId, Name, OrderLine, Size};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Values are only added at the end, with `#[serde(default)]`.
#[derive(Serialize, Deserialize)]
struct Stored<Text, List>(LineId, Text, Text, Text, Size, u32, bool, i64, i64, u64, List);

pub(crate) fn serialize<S: Serializer>(lines: &Arc<[OrderLine]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lines.iter().map(|line| {
        let OrderLine { line_id, menu, name: Name { en, ko }, size, quantity, takeout, .. } = line;
        let OrderLine { unit_price, price, making_ms, options, .. } = line;
        Stored(*line_id, menu, en, ko, *size, *quantity, *takeout, *unit_price, *price, *making_ms, options)
    }))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[OrderLine]>, D::Error> {
    let lines = Vec::<Stored<String, Vec<String>>>::deserialize(deserializer)?;
    let line = |stored: Stored<String, Vec<String>>| {
        let Stored(line_id, menu, en, ko, size, quantity, takeout, unit_price, price, making_ms, options) =
            stored;
        let name = Name { en, ko };
        OrderLine { line_id, menu, name, size, quantity, options, takeout, unit_price, price, making_ms }
    };
    Ok(lines.into_iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were_stored() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Holder(#[serde(with = "super")] Arc<[OrderLine]>);

        let line = OrderLine {
            line_id: 1,
            menu: "latte".to_owned(),
            name: Name { en: "Latte".to_owned(), ko: "라떼".to_owned() },
            size: Size::Large,
            quantity: 2,
            options: vec!["oat".to_owned()],
            takeout: true,
            unit_price: 4_000,
            price: 8_000,
            making_ms: 4_500,
        };
        let holder = Holder(vec![line.clone(), OrderLine { line_id: 2, options: vec![], ..line }].into());
        let json = serde_json::to_string(&holder).unwrap();
        assert_eq!(
            json,
            r#"[[1,"latte","Latte","라떼","large",2,true,4000,8000,4500,["oat"]],[2,"latte","Latte","라떼","large",2,true,4000,8000,4500,[]]]"#
        );
        assert_eq!(serde_json::from_str::<Holder>(&json).unwrap(), holder);
    }
}
