//! What logs prove, by logs that are written here.

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::tz::TimeZone;

use super::*;

const ID: &str = "k3m9x2-7.00000000000000aa@a.example";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sought() -> Sought {
    let at = Some(at("2026-11-24T12:00:00Z"));
    let mailbox = Some("m@t.example".to_owned());
    Sought { message: MessageId(7), message_id: Some(ID.to_owned()), mailbox, since: at, at }
}

fn search_for(sought: Sought, logs: &[&str]) -> (Found, Vec<(String, Proof)>) {
    let zone = Zone { zone: TimeZone::UTC, now: at("2026-11-25T00:00:00Z") };
    let tag = CampaignTag::parse("k3m9x2").unwrap();
    let mut search = Search::new(&tag, vec![sought], MessageId(9), zone.clone());
    let files = logs.iter().map(|log| LogFile::new("log".to_owned(), log.as_bytes(), &zone)).collect();
    for (number, mut file) in LogFile::in_order(files).into_iter().enumerate() {
        search.read(number, &mut file).unwrap();
    }
    let (mut findings, strangers) = search.finish();
    (findings.remove(0).found, strangers)
}

/// One log of any bytes: what was found, or why not; and why its silence proves nothing.
fn find_in(log: &[u8], is_through_a_pipe: bool) -> Result<(Found, Vec<Hole>), ReadError> {
    let zone = Zone { zone: TimeZone::UTC, now: at("2026-11-25T00:00:00Z") };
    let mut search = Search::new(&CampaignTag::parse("k3m9x2").unwrap(), vec![sought()], MessageId(9), zone.clone());
    let file = LogFile::new("log".to_owned(), log, &zone);
    search.read(0, &mut if is_through_a_pipe { file.through_a_pipe() } else { file })?;
    let holes = search.holes().to_vec();
    Ok((search.finish().0.remove(0).found, holes))
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text).unwrap();
    gz.finish().unwrap()
}

/// A line every minute, so that nothing is missing: hours of one that is idle else.
fn minutes(from: &str, to: &str) -> String {
    let (mut now, to) = (at(&format!("2026-11-24T{from}Z")), at(&format!("2026-11-24T{to}Z")));
    let mut log = String::new();
    while now <= to {
        writeln!(log, "{now} mail postfix/anvil[9]: statistics: x").unwrap();
        now = now.checked_add(jiff::SignedDuration::from_mins(1)).unwrap();
    }
    log
}

fn find(logs: &[&str]) -> Found {
    search_for(sought(), logs).0
}

/// Lines of one relay from noon on, one a second.
fn log(lines: &[&str]) -> String {
    let head = |n: usize| format!("Nov 24 12:{:02}:{:02} mail postfix/", n / 60, n % 60);
    let lines: Vec<String> = lines.iter().enumerate().map(|(n, line)| head(n) + line + "\n").collect();
    lines.concat()
}

fn taken(found: &Found) -> (&str, usize, Option<Fate>) {
    match found {
        Found::Taken(proof) => (&proof.queue_id, proof.copies, proof.fate),
        other => panic!("{other:?}"),
    }
}

const NAMED: &str = "cleanup[2]: 4AAAAA: message-id=<k3m9x2-7.00000000000000aa@a.example>";
const QUEUED: &str = "qmgr[3]: 4AAAAA: from=<l@a.example>, size=12, nrcpt=1 (queue active)";
const PASSED: &str = "smtp[4]: 4AAAAA: to=<m@t.example>, relay=t[1]:25, dsn=2.0.0, status=sent (250 ok)";

#[test]
fn only_a_message_that_was_queued_counts_as_taken() {
    let whole = log(&[NAMED, QUEUED, PASSED, "qmgr[3]: 4AAAAA: removed"]);
    assert_eq!(taken(&find(&[&whole])), ("4AAAAA", 1, Some(Fate::PassedOn)));
    assert!(matches!(find(&[&log(&[NAMED])]), Found::Unclear(Place { line: 1, .. })));
    let broken =
        log(&["smtpd[1]: 4AAAAA: client=x[1]", NAMED, "smtpd[1]: lost connection after DATA (9 bytes) from x[1]"]);
    let around = |log: &str| {
        format!("Nov 24 11:00:00 mail postfix/anvil[9]: x\n{log}Nov 24 12:10:00 mail postfix/anvil[9]: x\n")
    };
    assert!(matches!(find(&[&around(&broken)]), Found::ThrownAway(Place { line: 3, .. })));
    assert!(matches!(find(&[&broken]), Found::Unclear(_)), "it may be of an earlier try than the one in doubt");
    let of_another =
        log(&["smtpd[1]: 4BBBBB: client=x[1]", NAMED, "smtpd[1]: lost connection after DATA (9 bytes) from x[1]"]);
    assert!(matches!(find(&[&of_another]), Found::Unclear(_)));
    let other_random = around(&whole.replace("00aa@", "00ab@"));
    assert!(matches!(find(&[&other_random]), Found::Unclear(_)), "to the last letter, and no silence either");
}

#[test]
fn what_is_told_of_a_queue_id_that_is_used_again_is_not_about_ours() {
    let again = log(&[NAMED, "cleanup[2]: 4AAAAA: message-id=<other@b.example>", QUEUED, PASSED]);
    assert!(matches!(find(&[&again]), Found::Unclear(_)));
}

#[test]
fn the_files_of_one_log_may_come_in_any_order_and_twice() {
    let whole = log(&[NAMED, QUEUED, PASSED]);
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let files: Vec<&str> = order.iter().map(|n| lines[*n]).collect();
        assert_eq!(taken(&find(&files)), ("4AAAAA", 1, Some(Fate::PassedOn)), "{order:?}");
    }
    assert_eq!(taken(&find(&[&whole, &whole])).1, 1);
}

#[test]
fn two_queue_ids_are_two_copies_unless_one_was_passed_on_as_the_other() {
    let second = [NAMED, QUEUED].map(|line| line.replace("4AAAAA", "4BBBBB"));
    let two = log(&[NAMED, QUEUED, PASSED, &second[0], &second[1]]);
    assert_eq!(taken(&find(&[&two])).1, 2);
    let filtered = PASSED.replace("(250 ok)", "(250 2.0.0 from MTA(smtp:[::1]:10025): 250 2.0.0 Ok: queued as 4BBBBB)");
    let bounced = "smtp[4]: 4BBBBB: to=<m@t.example>, relay=t[1]:25, dsn=5.1.1, status=bounced (no)";
    let chain = log(&[NAMED, QUEUED, &second[0], &second[1], &filtered, bounced]);
    assert_eq!(taken(&find(&[&chain])), ("4AAAAA", 1, Some(Fate::Bounced)));
}

#[test]
fn silence_counts_only_where_the_log_goes_on_well_past_the_hand_over_without_a_hole() {
    let line = |time: &str| format!("2026-11-24T{time}Z mail postfix/anvil[9]: statistics: x\n");
    let span = |from: &str, to: &str| line(from) + &line(to);
    let is_covered = |files: &[String]| {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        matches!(find(&files), Found::Nothing { is_covered: true })
    };
    let then = || line("12:00:00");
    assert!(is_covered(&[line("11:00:00") + &then() + &line("12:10:00")]));
    assert!(!is_covered(&[span("11:00:00", "12:10:00")]), "of the hand-over itself there would be lines");
    assert!(is_covered(&[line("11:00:00") + &line("12:01:00") + &line("12:10:00")]), "the clocks are not quite alike");
    assert!(is_covered(&[span("12:05:00", "13:00:00"), span("11:00:00", "12:00:00")]), "rotated in between");
    assert!(!is_covered(&[span("11:00:00", "11:59:30"), span("12:02:00", "13:00:00")]), "a short file may be missing");
    let zeros = format!("{}\0\0\0\0{}{}", line("11:00:00"), then(), line("13:00:00"));
    assert!(!is_covered(&[zeros]), "that machine broke down");
    assert!(!is_covered(&[line("11:00:00") + &then() + &line("12:09:59")]), "it may still come");
    assert!(!is_covered(&[line("11:59:30") + &then() + &line("13:00:00")]), "it begins too late");
    assert!(!is_covered(&[span("10:00:00", "11:00:00"), span("12:30:00", "13:00:00")]), "a file is missing");
    let long_before = Some(at("2026-11-23T23:00:00Z"));
    let log = line("11:00:00") + &then() + &line("12:10:00");
    let (found, _) = search_for(Sought { since: long_before, ..sought() }, &[&log]);
    assert_eq!(found, Found::Nothing { is_covered: false }, "found open at noon, it may be of the day before");
    let hole = "2026-11-24T12:00:00Z mail rsyslogd[1]: imuxsock lost 77 messages from pid 1\n";
    assert!(!is_covered(&[format!("{}{hole}{}{}", line("11:00:00"), then(), line("13:00:00"))]));
    assert!(!is_covered(&[String::new()]));
}

#[test]
fn what_comes_through_a_pipe_covers_no_long_silence_since_a_file_may_be_missing_there() {
    let is_covered = |log: &str, is_through_a_pipe| {
        let (found, holes) = find_in(log.as_bytes(), is_through_a_pipe).unwrap();
        assert!(holes.is_empty());
        found == Found::Nothing { is_covered: true }
    };
    let whole = minutes("11:50:00", "12:20:00");
    let idle = minutes("11:50:00", "12:00:00") + &minutes("12:12:00", "12:20:00");
    let in_any_order = minutes("12:05:00", "12:20:00") + &minutes("11:50:00", "12:04:00");
    for (log, by_name, by_pipe) in [(&whole, true, true), (&idle, true, false), (&in_any_order, false, true)] {
        assert_eq!((is_covered(log, false), is_covered(log, true)), (by_name, by_pipe), "{log}");
    }
    let missing = minutes("10:00:00", "11:00:00") + &minutes("13:00:00", "14:00:00");
    assert!(!is_covered(&missing, true) && !is_covered(&missing, false));
}

#[test]
fn a_packed_log_is_read_as_it_is_and_one_that_breaks_off_proves_what_it_says_and_nothing_by_silence() {
    let text = log(&[NAMED, QUEUED, PASSED]);
    let twice = [packed(log(&[NAMED]).as_bytes()), packed(text.as_bytes())].concat();
    for whole in [packed(text.as_bytes()), twice] {
        let (found, holes) = find_in(&whole, false).unwrap();
        assert_eq!((taken(&found), holes), (("4AAAAA", 1, Some(Fate::PassedOn)), vec![]));
    }
    let quiet = minutes("11:00:00", "13:00:00");
    assert_eq!(find_in(&packed(quiet.as_bytes()), false).unwrap(), (Found::Nothing { is_covered: true }, vec![]));
    let long = packed(format!("{text}{quiet}").repeat(40).as_bytes());
    for cut in [long.len() - 1, long.len() - 9, long.len() / 2] {
        let (found, holes) = find_in(&long[..cut], false).unwrap();
        assert_eq!((taken(&found).0, holes), ("4AAAAA", vec![Hole::Cut(0)]), "{cut}");
    }
    for cut in [2, 3, 11, 20] {
        let (found, holes) = find_in(&packed(quiet.as_bytes())[..cut], false).unwrap();
        assert_eq!((found, holes), (Found::Nothing { is_covered: false }, vec![Hole::Cut(0)]), "{cut}");
    }
    // Where a byte is another one, what was unpacked from it may be anything.
    for at in [long.len() / 3, long.len() - 6] {
        let mut damaged = long.clone();
        damaged[at] ^= 0x55;
        assert!(!matches!(find_in(&damaged, false), Ok((_, holes)) if holes.is_empty()), "{at}");
    }
    let mut checksum = long.clone();
    checksum[long.len() - 6] ^= 1;
    assert!(matches!(find_in(&checksum, false), Err(ReadError::Damaged { line: 4961 })));
}

#[test]
fn the_last_line_of_a_log_that_breaks_off_is_not_believed() {
    // What is stored is not pressed, so that a cut is where it is made.
    let text = log(&[NAMED, &QUEUED.replace("4AAAAA", "4AAAAAB"), QUEUED]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gz.write_all(text.as_bytes()).unwrap();
    let whole = gz.finish().unwrap();
    assert!(matches!(find_in(&whole, false).unwrap().0, Found::Taken(_)));
    let (found, _) = find_in(&whole[..whole.len() - 8 - 1], false).unwrap();
    assert!(matches!(found, Found::Unclear(_)), "{found:?}");
}

#[test]
fn the_same_lines_prove_the_same_in_every_form_that_a_log_has() {
    let said = |program: &str, text: &str| (program.to_owned(), text.to_owned());
    let lines: Vec<(String, String)> = [NAMED, QUEUED, PASSED]
        .iter()
        .map(|line| line.split_once("]: ").map(|(head, text)| said(head.split_once('[').unwrap().0, text)).unwrap())
        .collect();
    let form = |write: &dyn Fn(usize, &str, &str) -> String| -> String {
        lines.iter().enumerate().map(|(n, (program, text))| write(n, program, text) + "\n").collect()
    };
    for log in [
        form(&|n, program, text| format!("Nov 24 12:00:0{n} mail postfix/{program}[7]: {text}")),
        form(&|n, program, text| format!("<22>Nov 24 12:00:0{n} mail postfix/{program}[7]: {text}")),
        form(&|n, program, text| {
            format!("<22>1 2026-11-24T13:00:0{n}.123456+01:00 mail postfix/{program} 7 - - {text}")
        }),
        form(&|n, program, text| {
            format!("<22>1 2026-11-24T13:00:0{n}.123456+01:00 mail postfix/{program} - - -  {text}")
        }),
        form(&|n, program, text| {
            format!("2026-11-24T12:00:0{n}Z mail postfix/{program} 7 - [a@1 b=\"x] \\\"\"][c] {text}")
        }),
        form(&|n, _, text| format!("<22>1 2026-11-24T12:00:0{n}Z mail postfix 7 - - \u{feff}{text}")),
        form(&|n, program, text| format!("2026-11-24T13:00:0{n}+0100 mail postfix/{program}[7]: {text}")),
        form(&|n, program, text| format!("2026-11-24T13:00:0{n}.123456+0100 mail postfix/{program}[7]: {text}")),
        form(&|n, program, text| format!("Tue 2026-11-24 12:00:0{n} UTC mail postfix/{program}[7]: {text}")),
        form(&|n, program, text| {
            format!(
                r#"{{"MESSAGE":"{text}","_PID":"7","__REALTIME_TIMESTAMP":"179552160{n}123456","SYSLOG_IDENTIFIER":"postfix/{program}"}}"#
            )
        }),
    ] {
        let (found, holes) = find_in(log.as_bytes(), false).unwrap();
        let Found::Taken(proof) = &found else { panic!("{found:?}: {log}") };
        assert_eq!(taken(&found), ("4AAAAA", 1, Some(Fate::PassedOn)), "{log}");
        assert_eq!((proof.at.unwrap().as_second(), holes), (at("2026-11-24T12:00:01Z").as_second(), vec![]), "{log}");
    }
    let no_times = form(&|_, _, text| text.to_owned());
    assert_eq!(
        find_in(no_times.as_bytes(), false).unwrap(),
        (Found::Nothing { is_covered: false }, vec![Hole::NoTimes(0)])
    );
}

#[test]
fn a_session_is_told_by_its_number_and_by_nothing_where_there_is_none() {
    let around = |lines: &[String]| {
        format!("{}{}\n{}", minutes("11:00:00", "12:00:00"), lines.join("\n"), minutes("12:01:00", "12:20:00"))
    };
    let line = |program: &str, pid: &str, text: &str| {
        format!("<22>1 2026-11-24T12:00:00Z mail postfix/{program} {pid} - - {text}")
    };
    for (pid, is_thrown_away) in [("7", true), ("-", false)] {
        let log = around(&[
            line("smtpd", pid, "4AAAAA: client=x[1]"),
            line("cleanup", pid, "4AAAAA: message-id=<k3m9x2-7.00000000000000aa@a.example>"),
            line("smtpd", pid, "lost connection after DATA (9 bytes) from x[1]"),
        ]);
        let (found, _) = find_in(log.as_bytes(), false).unwrap();
        assert_eq!(matches!(found, Found::ThrownAway(_)), is_thrown_away, "{found:?}");
    }
}

#[test]
fn what_the_ledger_never_fixed_is_known_by_its_number_and_its_recipient() {
    let never = || Sought { message_id: None, since: None, at: None, ..sought() };
    let whole = log(&[NAMED, QUEUED, PASSED]);
    assert_eq!(taken(&search_for(never(), &[&whole]).0).0, "4AAAAA");
    let (found, strangers) = search_for(never(), &[&whole.replace("m@t.example", "n@t.example")]);
    assert_eq!(found, Found::Nothing { is_covered: false });
    assert_eq!(strangers[0].0, "n@t.example");
    // A number that the ledger does not know, and another campaign's.
    let (_, strangers) = search_for(never(), &[&whole.replace("k3m9x2-7.", "k3m9x2-10.")]);
    assert_eq!((strangers.len(), &*strangers[0].1.queue_id), (1, "4AAAAA"));
    assert!(search_for(never(), &[&whole.replace("k3m9x2", "abcdef")]).1.is_empty());
}

#[test]
fn a_line_without_an_end_and_bytes_that_are_no_text_take_no_memory_and_stop_nothing() {
    let mut bytes = vec![b'x'; 3 * LINE_BYTES_MAX];
    bytes.extend_from_slice(b"\n\xff\xfe\0]: \n");
    bytes.extend_from_slice(log(&[NAMED, QUEUED]).as_bytes());
    let (mut input, mut line, mut lengths) = (&bytes[..], Vec::new(), Vec::new());
    while next_line(&mut input, &mut line).unwrap() {
        let _ = says(&line);
        lengths.push(line.len());
    }
    assert_eq!((lengths.len(), lengths[0]), (4, LINE_BYTES_MAX));
}
