//! Sample people: a name, a mailbox and a town. A test that is about more of them says so by itself.

use undersigned::model::{Constituent, EmailAddress, Extra, Official, PersonName};

pub(crate) fn official(name: &str, mailbox: &str) -> Official {
    Official {
        title: "Mayor".into(),
        name: PersonName::parse(name).unwrap(),
        mailbox: Some(EmailAddress::parse(mailbox).unwrap()),
        jurisdiction: "Town".into(),
        extra: Extra::new(),
    }
}

pub(crate) fn constituent(name: &str, mailbox: &str) -> Constituent {
    Constituent {
        title: String::new(),
        name: PersonName::parse(name).unwrap(),
        mailbox: EmailAddress::parse(mailbox).unwrap(),
        jurisdiction: "Town".into(),
        address: String::new(),
        postcode: String::new(),
        signed_on: String::new(),
        note: String::new(),
        extra: Extra::new(),
    }
}
