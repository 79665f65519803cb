//! What became of one person's letters, as the cells that stand beside their row. This file must not read or write
//! anything; the words are those of the other reports.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ledger::{Fate, OfficialFates};
use crate::model::{MessageKind, MessageState};

/// A moment in a cell.
const MOMENT: &str = "%Y-%m-%d %H:%M:%S";
const AND: &str = "; ";
const ALSO: &str = " | ";

/// The cells beside a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Where the letters stand.
    pub state: String,
    /// When that came about.
    pub time: String,
    /// What a relay last said.
    pub last_reply: String,
    /// What to do.
    pub advice: String,
}

impl Beside {
    /// The headers of these cells.
    pub const HEADERS: [&'static str; 4] = ["state", "time", "last reply", "advice"];

    /// A row of which there is only this to say.
    pub fn saying(state: &str, advice: String) -> Self {
        Self { state: state.to_owned(), advice, ..Self::default() }
    }

    /// In the order of the headers.
    pub fn cells(self) -> [String; 4] {
        [self.state, self.time, self.last_reply, self.advice]
    }
}

/// The advice beside an official who is there only because other rows need them.
pub const FAILED_NOTHING_TO_DO: &str = "nothing to do here: other rows of this file need this official";

const NOT_PLANNED: &str = "not planned";
const COMES_NEXT: &str = "goes out with the next: undersigned send";

/// The cells beside a constituent: of one letter its state, of several each with its official.
pub fn of_constituent(fates: &[Fate], zone: &TimeZone) -> Beside {
    let letters: Vec<&Fate> = letters(fates).collect();
    if letters.is_empty() {
        return Beside::saying(NOT_PLANNED, COMES_NEXT.to_owned());
    }
    let each = |cell: &dyn Fn(&Fate) -> Option<String>| named(&letters, cell);
    let mut advice: Vec<String> = Vec::new();
    for letter in &letters {
        add(&mut advice, advice_on(letter.state, letter.has_mailbox));
    }
    for news in fates.iter().filter(|f| f.kind == MessageKind::Confirmation && f.state.is_failure()) {
        let text = format!("their confirmation: {}; look at their address (their letter is not touched)", told(news));
        add(&mut advice, &text);
    }
    Beside {
        state: each(&|f| Some(f.state.in_words().to_owned())),
        time: each(&|f| f.at.map(|at| moment(at, zone))),
        last_reply: each(&|f| f.last_reply.clone()),
        advice: advice.join(ALSO),
    }
}

/// The cells beside an official: their letters in figures.
pub fn of_official(fates: Option<&OfficialFates>, has_mailbox: bool, zone: &TimeZone) -> Beside {
    let Some(fates) = fates else { return Beside::saying(NOT_PLANNED, COMES_NEXT.to_owned()) };
    if fates.letters.is_empty() {
        return Beside::saying("no letters", String::new());
    }
    let mut advice = Vec::new();
    for state in states(fates) {
        add(&mut advice, advice_on(state, has_mailbox));
    }
    Beside {
        state: figures(fates, states(fates)),
        time: fates.at.map(|at| moment(at, zone)).unwrap_or_default(),
        last_reply: fates.last_reply.clone().unwrap_or_default(),
        advice: advice.join(ALSO),
    }
}

/// What failed of a constituent's letters, and what to do; nothing when nothing did.
pub fn failures_of_constituent(fates: &[Fate]) -> Option<(String, String)> {
    let failed: Vec<&Fate> = letters(fates).filter(|f| f.state.is_failure()).collect();
    let problem = |f: &&Fate| format!("the letter to {}: {}", f.official.as_deref().unwrap_or("the official"), told(f));
    let mut advice = Vec::new();
    for letter in &failed {
        add(&mut advice, mend(letter.state));
    }
    let problems: Vec<String> = failed.iter().map(problem).collect();
    (!failed.is_empty()).then(|| (problems.join(ALSO), advice.join(ALSO)))
}

/// The same of the letters to an official.
pub fn failures_of_official(fates: &OfficialFates) -> Option<(String, String)> {
    let failed: Vec<MessageState> = states(fates).filter(|s| s.is_failure()).collect();
    if failed.is_empty() {
        return None;
    }
    let mut advice = Vec::new();
    for state in &failed {
        add(&mut advice, mend(*state));
    }
    let reply = fates.last_reply.as_ref().map(|reply| format!(": {reply}")).unwrap_or_default();
    Some((format!("letters to this mailbox: {}{reply}", figures(fates, failed.into_iter())), advice.join(ALSO)))
}

fn letters(fates: &[Fate]) -> impl Iterator<Item = &Fate> {
    fates.iter().filter(|f| f.kind == MessageKind::Letter)
}

/// The states that occur, sent first.
fn states(fates: &OfficialFates) -> impl Iterator<Item = MessageState> {
    let others = MessageState::ALL.into_iter().filter(|s| *s != MessageState::Sent);
    std::iter::once(MessageState::Sent).chain(others).filter(|s| fates.letters.contains_key(s))
}

fn figures(fates: &OfficialFates, states: impl Iterator<Item = MessageState>) -> String {
    let figure = |s: MessageState| format!("{} {}", fates.letters.get(&s).copied().unwrap_or(0), s.in_words());
    states.map(figure).collect::<Vec<_>>().join(", ")
}

/// One cell for all letters: as it is for one, after the official's name for several.
fn named(letters: &[&Fate], cell: &dyn Fn(&Fate) -> Option<String>) -> String {
    if let [only] = letters {
        return cell(only).unwrap_or_default();
    }
    let one = |f: &&Fate| Some(format!("{}: {}", f.official.as_deref().unwrap_or("the official"), cell(f)?));
    letters.iter().filter_map(one).collect::<Vec<_>>().join(AND)
}

fn told(fate: &Fate) -> String {
    match &fate.last_reply {
        Some(reply) => format!("{}: {reply}", fate.state.in_words()),
        None => fate.state.in_words().to_owned(),
    }
}

fn add(list: &mut Vec<String>, text: &str) {
    if !text.is_empty() && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime(MOMENT).to_string()
}

fn advice_on(state: MessageState, has_mailbox: bool) -> &'static str {
    use MessageState as S;
    match state {
        S::Sent | S::Leased | S::Transmitting => "",
        S::Queued => "waits for its turn; nothing to do while `undersigned send` runs",
        S::Deferred => "will be tried again; nothing to do while `undersigned send` runs",
        S::Held if has_mailbox => "waits for you: undersigned release, or undersigned cancel",
        S::Held => "give the official an address in your file, then: undersigned send",
        S::InDoubt => "look into the mail server's log, then: undersigned resolve",
        S::Cancelled => "you withdrew it; nothing to do",
        S::Bounced | S::Expired | S::Suppressed => mend(state),
    }
}

fn mend(state: MessageState) -> &'static str {
    match state {
        MessageState::Bounced => {
            "is the official's address right? If not, correct it and send again; if it is: undersigned retry"
        }
        MessageState::Expired => "time ran out: undersigned retry, or give the official another address",
        _ => {
            "this mailbox was refused before, or is on your suppression list: correct it, or, if it is right: \
             undersigned suppress remove, undersigned retry --state suppressed"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(official: &str, state: MessageState, reply: Option<&str>) -> Fate {
        Fate {
            kind: MessageKind::Letter,
            state,
            official: Some(official.to_owned()),
            official_key: None,
            has_mailbox: true,
            at: Some(Timestamp::UNIX_EPOCH),
            last_reply: reply.map(str::to_owned),
        }
    }

    #[test]
    fn one_letter_is_told_by_its_state_and_several_by_their_officials() {
        let sent = fate("Mayor Ana", MessageState::Sent, Some("250 ok"));
        let one = of_constituent(std::slice::from_ref(&sent), &TimeZone::UTC);
        assert_eq!((one.state.as_str(), one.time.as_str(), one.advice.as_str()), ("sent", "1970-01-01 00:00:00", ""));
        let both = of_constituent(&[sent, fate("Cllr Ben", MessageState::InDoubt, None)], &TimeZone::UTC);
        assert_eq!(both.state, "Mayor Ana: sent; Cllr Ben: in doubt");
        assert_eq!(both.last_reply, "Mayor Ana: 250 ok");
        assert!(both.advice.contains("resolve"));
        assert_eq!(of_constituent(&[], &TimeZone::UTC).state, "not planned");
    }

    #[test]
    fn an_officials_letters_are_told_in_figures_and_each_state_that_waits_for_staff_has_advice() {
        let letters = MessageState::ALL.into_iter().zip(1..).collect();
        let fates = OfficialFates { letters, at: None, last_reply: None };
        let beside = of_official(Some(&fates), true, &TimeZone::UTC);
        assert!(beside.state.starts_with("6 sent, 1 held, 2 queued"), "{}", beside.state);
        for command in ["release", "resolve", "retry", "retry --state suppressed"] {
            assert!(beside.advice.contains(command), "{command}: {}", beside.advice);
        }
        let (problem, _) = failures_of_official(&fates).unwrap();
        assert_eq!(problem, "letters to this mailbox: 7 bounced, 8 expired, 10 suppressed");
    }

    #[test]
    fn a_failed_confirmation_is_advice_and_no_failure_of_the_letter() {
        let mut news = fate("", MessageState::Bounced, Some("550 no such user"));
        news.kind = MessageKind::Confirmation;
        let fates = [fate("Mayor Ana", MessageState::Sent, None), news];
        assert!(of_constituent(&fates, &TimeZone::UTC).advice.contains("550 no such user"));
        assert_eq!(failures_of_constituent(&fates), None);
    }
}
