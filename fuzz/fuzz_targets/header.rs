//! Any names, subject and address, a line each, as headers. The property is the one that the tests check, too.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/proof/properties/header.rs"]
mod property;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    property::holds(&property::Written {
        name: next(),
        title: next(),
        campaign: next(),
        subject: next(),
        mailbox: next(),
    });
});
