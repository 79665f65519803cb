//! Signed messages, as verifiers see them that share nothing with the signer but the record in the DNS; and the verb
//! that makes the keys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where it cannot go on, and says what it skips"
)]

mod support;

use std::borrow::Borrow;
use std::hash::Hash;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};
use secrecy::ExposeSecret;
use support::campaign::Campaign;
use support::relay::{Action, Options, ScriptedRelay, Step};
use support::sample::{constituent, official};
use undersigned::compose::{
    Composer, Identity, KeyName, NewKey, Parcel, ReplyTo, Signer, SigningKey, StampSeed, generate, new_message_id,
};
use undersigned::model::{CampaignTag, EmailAddress, MessageId, MessageRef};
use undersigned::template::Rendered;

fn signer(selector: &str, new: NewKey) -> Signer {
    let key = SigningKey::from_pem(generate(new).unwrap().expose_secret()).unwrap();
    Signer::new(KeyName::new(selector, "campaign.example").unwrap(), key)
}

fn both() -> Vec<Signer> {
    vec![signer("one", NewKey::Rsa2048), signer("two", NewKey::Ed25519)]
}

fn composer(signers: Vec<Signer>) -> Composer {
    let address = |text| EmailAddress::parse(text).unwrap();
    let identity = Identity {
        campaign: "Open Doors".into(),
        sender: address("letters@campaign.example"),
        confirmation_sender: address("copies@campaign.example"),
        envelope_sender: address("bounces@campaign.example"),
        reply_to: ReplyTo::Constituent,
        language: "en".into(),
    };
    Composer::new(identity).unwrap().signed_by(signers)
}

fn message() -> MessageRef {
    MessageRef { tag: CampaignTag::parse("k3m9x2").unwrap(), id: MessageId(1042) }
}

fn seed(composer: &Composer) -> StampSeed {
    let message_id = new_message_id(&message(), composer.identity(), 7);
    StampSeed { message_id, date: Timestamp::from_second(1_792_000_000).unwrap() }
}

fn letter(composer: &Composer, name: &str, subject: &str, markdown: &str) -> Parcel {
    let rendered = Rendered { subject: subject.into(), markdown: markdown.into(), language: None };
    let official = official("Åsa d'Ávila", "mayor@town.example");
    composer.letter(&message(), &seed(composer), &official, &constituent(name, "jane@x.example"), &rendered).unwrap()
}

fn confirmation(composer: &Composer, name: &str, subject: &str, markdown: &str) -> Parcel {
    let rendered = Rendered { subject: subject.into(), markdown: markdown.into(), language: None };
    let constituent = constituent(name, "jane@x.example");
    composer.confirmation(&message(), &seed(composer), &constituent, &rendered).unwrap()
}

/// Letters that have tripped up signers and verifiers.
fn awkward(composer: &Composer) -> Vec<Parcel> {
    let (long, emoji) = ("very ".repeat(150), "🎈 é ".repeat(80));
    let texts = [
        ("Jane Doe", "Please act", "Dear Mayor,\n\nplease act.\n"),
        ("Zoë Weiß", "Für São Paulo — ¡ya! 🎈", "Grüße 🎈\n"),
        ("Doe, \"Jane\"", long.trim(), ".\n\n..\n\n.hidden\n\nFrom me\n"),
        ("محمد بن عبد الله", emoji.trim(), "a  b\tc   \n\n\n\n\n"),
        ("X", "  two  spaces  ", ""),
        ("J. R.", "=?utf-8?q?x?=", "DKIM-Signature: v=1;\n\nl=0\n"),
        ("日本語", "s", &"y".repeat(5000)),
    ];
    let letters = texts.iter().map(|(name, subject, text)| letter(composer, name, subject, text));
    let confirmations = texts.iter().map(|(name, subject, text)| confirmation(composer, name, subject, text));
    letters.chain(confirmations).collect()
}

fn headers(parcel: &Parcel) -> String {
    let text = String::from_utf8_lossy(&parcel.bytes).into_owned();
    text.split("\r\n\r\n").next().unwrap().to_owned()
}

/// The records of some keys, where a verifier looks before it asks the DNS.
struct Records(Vec<(String, String)>);

impl Records {
    fn of(signers: &[Signer]) -> Self {
        Self(signers.iter().map(|s| (format!("{}.", s.name().in_dns()), s.record().to_owned())).collect())
    }
}

impl ResolverCache<Box<str>, Txt> for Records {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let found = self.0.iter().find(|(known, _)| {
            let known: Box<str> = known.as_str().into();
            <Box<str> as Borrow<Q>>::borrow(&known) == name
        });
        found.map(|(_, record)| Txt::DomainKey(Arc::new(DomainKey::parse(record.as_bytes()).unwrap())))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// Whether each signature holds.
async fn verified(bytes: &[u8], records: &Records) -> Vec<bool> {
    // Nobody is asked: there is no name server in this configuration.
    let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let verifier = MessageAuthenticator::new(nobody, ResolverOpts::default()).unwrap();
    let message = AuthenticatedMessage::parse(bytes).unwrap();
    let results = verifier.verify_dkim(Parameters::new(&message).with_txt_cache(records)).await;
    results.iter().map(|one| *one.result() == DkimResult::Pass).collect()
}

#[tokio::test]
async fn both_signatures_of_every_awkward_message_hold() {
    let signers = both();
    let records = Records::of(&signers);
    for parcel in awkward(&composer(signers)) {
        assert_eq!(verified(&parcel.bytes, &records).await, [true, true], "{}", headers(&parcel));
    }
}

#[tokio::test]
async fn what_is_changed_or_added_on_the_way_breaks_the_signature() {
    let signers = both();
    let records = Records::of(&signers);
    let parcel = letter(&composer(signers), "Jane Doe", "Please act", "Dear Mayor,\n\nplease act.\n");
    let text = String::from_utf8(parcel.bytes).unwrap();
    for (from, to) in [
        ("please act.", "please do not."),
        ("From: \"Jane", "From: \"Jana"),
        ("Subject: Please act", "Subject: Please don't"),
        ("jane@x.example", "evil@x.example"),
        ("X-Campaign-Message", "From: <evil@x.example>\r\nX-Campaign-Message"),
        ("X-Campaign-Message", "Subject: another\r\nX-Campaign-Message"),
        ("X-Campaign-Message", "Reply-To: <evil@x.example>\r\nX-Campaign-Message"),
        ("X-Campaign-Message", "Cc: <evil@x.example>\r\nX-Campaign-Message"),
        ("X-Campaign-Message", "Content-Type: text/plain\r\nX-Campaign-Message"),
        ("MIME-Version: 1.0", "MIME-Version: 2.0"),
    ] {
        let changed = text.replacen(from, to, 1);
        let results =
            if changed == text { panic!("{from} is not there") } else { verified(changed.as_bytes(), &records) };
        assert!(!results.await.contains(&true), "{to}");
    }
    let respelled = text.replacen("\r\nSubject: ", "\r\nsubject:   ", 1);
    assert_ne!(respelled, text);
    assert_eq!(verified(respelled.as_bytes(), &records).await, [true, true]);
}

#[test]
fn the_signature_is_relaxed_names_what_a_message_has_once_more_than_it_has_it_and_signs_the_whole_body() {
    let parcel = letter(&composer(both()), "Jane Doe", "Please act", "Dear Mayor\n");
    let text = headers(&parcel).replace("\r\n\t", "");
    let signatures: Vec<&str> = text.lines().filter(|line| line.starts_with("DKIM-Signature: ")).collect();
    assert_eq!(signatures.len(), 2);
    for (signature, algorithm) in signatures.iter().zip(["rsa-sha256", "ed25519-sha256"]) {
        let tags: Vec<(&str, &str)> =
            signature["DKIM-Signature:".len()..].split(';').filter_map(|tag| tag.trim().split_once('=')).collect();
        let tag = |name| tags.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        assert_eq!(tag("a"), Some(algorithm));
        assert_eq!((tag("c"), tag("d"), tag("l")), (Some("relaxed/relaxed"), Some("campaign.example"), None));
        assert_eq!(tag("t"), Some("1792000000"));
        let signed: Vec<String> = tag("h").unwrap().split(':').map(str::to_lowercase).collect();
        for name in ["from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"] {
            assert_eq!(signed.iter().filter(|n| *n == name).count(), 2, "{name}: {signed:?}");
        }
        assert!(signed.contains(&"cc".to_owned()) && !signed.contains(&"dkim-signature".to_owned()));
    }
}

#[test]
fn a_message_that_is_made_again_has_the_same_bytes_and_another_key_does_not_make_it_another_message() {
    let composer_of_today = composer(both());
    let make = |composer: &Composer| letter(composer, "Zoë", "Für Elise", "a *b*\n");
    let (once, again) = (make(&composer_of_today), make(&composer_of_today));
    assert_eq!(once.bytes, again.bytes);
    let (rotated, unsigned) = (make(&composer(both())), make(&composer(Vec::new())));
    assert_ne!(once.bytes, rotated.bytes);
    assert_eq!([once.hash, once.hash], [rotated.hash, unsigned.hash]);
    assert!(once.bytes.ends_with(&unsigned.bytes));
}

#[test]
fn lines_of_a_signature_fit_and_every_line_ends_in_crlf() {
    for parcel in awkward(&composer(both())) {
        let head = headers(&parcel);
        assert!(head.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{head}");
        let of_signatures = head.split("\r\n").take_while(|l| l.starts_with(['D', '\t']));
        assert!(of_signatures.clone().count() > 8 && of_signatures.clone().all(|line| line.len() <= 100), "{head}");
    }
}

/// An independent verifier: reads messages from files, the records from arguments; prints one line a message.
const DKIMPY: &str = r"
import sys, dkim
records = dict(a.split('=', 1) for a in sys.argv[1].split('\n'))
def dns(name, timeout=5):
    return records.get(name.decode().rstrip('.'), '').encode()
for path in sys.argv[2:]:
    text = open(path, 'rb').read()
    print(*(dkim.DKIM(text).verify(idx=n, dnsfunc=dns) for n in (0, 1)))
";

#[test]
fn dkimpy_agrees_that_both_signatures_hold() {
    let python = std::env::var_os("UNDERSIGNED_PYTHON").unwrap_or_else(|| "python3".into());
    let there = Command::new(&python).args(["-c", "import dkim, nacl"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        println!("skipped: there is no dkimpy here (python3-dkim and python3-nacl)");
        return;
    }
    let signers = both();
    let records: Vec<String> = signers.iter().map(|s| format!("{}={}", s.name().in_dns(), s.record())).collect();
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = awkward(&composer(signers))
        .iter()
        .enumerate()
        .map(|(n, parcel)| {
            let path = folder.path().join(format!("{n}.eml"));
            std::fs::write(&path, &parcel.bytes).unwrap();
            path
        })
        .collect();
    let ran = Command::new(&python).arg("-c").arg(DKIMPY).arg(records.join("\n")).args(&paths).output().unwrap();
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(out, "True True\n".repeat(paths.len()), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// The verifier of `OpenDKIM`, by its library: its programs ask the DNS alone, the library a file as well.
const OPENDKIM: &str = r"
import ctypes, re, sys
lib = ctypes.CDLL('libopendkim.so.11')
lib.dkim_init.restype = lib.dkim_verify.restype = ctypes.c_void_p
SET, QUERY_METHOD, QUERY_INFO, FROM_FILE, OK = 1, 6, 7, 1, 0
handle = ctypes.c_void_p(lib.dkim_init(None, None))
method, records = ctypes.c_int(FROM_FILE), ctypes.create_string_buffer(sys.argv[1].encode(), 1024)
assert lib.dkim_options(handle, SET, QUERY_METHOD, ctypes.byref(method), ctypes.sizeof(method)) == OK
assert lib.dkim_options(handle, SET, QUERY_INFO, records, ctypes.sizeof(records)) == OK
for path in sys.argv[2:]:
    head, _, body = open(path, 'rb').read().partition(b'\r\n\r\n')
    status = ctypes.c_int()
    message = ctypes.c_void_p(lib.dkim_verify(handle, b'test', None, ctypes.byref(status)))
    for header in re.split(rb'\r\n(?![ \t])', head):
        assert lib.dkim_header(message, header, ctypes.c_size_t(len(header))) == OK
    ended = [lib.dkim_eoh(message), lib.dkim_body(message, body, ctypes.c_size_t(len(body)))]
    ended.append(lib.dkim_eom(message, None))
    print(*ended)
    lib.dkim_free(message)
";

#[test]
fn opendkim_agrees_that_each_signature_holds() {
    let python = std::env::var_os("UNDERSIGNED_PYTHON").unwrap_or_else(|| "python3".into());
    let library = "import ctypes; ctypes.CDLL('libopendkim.so.11')";
    let there = Command::new(&python).args(["-c", library]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        println!("skipped: there is no libopendkim here (it comes with opendkim-tools)");
        return;
    }
    for signer in both() {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records");
        std::fs::write(&records, format!("{} {}\n", signer.name().in_dns(), signer.record())).unwrap();
        let selector = signer.name().selector().to_owned();
        let mut messages: Vec<Vec<u8>> = awkward(&composer(vec![signer])).into_iter().map(|p| p.bytes).collect();
        let whole = messages.len();
        messages.push([&messages[0][..], b"changed on the way\r\n"].concat());
        let write = |(n, bytes): (usize, &Vec<u8>)| {
            let path = folder.path().join(format!("{n}.eml"));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let paths: Vec<_> = messages.iter().enumerate().map(write).collect();
        let ran = Command::new(&python).arg("-c").arg(OPENDKIM).arg(&records).args(&paths).output().unwrap();
        let out = String::from_utf8_lossy(&ran.stdout).into_owned();
        let expected = "0 0 0\n".repeat(whole) + "0 0 1\n";
        assert_eq!(out, expected, "{selector}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn keygen_writes_a_private_key_once_and_tells_the_record_that_show_tells_again() {
    let campaign = Campaign::new(1, 1, 1);
    let made = campaign.run(&["dkim", "keygen", "--write"]);
    assert_eq!(made.code, 0, "{made:?}");
    let path = campaign.path().join("dkim-undersigned1.key");
    let pem = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let key = SigningKey::from_pem(&pem).unwrap();
    let value = format!("    value  {}\n", key.record());
    assert!(made.out.contains(&value) && made.out.contains("undersigned1._domainkey.campaign.example"), "{}", made.out);
    assert!(!made.out.contains(pem.lines().nth(1).unwrap()), "the private key is shown");
    let zone: String = made.out.split('"').skip(1).step_by(2).collect();
    assert_eq!(zone, key.record());
    assert!(made.out.split('"').skip(1).step_by(2).all(|piece| piece.len() <= 255));

    let shown = campaign.run(&["dkim", "show"]);
    assert!(shown.code == 0 && shown.out.contains(&value), "{shown:?}");
    let again = campaign.run(&["dkim", "keygen"]);
    assert!(again.code == 2 && again.err.contains("never overwritten"), "{again:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), pem);

    let second = campaign.run(&["dkim", "keygen", "--algorithm", "ed25519", "--write"]);
    assert_eq!(second.code, 0, "{second:?}");
    let config = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    assert!(config.contains("[dkim.second]") && config.contains("dkim-undersigned2.key"), "{config}");
    let third = campaign.run(&["dkim", "keygen", "--selector", "third", "--write"]);
    assert!(third.code == 2 && !campaign.path().join("dkim-third.key").exists(), "{third:?}");
    assert_eq!(campaign.run(&["check"]).code, 0);
}

#[tokio::test]
async fn what_a_relay_takes_is_signed_and_a_key_that_is_changed_between_two_tries_does_not_stop_a_letter() {
    let tries = AtomicUsize::new(0);
    let relay = ScriptedRelay::start(Options::default(), move |at| {
        let is_first = || at.to.starts_with("mayor") && tries.fetch_add(1, Ordering::Relaxed) == 0;
        if at.step == Step::Dot && is_first() { Action::Drop } else { Action::Default }
    });
    let campaign = Campaign::new(1, 1, relay.port());
    campaign.run(&["dkim", "keygen", "--write"]);
    let first = campaign.send();
    assert_eq!((first.code, campaign.letters("in_doubt")), (7, 1), "{first:?}");
    assert_eq!(campaign.run(&["resolve", "--as", "resend", "--all"]).code, 0);
    campaign.run(&["dkim", "keygen", "--selector", "other"]);
    let config = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    campaign.write("config.toml", &config.replace("undersigned1", "other"));
    let second = campaign.send();
    assert_eq!((second.code, campaign.letters("sent")), (0, 1), "{second:?}");
    let key = SigningKey::from_pem(&std::fs::read_to_string(campaign.path().join("dkim-other.key")).unwrap()).unwrap();
    let records = Records::of(&[Signer::new(KeyName::new("other", "campaign.example").unwrap(), key)]);
    let last = relay.record.entries().into_iter().find(|entry| entry.to[0].starts_with("mayor")).unwrap();
    assert_eq!(verified(&last.bytes, &records).await, [true], "{}", String::from_utf8_lossy(&last.bytes));
}

#[test]
fn a_key_that_cannot_be_used_is_refused_without_a_word_of_it() {
    let campaign = Campaign::new(1, 1, 1);
    let short = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IHNlY3JldCBzZWNyZXQ=\n-----END PRIVATE KEY-----\n";
    campaign.write("k.key", short);
    let args = |verb| vec![verb, "--set", "dkim.selector=a", "--set", "dkim.key_file=k.key"];
    let private = |mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(campaign.path().join("k.key"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    private(0o644);
    let open = campaign.run(&args("check"));
    assert!(open.code == 2 && open.err.contains("chmod 600"), "{open:?}");
    private(0o600);
    let locked = short.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (text, said) in
        [(short, "neither an RSA key"), ("c2VjcmV0\n", "no private key in PEM form"), (&locked, "under a password")]
    {
        campaign.write("k.key", text);
        for verb in ["check", "preview", "rehearse"] {
            let refused = campaign.run(&args(verb));
            assert!(refused.code == 2 && refused.err.contains(said), "{verb}: {refused:?}");
            assert!(!refused.err.contains("c2VjcmV0"), "{refused:?}");
        }
    }
    let folder = campaign.run(&["check", "--set", "dkim.selector=a", "--set", "dkim.key_file=templates"]);
    assert!(folder.code == 2 && folder.err.contains("is a folder"), "{folder:?}");
    std::fs::remove_file(campaign.path().join("k.key")).unwrap();
    let gone = campaign.run(&args("check"));
    assert!(gone.code == 2 && gone.err.contains("dkim keygen"), "{gone:?}");
}

#[test]
fn settings_that_receivers_would_not_accept_are_refused_in_words() {
    let campaign = Campaign::new(1, 1, 1);
    for (sets, said) in [
        (&["dkim.selector=a"][..], "`dkim.key_file`"),
        (&["dkim.key_file=k.key"], "`dkim.selector`"),
        (&["dkim.selector=a b", "dkim.key_file=k"], "expected a short name"),
        (&["dkim.selector=a", "dkim.key_file=k", "dkim.domain=other.example"], "DMARC"),
        (&["dkim.selector=a", "dkim.key_file=k", "campaign.confirmation_sender=c@other.example"], "DMARC"),
        (&["dkim.selector=a", "dkim.key_file=k", "dkim.domain=localhost"], "expected a domain"),
        (
            &["dkim.selector=a", "dkim.key_file=k", "dkim.second.selector=a", "dkim.second.key_file=k"],
            "another selector",
        ),
        (&["dkim.selecter=a"], "did you mean `dkim.selector`"),
    ] {
        let args: Vec<&str> = ["check"].into_iter().chain(sets.iter().flat_map(|set| ["--set", set])).collect();
        let refused = campaign.run(&args);
        assert!(refused.code == 2 && refused.err.contains(said), "{sets:?}: {refused:?}");
    }
}

/// Seconds that this thread was at work; time spent waiting for others does not count, as in `openssl speed`.
fn on_cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// `cargo test --release --test dkim -- --ignored --nocapture`, beside `openssl speed rsa2048`.
#[test]
#[ignore = "a measurement, not a test"]
fn how_many_messages_a_second_one_thread_signs() {
    let rate = |signers: Vec<Signer>| {
        let composer = composer(signers);
        let (began, n) = (on_cpu(), 5_000);
        for _ in 0..n {
            std::hint::black_box(letter(&composer, "Jane Doe", "Please act", &"Please act. ".repeat(250)));
        }
        f64::from(n) / (on_cpu() - began)
    };
    let unsigned = rate(Vec::new());
    for (name, new) in [("RSA-2048", NewKey::Rsa2048), ("Ed25519", NewKey::Ed25519)] {
        let signed = rate(vec![signer("a", new)]);
        let alone = 1.0 / (1.0 / signed - 1.0 / unsigned);
        println!("{name}: {signed:.0} messages/s made and signed, {alone:.0} signatures/s; {unsigned:.0} unsigned");
    }
}
