//! The header line of one file → what each column is. Every problem of it is found at once.
//!
//! A column is where the settings say, or under our own word for it, or under the one header that is known to mean
//! it. Where several could be meant none is taken: that is a [`Doubt`]. This file must not look at the rows.

use std::borrow::Cow;

use super::columns::{Column, header_key, visible};
use super::error::FileFault;
use super::recognise::Recognised;
use super::records::Cells;
use super::settings::{ContactsSettings, MayLackKey};
use crate::model::{EmailAddress, RESERVED_FIELDS, Role, printable, unprintable};

/// What stands where in one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// The headers as they are shown; trailing columns without a header are not among them.
    pub(super) headers: Vec<String>,
    /// The columns that templates can name by their headers: where, and their keys.
    pub(super) extras: Vec<(usize, String)>,
    /// Columns whose headers had invisible characters or no-break spaces.
    pub(super) cleaned: Vec<usize>,
    /// Columns that are not used, since another one was named for the same purpose, or they have no header.
    pub(super) unused: Vec<usize>,
    /// What only a person can decide.
    pub(super) doubts: Vec<Doubt>,
    /// Each header as it is compared.
    pub(super) keys: Vec<String>,
    /// Who may leave the cell that joins empty.
    pub(super) may_lack_key: MayLackKey,
    match_at: Vec<usize>,
    places: [Vec<usize>; Column::ALL.len()],
    is_person: bool,
}

/// A column of ours that could stand in several places, or that must be there and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The word that was looked for: ours, or the one that the settings name.
    pub(super) wanted: String,
    /// The column, when it is one that settings can place.
    pub(super) column: Option<Column>,
    /// Whether the file cannot be used without it.
    pub(super) is_required: bool,
    /// Each the places of the headers that are put together.
    pub(super) candidates: Vec<Vec<usize>>,
}

impl Layout {
    /// Reads the header line of a file that lists people of one role, or tells them apart by a column.
    pub(super) fn read(cells: Cells<'_>, settings: &ContactsSettings, role: Option<Role>) -> (Self, Vec<FileFault>) {
        let keys = cells.iter().map(header_key).collect();
        let mut layout = Self { keys, may_lack_key: settings.may_lack_key(role), ..Self::default() };
        layout.show(cells);
        let mut faults = Vec::new();
        if cells.iter().any(|c| EmailAddress::parse(c).is_ok()) {
            faults.push(FileFault::NoHeader);
            layout.is_person = true;
            return (layout, faults);
        }
        layout.find_twice(&mut faults);
        let doubted = layout.place(settings, role);
        layout.find_divided(&mut faults);
        layout.name_extras(&mut faults);
        layout.find_doubts(settings, role, doubted);
        (layout, faults)
    }

    /// Where a column of ours stands: the first place, where it is put together from several.
    pub(super) fn at(&self, column: Column) -> Option<usize> {
        self.places(column).first().copied()
    }

    /// All places that a column of ours is put together from; none when the file has no such column.
    pub(super) fn places(&self, column: Column) -> &[usize] {
        &self.places[column as usize]
    }

    /// Where the cell stands that joins.
    pub(super) fn match_places(&self) -> &[usize] {
        &self.match_at
    }

    /// The cell that joins, put together.
    pub(super) fn match_text<'c>(&self, cells: Cells<'c>) -> Cow<'c, str> {
        together(cells, &self.match_at, " ")
    }

    /// Whether a column of ours is read from there.
    pub(super) fn is_placed(&self, index: usize) -> bool {
        self.match_at.contains(&index) || self.places.iter().any(|places| places.contains(&index))
    }

    /// The header of a column as it is shown, or its number.
    pub(super) fn label(&self, index: usize) -> String {
        let header = self.headers.get(index).filter(|h| !h.is_empty());
        header.cloned().unwrap_or_else(|| format!("number {}", index + 1))
    }

    /// The headers of several columns.
    pub(super) fn labels(&self, places: &[usize]) -> String {
        let labels: Vec<String> = places.iter().map(|&at| self.label(at)).collect();
        labels.join(" + ")
    }

    /// How many columns that must be there are not. An address in a cell of its own means that the cells are cut
    /// rightly, so that nothing else is to be tried.
    pub(super) fn missing(&self) -> usize {
        let missing = self.doubts.iter().filter(|d| d.is_required && d.candidates.is_empty()).count();
        missing + usize::from(self.is_person)
    }

    /// Whether rows can be read.
    pub(super) fn is_sound(&self) -> bool {
        !self.is_person && !self.doubts.iter().any(|d| d.is_required)
    }

    /// Whether nothing of ours is found in it.
    pub(super) fn is_unknown(&self) -> bool {
        self.match_at.is_empty() && self.places.iter().all(Vec::is_empty)
    }

    /// What was found under other names than ours, as `name ← “First name” + “Last name”`.
    pub(super) fn recognised(&self) -> Vec<String> {
        let own = |column: Column| matches!(self.places(column), [at] if self.keys.get(*at).is_some_and(|k| k == column.as_str()));
        let quoted = |at: &usize| format!("“{}”", self.label(*at));
        let line = |column: Column| {
            let headers: Vec<String> = self.places(column).iter().map(quoted).collect();
            format!("{} ← {}", column.as_str(), headers.join(" + "))
        };
        Column::ALL.into_iter().filter(|&c| self.at(c).is_some() && !own(c)).map(line).collect()
    }

    fn show(&mut self, cells: Cells<'_>) {
        self.headers = cells.iter().map(|c| printable(&visible(c), 80)).collect();
        let width = self.headers.iter().rposition(|h| !h.is_empty()).map_or(0, |last| last + 1);
        self.headers.truncate(width);
        let odd = |text: &str| {
            text.chars().any(|c| (c != ' ' && c.is_whitespace()) || unprintable(c.encode_utf8(&mut [0; 4])).is_some())
        };
        self.cleaned = cells.iter().take(width).enumerate().filter(|(_, c)| odd(c)).map(|(i, _)| i).collect();
    }

    fn find_twice(&self, faults: &mut Vec<FileFault>) {
        for (i, key) in self.keys.iter().enumerate() {
            if !key.is_empty() && self.keys[..i].contains(key) {
                let fault = FileFault::SameHeader(self.label(i));
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
    }

    fn find_divided(&self, faults: &mut Vec<FileFault>) {
        for column in Column::ALL.into_iter().filter(|c| c.is_undivided() && self.places(*c).len() > 1) {
            let headers = self.labels(self.places(column));
            faults.push(FileFault::Divided { column: column.as_str(), headers });
        }
    }

    /// Gives every column of ours its place: first those that the settings name, then the rest by their own names,
    /// then by the names that are known. Gives the columns that could stand in several places.
    fn place(&mut self, settings: &ContactsSettings, role: Option<Role>) -> Vec<(Column, Vec<Vec<usize>>)> {
        let joins = header_key(settings.match_key());
        for column in Column::ALL {
            let wanted = mapped(settings, column).unwrap_or_default();
            let place = |header: &String| self.place_of(&header_key(header));
            self.places[column as usize] = wanted.iter().filter_map(place).collect();
        }
        for column in Column::ALL {
            let own = self.place_of(column.as_str()).filter(|&at| !self.is_placed(at));
            let declined = mapped(settings, column).is_some_and(<[String]>::is_empty);
            let place = &mut self.places[column as usize];
            if let (true, false, Some(own)) = (place.is_empty(), declined, own) {
                place.push(own);
            }
        }
        let is_free = |at: usize| !self.is_placed(at) && self.keys[at] != joins;
        let known = Recognised::read(&self.keys, role, is_free);
        let mut doubted = Vec::new();
        for column in Column::ALL {
            let settled = mapped(settings, column).is_some_and(|m| m.is_empty() || self.at(column).is_some());
            let place = &mut self.places[column as usize];
            match (place.as_slice(), known.candidates(column).as_slice()) {
                _ if settled => {}
                ([], []) => {}
                ([], [only]) => place.clone_from(only),
                ([], several) => doubted.push((column, several.to_vec())),
                _ if column == Column::Address => place.extend(known.address_more()),
                _ => {}
            }
        }
        doubted
    }

    fn place_of(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|k| k == key && !key.is_empty())
    }

    /// Also what a column of ours is read from keeps its header's name, so that a letter can say `first_name`.
    fn name_extras(&mut self, faults: &mut Vec<FileFault>) {
        for (i, key) in self.keys.iter().enumerate().take(self.headers.len()) {
            let (is_placed, is_ours) = (self.is_placed(i), Column::parse(key).is_some());
            let is_reserved = RESERVED_FIELDS.contains(&key.as_str());
            match (is_placed, is_ours || key.is_empty(), is_reserved) {
                (true, true, _) | (true, _, true) => {}
                (false, true, _) => self.unused.push(i),
                (false, _, true) => faults.push(FileFault::ReservedHeader(self.label(i))),
                (_, false, false) => self.extras.push((i, key.clone())),
            }
        }
    }

    /// Notes what must be there and is not, and what could stand in several places.
    fn find_doubts(
        &mut self,
        settings: &ContactsSettings,
        role: Option<Role>,
        mut doubted: Vec<(Column, Vec<Vec<usize>>)>,
    ) {
        let joins = Column::parse(settings.match_key());
        self.match_at = match joins {
            Some(column) => self.places(column).to_vec(),
            None => self.place_of(&header_key(settings.match_key())).into_iter().collect(),
        };
        // Where a postcode may do, it is enough in a file without officials.
        let must_join = match self.may_lack_key {
            MayLackKey::Nobody => true,
            MayLackKey::ConstituentsWithPostcode => role.is_none() || self.at(Column::Postcode).is_none(),
            MayLackKey::Everybody => false,
        };
        if must_join && joins.is_none() && self.match_at.is_empty() {
            let wanted = settings.match_key().to_owned();
            self.doubts.push(Doubt { wanted, column: None, is_required: true, candidates: Vec::new() });
        }
        let needs = |c: Column| match c {
            Column::Name | Column::Email => true,
            Column::Role => role.is_none(),
            other => must_join && joins == Some(other),
        };
        for column in Column::ALL {
            let several = doubted.iter_mut().find(|(c, _)| *c == column).map(|(_, places)| std::mem::take(places));
            let is_required = needs(column) && self.at(column).is_none();
            if is_required || several.is_some() {
                let wanted = mapped(settings, column).and_then(|m| m.first()).map_or(column.as_str(), String::as_str);
                let candidates = several.unwrap_or_default();
                self.doubts.push(Doubt { wanted: wanted.to_owned(), column: Some(column), is_required, candidates });
            }
        }
    }
}

/// Several cells as one text; those that are empty are left out.
pub(super) fn together<'c>(cells: Cells<'c>, places: &[usize], separator: &str) -> Cow<'c, str> {
    match places {
        [] => Cow::Borrowed(""),
        [at] => Cow::Borrowed(cells.get(*at).trim()),
        several => {
            let parts: Vec<&str> = several.iter().map(|&at| cells.get(at).trim()).filter(|p| !p.is_empty()).collect();
            Cow::Owned(parts.join(separator))
        }
    }
}

/// The headers that the settings name for a column; an empty list says that no header is it.
pub(super) fn mapped(settings: &ContactsSettings, column: Column) -> Option<&[String]> {
    let ours = settings.columns.iter().find(|(ours, _)| Column::parse(ours) == Some(column));
    ours.map(|(_, theirs)| theirs.as_slice())
}

/// What is wrong with the settings themselves, and with headers that no file has.
pub(super) fn check_settings(settings: &ContactsSettings, layouts: &[Layout]) -> Vec<FileFault> {
    let mut faults = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    let pairs = settings.columns.iter().flat_map(|(ours, theirs)| theirs.iter().map(move |header| (ours, header)));
    for (ours, theirs) in pairs {
        let wanted = header_key(theirs);
        match Column::parse(ours) {
            None => faults.push(FileFault::UnknownColumn { name: printable(ours, 80), nearest: nearest(ours) }),
            Some(column) => {
                let there = |l: &Layout| l.keys.contains(&wanted);
                if !layouts.is_empty() && !layouts.iter().any(there) {
                    faults.push(FileFault::MappedAbsent { column: column.as_str(), header: printable(theirs, 80) });
                }
            }
        }
        // Of a header that is put together with others, as a town in an address, another column may need the whole.
        if theirs_alone(settings, ours) && taken.contains(&wanted) {
            faults.push(FileFault::MappedTwice(printable(theirs, 80)));
        }
        if theirs_alone(settings, ours) {
            taken.push(wanted);
        }
    }
    let key = header_key(settings.match_key());
    if key.is_empty() || ["role", "name", "email"].contains(&key.as_str()) {
        faults.push(FileFault::BadMatchKey(printable(settings.match_key(), 80)));
    }
    faults
}

fn theirs_alone(settings: &ContactsSettings, ours: &str) -> bool {
    settings.columns.get(ours).is_some_and(|theirs| theirs.len() == 1)
}

fn nearest(name: &str) -> Option<&'static str> {
    let key = header_key(name);
    let near = Column::ALL.map(|c| (strsim::osa_distance(&key, c.as_str()), c.as_str()));
    near.into_iter().min().filter(|&(distance, _)| distance <= 2).map(|(_, name)| name)
}
