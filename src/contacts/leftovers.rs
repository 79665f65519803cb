//! Unfinished files of runs that were killed: they hold people's data and nobody knows of them, so the next run takes
//! them away. Must not touch a file of a run that is still at work, nor one that is not ours.

use std::fs;
use std::path::Path;

/// Removes the unfinished files of this program in a folder whose process has gone; gives how many there were.
pub fn sweep_leftovers(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let is_ours =
        |entry: &fs::DirEntry| process_of(&entry.file_name().to_string_lossy()).is_some_and(|pid| !is_alive(pid));
    let removed = entries.filter_map(Result::ok).filter(is_ours).filter(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()).is_ok(),
        Ok(kind) if kind.is_file() => fs::remove_file(entry.path()).is_ok(),
        _ => false,
    });
    removed.count() as u64
}

/// The process that made an unfinished file: `.refused.csv.4711-0`, `.rehearsal.4711-0`.
fn process_of(name: &str) -> Option<i32> {
    let (name, numbers) = name.strip_prefix('.')?.rsplit_once('.')?;
    let (pid, tries) = numbers.split_once('-')?;
    let is_ours = [".csv", ".xlsx", ".ods"].iter().any(|ending| name.to_lowercase().ends_with(ending))
        || ["rehearsal", "undersigned-test"].contains(&name);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_ours && is_number(pid) && is_number(tries)).then(|| pid.parse().ok()).flatten()
}

#[cfg(unix)]
fn is_alive(pid: i32) -> bool {
    // Where it may not be asked about, it is there.
    let gone = Err(rustix::io::Errno::SRCH);
    rustix::process::Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid) != gone)
}

#[cfg(not(unix))]
fn is_alive(_: i32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unfinished_files_of_ours_whose_process_has_gone_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        // No process has such a number: it is above the greatest that a system gives.
        let gone = 1 << 30;
        let own = std::process::id();
        let goes = [format!(".refused.csv.{gone}-0"), format!(".my list.CSV.{gone}-12")];
        let stays = [
            format!(".refused.csv.{own}-0"),
            format!("refused.csv.{gone}-0"),
            format!(".notes.txt.{gone}-0"),
            format!(".refused.csv.{gone}"),
            format!(".refused.csv.x{gone}-0"),
            "refused.csv".to_owned(),
        ];
        for name in goes.iter().chain(&stays) {
            fs::write(folder.path().join(name), "somebody").unwrap();
        }
        fs::create_dir_all(folder.path().join(format!(".rehearsal.{gone}-0/mail"))).unwrap();
        assert_eq!(sweep_leftovers(folder.path()), 3);
        let mut left: Vec<String> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        let mut stays = stays.to_vec();
        stays.sort();
        assert_eq!(left, stays);
    }
}
