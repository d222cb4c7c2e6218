//! A message on a topic, from the engine.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cafe_fuzz::event::check(input));
