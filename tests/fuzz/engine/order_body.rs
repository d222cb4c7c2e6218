//! The body of `POST /orders`, from the engine.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cafe_fuzz::order_body::check(input));
