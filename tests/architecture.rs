//! The law of the house, held: floors, doors, file lengths, and what `ARCHITECTURE.md` says of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first. A module imports only from lower floors; never sideways, never up.
const FLOORS: &[&[&str]] = &[
    &["model", "failpoint"],
    &["contacts", "draft", "template", "policy", "relay_log"],
    &["plan", "compose", "ledger", "smtp", "online"],
    &["dispatch", "report"],
    &["dashboard"],
    &["cli"],
    &["config"],
    &["commands"],
    &["main"],
];

/// A library, by how the code names it, and the only modules that may.
const DOORS: &[(&str, &[&str])] = &[
    ("csv::", &["contacts"]),
    ("chardetng", &["contacts"]),
    ("encoding_rs", &["contacts", "draft"]),
    ("quick_xml", &["contacts", "draft"]),
    ("zip::", &["contacts", "draft"]),
    ("toml_edit", &["config"]),
    ("tera::", &["template"]),
    ("pulldown_cmark", &["template"]),
    ("governor::", &["policy"]),
    ("lettre::message", &["compose"]),
    ("lettre::Address", &["compose", "smtp"]),
    ("lettre::transport", &["smtp"]),
    ("lettre::", &["compose", "smtp"]),
    ("flate2", &["relay_log"]),
    ("tokio_rustls", &["smtp"]),
    ("rusqlite", &["ledger"]),
    ("axum", &["dashboard"]),
    ("clap::", &["cli", "commands"]),
    ("toml::", &["config", "policy"]),
    ("indicatif", &["commands"]),
    ("mail_parser", &["report"]),
    ("mail_auth", &["compose", "online"]),
    ("aws_lc_rs", &["compose"]),
    ("rustls_pki_types", &["compose"]),
    ("hickory_resolver", &["online"]),
];

const LINES_MAX: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    found.retain(|source| !source.path.ends_with("tests.rs"));
    assert!(found.len() > 30, "the source tree was not found");
    found
}

fn walk(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let inside = path.strip_prefix(root().join("src")).unwrap();
            let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source { path, module, text });
        }
    }
}

/// Lines of code without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(n, line)| {
        let line = line.split("//").next().unwrap_or_default();
        (!line.trim().is_empty()).then_some((n + 1, line))
    })
}

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&module))
        .unwrap_or_else(|| panic!("module `{module}` stands on no floor: give it one here and in ARCHITECTURE.md"))
}

/// Every `crate::X` or `undersigned::X` that a file names, also inside `use crate::{a, b}`.
fn imports(text: &str) -> BTreeSet<String> {
    let joined: String = code(text).map(|(_, line)| line).collect::<Vec<_>>().join(" ");
    let mut found = BTreeSet::new();
    for root in ["crate::", "undersigned::"] {
        for (at, _) in joined.match_indices(root) {
            let rest = &joined[at + root.len()..];
            assert!(!rest.starts_with('{'), "name each module in a `use` of its own: {rest:.40}");
            found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn a_module_imports_only_from_lower_floors() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.module != "lib") {
        let here = floor(&source.module);
        for module in imports(&source.text).iter().filter(|m| **m != source.module) {
            if floor(module) >= here {
                wrong.push(format!("{}: `{}` imports `{module}`", source.path.display(), source.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_library_is_named_only_behind_its_door() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (n, line) in code(&source.text) {
            for (library, doors) in DOORS {
                let named = line.match_indices(library).any(|(at, _)| {
                    !line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if named && !doors.contains(&source.module.as_str()) {
                    wrong.push(format!("{}:{n}: `{library}` belongs to {doors:?}", source.path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_ledger_issues_transmission_receipts() {
    for source in sources() {
        if source.text.contains("TransmissionReceipt for") {
            assert_eq!(source.module, "ledger", "{}", source.path.display());
        }
    }
}

#[test]
fn a_message_is_transmitted_in_one_place() {
    let places: Vec<_> = sources()
        .into_iter()
        .filter(|s| s.module != "smtp" && code(&s.text).any(|(_, line)| line.contains(".transmit(")))
        .map(|s| s.path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert_eq!(places, ["src/dispatch/heart.rs"]);
}

#[test]
fn files_stay_short_enough_to_read() {
    let long: Vec<_> = sources()
        .iter()
        .filter(|s| s.text.lines().count() > LINES_MAX)
        .map(|s| format!("{}: {} lines", s.path.display(), s.text.lines().count()))
        .collect();
    assert!(long.is_empty(), "ask to be split:\n{}", long.join("\n"));
}

#[test]
fn a_file_opens_by_saying_what_it_is_for() {
    for source in sources() {
        assert!(source.text.starts_with("//! "), "{}", source.path.display());
    }
}

#[test]
fn nothing_globs_its_parent_outside_of_tests() {
    for source in sources() {
        let before_tests = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(!before_tests.contains("use super::*"), "{}", source.path.display());
    }
}

#[test]
fn the_words_we_never_use_are_not_used() {
    let mut texts: BTreeMap<PathBuf, String> = sources().into_iter().map(|s| (s.path, s.text)).collect();
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "docs/dkim.md",
        "docs/in-doubt.md",
        "docs/pace.md",
        "docs/relays.md",
        "docs/reliability.md",
        "docs/replies.md",
        "docs/trouble.md",
        "config.toml",
        "templates/letter.md",
        "templates/confirmation.md",
    ] {
        let path = root().join(name);
        texts.insert(path.clone(), fs::read_to_string(path).unwrap());
    }
    for (path, text) in texts {
        for word in ["exactly once", "exactly-once", "guaranteed delivery", "delivered"] {
            let found = text.lines().find(|l| l.to_lowercase().contains(word) && !l.contains("never write"));
            assert!(found.is_none(), "{}: {found:?}", path.display());
        }
    }
}

#[test]
fn architecture_md_names_every_module_and_no_other() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let map = page.split("## The code map").nth(1).expect("a section `The code map`").split("\n## ").next().unwrap();
    let named: BTreeSet<String> =
        map.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    let real: BTreeSet<String> = sources().into_iter().map(|s| s.module).filter(|m| m != "lib").collect();
    assert_eq!(named, real);
}

#[test]
fn files_that_documents_name_exist() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/dkim.md",
        "docs/relays.md",
        "docs/reliability.md",
        "docs/replies.md",
        "docs/trouble.md",
    ] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for name in text.split('`').skip(1).step_by(2) {
            let looks_like_a_path =
                ["src/", "tests/", "docs/", "scripts/", "templates/"].iter().any(|p| name.starts_with(p));
            if looks_like_a_path && !name.contains(['*', '<', ' ']) {
                assert!(root().join(name).exists(), "{document} names `{name}`, which is not there");
            }
        }
    }
}
