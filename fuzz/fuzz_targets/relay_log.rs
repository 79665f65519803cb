//! Any bytes as a relay's own log, packed or not, by name and through a pipe: nothing panics, every message that is sought
//! is told of once, and none is taken whose Message-ID the log does not have.

#![no_main]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use undersigned::model::{CampaignTag, MessageId};
use undersigned::relay_log::{Found, LogFile, Search, Sought, Zone};

const ID: &str = "k3m9x2-7.00000000000000aa@a.example";

fn sought(at: Timestamp) -> Vec<Sought> {
    let one = |number, message_id: Option<&str>| Sought {
        message: MessageId(number),
        message_id: message_id.map(str::to_owned),
        mailbox: Some("m@t.example".to_owned()),
        since: Some(at),
        at: Some(at),
    };
    vec![one(7, Some(ID)), one(8, None)]
}

fn is_taken(found: &Found) -> bool {
    matches!(found, Found::Taken(_))
}

fuzz_target!(|data: &[u8]| {
    let at: Timestamp = "2026-11-24T12:00:00Z".parse().expect("a time");
    let zone = Zone { zone: TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC), now: at };
    let tag = CampaignTag::parse("k3m9x2").expect("a tag");
    let mut taken = Vec::new();
    for is_through_a_pipe in [false, true] {
        let mut search = Search::new(&tag, sought(at), MessageId(9), zone.clone());
        let file = LogFile::new("log".to_owned(), data, &zone);
        let mut file = if is_through_a_pipe { file.through_a_pipe() } else { file };
        if let Err(error) = search.read(0, &mut file) {
            return assert!(!error.to_string().is_empty());
        }
        let is_whole = search.holes().is_empty();
        let (findings, strangers) = search.finish();
        let told: Vec<i64> = findings.iter().map(|finding| finding.message.0).collect();
        assert_eq!(told, [7, 8]);
        assert!(strangers.iter().all(|(to, proof)| to.contains('@') && !proof.queue_id.is_empty()));
        let is_covered = |found: &Found| matches!(found, Found::Nothing { is_covered: true });
        assert!(is_whole || !findings.iter().any(|finding| is_covered(&finding.found)), "a hole proves nothing");
        taken.push(findings.iter().map(|finding| is_taken(&finding.found)).collect::<Vec<_>>());
    }
    assert_eq!(taken[0], taken[1], "what a log says does not hang on how it comes");
    let is_packed = data.starts_with(b"\x1f\x8b") || data.starts_with(b"{");
    if taken[0][0] && !is_packed && !data.windows(2).any(|pair| pair == b"\n{") {
        let id = ID.as_bytes();
        assert!(data.windows(id.len()).any(|bytes| bytes == id), "by its Message-ID to the last letter");
    }
});
