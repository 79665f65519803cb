//! The table of faults is the folder, and every failpoint of the program is used by a fault.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is no fault.
const SHARED: [&str; 5] = ["main", "world", "strace", "faketime", "table"];

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults")
}

fn faults() -> BTreeSet<String> {
    let files = fs::read_dir(here()).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let names = sources.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    names.filter(|name| !SHARED.contains(&name.as_str())).collect()
}

#[test]
fn every_file_of_the_folder_is_run_and_stands_in_the_table() {
    let main = fs::read_to_string(here().join("main.rs")).unwrap();
    let declared: BTreeSet<_> = main.lines().filter_map(|l| l.strip_prefix("mod ")?.strip_suffix(';')).collect();
    let table = fs::read_to_string(here().join("README.md")).unwrap();
    let cells = table.lines().filter(|line| line.starts_with("| ")).flat_map(|line| line.split('`').skip(1).step_by(2));
    let listed: BTreeSet<_> = cells.filter_map(|cell| cell.strip_suffix(".rs")).map(str::to_owned).collect();
    let here = faults();
    assert_eq!(listed, here, "README.md beside the files names each of them");
    let missing: Vec<_> = here.iter().filter(|name| !declared.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "main.rs does not declare {missing:?}");
}

/// Every literal in `reached(…)` of the program.
fn points() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if !path.ends_with("failpoint.rs") {
                let text = fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices("failpoint::reached(") {
                    let call = text[at..].split(");").next().unwrap();
                    found.extend(call.split('"').skip(1).step_by(2).map(str::to_owned));
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

#[test]
fn every_failpoint_is_one_at_which_some_fault_kills_the_program() {
    let all: String =
        faults().iter().map(|name| fs::read_to_string(here().join(format!("{name}.rs"))).unwrap()).collect();
    let points = points();
    assert!(points.len() > 20, "{points:?}");
    let unused: Vec<_> = points.iter().filter(|point| !all.contains(&format!("\"{point}"))).collect();
    assert!(unused.is_empty(), "no fault kills the program at {unused:?}");
}
