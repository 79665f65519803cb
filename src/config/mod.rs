//! `config.toml`, the command line's `--set` and the environment → the settings that each module defines for itself.
//!
//! Every problem is found in one reading and told with its key, its value, what was expected and the line. This
//! module must not do anything with the settings.

mod dkim;
mod document;
mod edit;
mod letters;
mod live;
mod login;
mod pace;
mod reader;
mod relay;
mod secret;
mod token;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::compose::{Identity, ReplyTo};
use crate::contacts::{ContactsFile, ContactsSettings, Joining, NOTE_CHARS_MAX, Reading};
use crate::dispatch::OnDoubt;
use crate::ledger::Confirming;
use crate::model::{EmailAddress, Marks, Role, fold, unprintable};
use crate::policy::{PaceSettings, Replies, RetrySchedule, StaffRules, Windows, parse_positive_span};

pub use dkim::{DkimConfig, DkimKeyConfig, DkimKeyError};
use document::Document;
pub use edit::{Setting, edit, edited};
pub use letters::LettersConfig;
pub use live::InForce;
use reader::Reader;
pub use relay::RelayConfig;
pub use secret::SecretError;

/// The commented defaults: the repository's own `config.toml`, compiled in so that it cannot drift.
pub const DEFAULTS: &str = include_str!("../../config.toml");

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    place: String,
    what: String,
}

impl Problem {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    /// Where: a file and line, or the part of the settings.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong, with key, value and what was expected.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything that is wrong with the configuration, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Each with place, key, value and what was expected.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    fn single(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// The whole configuration, each part as the module that uses it wants it.
#[derive(Debug)]
pub struct Config {
    /// The campaign folder.
    pub dir: PathBuf,
    /// Names and addresses on every message.
    pub identity: Identity,
    /// In which times are shown and deadlines read.
    pub timezone: TimeZone,
    /// The letter's template.
    pub letter: PathBuf,
    /// Further letters, and who gets them.
    pub letters: Option<LettersConfig>,
    /// The confirmation's template.
    pub confirmation: PathBuf,
    /// When constituents are told.
    pub confirming: Confirming,
    /// What happens to a message in doubt.
    pub on_doubt: OnDoubt,
    /// Before this no message goes.
    pub start: Option<Timestamp>,
    /// After this no message is tried.
    pub deadline: Option<Timestamp>,
    /// With what messages are signed.
    pub dkim: DkimConfig,
    /// Where people come from.
    pub contacts: ContactsSettings,
    /// Mail servers, in order of preference.
    pub relays: Vec<RelayConfig>,
    /// Limits on speed.
    pub pace: PaceSettings,
    /// Hours in which messages may go.
    pub windows: Windows,
    /// At most so many letters to one official, if there is a limit.
    pub official_total: Option<u64>,
    /// When to try again.
    pub retry: RetrySchedule,
    /// What staff know of their relays' replies.
    pub staff_rules: StaffRules,
    /// The ledger's file.
    pub ledger: PathBuf,
    /// A hash of all settings that a plan may come out of; those of pace and relays are not among them.
    pub plan_hash: [u8; 32],
    /// What all of it was read from.
    document: Document,
}

impl Config {
    /// Reads the campaign folder's `config.toml` over the defaults, then `--set`. Reads no secret yet.
    pub fn load(dir: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let mut document = Document::default();
        document.overlay(DEFAULTS, None)?;
        let path = dir.join("config.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => document.overlay(&text, Some(&path))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let advice =
                    "there is no such file; make a campaign folder with `undersigned new DIR`, or name one with --dir";
                return Err(ConfigError::single(Problem::new(path.display().to_string(), advice)));
            }
            Err(error) => return Err(ConfigError::single(Problem::new(path.display().to_string(), error.to_string()))),
        }
        for assignment in overrides {
            document.set(assignment)?;
        }
        Self::read(dir, document)
    }

    fn read(dir: &Path, document: Document) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(&document);
        let timezone = reader.text("campaign.timezone", zone);
        let (start, deadline) = read_times(&mut reader, timezone.as_ref());
        let identity = read_identity(&mut reader);
        let dkim = dkim::read(&mut reader, dir, identity.as_ref());
        let contacts = read_contacts(&mut reader, dir);
        let relays = relay::read_all(&mut reader, document.relays(), dir);
        let path = |reader: &mut Reader<'_>, key| reader.text(key, |text| not_empty(text).map(|t| dir.join(t)));
        let letter = path(&mut reader, "campaign.letter");
        let letters = letters::read(&mut reader, dir);
        let confirmation = path(&mut reader, "campaign.confirmation");
        let ledger = path(&mut reader, "ledger.path");
        let confirming = reader.word(
            "campaign.confirm",
            &[
                ("constituent", Confirming::PerConstituent),
                ("letter", Confirming::PerLetter),
                ("never", Confirming::Never),
            ],
        );
        let on_doubt = reader.word("campaign.on_doubt", &[("hold", OnDoubt::Hold), ("resend", OnDoubt::Resend)]);
        if let (Some(identity), Some(confirming)) = (&identity, confirming) {
            relay::must_send_for(&mut reader, &relays, identity, confirming);
        }
        let limits = pace::read_settings(&mut reader);
        let windows = pace::read_windows(&mut reader, timezone.as_ref());
        let official_total = pace::read_official_total(&mut reader);
        let retry = read_retry(&mut reader);
        let staff_rules = read_staff_rules(&mut reader, dir);
        reader.finish()?;
        let whole = || {
            Some(Self {
                dir: dir.to_owned(),
                identity: identity?,
                timezone: timezone?,
                letter: letter?,
                letters,
                confirmation: confirmation?,
                confirming: confirming?,
                on_doubt: on_doubt?,
                start,
                deadline,
                dkim: dkim?,
                contacts: contacts?,
                relays,
                pace: limits?,
                windows: windows?,
                official_total,
                retry: retry?,
                staff_rules,
                ledger: ledger?,
                plan_hash: document.plan_hash(),
                document,
            })
        };
        whole().ok_or_else(|| ConfigError::single(Problem::new("config.toml", "a setting is missing")))
    }
}

impl Config {
    /// What the replies of a relay are looked up in.
    pub fn replies(&self, relay: &RelayConfig) -> Replies {
        Replies::new(relay.profile, self.staff_rules.clone())
    }
}

fn not_empty(text: &str) -> Result<&str, String> {
    if text.trim().is_empty() { Err("expected a text that is not empty".to_owned()) } else { Ok(text) }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "expected the name of a time zone, like \"America/Chicago\" or \"UTC\"".to_owned())
}

/// When the campaign starts and when it ends: a date alone means its first moment, and its last.
fn read_times(reader: &mut Reader<'_>, zone: Option<&TimeZone>) -> (Option<Timestamp>, Option<Timestamp>) {
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    let start = read_moment(reader, "campaign.start", &zone, Ok);
    let deadline = read_moment(reader, "campaign.deadline", &zone, Date::tomorrow);
    if let (Some(start), Some(deadline)) = (start, deadline)
        && start >= deadline
    {
        reader.complain("campaign.start", "expected a moment before campaign.deadline");
    }
    (start, deadline)
}

/// A moment, or a date alone: then the beginning of the day that `day` makes of it.
fn read_moment(
    reader: &mut Reader<'_>,
    key: &str,
    zone: &TimeZone,
    day: impl Fn(Date) -> Result<Date, jiff::Error>,
) -> Option<Timestamp> {
    let expected = "expected a date like \"2027-03-01\" or a moment like \"2027-03-01T17:00\"";
    reader.text(key, |text| {
        let midnight = |date| day(date).map(|day| day.to_datetime(jiff::civil::Time::midnight()));
        // jiff would read a date out of a moment, too.
        let is_moment = text.contains(['T', ' ']);
        let civil = if is_moment { text.parse::<DateTime>() } else { text.parse::<Date>().and_then(midnight) };
        let civil = civil.map_err(|_| expected.to_owned())?;
        civil.to_zoned_datetime(zone.clone()).map(|z| z.timestamp()).map_err(|_| expected.to_owned())
    })
}

fn read_identity(reader: &mut Reader<'_>) -> Option<Identity> {
    let address = |reader: &mut Reader<'_>, key| {
        reader.text(key, |t| EmailAddress::parse(t).map_err(|e| format!("expected an e-mail address, but {e}")))
    };
    let campaign = reader.text("campaign.name", |text| match unprintable(text) {
        _ if text.trim().is_empty() => Err("expected a name".to_owned()),
        _ if text.contains(['\n', '\r', '\t']) => Err("expected a name on one line".to_owned()),
        Some(_) => Err("expected a name without invisible characters".to_owned()),
        None if text.chars().count() > 100 => Err("expected at most 100 characters".to_owned()),
        None => Ok(text.trim().to_owned()),
    });
    let sender = address(reader, "campaign.sender");
    let confirmation_sender = address(reader, "campaign.confirmation_sender").or_else(|| sender.clone());
    let envelope_sender = address(reader, "campaign.envelope_sender").or_else(|| sender.clone());
    let language = reader.text("campaign.language", |t| {
        let is_tag = !t.is_empty() && t.len() <= 35 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_tag { Ok(t.to_owned()) } else { Err("expected a language like \"en\" or \"es\"") }
    });
    let reply_to =
        reader.word("campaign.reply_to", &[("constituent", ReplyTo::Constituent), ("sender", ReplyTo::Sender)]);
    Some(Identity {
        campaign: campaign?,
        sender: sender?,
        confirmation_sender: confirmation_sender?,
        envelope_sender: envelope_sender?,
        reply_to: reply_to?,
        language: language?,
    })
}

fn read_contacts(reader: &mut Reader<'_>, dir: &Path) -> Option<ContactsSettings> {
    let path = |text: &str| not_empty(text).map(|t| dir.join(t));
    let files = reader.texts("contacts.files", path);
    let officials = reader.text("contacts.officials", path);
    let constituents = reader.text("contacts.constituents", path);
    let file = |path, role| ContactsFile { path, role };
    // A file that is named for one run takes the place of those that the campaign has.
    let is_for_one_run = reader.is_set_by_flag("contacts.files");
    let in_file = |key| !reader.is_set_by_flag(key);
    let replaced = is_for_one_run && in_file("contacts.officials") && in_file("contacts.constituents");
    let (officials, constituents) = if replaced { (None, None) } else { (officials, constituents) };
    let files = match (officials, constituents) {
        (None, None) => files?.into_iter().map(|f| file(f, None)).collect(),
        (Some(officials), Some(constituents)) => {
            if reader.is_written("contacts.files") {
                reader.complain("contacts.files", "expected either `files`, or `officials` and `constituents`");
            }
            vec![file(officials, Some(Role::Official)), file(constituents, Some(Role::Constituent))]
        }
        (Some(_), None) => {
            reader.complain("contacts.constituents", "`officials` is there, so expected the other file too");
            return None;
        }
        (None, Some(_)) => {
            reader.complain("contacts.officials", "`constituents` is there, so expected the other file too");
            return None;
        }
    };
    let joining = reader.text("contacts.match", |text| {
        not_empty(text).map(|text| match fold(text) {
            all if all == "all" => Joining::All,
            column => Joining::Equal(column),
        })
    })?;
    let columns = reader.below("contacts.columns.").into_iter().collect();
    let aliases = reader.text("contacts.aliases", path);
    let postcodes = reader.text("contacts.postcodes", path);
    let note_chars_max = reader.number("contacts.note_chars_max", 1, 50_000);
    let note_chars_max = note_chars_max.and_then(|n| usize::try_from(n).ok()).unwrap_or(NOTE_CHARS_MAX);
    let reading = read_reading(reader);
    Some(ContactsSettings {
        files,
        columns,
        joining,
        aliases,
        postcodes,
        reading,
        note_chars_max,
        used: BTreeSet::new(),
        left_out: Marks::default(),
    })
}

fn read_reading(reader: &mut Reader<'_>) -> Reading {
    let plain = |text: &str| not_empty(text).map(str::to_owned);
    Reading {
        encoding: reader.text("contacts.encoding", plain),
        delimiter: reader.text("contacts.delimiter", |text| {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(one @ (',' | ';' | '\t' | '|')), None) => Ok(one),
                _ => Err("expected one of \",\", \";\", \"\\t\" (a tab) and \"|\""),
            }
        }),
        sheet: reader.text("contacts.sheet", plain),
    }
}

fn read_retry(reader: &mut Reader<'_>) -> Option<RetrySchedule> {
    let delays = reader.texts("retry.delays", |t| parse_positive_span(t).map_err(|e| e.to_string()));
    if delays.as_ref().is_some_and(Vec::is_empty) {
        reader.complain("retry.delays", "expected at least one delay, like \"5m\"");
    }
    let give_up_after = reader.text("retry.give_up_after", parse_positive_span);
    Some(RetrySchedule { delays: delays?, give_up_after: give_up_after? })
}

/// Thousands of rules; a larger file is something else.
const STAFF_RULES_BYTES_MAX: u64 = 256 * 1024;

fn read_at_most(path: &Path, bytes_max: u64) -> std::io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(bytes_max + 1).read_to_string(&mut text)?;
    if read as u64 > bytes_max {
        return Err(std::io::Error::other(format!("it is larger than {} KB", bytes_max / 1024)));
    }
    Ok(text)
}

/// The rules of staff's own, where a file of them is named.
fn read_staff_rules(reader: &mut Reader<'_>, dir: &Path) -> StaffRules {
    let key = "retry.replies";
    let Some(file) = reader.text(key, |text| not_empty(text).map(str::to_owned)) else { return StaffRules::default() };
    let text = match read_at_most(&dir.join(&file), STAFF_RULES_BYTES_MAX) {
        Ok(text) => text,
        Err(error) => {
            reader.complain(key, &format!("expected a file that can be read ({error})"));
            return StaffRules::default();
        }
    };
    StaffRules::parse(&text, &file).unwrap_or_else(|problems| {
        for problem in problems {
            reader.complain_of(format!("{file}, line {}", problem.line), problem.what);
        }
        StaffRules::default()
    })
}
