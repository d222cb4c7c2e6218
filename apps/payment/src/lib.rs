//! The payment service.
pub mod payment;
