//! Any text as a template and, below a line that is `---`, what hostile cells begin with. The property is the one that
//! the tests check, too.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/proof/properties/template.rs"]
mod property;

fuzz_target!(|text: &str| {
    let (source, value) = text.split_once("\n---\n").unwrap_or((text, ""));
    property::holds(source, value);
});
