//! What logs prove, by logs that are written here.

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
    let files = logs.iter().map(|log| LogFile::new("log".to_owned(), log.as_bytes(), &zone).unwrap()).collect();
    for (number, mut file) in LogFile::in_order(files).into_iter().enumerate() {
        search.read(number, &mut file).unwrap();
    }
    let (mut findings, strangers) = search.finish();
    (findings.remove(0).found, strangers)
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
    assert!(is_covered(&[span("11:00:00", "12:10:00")]));
    assert!(is_covered(&[span("12:05:00", "13:00:00"), span("11:00:00", "12:00:00")]), "rotated in between");
    assert!(!is_covered(&[span("11:00:00", "11:59:30"), span("12:02:00", "13:00:00")]), "a short file may be missing");
    let zeros = format!("{}\0\0\0\0{}", line("11:00:00"), line("13:00:00"));
    assert!(!is_covered(&[zeros]), "that machine broke down");
    assert!(!is_covered(&[span("11:00:00", "12:09:59")]), "it may still come");
    assert!(!is_covered(&[span("11:59:30", "13:00:00")]), "it begins too late");
    assert!(!is_covered(&[span("10:00:00", "11:00:00"), span("12:30:00", "13:00:00")]), "a file is missing");
    let long_before = Some(at("2026-11-23T23:00:00Z"));
    let log = span("11:00:00", "12:10:00");
    let (found, _) = search_for(Sought { since: long_before, ..sought() }, &[&log]);
    assert_eq!(found, Found::Nothing { is_covered: false }, "found open at noon, it may be of the day before");
    let hole = "2026-11-24T12:00:00Z mail rsyslogd[1]: imuxsock lost 77 messages from pid 1\n";
    assert!(!is_covered(&[format!("{}{hole}{}", line("11:00:00"), line("13:00:00"))]));
    assert!(!is_covered(&[String::new()]));
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
