//! Postcode → jurisdiction, for constituents of whom only the postcode is known. A postcode of two jurisdictions
//! leads to neither; one that is not in the table leads nowhere. Sixteen bytes a postcode, whatever their number.

use std::collections::HashMap;
use std::path::Path;

use super::columns::{Column, header_key};
use super::error::{FileFault, FileProblem};
use super::layout::Layout;
use super::pairs::{self, Wanted};
use super::problem::Note;
use crate::model::{fold, printable};

/// So many letters and digits a postcode may have.
const CHARS_MAX: usize = 12;

/// The table.
#[derive(Default)]
pub(super) struct Postcodes {
    by_code: HashMap<Code, Meaning>,
    /// Jurisdictions as the table writes them, each once.
    jurisdictions: Vec<Jurisdiction>,
    /// Those of the codes that have several.
    several: Vec<Vec<usize>>,
    pub(super) faults: Vec<FileProblem>,
    pub(super) notes: Vec<Note>,
}

/// A jurisdiction of the table.
pub(super) struct Jurisdiction {
    pub(super) as_written: String,
    pub(super) key: String,
}

/// Where a postcode leads.
pub(super) enum Leads<'a> {
    To(&'a Jurisdiction),
    ToSeveral(Vec<&'a Jurisdiction>),
    /// Not in the table; with a zero before it, it would lead there.
    Nowhere {
        with_zero: Option<(String, &'a Jurisdiction)>,
    },
}

#[derive(Clone, Copy)]
enum Meaning {
    One(u32),
    Several(u32),
}

/// A postcode as a number in base 37: its letters and digits, without case and what stands between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Code(u64);

impl Code {
    fn of(text: &str) -> Option<Self> {
        let mut code = 0_u64;
        let mut chars = 0;
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let digit = c.to_digit(36).filter(|_| chars < CHARS_MAX)?;
            code = code * 37 + u64::from(digit) + 1;
            chars += 1;
        }
        (chars > 0).then_some(Self(code))
    }

    /// The five digits of a ZIP+4.
    fn short(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b' ' | b'-')).collect();
        let is_long_zip = digits.len() == 9 && digits.iter().all(u8::is_ascii_digit);
        let five = is_long_zip.then(|| std::str::from_utf8(&digits[..5]).ok()).flatten()?;
        Self::of(five)
    }
}

impl Postcodes {
    /// Reads the table. `match_key` is the column that joins, which may stand for the jurisdiction.
    pub(super) fn read(path: &Path, match_key: &str) -> Self {
        let postcode = |layout: &Layout| layout.at(Column::Postcode);
        let match_key = header_key(match_key);
        let named = |layout: &Layout| layout.headers.iter().position(|h| header_key(h) == match_key);
        let jurisdiction = |layout: &Layout| named(layout).or_else(|| layout.at(Column::Jurisdiction));
        let wanted = [
            Wanted { name: "postcode", find: &postcode, may_be_empty: false },
            Wanted { name: "jurisdiction", find: &jurisdiction, may_be_empty: false },
        ];
        let found = match pairs::read(path, &wanted) {
            Ok(found) => found,
            Err(fault) => return Self { faults: vec![fault], ..Self::default() },
        };
        let mut table = Self { faults: found.faults, notes: found.notes, ..Self::default() };
        let mut numbers: HashMap<String, u32> = HashMap::new();
        for pair in found.listed {
            let Some(code) = Code::of(&pair.left) else {
                let fault = FileFault::NotPostcode(printable(&pair.left, 40));
                table.faults.push(fault.at(&found.name, Some(pair.line)));
                continue;
            };
            let jurisdiction = table.number(&mut numbers, pair.right);
            table.add(code, jurisdiction);
        }
        if table.by_code.is_empty() && table.faults.is_empty() {
            table.faults.push(FileFault::NoPostcodes.at(&found.name, None));
        }
        table
    }

    fn number(&mut self, numbers: &mut HashMap<String, u32>, as_written: String) -> u32 {
        let key = fold(&as_written);
        let next = u32::try_from(self.jurisdictions.len()).unwrap_or(u32::MAX);
        *numbers.entry(key.clone()).or_insert_with(|| {
            self.jurisdictions.push(Jurisdiction { as_written, key });
            next
        })
    }

    fn add(&mut self, code: Code, jurisdiction: u32) {
        let meaning = self.by_code.entry(code).or_insert(Meaning::One(jurisdiction));
        match *meaning {
            Meaning::One(first) if first == jurisdiction => {}
            Meaning::One(first) => {
                *meaning = Meaning::Several(u32::try_from(self.several.len()).unwrap_or(u32::MAX));
                self.several.push(vec![first as usize, jurisdiction as usize]);
            }
            Meaning::Several(list) => {
                if let Some(list) = self.several.get_mut(list as usize)
                    && !list.contains(&(jurisdiction as usize))
                {
                    list.push(jurisdiction as usize);
                }
            }
        }
    }

    /// Where a postcode leads. The five digits of a ZIP+4 do where the table does not have all nine.
    pub(super) fn look_up(&self, postcode: &str) -> Leads<'_> {
        let found = |code: Code| self.by_code.get(&code);
        let direct = Code::of(postcode).and_then(found);
        match direct.or_else(|| Code::short(postcode).and_then(found)) {
            Some(meaning) => self.leads(*meaning),
            None => Leads::Nowhere { with_zero: self.with_zero(postcode) },
        }
    }

    fn leads(&self, meaning: Meaning) -> Leads<'_> {
        let nowhere = Leads::Nowhere { with_zero: None };
        match meaning {
            Meaning::One(number) => self.jurisdictions.get(number as usize).map_or(nowhere, Leads::To),
            Meaning::Several(list) => {
                let numbers = self.several.get(list as usize).map(Vec::as_slice).unwrap_or_default();
                Leads::ToSeveral(numbers.iter().filter_map(|n| self.jurisdictions.get(*n)).collect())
            }
        }
    }

    fn with_zero(&self, postcode: &str) -> Option<(String, &Jurisdiction)> {
        let is_short = postcode.len() == 4 && postcode.bytes().all(|b| b.is_ascii_digit());
        let longer = is_short.then(|| format!("0{postcode}"))?;
        match self.leads(*self.by_code.get(&Code::of(&longer)?)?) {
            Leads::To(jurisdiction) => Some((longer, jurisdiction)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_hyphens_and_case_do_not_count_and_zeros_do() {
        for (a, b, same) in [
            ("SW1A 1AA", "sw1a1aa", true),
            ("60601-1234", "606011234", true),
            ("01001", "1001", false),
            ("0", "00", false),
            ("K1A 0B1", "K1A-0B1", true),
        ] {
            assert_eq!(Code::of(a) == Code::of(b), same, "{a} {b}");
        }
        for odd in ["", " - ", "12345678901234", "Zürich", "60601, 60602"] {
            assert_eq!(Code::of(odd), None, "{odd}");
        }
        assert_eq!(Code::short("60601-1234"), Code::of("60601"));
        assert_eq!(Code::short("60601"), None);
    }
}
