//! The names that people and their programs give to our columns: data, one place.
//!
//! Only words that mean one thing stand here. A header that could be two things is for a person to decide, so
//! it must not be added: a wrong town sends a letter to the wrong mayor.

use super::columns::Column;
use crate::model::Role;

/// What a header stands for: a column of ours, or a part of one that is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The whole column.
    Whole(Column),
    /// The same, in a file that lists officials only.
    OfOfficials(Column),
    FirstName,
    MiddleName,
    LastName,
    NameSuffix,
    /// What goes behind an address's first line.
    AddressMore,
}

use Column::{Address, Email, Jurisdiction, Name, Note, Postcode, SignedOn, Title};
use Meaning::{AddressMore, FirstName, LastName, MiddleName, NameSuffix, OfOfficials, Whole};

/// Words are separated by commas. Spaces count for nothing here: `first name` is also `FirstName` and `first_name`.
const KNOWN: &[(Meaning, &str)] = &[
    (
        Whole(Name),
        "full name, name, signer, signer name, signatory, signatory name, supporter name, constituent name, \
         contact name, display name, name of signer, resident name, first and last name, first name and last \
         name, first last, name first last, printed name, print name, vollständiger name, vor und nachname, \
         nombre completo, nombre y apellidos, nom complet, nom et prénom, prénom et nom",
    ),
    (
        OfOfficials(Name),
        "official, official name, name of official, elected official, mayor, mayor name, mayors name, name of \
         mayor, councillor, councillor name, council member, representative, representative name, legislator, \
         office holder, bürgermeister, bürgermeisterin, alcalde, alcaldesa, maire",
    ),
    (FirstName, "first name, given name, forename, first, fname, name first, christian name, vorname, nombre, prénom"),
    (MiddleName, "middle name, middle initial, middle, mname, name middle"),
    (
        LastName,
        "last name, surname, family name, last, lname, name last, nachname, familienname, apellido, \
         apellidos, nom de famille",
    ),
    (NameSuffix, "suffix, name suffix"),
    (
        Whole(Email),
        "email, email address, mail, mail address, email 1, primary email, preferred email, personal email, \
         contact email, supporter email, signer email, constituent email, subscriber email, email primary, \
         mailbox, e mail adresse, mailadresse, correo, correo electrónico, dirección de correo electrónico, \
         courriel, adresse e mail, adresse courriel, adresse électronique, email 2, secondary email, work \
         email, home email, alternate email, alternative email, other email",
    ),
    (
        OfOfficials(Email),
        "official email, office email, mayor email, mayors email, email of mayor, mayor s email address, \
         office email address, council email, city hall email, town hall email",
    ),
    (
        Whole(Jurisdiction),
        "jurisdiction, municipality, city, town, village, borough, ward, district, constituency, county, \
         parish, township, community, locality, suburb, city town, town city, city village, city or town, \
         town or city, city town village, city village town, city or village, village or city, town village, \
         primary city, mailing city, home city, address city, city of residence, city name, town name, \
         municipality name, billing city, can 2 user city, can 2 county, primary county, mailing county, \
         council district, city council district, electoral district, electoral division, riding, legislative \
         district, city ward, gemeinde, ort, stadt, wohnort, wahlkreis, ciudad, municipio, localidad, \
         población, ville, commune, municipalité, circonscription",
    ),
    (
        Whole(Address),
        "address, street, street address, address 1, address line 1, address line one, postal address, home \
         address, mailing address, mailing street, primary address, primary address 1, residential address, \
         residence address, m address, full address, street and number, address street, mailing address line \
         1, street address line 1, billing street, can2 user address, billing address, adresse, anschrift, \
         strasse, strasse und hausnummer, strasse hausnummer, dirección, domicilio, calle, adresse postale, \
         rue",
    ),
    (
        AddressMore,
        "address 2, address 3, address line 2, address line 3, address line two, street address 2, street \
         address line 2, primary address 2, primary address 3, mailing address line 2, apt, apartment, apt \
         number, apt unit, unit, unit number, suite, adresszusatz",
    ),
    (
        Whole(Postcode),
        "postcode, postal code, zip, zip code, zip postal, zip postal code, postal code zip, zip or postal \
         code, zip 5, zip plus 4, primary zip, mailing zip, mailing zip postal code, mailing postal code, \
         home zip, address zip, postal, eircode, pin code, billing zip postal code, plz, postleitzahl, código \
         postal, cp, code postal",
    ),
    (
        Whole(SignedOn),
        "signed on, date, date signed, signed, signed at, signed date, signing date, signature date, date of \
         signature, date of signing, created, created at, created on, created date, date created, timestamp, \
         timestamp est, timestamp utc, submitted, submitted at, submitted on, submission date, date \
         submitted, submission time, action date, opt in time, signup date, datum, unterschrieben am, \
         zeitstempel, fecha, fecha de firma, marca temporal, horodateur, date de signature",
    ),
    (Whole(Title), "title, prefix, name prefix, salutation, honorific, anrede, titel, tratamiento, civilité, titre"),
    (OfOfficials(Title), "office, position, office title, official title, office held, amt, cargo, fonction"),
    (
        Whole(Note),
        "note, comment, comments, message, personal message, personal note, own words, own message, in your \
         own words, why, why i signed, why i m signing, why are you signing, why did you sign, reason for \
         signing, reason, kommentar, nachricht, comentario, comentarios, mensaje, commentaire",
    ),
    (Whole(Column::Role), "role, type, kind, person type, contact type, record type, rolle, rol, rôle"),
];

/// What a header is known to stand for in a file that lists people of that role (or of both).
pub(super) fn meaning(key: &str, role: Option<Role>) -> Option<Meaning> {
    let key = key.strip_suffix("_required").unwrap_or(key);
    let key = key.strip_prefix("your_").unwrap_or(key);
    let squeezed = |text: &str| text.chars().filter(|c| !matches!(c, ' ' | '_')).collect::<String>();
    let wanted = squeezed(key);
    let is = |word: &str| word.chars().filter(|c| *c != ' ').eq(wanted.chars());
    let known = KNOWN.iter().find(|(_, words)| words.split(", ").any(is));
    match known.map(|(meaning, _)| *meaning) {
        Some(OfOfficials(_)) if role != Some(Role::Official) => None,
        // A file that lists one role needs no role column, and its column “Type” is of something else.
        Some(Whole(Column::Role)) if role.is_some() => None,
        known => known,
    }
}

/// The words that tell roles apart in a role column, and whether a word is also the title of an office.
const ROLE_WORDS: &[(Role, bool, &str)] = &[
    (
        Role::Official,
        false,
        "official, officials, elected official, public official, elected, office holder, decision maker, \
         target",
    ),
    (
        Role::Official,
        true,
        "mayor, lord mayor, deputy mayor, village president, councillor, councilor, council member, \
         councilman, councilwoman, alderman, alderwoman, alderperson, alder, commissioner, county \
         commissioner, supervisor, trustee, representative, state representative, senator, state senator, \
         governor, member of parliament, mp, assembly member",
    ),
    (
        Role::Constituent,
        false,
        "constituent, constituents, signer, signatory, signee, supporter, resident, petitioner, citizen, \
         voter",
    ),
];

/// What a word of a role column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoleWord {
    pub(super) role: Role,
    /// Whether it can stand before the name of an official, as in “Mayor Adams”.
    pub(super) is_title: bool,
    /// The word as the table has it.
    pub(super) word: &'static str,
}

impl RoleWord {
    /// The word of a folded cell; nothing when the table does not have exactly that.
    pub(super) fn of(folded: &str) -> Option<Self> {
        // Nearly every row has one of these, and a file has very many rows.
        let usual = match folded {
            "constituent" => Some((Role::Constituent, "constituent")),
            "official" => Some((Role::Official, "official")),
            _ => None,
        };
        if let Some((role, word)) = usual {
            return Some(Self { role, is_title: false, word });
        }
        ROLE_WORDS.iter().find_map(|(role, is_title, words)| {
            let word = words.split(", ").find(|word| *word == folded)?;
            Some(Self { role: *role, is_title: *is_title, word })
        })
    }

    /// Whether it is one of the two words that the sample uses.
    pub(super) fn is_usual(self) -> bool {
        matches!(self.word, "official" | "constituent")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::contacts::columns::header_key;
    use crate::model::fold;

    #[test]
    fn every_known_header_is_written_as_it_is_compared_and_means_one_thing() {
        let mut seen = BTreeSet::new();
        for (meaning_of_line, words) in KNOWN {
            for word in words.split(", ") {
                assert_eq!(header_key(word).replace('_', " "), word);
                let squeezed = header_key(word).replace('_', "");
                assert!(seen.insert(squeezed), "“{word}” is there twice");
                let role = if matches!(meaning_of_line, OfOfficials(_)) { Some(Role::Official) } else { None };
                assert_eq!(meaning(&header_key(word), role), Some(*meaning_of_line), "{word}");
            }
        }
    }

    #[test]
    fn headers_are_known_however_they_are_written() {
        for (header, expected) in [
            ("FirstName", Some(FirstName)),
            ("LAST_NAME", Some(LastName)),
            ("E-mail Address", Some(Whole(Email))),
            ("Your email (required)", Some(Whole(Email))),
            ("City/Town", Some(Whole(Jurisdiction))),
            ("Zip/Postal", Some(Whole(Postcode))),
            ("Why I'm signing", Some(Whole(Note))),
            ("Notes", None),
            ("State", None),
            ("Mayor", None),
            ("Phone", None),
        ] {
            assert_eq!(meaning(&header_key(header), None), expected, "{header}");
        }
        assert_eq!(meaning(&header_key("Mayor's E-mail"), Some(Role::Official)), Some(OfOfficials(Email)));
        assert_eq!(meaning("mayor", Some(Role::Constituent)), None);
        assert_eq!(meaning("type", Some(Role::Official)), None);
    }

    #[test]
    fn every_word_of_a_role_is_its_own_fold_and_means_one_role() {
        let mut seen = BTreeSet::new();
        for (role, _, words) in ROLE_WORDS {
            for word in words.split(", ") {
                assert_eq!(fold(word), word);
                assert!(seen.insert(word), "“{word}” is there twice");
                assert_eq!(RoleWord::of(word).map(|w| w.role), Some(*role));
            }
        }
        assert_eq!(RoleWord::of("mayors"), None);
    }
}
