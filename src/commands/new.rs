//! `new`: writes a commented campaign folder to begin with.

use std::fs;
use std::path::Path;

use crate::cli::New;
use crate::config;

use super::console::say;
use super::{Exit, Failure};

/// The repository's own campaign, compiled in.
const FILES: [(&str, &str); 4] = [
    ("config.toml", config::DEFAULTS),
    ("contacts.csv", include_str!("../../contacts.csv")),
    ("templates/letter.md", include_str!("../../templates/letter.md")),
    ("templates/confirmation.md", include_str!("../../templates/confirmation.md")),
];

pub(super) fn run(args: &New) -> Result<Exit, Failure> {
    let folder = &args.folder;
    must_be_free(folder)?;
    for (name, text) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|e| Failure::file(parent, &e))?;
        fs::write(&path, text).map_err(|e| Failure::file(&path, &e))?;
    }
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
