//! Any text as an address: what is accepted keeps its form, and can do no harm on the wire or in a header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use undersigned::model::EmailAddress;

fuzz_target!(|text: &str| {
    let Ok(address) = EmailAddress::parse(text) else { return };
    let written = address.as_str();
    assert_eq!(EmailAddress::parse(written).as_ref(), Ok(&address), "what was accepted is accepted again");
    assert_eq!(written.matches('@').count(), 1);
    assert!(!written.chars().any(|c| c.is_control() || c.is_whitespace()));
    assert!(!written.contains(['<', '>', ',', ';', ':', '"', '(', ')', '\\']));
    assert!(address.domain().is_ascii() && address.domain().contains('.'));
    let _ = format!("{address:?} {}", address.key());
});
