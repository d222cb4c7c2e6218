//! The three services.

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Takes orders.
    Order,
    /// Asks the vendors.
    Payment,
    /// Keeps the queue.
    Barista,
}

impl Service {
    /// All three, in an order's way through them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Payment, Self::Barista];

    /// As the command line and the data folder call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Barista => "barista",
        }
    }
}
