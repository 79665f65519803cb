//! Files that hold people's data: their user's alone from the first byte, never left half-made, never lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::campaign::Campaign;
use crate::support::relay::ScriptedRelay;
use crate::traces::files;

/// A row that joins nobody, and one whose address is none.
const BAD: &str = "constituent,,Somebody Else,somebody@mail.example,Nowhere,1 Main St,60000,2026-10-01,\n\
                   constituent,,Another One,another at mail.example,Town 0,1 Main St,60000,2026-10-01,\n";

fn add_bad_rows(campaign: &Campaign) {
    crate::traces::add(campaign, &[BAD.to_owned()]);
}

#[test]
fn whatever_holds_peoples_data_is_its_users_alone_from_the_first_byte() {
    let relay = ScriptedRelay::kind();
    let campaign = Campaign::new(2, 3, relay.port());
    add_bad_rows(&campaign);
    let before = files(campaign.path());
    for (verb, writes) in [
        (&["check", "--skip-bad"][..], &["refused.csv", "problems.csv"][..]),
        (&["match", "--list", "spellings.csv"], &[]),
        (&["rehearse", "--skip-bad"], &["rehearsal/ledger.db", "rehearsal/index.html", "rehearsal/mail/new"]),
        (&["send", "--yes", "--skip-bad"], &["ledger.db"]),
        (&["export"], &["contacts-status.csv"]),
        (&["export", "--failed"], &["failed.csv"]),
        (&["forget", "--yes", "signer0@mail.example"], &["contacts.csv"]),
    ] {
        // As most systems have it: others may read what nobody says anything about.
        let mut command = std::process::Command::new("sh");
        let program = campaign.command(verb);
        command.arg("-c").arg("umask 022; exec \"$@\"").arg("sh").arg(program.get_program()).args(program.get_args());
        let ran = command.current_dir(campaign.path()).output().unwrap();
        for name in writes {
            assert!(campaign.path().join(name).exists(), "{verb:?} writes {name}: {ran:?}");
        }
        let mut made = files(campaign.path());
        made.retain(|path| !before.contains(path));
        for path in made {
            let others_may = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
            assert_eq!(others_may(&path), 0, "{} after {verb:?}", path.display());
            let folder = path.parent().unwrap();
            assert!(folder == campaign.path() || others_may(folder) == 0, "{} after {verb:?}", folder.display());
        }
    }
    campaign.write("contacts.csv", &crate::support::campaign::contacts(2, 0..3));
    let ran = campaign.run(&["preview"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for path in files(&campaign.path().join("preview")) {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_file_that_forget_writes_keeps_the_mode_that_staff_gave_it() {
    let campaign = Campaign::new(2, 3, 1);
    let path = campaign.path().join("contacts.csv");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(campaign.run(&["forget", "--yes", "signer1@mail.example"]).code, 0);
    assert!(!fs::read_to_string(&path).unwrap().contains("signer1@"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_a_killed_run_left_unfinished_is_gone_after_the_next_run() {
    let campaign = Campaign::new(2, 400, 1);
    add_bad_rows(&campaign);
    let is_unfinished = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    let unfinished = || files(campaign.path()).into_iter().filter(is_unfinished).count();
    for pause in 0..40 {
        let mut checking = campaign.start(&["check", "--skip-bad"]);
        std::thread::sleep(Duration::from_millis(10 + 4 * pause));
        let _ = checking.kill();
        checking.wait().unwrap();
        if unfinished() > 0 {
            break;
        }
    }
    // Whether or not a kill came at the right moment, such a file is swept.
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    let pid = ended.id();
    ended.wait().unwrap();
    campaign.write(&format!(".refused.csv.{pid}-0"), "Somebody");
    assert!(unfinished() > 0);
    campaign.run(&["check", "--skip-bad"]);
    assert_eq!(unfinished(), 0);
}

#[test]
fn a_list_that_staff_mended_in_place_is_kept_beside_the_new_one() {
    let campaign = Campaign::new(2, 3, 1);
    add_bad_rows(&campaign);
    assert_eq!(campaign.run(&["check", "--skip-bad"]).code, 0);
    let path = campaign.path().join("refused.csv");
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(campaign.run(&["check", "--skip-bad"]).code, 0);
    assert!(!campaign.path().join("refused-2.csv").exists(), "the same list is not kept twice");
    let mended = written.replace("another at mail", "another@mail");
    fs::write(&path, &mended).unwrap();
    let ran = campaign.run(&["check", "--skip-bad"]);
    assert!(ran.err.contains("refused-2.csv"), "{ran:?}");
    assert_eq!(fs::read_to_string(campaign.path().join("refused-2.csv")).unwrap(), mended);
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
}
