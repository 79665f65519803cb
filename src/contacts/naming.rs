//! The rows of one file that name somebody: where they are, and the file without them, every other byte as it was.
//! Must not know why they are to go.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::columns::Column;
use super::delimiter;
use super::encoding;
use super::error::{ContactsError, FileFault};
use super::given_back::columns_of_ours;
use super::known_headers::RoleWord;
use super::layout::Layout;
use super::records::{Broken, Cells, Record, Records};
use super::safe_csv::replace_file_keeping_mode;
use super::settings::{ContactsFile, ContactsSettings};
use super::source::Source;
use super::swallowed::swallows_rows;
use crate::model::{EmailAddress, Role, fold};

/// Whom to look for.
#[expect(missing_debug_implementations, reason = "it holds a function")]
#[derive(Clone, Copy)]
pub struct Naming<'a> {
    /// Whether a cell names them.
    pub is_named: &'a dyn Fn(&str) -> bool,
    /// In whose rows.
    pub whose: Whose,
    /// Whether the row of somebody else, who has an address of their own and only names them, is not theirs.
    pub spares_others: bool,
}

/// Whose rows are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// All rows.
    Everybody,
    /// Not those of officials, one of whom has the same mailbox.
    Constituents,
    /// Only those of officials; none of a file that does not tell them from others.
    Officials,
}

/// Where somebody is named in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The lines on which these rows start; of a workbook, the rows of its sheet.
    pub lines: Vec<u64>,
    /// The lines of rows of others, which only name them.
    pub of_others: Vec<u64>,
    /// Whether it is a workbook, which is not written.
    pub is_workbook: bool,
}

/// Why a file was not looked through.
#[derive(Debug, thiserror::Error)]
pub enum NamingError {
    /// It cannot be read as a table.
    #[error("{0}")]
    File(#[from] FileFault),
    /// Rows cannot be told apart, or bytes would not stay as they are.
    #[error("{0}")]
    Unclear(&'static str),
    /// It cannot be written.
    #[error("{0}")]
    Unwritable(#[from] ContactsError),
}

const QUOTE_OPEN: &str = "a quotation mark in it is not closed, so its rows cannot be told apart";
const ODD_BYTES: &str = "it cannot be written again byte by byte in the encoding that it is in";
const NO_ROLE: &str = "an official has the same address, and nothing in the file tells their row from others";

/// The rows of that file which name them.
pub fn rows_naming(file: &ContactsFile, settings: &ContactsSettings, naming: Naming<'_>) -> Result<Named, NamingError> {
    let mut source = Source::open(&file.path, &settings.reading)?;
    if source.sheet.is_some() {
        let mut reader = Reader::begin(Records::new(source, b',', 1).counting_rows(), file, settings, naming)?;
        let mut named = Named { lines: Vec::new(), of_others: Vec::new(), is_workbook: true };
        while let Some((line, says)) = reader.next()? {
            named.note(line, says);
        }
        return Ok(named);
    }
    Ok(cut(&mut source, file, settings, naming)?.0)
}

/// Writes the file without those rows, in one step; gives how many there were.
pub fn take_out_rows_naming(
    file: &ContactsFile,
    settings: &ContactsSettings,
    naming: Naming<'_>,
) -> Result<u64, NamingError> {
    let mut source = Source::open(&file.path, &settings.reading)?;
    if source.sheet.is_some() {
        return Ok(0);
    }
    let (Named { lines, .. }, left) = cut(&mut source, file, settings, naming)?;
    if !lines.is_empty() {
        replace_file_keeping_mode(&file.path, &left)?;
    }
    Ok(lines.len() as u64)
}

impl Named {
    fn note(&mut self, line: u64, says: Says) {
        match says {
            Says::Nothing => {}
            Says::Them => self.lines.push(line),
            Says::AnotherWhoNamesThem => self.of_others.push(line),
        }
    }
}

/// Of whom a row is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    Them,
    AnotherWhoNamesThem,
}

/// The rows that name them, and the file without theirs.
fn cut(
    source: &mut Source,
    file: &ContactsFile,
    settings: &ContactsSettings,
    naming: Naming<'_>,
) -> Result<(Named, Vec<u8>), NamingError> {
    let bytes = fs::read(&file.path).map_err(FileFault::from)?;
    let encoding = source.encoding.encoding;
    let mark = encoding::by_head(&bytes).map_or(0, |(_, mark)| mark);
    let text = decoded(encoding, &bytes[mark..])?;
    let start = if source.line > 1 { end_of_first_line(&text) } else { 0 };
    let delimiter = match (settings.reading.delimiter.and_then(|c| u8::try_from(c).ok()), source.delimiter) {
        (Some(named), _) => named,
        (None, Some(in_file)) => in_file,
        (None, None) => delimiter::guess(source.head().map_err(FileFault::from)?, settings, file.role),
    };
    let mut reader = Reader::begin(Records::new(&text[start..], delimiter, source.line), file, settings, naming)?;
    let mut kept = text[..start].to_vec();
    let mut from = start;
    let keep_until = |reader: &Reader<'_, &[u8]>| {
        let end = start + reader.records.taken();
        // The second half of a line end is read with the next record.
        if text[..end].ends_with(b"\r") && text[end..].starts_with(b"\n") { end + 1 } else { end }
    };
    let mut named = Named { lines: Vec::new(), of_others: Vec::new(), is_workbook: false };
    let header_end = keep_until(&reader);
    kept.extend_from_slice(&text[from..header_end]);
    from = header_end;
    while let Some((line, says)) = reader.next()? {
        let end = keep_until(&reader);
        named.note(line, says);
        if says != Says::Them {
            kept.extend_from_slice(&text[from..end]);
        }
        from = end;
    }
    let mut left = bytes[..mark].to_vec();
    left.extend(encoded(encoding, &kept)?);
    Ok((named, left))
}

/// The text in UTF-8, where what comes of it can be written back byte by byte.
fn decoded<'b>(encoding: &'static Encoding, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, NamingError> {
    if encoding == UTF_8 {
        return Ok(Cow::Borrowed(bytes));
    }
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    let text = Cow::Owned(text.into_owned().into_bytes());
    if had_errors || encoded(encoding, &text)? != bytes {
        return Err(NamingError::Unclear(ODD_BYTES));
    }
    Ok(text)
}

fn encoded(encoding: &'static Encoding, text: &[u8]) -> Result<Vec<u8>, NamingError> {
    if encoding == UTF_8 {
        return Ok(text.to_vec());
    }
    let text = std::str::from_utf8(text).map_err(|_| NamingError::Unclear(ODD_BYTES))?;
    if encoding == UTF_16LE {
        return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    if encoding == UTF_16BE {
        return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    match encoding.encode(text) {
        (bytes, _, false) => Ok(bytes.into_owned()),
        _ => Err(NamingError::Unclear(ODD_BYTES)),
    }
}

fn end_of_first_line(text: &[u8]) -> usize {
    let end = text.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(text.len());
    let is_pair = text[end..].starts_with(b"\r\n");
    (end + if is_pair { 2 } else { 1 }).min(text.len())
}

/// The rows below a header line, each with whom it is of.
struct Reader<'a, R> {
    records: Records<R>,
    record: Record,
    naming: Naming<'a>,
    /// Where the role stands.
    role: Option<usize>,
    /// Whom the file lists, where its rows do not say it themselves.
    of: Option<Role>,
    /// Where the address stands, and what separates cells: by these a quote that swallows rows is known.
    email: Option<(usize, u8)>,
}

impl<'a, R: std::io::BufRead> Reader<'a, R> {
    fn begin(
        mut records: Records<R>,
        file: &ContactsFile,
        settings: &ContactsSettings,
        naming: Naming<'a>,
    ) -> Result<Self, NamingError> {
        let mut record = Record::default();
        if !delimiter::first_filled(&mut records, &mut record).map_err(broken)? {
            return Ok(Self { records, record, naming, role: None, of: None, email: None });
        }
        let header = record.cells().map_err(|_| NamingError::Unclear(ODD_BYTES))?;
        let ours = columns_of_ours(header);
        let layout = Layout::read(header.given_back(ours), settings, file.role).0;
        let role = layout.at(Column::Role).map(|at| at + ours);
        if naming.whose == Whose::Constituents && role.is_none() && file.role.is_none() {
            return Err(NamingError::Unclear(NO_ROLE));
        }
        let email = layout.at(Column::Email).map(|at| (at + ours, records.delimiter()));
        Ok(Self { records, record, naming, role, of: file.role, email })
    }

    fn next(&mut self) -> Result<Option<(u64, Says)>, NamingError> {
        if !self.records.read(&mut self.record).map_err(broken)? {
            return Ok(None);
        }
        // A row that is no text is not one that somebody could be found in by their address.
        let says = self.record.cells().map_or(Says::Nothing, |cells| self.says(cells));
        let swallows = |cells| self.email.is_some_and(|(at, delimiter)| swallows_rows(cells, delimiter, at));
        if says != Says::Nothing && self.record.has_breaks && self.record.cells().is_ok_and(swallows) {
            return Err(NamingError::Unclear(QUOTE_OPEN));
        }
        Ok(Some((self.record.line, says)))
    }

    fn says(&self, cells: Cells<'_>) -> Says {
        let is_looked_at = match self.naming.whose {
            Whose::Everybody => true,
            Whose::Constituents => self.role_of(cells) == Some(Role::Constituent),
            Whose::Officials => self.role_of(cells) == Some(Role::Official),
        };
        let mut named = cells.iter().filter(|cell| (self.naming.is_named)(cell)).peekable();
        if !is_looked_at || named.peek().is_none() {
            return Says::Nothing;
        }
        let is_address = |cell: &str| EmailAddress::parse(cell).is_ok();
        let has_their_own = self.email.is_some_and(|(at, _)| is_address(cells.get(at)));
        if self.naming.spares_others && has_their_own && !named.any(is_address) {
            return Says::AnotherWhoNamesThem;
        }
        Says::Them
    }

    fn role_of(&self, cells: Cells<'_>) -> Option<Role> {
        let word = self.role.and_then(|at| RoleWord::of(&fold(cells.get(at))));
        word.map(|word| word.role).or(self.of)
    }
}

fn broken(broken: Broken) -> NamingError {
    match broken {
        Broken::Input(error) => FileFault::from(error).into(),
        Broken::UnterminatedQuote { .. } => NamingError::Unclear(QUOTE_OPEN),
    }
}

/// Whether the rows of a file are a workbook's, by its name.
pub fn is_workbook(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ["xlsx", "xlsm", "ods"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mention;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1252};

    /// The lines that name Jane, and what is left of a file without them.
    fn without_jane(bytes: &[u8], spares_officials: bool) -> Result<(Vec<u64>, Vec<u8>), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = ContactsFile::with_role_column(folder.path().join("contacts.csv"));
        fs::write(&file.path, bytes).unwrap();
        let jane = Mention::of(&EmailAddress::parse("jane@x.example").unwrap(), None);
        let whose = if spares_officials { Whose::Constituents } else { Whose::Everybody };
        let naming = Naming { is_named: &|cell| jane.is_in(cell), whose, spares_others: true };
        let settings = ContactsSettings::new(Vec::new());
        let found = rows_naming(&file, &settings, naming).map_err(|e| e.to_string())?;
        let taken = take_out_rows_naming(&file, &settings, naming).map_err(|e| e.to_string())?;
        assert_eq!(taken, found.lines.len() as u64);
        Ok((found.lines, fs::read(&file.path).unwrap()))
    }

    #[test]
    fn a_file_loses_the_rows_of_one_person_and_no_other_byte() {
        let head = "role,name,email,note\r\n";
        let (ana, ben) = ("constituent,Ána,ana@x.example,\"two\r\nlines\"\r\n", "constituent,Ben,ben@x.example,");
        let jane = "constituent,\"Jane\r\nDoe\", Jane@X.EXAMPLE ,\r\n";
        let with = format!("{head}{ana}{jane}{ben}");
        let left = format!("{head}{ana}{ben}");
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let marked = |bytes: &[u8]| [b"\xff\xfe", bytes].concat();
        for (with, left) in [
            (with.clone().into_bytes(), left.clone().into_bytes()),
            (format!("\u{feff}{with}").into_bytes(), format!("\u{feff}{left}").into_bytes()),
            (format!("sep=,\r\n{with}").into_bytes(), format!("sep=,\r\n{left}").into_bytes()),
            (with.replace("\r\n", "\n").into_bytes(), left.replace("\r\n", "\n").into_bytes()),
            (with.replace("\r\n", "\r").into_bytes(), left.replace("\r\n", "\r").into_bytes()),
            (with.replace(',', ";").into_bytes(), left.replace(',', ";").into_bytes()),
            (WINDOWS_1252.encode(&with).0.into_owned(), WINDOWS_1252.encode(&left).0.into_owned()),
            (marked(&wide(&with)), marked(&wide(&left))),
        ] {
            let (lines, found) = without_jane(&with, false).unwrap();
            assert_eq!(lines.len(), 1, "{}", String::from_utf8_lossy(&with));
            assert_eq!(found, left, "{}", String::from_utf8_lossy(&found));
        }
    }

    #[test]
    fn a_file_in_an_encoding_of_several_bytes_a_letter_stays_byte_by_byte() {
        let jane = "constituent,J,jane@x.example\n";
        let text =
            format!("role,name,email\nconstituent,田中さくら,a@x.example\nconstituent,鈴木はなこ,b@x.example\n{jane}");
        let (bytes, _, _) = SHIFT_JIS.encode(&text);
        let (lines, left) = without_jane(&bytes, false).unwrap();
        assert_eq!((lines, left.as_slice()), (vec![4], &bytes[..bytes.len() - jane.len()]));
    }

    #[test]
    fn an_official_of_the_same_address_stays_and_so_does_whoever_looks_alike() {
        let head = "role,name,email\n";
        let official = "Mayor,Jane,jane@x.example\n";
        let others = "constituent,J,jane@x.example.org\nconstituent,K,mary-jane@x.example\n";
        let file = format!("{head}{official}{others}constituent,Jane,jane@x.example\n");
        let (lines, left) = without_jane(file.as_bytes(), true).unwrap();
        assert_eq!(lines, [5]);
        assert_eq!(left, format!("{head}{official}{others}").into_bytes());
        assert!(without_jane(b"name,email\nJane,jane@x.example\n", true).unwrap_err().contains("official"));
    }

    #[test]
    fn somebody_else_whose_words_name_them_keeps_their_row() {
        let head = "role,name,email,note\n";
        let ben = "constituent,Ben,ben@x.example,ask jane@x.example\n";
        let jane = "constituent,Jane,Jane <jane@x.example>,\nconstituent,J,j@x.example,JANE@x.example\n";
        let (lines, left) = without_jane(format!("{head}{ben}{jane}").as_bytes(), false).unwrap();
        assert_eq!((lines, left), (vec![3, 4], format!("{head}{ben}").into_bytes()));
    }

    #[test]
    fn a_file_whose_rows_cannot_be_told_apart_is_left_alone() {
        let swallowing = "role,name,email\nconstituent,\"Jane,jane@x.example\nconstituent,Ben,ben@x.example\n\
                          constituent,\"Ana\",ana@x.example\n";
        assert!(without_jane(swallowing.as_bytes(), false).unwrap_err().contains("quotation mark"));
    }
}
