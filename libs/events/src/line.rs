//! One line of an order: a drink, its size, how many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A line's number within its order, from 1.
pub type LineId = u16;

/// How large a drink is.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// The smallest.
    Small,
    /// What is made when nothing is said.
    #[default]
    Medium,
    /// The largest.
    Large,
}

/// A name in the two languages of the cafe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct Name {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: String,
}

/// A line as it was ordered and priced. It carries what the other services need, so that they join nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct OrderLine {
    /// Number within the order, from 1.
    #[schemars(range(min = 1))]
    pub line_id: LineId,
    /// The drink's key in the menu, such as `americano`.
    pub menu: String,
    /// The drink's name when it was ordered.
    pub name: Name,
    /// Its size.
    pub size: Size,
    /// How many, 1 to 99.
    #[schemars(range(min = 1, max = 99))]
    pub quantity: u32,
    /// Chosen options; empty until the menu has any.
    #[serde(default)]
    pub options: Vec<String>,
    /// To go, rather than here.
    pub takeout: bool,
    /// Price of one, in minor units.
    pub unit_price: i64,
    /// `unit_price` times `quantity`, in minor units.
    pub price: i64,
    /// How long one takes to make, in milliseconds, by the menu.
    pub making_ms: u64,
}
