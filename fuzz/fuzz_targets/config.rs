//! Any bytes as `config.toml`. The property is the one that the tests check, too.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/proof/properties/config.rs"]
mod property;

fuzz_target!(|data: &[u8]| property::holds(data));
