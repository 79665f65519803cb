//! The one way in which a test that proves something tells its figures, and learns how long a run it is to be.

use std::fs::File;
use std::io::Write;

use serde_json::{Value, json};

/// Appends `{"proof": …, …}` as one line to the file that `UNDERSIGNED_PROOF` names, where it names one.
pub fn tell(proof: &str, figures: Value) {
    let Some(path) = std::env::var_os("UNDERSIGNED_PROOF") else { return };
    let mut line = json!({ "proof": proof });
    let Value::Object(figures) = figures else { panic!("figures are an object: {figures}") };
    line.as_object_mut().unwrap().extend(figures);
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// How long a long run is to be, by `UNDERSIGNED_PROVE_SCHEDULES`; nothing in the runs that everybody makes.
pub fn long_run() -> Option<usize> {
    std::env::var("UNDERSIGNED_PROVE_SCHEDULES").ok().map(|text| text.parse().unwrap())
}

/// How many schedules a proof goes through: the few that every run can afford, where it is no long one.
pub fn schedules(few: usize) -> usize {
    long_run().unwrap_or(few)
}
