//! The list of deliberate breakages fits the code: each can still be made, and the test that must catch it is there.
//! That each is caught is `scripts/prove --broken`'s to show.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn breakages() -> Vec<toml::Table> {
    let text = fs::read_to_string(root().join("proof/breakages.toml")).unwrap();
    let mut list: toml::Table = toml::from_str(&text).unwrap();
    let toml::Value::Array(list) = list.remove("breakage").unwrap() else { panic!("no list of tables") };
    list.into_iter().map(|breakage| breakage.try_into().unwrap()).collect()
}

fn text<'t>(breakage: &'t toml::Table, key: &str) -> &'t str {
    breakage[key].as_str().unwrap()
}

fn tables(list: &toml::Value) -> Vec<toml::Table> {
    list.as_array().unwrap().iter().map(|one| one.as_table().unwrap().clone()).collect()
}

/// Most breakages are one edit and have it in themselves; the others have a list.
fn edits(breakage: &toml::Table) -> Vec<toml::Table> {
    breakage.get("edit").map_or_else(|| vec![breakage.clone()], tables)
}

fn words(list: &toml::Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// What `cargo test` is told; most breakages are caught by one test.
fn tests_of(breakage: &toml::Table) -> Vec<Vec<&str>> {
    let told = &breakage["caught_by"];
    if told[0].is_str() { vec![words(told)] } else { told.as_array().unwrap().iter().map(words).collect() }
}

fn rust_files(at: &Path) -> Vec<PathBuf> {
    if at.is_file() {
        return vec![at.to_owned()];
    }
    let entries = fs::read_dir(at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
    entries
        .flat_map(|entry| rust_files(&entry.unwrap().path()))
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// The files in which the test must be that `cargo test` is asked for.
fn files_of(caught_by: &[&str]) -> Vec<PathBuf> {
    match caught_by {
        ["--lib", _] => rust_files(&root().join("src")),
        ["--test", target, _] => {
            let file = root().join(format!("tests/{target}.rs"));
            rust_files(&if file.exists() { file } else { root().join("tests").join(target) })
        }
        other => panic!("`caught_by` is [\"--lib\", NAME] or [\"--test\", TARGET, NAME], not {other:?}"),
    }
}

#[test]
fn every_breakage_can_still_be_made() {
    for breakage in breakages() {
        let name = text(&breakage, "name");
        for edit in edits(&breakage) {
            let source = fs::read_to_string(root().join(text(&edit, "file"))).unwrap();
            let (was, becomes) = (text(&edit, "was"), text(&edit, "becomes"));
            assert_eq!(source.matches(was).count(), 1, "{name}: what it replaces must stand there once");
            assert_ne!(was, becomes, "{name}");
        }
        assert!(text(&breakage, "why").len() > 20, "{name}: say which promise it breaks");
    }
}

#[test]
fn the_test_that_must_catch_it_is_there() {
    for breakage in breakages() {
        for caught_by in tests_of(&breakage) {
            let test = format!("fn {}(", caught_by.last().unwrap());
            let is_there = files_of(&caught_by).iter().any(|file| fs::read_to_string(file).unwrap().contains(&test));
            assert!(is_there, "{}: no test {caught_by:?}", text(&breakage, "name"));
        }
    }
}

#[test]
fn each_fault_has_a_breakage_that_it_must_catch() {
    let list = breakages();
    let tests = list.iter().flat_map(tests_of);
    let caught_by: BTreeSet<String> = tests.map(|test| format!("fn {}(", test.last().unwrap())).collect();
    for file in rust_files(&root().join("tests/faults")) {
        let text = fs::read_to_string(&file).unwrap();
        let is_a_fault = text.contains("test]\n") && !file.ends_with("table.rs");
        let is_named = caught_by.iter().any(|test| text.contains(test.as_str()));
        assert!(is_named || !is_a_fault, "{}: nothing shows that it can fail", file.display());
    }
}

#[test]
fn there_are_enough_of_them_and_each_has_a_name_of_its_own() {
    let names: BTreeSet<String> = breakages().iter().map(|breakage| text(breakage, "name").to_owned()).collect();
    assert_eq!(names.len(), breakages().len());
    assert!(names.len() >= 15, "{names:?}");
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(names.iter().all(|name| name.chars().all(word)), "{names:?}");
}
