//! A rehearsal to look at: `index.html` with who got what, and every message as a mail program would show it.
//!
//! Plain HTML without scripts; what came by mail stands in sandboxed frames. Shows what is in the mailbox, parsed
//! back from the bytes that arrived, not what the program believes it sent.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mail_parser::{Message, MessageParser};

use crate::ledger::{Counts, Ledger, LedgerError, LogFilter, MessageRecord};
use crate::model::{MessageId, MessageKind, MessageRef, MessageState};
use crate::template::escaped;

use super::table::count;

/// What can go wrong when the pages are written.
#[derive(Debug, thiserror::Error)]
pub enum GalleryError {
    /// A page or a message.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn failed(path: &Path, error: io::Error) -> GalleryError {
    GalleryError::File { path: path.to_owned(), error }
}

/// So many messages get a page of their own; a browser does not like a list of a hundred thousand.
const SHOWN_MAX: usize = 5000;

/// Writes the pages of one rehearsal.
#[derive(Debug)]
pub struct Gallery<'a> {
    /// Where `index.html` and `view/` go.
    pub folder: &'a Path,
    /// The Maildir's `new` folder.
    pub mail: &'a Path,
    /// The campaign's name.
    pub campaign: &'a str,
}

impl Gallery<'_> {
    /// Writes `index.html` and a page for each of the first thousand messages; gives the path of the index.
    pub fn write<L: Ledger>(&self, ledger: &L) -> Result<PathBuf, GalleryError> {
        let (files, arrived_in_all) = self.first_files()?;
        let view = self.folder.join("view");
        fs::create_dir_all(&view).map_err(|e| failed(&view, e))?;
        let mut arrived = Vec::new();
        for (place, file) in files.into_iter().enumerate() {
            arrived.push(self.write_view(&view, place, &file)?);
        }
        let records = records(ledger, &arrived)?;
        let index = self.folder.join("index.html");
        let page = self.index(&ledger.counts()?, &arrived, &records, arrived_in_all);
        fs::write(&index, page).map_err(|e| failed(&index, e))?;
        Ok(index)
    }

    /// The names of the first messages, and how many there are in all. Holds no more than are shown.
    fn first_files(&self) -> Result<(BTreeSet<String>, usize), GalleryError> {
        let folder = |e| failed(self.mail, e);
        let mut files = BTreeSet::new();
        let mut count = 0;
        for entry in fs::read_dir(self.mail).map_err(folder)? {
            count += 1;
            files.insert(entry.map_err(folder)?.file_name().to_string_lossy().into_owned());
            if files.len() > SHOWN_MAX {
                files.pop_last();
            }
        }
        Ok((files, count))
    }

    /// One message's page; gives the message's number, where it has one.
    fn write_view(&self, view: &Path, place: usize, file: &str) -> Result<Option<MessageId>, GalleryError> {
        let path = self.mail.join(file);
        let bytes = fs::read(&path).map_err(|e| failed(&path, e))?;
        let Some(message) = MessageParser::default().parse(&bytes) else { return Ok(None) };
        let id = message.header_raw("X-Campaign-Message").and_then(|h| h.trim().parse::<MessageRef>().ok());
        let page = view.join(format!("{place}.html"));
        fs::write(&page, view_page(&message, &bytes)).map_err(|e| failed(&page, e))?;
        Ok(id.map(|reference| reference.id))
    }

    fn index(
        &self,
        counts: &Counts,
        arrived: &[Option<MessageId>],
        records: &HashMap<MessageId, MessageRecord>,
        arrived_in_all: usize,
    ) -> String {
        let mut rows = String::new();
        for (place, id) in arrived.iter().enumerate() {
            let Some(record) = id.as_ref().and_then(|id| records.get(id)) else { continue };
            let to = record.official.as_deref().filter(|_| record.kind == MessageKind::Letter);
            let _ = writeln!(
                rows,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td><a href=\"view/{place}.html\" target=\"message\">{} → {}</a></td></tr>",
                record.id,
                record.kind,
                record.state.in_words(),
                escaped(if record.kind == MessageKind::Letter { &record.constituent } else { self.campaign }),
                escaped(to.unwrap_or(&record.constituent)),
            );
        }
        let more = if arrived_in_all > arrived.len() {
            format!(
                "<p>The first {} of {} messages; all are in <code>mail/new</code>.</p>",
                arrived.len(),
                count(arrived_in_all as u64)
            )
        } else {
            String::new()
        };
        format!(
            "{HEAD}<title>Rehearsal: {campaign}</title></head><body class=\"index\">\n\
             <main><h1>Rehearsal: {campaign}</h1>\n<p>Nothing left this machine. {arrived} messages arrived in the mailbox here.</p>\n\
             {figures}\n{more}<table class=\"list\"><thead><tr><th>No.</th><th>kind</th><th>state</th><th>from → to</th></tr></thead>\n\
             <tbody>\n{rows}</tbody></table></main>\n\
             <iframe name=\"message\" title=\"The chosen message\" src=\"view/0.html\" sandbox=\"allow-popups\"></iframe>\n</body></html>\n",
            campaign = escaped(self.campaign),
            arrived = count(arrived_in_all as u64),
            figures = figures(counts),
        )
    }
}

fn records<L: Ledger>(
    ledger: &L,
    arrived: &[Option<MessageId>],
) -> Result<HashMap<MessageId, MessageRecord>, LedgerError> {
    let wanted: std::collections::HashSet<MessageId> = arrived.iter().flatten().copied().collect();
    let mut records = HashMap::with_capacity(wanted.len());
    ledger.messages(&LogFilter::default(), &mut |record| {
        if wanted.contains(&record.id) {
            records.insert(record.id, record);
        }
        Ok(())
    })?;
    Ok(records)
}

fn figures(counts: &Counts) -> String {
    let mut out = String::from(
        "<table class=\"figures\"><thead><tr><th></th><th>letters</th><th>confirmations</th></tr></thead><tbody>",
    );
    for state in MessageState::ALL.into_iter().filter(|s| counts.in_state(*s) > 0) {
        let [letters, confirmations] =
            [MessageKind::Letter, MessageKind::Confirmation].map(|kind| count(counts.of(kind, state)));
        let _ = write!(out, "<tr><th>{}</th><td>{letters}</td><td>{confirmations}</td></tr>", state.in_words());
    }
    out.push_str("</tbody></table>");
    out
}

fn view_page(message: &Message<'_>, bytes: &[u8]) -> String {
    let mut heads = String::new();
    for name in ["From", "Reply-To", "To", "Subject", "Date"] {
        if let Some(value) = head(message, name) {
            let _ = write!(heads, "<tr><th>{name}</th><td>{}</td></tr>", escaped(&value));
        }
    }
    let html = message.body_html(0).unwrap_or_default();
    let text = message.body_text(0).unwrap_or_default();
    format!(
        "{HEAD}<title>Message</title></head><body class=\"view\"><table class=\"heads\">{heads}</table>\n\
         <iframe title=\"The message\" sandbox srcdoc=\"{}\"></iframe>\n\
         <details><summary>As plain text</summary><pre>{}</pre></details>\n\
         <details><summary>As it arrived</summary><pre>{}</pre></details></body></html>\n",
        escaped(&html),
        escaped(&text),
        escaped(&String::from_utf8_lossy(bytes)),
    )
}

fn head(message: &Message<'_>, name: &str) -> Option<String> {
    let people = |list: Option<&mail_parser::Address<'_>>| {
        let one = |a: &mail_parser::Addr<'_>| {
            let address = a.address().unwrap_or_default();
            a.name().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
        };
        list.map(|l| l.iter().map(one).collect::<Vec<_>>().join(", "))
    };
    match name {
        "From" => people(message.from()),
        "Reply-To" => people(message.reply_to()),
        "To" => people(message.to()),
        "Subject" => message.subject().map(str::to_owned),
        _ => message.date().map(mail_parser::DateTime::to_rfc822),
    }
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><style>\
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;margin:0}\
.index{display:grid;grid-template-columns:minmax(20rem,2fr) minmax(0,3fr);height:100vh;overflow:hidden}\
.index main{overflow:auto;padding:1rem;min-width:0}.index>iframe{border:0;border-left:1px solid #8886;width:100%;height:100%}\
h1{font-size:1.3rem;margin:0}table{border-collapse:collapse}th,td{text-align:left;padding:.2rem .6rem;vertical-align:top}\
.figures{margin:1rem 0}.figures td{text-align:right;font-variant-numeric:tabular-nums}\
.list{width:100%}.list tr:nth-child(even){background:#8881}.list td:first-child{font-variant-numeric:tabular-nums}\
.view{padding:1rem}.view iframe{width:100%;height:60vh;border:1px solid #8886;background:Canvas}\
.heads th{color:GrayText;font-weight:normal}pre{white-space:pre-wrap;overflow-wrap:anywhere}\
@media(max-width:60rem){.index{display:flex;flex-direction:column-reverse}.index>iframe{flex:0 0 55vh;border-left:0;border-bottom:1px solid #8886}}\
</style>";
