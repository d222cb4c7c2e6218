//! The rows, a file for each group.
//!
//! To add one: write it here, call [`tried`](crate::tried) in its tests, and run `cargo xtask failures`.

/// `rows! { group "Heading"; ID = "name" { customer: …, owner: …, others: …, shown_by: ["file" => ["test"]], simulated: ["kind" of "service"] } … }`
/// makes each row a [`Fault`](crate::Fault) and all of them a [`Group`].
macro_rules! rows {
    (
        $group:ident $heading:literal;
        $(
            $id:ident = $name:literal {
                customer: $customer:literal,
                owner: $owner:literal,
                others: $others:literal,
                shown_by: [$($file:literal => [$($test:literal),+ $(,)?]),* $(,)?],
                simulated: [$($kind:literal $(of $service:literal)?),* $(,)?] $(,)?
            }
        )+
    ) => {
        $(
            #[doc = $name]
            #[allow(clippy::doc_markdown, reason = "on the page names are written as people write them")]
            pub static $id: crate::Fault = crate::Fault {
                id: concat!(stringify!($group), "::", stringify!($id)),
                name: $name,
                customer: $customer,
                owner: $owner,
                others: $others,
                shown_by: &[$(($file, &[$($test),+])),*],
                simulated: &[$(crate::Kind { name: $kind, service: rows!(@service $($service)?) }),*],
            };
        )+

        pub(crate) static GROUP: crate::Group = crate::Group { heading: $heading, faults: &[$(&$id),+] };
    };
    (@service) => { None };
    (@service $service:literal) => { Some($service) };
}

pub mod clock;
pub mod customer;
pub mod database;
pub mod disk;
pub mod event;
pub mod kafka;
pub mod owner;
pub mod process;
pub mod replica;
pub mod vendor;

use crate::Group;

/// Every group, in the page's order.
pub fn groups() -> [&'static Group; 10] {
    [
        &process::GROUP,
        &disk::GROUP,
        &vendor::GROUP,
        &customer::GROUP,
        &event::GROUP,
        &clock::GROUP,
        &owner::GROUP,
        &database::GROUP,
        &replica::GROUP,
        &kafka::GROUP,
    ]
}
