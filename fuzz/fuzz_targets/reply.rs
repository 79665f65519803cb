//! Any bytes as the words of a relay; 0xFF stands between what is said at once and what is said after an answer. The
//! property is the one that the tests check, too.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/proof/properties/reply.rs"]
mod property;

fuzz_target!(|data: &[u8]| property::holds(data));
