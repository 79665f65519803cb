//! `new`: makes a campaign folder, of the sample or of staff's own letter and contacts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::New;
use crate::config::{self, Setting};
use crate::draft::{Choice, Decision, Draft, FILE_BYTES_MAX, read};
use crate::model::unprintable;
use crate::report::paragraph;

use super::blanks::{decide, tell};
use super::console::{ask, can_ask, say};
use super::people::People;
use super::{Exit, Failure};

const CONFIRMATION: &str = include_str!("../../templates/confirmation.md");
/// The repository's own campaign, compiled in.
const FILES: [(&str, &str); 4] = [
    ("config.toml", config::DEFAULTS),
    ("contacts.csv", include_str!("../../contacts.csv")),
    ("templates/letter.md", include_str!("../../templates/letter.md")),
    ("templates/confirmation.md", CONFIRMATION),
];
const NAME_CHARS_MAX: usize = 100;

pub(super) fn run(args: &New) -> Result<Exit, Failure> {
    must_be_free(&args.folder)?;
    match &args.letter {
        None => sample(&args.folder),
        Some(letter) => own(args, letter),
    }
}

fn sample(folder: &Path) -> Result<Exit, Failure> {
    let half = HalfMade::beside(folder)?;
    for (name, text) in FILES {
        half.write(name, text)?;
    }
    half.finish(folder)?;
    say(format!(
        "A sample campaign is in {0}. It runs as it is; make it yours step by step:\n\n  \
         1. contacts.csv            your officials and constituents\n  \
         2. templates/letter.md     your letter\n  \
         3. config.toml             your campaign's name and address, later your mail server\n\n\
         After each step:\n\n  \
         undersigned --dir {0} check       finds every problem, sends nothing\n  \
         undersigned --dir {0} preview     letters to look at\n  \
         undersigned --dir {0} rehearse    the whole campaign to a mailbox on this machine",
        folder.display()
    ));
    Ok(Exit::Done)
}

/// A campaign of staff's own files. Everything is read and asked before anything is written.
fn own(args: &New, letter: &Path) -> Result<Exit, Failure> {
    let people = People::look_at(&args.contacts, args.officials.as_deref())?;
    let draft = with_subject(read_letter(letter)?);
    let decisions = decide(&draft, &people.columns)?;
    let name = campaign_name(args, &draft)?;
    let half = HalfMade::beside(&args.folder)?;
    half.write("config.toml", &settings(&name, &people)?)?;
    half.write("templates/letter.md", &draft.fill(&decisions))?;
    half.write("templates/confirmation.md", CONFIRMATION)?;
    people.files().try_for_each(|(from, name)| half.copy(from, name))?;
    if people.is_empty() {
        half.write("contacts.csv", &header_of_sample())?;
    }
    half.finish(&args.folder)?;
    told(&args.folder, &draft, &decisions, &people);
    Ok(Exit::Done)
}

fn read_letter(path: &Path) -> Result<Draft, Failure> {
    let failed = |error: &std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", path.display()));
    let about = fs::metadata(path).map_err(|e| failed(&e))?;
    if !about.is_file() {
        return Err(Failure::new(Exit::Usage, format!("{}: this is no file; name your letter", path.display())));
    }
    let refused = |error| Failure::new(Exit::Refused, format!("{}: {error}", path.display()));
    if about.len() > FILE_BYTES_MAX as u64 {
        return Err(refused(crate::draft::DraftError::TooLarge));
    }
    let bytes = fs::read(path).map_err(|e| failed(&e))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    read(&name, &bytes).map_err(refused)
}

/// A letter without a subject of its own gets one from staff, or the one that is proposed.
fn with_subject(draft: Draft) -> Draft {
    if draft.has_subject() {
        return draft;
    }
    match ask(&format!("The letter has no subject. Which? (Enter for “{}”)", draft.subject())) {
        Some(typed) if !typed.is_empty() => draft.with_subject(&typed),
        Some(_) => {
            let proposed = draft.subject().to_owned();
            draft.with_subject(&proposed)
        }
        None => draft,
    }
}

fn campaign_name(args: &New, draft: &Draft) -> Result<String, Failure> {
    let folder = args.folder.canonicalize().unwrap_or_else(|_| args.folder.clone());
    let folder = folder.file_name().map(|name| name.to_string_lossy().replace(['-', '_'], " ")).unwrap_or_default();
    let proposal = if is_name(draft.subject()) { draft.subject().to_owned() } else { folder };
    let name = match &args.name {
        Some(name) => name.clone(),
        None => ask(&format!("The campaign's name, as officials see it? (Enter for “{proposal}”)")).unwrap_or_default(),
    };
    let name = if name.trim().is_empty() && args.name.is_none() { proposal } else { name.trim().to_owned() };
    let is_fit = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && unprintable(&name).is_none();
    if is_fit && !name.contains(['\n', '\r', '\t']) {
        return Ok(name);
    }
    let advice = "give a name on one line, of at most 100 characters, with --name";
    Err(Failure::new(Exit::Usage, format!("“{name}” cannot be a campaign's name; {advice}; nothing was written")))
}

/// Whether a subject does as a name: it has no blank or field in it.
fn is_name(subject: &str) -> bool {
    subject.chars().count() <= NAME_CHARS_MAX && !subject.contains(['{', '[', '<', '_', '(', '«', '%', '*', '…'])
}

/// The commented defaults with what is known set in.
fn settings(name: &str, people: &People) -> Result<String, Failure> {
    let mut changes = vec![("campaign.name", Setting::Text(name.to_owned()))];
    changes.extend(people.settings());
    Ok(config::edited(config::DEFAULTS, &changes)?)
}

fn header_of_sample() -> String {
    let header = FILES[1].1.lines().next().unwrap_or_default();
    format!("{header}\n")
}

fn told(folder: &Path, draft: &Draft, decisions: &[Decision], people: &People) {
    for note in draft.notes() {
        say(paragraph(&format!("The letter: {note}.")));
    }
    say(format!("Subject: {}", draft.subject()));
    if !draft.has_subject() {
        let text = "The letter brings no subject, so this one is proposed. Write a better one in the first line of \
                    templates/letter.md.";
        say(paragraph(text));
    }
    tell(decisions);
    let open = decisions.iter().filter(|decision| decision.choice == Choice::Open).count();
    say(format!("\nYour campaign is in {}:\n", folder.display()));
    say("  config.toml                 its name and settings");
    say("  templates/letter.md         your letter, with fields for its blanks");
    say("  templates/confirmation.md   what constituents are told afterwards");
    if people.is_empty() {
        say("  contacts.csv                empty: put your officials and constituents there");
    }
    people.files().for_each(|(_, name)| say(format!("  {name:<27} a copy of your contacts")));
    if open > 0 {
        say("\nFirst write in templates/letter.md what belongs into the blanks that are left.");
    }
    say(format!(
        "\nNext:\n\n  undersigned --dir {0} check\n  undersigned --dir {0} preview\n  undersigned --dir {0} rehearse\n\n\
         Nothing leaves this machine before you name a mail server in config.toml.",
        folder.display()
    ));
    if can_ask() && open == 0 {
        say("Read templates/letter.md once yourself before you go on.");
    }
}

fn must_be_free(folder: &Path) -> Result<(), Failure> {
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(Failure::new(Exit::Usage, format!("{}: {error}", folder.display()))),
    };
    if is_free {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("{} is not empty; name a new folder, nothing was written", folder.display())))
}

/// A folder that is being made beside its place. It goes away unless it is finished.
struct HalfMade(PathBuf);

impl HalfMade {
    fn beside(folder: &Path) -> Result<Self, Failure> {
        let whole = std::path::absolute(folder).map_err(|e| Failure::file(folder, &e))?;
        let parent = whole.parent().unwrap_or(&whole);
        fs::create_dir_all(parent).map_err(|e| Failure::file(parent, &e))?;
        let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let half = parent.join(format!(".{name}.{}", std::process::id()));
        fs::create_dir(&half).map_err(|e| Failure::file(&half, &e))?;
        Ok(Self(half))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.0.join(name);
        let parent = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent).map_err(|e| Failure::file(parent, &e))?;
        fs::write(&path, text).map_err(|e| Failure::file(&path, &e))
    }

    fn copy(&self, from: &Path, name: &str) -> Result<(), Failure> {
        fs::copy(from, self.0.join(name)).map(drop).map_err(|e| Failure::file(from, &e))
    }

    /// Puts everything in its place: as a whole where there is no folder yet, otherwise `config.toml` last.
    fn finish(self, folder: &Path) -> Result<(), Failure> {
        let failed = |e: &std::io::Error| Failure::file(folder, e);
        if !folder.exists() {
            return fs::rename(&self.0, folder).map_err(|e| failed(&e));
        }
        must_be_free(folder)?;
        let mut names: Vec<_> =
            fs::read_dir(&self.0).map_err(|e| failed(&e))?.filter_map(Result::ok).map(|e| e.file_name()).collect();
        names.sort_by_key(|name| name == "config.toml");
        names.iter().try_for_each(|name| fs::rename(self.0.join(name), folder.join(name))).map_err(|e| failed(&e))
    }
}

impl Drop for HalfMade {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // it is gone already when it was finished
    }
}
