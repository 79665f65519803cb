//! `dkim`: the key that signs messages, and what the DNS must say of it, in words for somebody who never saw the DNS.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use secrecy::ExposeSecret;

use crate::cli::{Dkim, KeyAlgorithm, KeyBits, Keygen, Place};
use crate::compose::{KeyName, NewKey, Signer, SigningKey, generate};
use crate::config::{Config, Setting, edit};
use crate::report::paragraph;

use super::console::{note, say};
use super::workspace::Workspace;
use super::{Exit, Failure};

/// A TXT record is made of strings that are no longer (RFC 1035 3.3).
const STRING_BYTES_MAX: usize = 255;

pub(super) fn run(place: &Place, what: &Dkim) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    match what {
        Dkim::Keygen(args) => keygen(&workspace.config, args),
        Dkim::Show => show(&workspace),
    }
}

fn keygen(config: &Config, args: &Keygen) -> Result<Exit, Failure> {
    let usage = |text: String| Failure::new(Exit::Usage, text);
    let name = name(config, args)?;
    let table = if args.write { Some(free_table(config)?) } else { None };
    let file = format!("dkim-{}.key", name.selector());
    let path = config.dir.join(&file);
    let pem = generate(kind(args)).map_err(|e| Failure::new(Exit::Internal, e.to_string()))?;
    let key = SigningKey::from_pem(pem.expose_secret()).map_err(|e| Failure::new(Exit::Internal, e.to_string()))?;
    write_private(&path, pem.expose_secret()).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => usage(format!(
            "{} is there already and is never overwritten; give the new key another name with --selector",
            path.display()
        )),
        _ => Failure::file(&path, &error),
    })?;
    let signer = Signer::new(name, key);
    say(format!("The private key is in {}. Keep it to yourself.\n", path.display()));
    say(record_text(&signer));
    match table {
        Some(table) => write_config(config, table, &signer, &file)?,
        None => say(config_text(config, &signer, &file)),
    }
    Ok(Exit::Done)
}

fn show(workspace: &Workspace) -> Result<Exit, Failure> {
    let signers = workspace.signers()?;
    if signers.is_empty() {
        say("Messages are not signed here: config.toml names no key. Make one with: undersigned dkim keygen");
    }
    for signer in &signers {
        say(record_text(signer));
    }
    Ok(Exit::Done)
}

/// The name of the new key, at the domain that signs.
fn name(config: &Config, args: &Keygen) -> Result<KeyName, Failure> {
    let domain = &config.dkim.domain;
    if domain.ends_with(".example") {
        note("campaign.sender is still the sample's address; put your own into config.toml, then make the key again");
    }
    let selector = args.selector.as_deref().unwrap_or(match args.algorithm {
        KeyAlgorithm::Rsa => "undersigned1",
        KeyAlgorithm::Ed25519 => "undersigned2",
    });
    KeyName::new(selector, domain).map_err(|e| Failure::new(Exit::Usage, format!("--selector {selector}: {e}")))
}

fn kind(args: &Keygen) -> NewKey {
    match (args.algorithm, args.bits) {
        (KeyAlgorithm::Ed25519, _) => NewKey::Ed25519,
        (KeyAlgorithm::Rsa, KeyBits::B2048) => NewKey::Rsa2048,
        (KeyAlgorithm::Rsa, KeyBits::B3072) => NewKey::Rsa3072,
        (KeyAlgorithm::Rsa, KeyBits::B4096) => NewKey::Rsa4096,
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The table of `config.toml` that has no key yet.
fn free_table(config: &Config) -> Result<&'static str, Failure> {
    match config.dkim.keys.len() {
        0 => Ok("dkim"),
        1 => Ok("dkim.second"),
        _ => Err(Failure::new(
            Exit::Usage,
            "config.toml names two keys already, so --write has no place for another; leave it out, and write the new \
             selector and key_file there by hand when its record is public",
        )),
    }
}

fn write_config(config: &Config, table: &str, signer: &Signer, file: &str) -> Result<(), Failure> {
    let (selector, key_file) = (format!("{table}.selector"), format!("{table}.key_file"));
    let text = |text: &str| Setting::Text(text.to_owned());
    let changes = [(selector.as_str(), text(signer.name().selector())), (key_file.as_str(), text(file))];
    edit(&config.dir.join("config.toml"), &changes)?;
    say(paragraph(
        "config.toml names the key, so messages are signed from now on. Do not send before the record is public: a \
         signature without one counts against you. See whether it is with: undersigned check --online",
    ));
    Ok(())
}

fn config_text(config: &Config, signer: &Signer, file: &str) -> String {
    let table = if config.dkim.keys.is_empty() { "dkim" } else { "dkim.second" };
    let then = paragraph("When the record is public, write this into config.toml (or give --write next time):");
    let lines = format!("    [{table}]\n    selector = \"{}\"\n    key_file = \"{file}\"", signer.name().selector());
    format!("{then}\n\n{lines}\n\nThen see whether all is well with: undersigned check --online")
}

/// What to put where.
fn record_text(signer: &Signer) -> String {
    let (name, record) = (signer.name(), signer.record());
    let host = format!("{}._domainkey", name.selector());
    let intro = paragraph(&format!(
        "Receivers look for the public half of the key in the DNS of {domain}. Whoever looks after that (the company \
         where {domain} is registered, or your web host) has a page for DNS records. Add one there, all on one line and \
         without quotation marks:",
        domain = name.domain()
    ));
    let mut out = format!("{intro}\n\n    type   TXT\n    name   {host}\n    value  {record}\n\n");
    out.push_str(&paragraph(&format!(
        "Some pages want the whole name: {}. It may take an hour until all the world sees it.",
        name.in_dns()
    )));
    let pieces: Vec<String> = pieces(record).map(|piece| format!("\"{piece}\"")).collect();
    let zone = format!("{}. IN TXT ( {} )", name.in_dns(), pieces.join("\n        "));
    format!("{out}\n\nFor somebody who writes a zone file:\n\n    {zone}\n")
}

fn pieces(record: &str) -> impl Iterator<Item = &str> {
    let mut rest = record;
    std::iter::from_fn(move || {
        let (piece, more) = rest.split_at(rest.len().min(STRING_BYTES_MAX));
        rest = more;
        (!piece.is_empty()).then_some(piece)
    })
}
