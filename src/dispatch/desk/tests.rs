//! Two simulated days of the real desk and the real ledger, on a clock that is passed in: with refusals, a restart, a
//! change by staff, a pause and a machine's clock that jumps.

use std::collections::VecDeque;

use crate::dispatch::RelayPlan;
use crate::dispatch::clock::HEAD_START;
use crate::ledger::sqlite::{Access, SqliteLedger};
use crate::ledger::{Confirming, Ledger};
use crate::model::sample::official;
use crate::model::{Attempt, CampaignTag, Phase, Reply, Stamp};
use crate::policy::{PaceSettings, RelayLimits, Replies, RetrySchedule, Situation, Window, decide, jittered};

use super::*;

const OFFICIALS: usize = 4;
const LETTERS_EACH: usize = 110;

fn rules(mailbox: &str) -> PaceRules {
    let limit = |text: &str| text.parse::<Limit>().unwrap();
    PaceRules {
        pace: PaceSettings { per_mailbox: limit(mailbox), per_domain: limit("50/h"), ..PaceSettings::unlimited() },
        relays: vec![RelayLimits { rate: limit("30/m"), quota: limit("300/d") }],
        windows: Windows {
            letters: Window::parse("8-18", jiff::tz::TimeZone::get("America/Chicago").unwrap()).unwrap(),
            confirmations: Window::always(),
        },
        official_total: None,
    }
}

fn settings() -> Settings {
    let rules = rules("20/h");
    let RelayLimits { rate, quota } = rules.relays[0];
    let retry = RetrySchedule { delays: vec![Duration::from_secs(300)], give_up_after: Duration::from_secs(1_000_000) };
    sample::settings(vec![RelayPlan { rate, quota, ..sample::relay("main", 1) }], rules, retry)
}

fn enrol(ledger: &SqliteLedger, now: Timestamp) {
    let official = |n| official(&format!("Official {n}"), &format!("o{n}@town.example"));
    let officials: Vec<_> = (0..OFFICIALS).map(official).collect();
    sample::enrol(ledger, now, &officials, LETTERS_EACH, Confirming::Never);
}

struct Day {
    ledger: SqliteLedger,
    desk: Desk,
    settings: Settings,
    started: Timestamp,
    now: Timestamp,
    /// By how much the machine's clock is off, in seconds.
    clock_off: i64,
    next_wake: Option<Timestamp>,
    connected: bool,
    order: Option<oneshot::Receiver<Order>>,
    gone: Vec<(Timestamp, i64)>,
    tries: usize,
    is_over: bool,
}

impl Day {
    fn at(&self) -> Now {
        let since_start = HEAD_START + Duration::try_from(self.now.duration_since(self.started)).unwrap();
        let clock = self.now + jiff::SignedDuration::from_secs(self.clock_off);
        Now { wall: self.now, clock, since_start }
    }

    /// As the dispatcher does at a start.
    async fn restart(&mut self) {
        self.started = self.now;
        (self.connected, self.order, self.next_wake) = (false, None, None);
        self.ledger.recover(self.now, Duration::from_secs(3600)).await.unwrap();
        self.desk = Desk::new(&self.settings, Chance::fresh());
        let (now, ledger, desk) = (self.at(), self.ledger.clone(), &mut self.desk);
        let ago = |hours: u64| now.wall.checked_sub(Duration::from_secs(hours * 3600)).unwrap();
        ledger.handed_over(ago(1), &mut |before| desk.remember(&before, now)).unwrap();
        ledger
            .handed_over_by_minute(ago(25), &mut |relay, at, count| desk.remember_of_day(at, relay, count, now))
            .unwrap();
    }

    async fn carry_out(&mut self, chore: Chore) -> Event {
        match chore {
            Chore::Claim(claim, round) => {
                let leased = self.ledger.claim(claim).await.unwrap();
                let next_wake = if leased.is_empty() { self.ledger.next_wake().await.unwrap() } else { None };
                self.next_wake = next_wake;
                return Event::Claimed(Claimed { leased, next_wake, round });
            }
            Chore::GiveBack(leased, at) => self.ledger.give_back(*leased, at).await.unwrap(),
            Chore::PullLanesIn(latest) => self.ledger.pull_lanes_in(latest).await.unwrap(),
            Chore::NoteRelay(record) => self.ledger.note_relay(record).await.unwrap(),
            other => panic!("{other:?}"),
        }
        Event::ChoreDone
    }

    /// One event and all that follows from it at this moment.
    async fn turn(&mut self, first: Event) {
        let mut events = VecDeque::from([first]);
        let mut n = 0;
        while let Some(event) = events.pop_front() {
            n += 1;
            assert!(n < 2000, "at {}: {event:?} {:?}", self.now, self.desk);
            for chore in self.desk.handle(event, self.at()) {
                let event = self.carry_out(chore).await;
                events.push_back(event);
            }
            let order = match &mut self.order {
                Some(waiting) => waiting.try_recv().ok(),
                None => None,
            };
            if let Some(order) = order {
                self.order = None;
                events.extend(self.obey(order).await);
            }
            if self.order.is_none() && !self.is_over {
                let (reply, order) = oneshot::channel();
                self.order = Some(order);
                events.push_back(Event::Ask { relay: 0, connected: self.connected, reply });
            }
        }
    }

    /// As a worker would; every sixtieth letter is refused for now.
    async fn obey(&mut self, order: Order) -> Option<Event> {
        let leased = match order {
            Order::Connect => {
                self.connected = true;
                return Some(Event::Connected { relay: 0 });
            }
            Order::Leave => {
                self.is_over = true;
                return None;
            }
            Order::HandOver(leased, _) => *leased,
        };
        let (message, kind, lane) = (leased.id(), leased.kind(), leased.lane());
        self.tries += 1;
        let refused = self.tries.is_multiple_of(60);
        let (phase, code, text) =
            if refused { (Phase::Rcpt, 450, "4.2.1 mailbox busy") } else { (Phase::Dot, 250, "2.0.0 Ok") };
        let outcome = Outcome::Replied(Reply::new(phase, code, [text]));
        let verdict = decide(
            &outcome,
            &Situation {
                now: self.now,
                tries_counted: leased.attempts,
                first_attempt_at: leased.first_attempt_at,
                deadline: None,
                replies: &Replies::default(),
                is_suspect: false,
                retry: &self.settings.retry,
                jitter: 0.5,
            },
        );
        let Verdict { class, disposition, ref rule, .. } = verdict;
        let (relay, rule) = ("main".into(), rule.clone());
        let attempt = Attempt { at: self.now, relay, outcome: outcome.clone(), class, rule, disposition };
        if refused {
            self.ledger.refuse(leased, attempt, self.now).await.unwrap();
        } else {
            let message_id = format!("{message}@campaign.example");
            let stamp = Stamp { message_id, date: self.now, body_hash: [7; 32] };
            let chance = f64::from(u32::try_from(self.tries % 10).unwrap()) / 9.0;
            let ready = self.desk.pace.mailbox_interval().map(|interval| self.now + jittered(interval, chance));
            let open = self.ledger.mark_transmitting(leased, "main", stamp, ready).await.unwrap();
            self.ledger.close(open, attempt, self.now).await.unwrap();
            self.gone.push((self.now, lane));
        }
        Some(Event::HandedOver(Report { relay: 0, message, kind, lane, outcome, verdict, goes_on: false }))
    }

    async fn until(&mut self, end: &str) {
        let end = civil(end);
        while self.now < end && !self.is_over {
            self.turn(Event::Tick).await;
            let soonest = self.now + Duration::from_secs(1);
            let latest = self.now + Duration::from_secs(300);
            self.now = self.next_wake.unwrap_or(latest).clamp(soonest, latest).min(end);
        }
    }

    fn between(&self, from: &str, to: &str) -> usize {
        let (from, to) = (civil(from), civil(to));
        self.gone.iter().filter(|(at, _)| (from..to).contains(at)).count()
    }

    /// In no window of that length, both ends included, more than that.
    fn check(&self, hours: u64, most: usize, mine: impl Fn(&(Timestamp, i64)) -> bool) {
        let mine: Vec<Timestamp> = self.gone.iter().filter(|gone| mine(gone)).map(|gone| gone.0).collect();
        for window in mine.windows(most + 1) {
            let length = Duration::try_from(window[most].duration_since(window[0])).unwrap();
            assert!(length > Duration::from_secs(hours * 3600), "{} in {length:?} from {}", most + 1, window[0]);
        }
    }
}

fn civil(text: &str) -> Timestamp {
    let zone = jiff::tz::TimeZone::get("America/Chicago").unwrap();
    text.parse::<jiff::civil::DateTime>().unwrap().to_zoned_datetime(zone).unwrap().timestamp()
}

fn new_day(folder: &std::path::Path, now: Timestamp) -> Day {
    let path = folder.join("ledger.db");
    drop(SqliteLedger::create(&path, "Test", &CampaignTag::parse("k3m9x2").unwrap(), now).unwrap());
    let ledger = SqliteLedger::open(&path, Access::Dispatch).unwrap();
    enrol(&ledger, now);
    Day {
        ledger,
        desk: Desk::new(&settings(), Chance::fresh()),
        settings: settings(),
        started: now,
        now,
        clock_off: 0,
        next_wake: None,
        connected: false,
        order: None,
        gone: Vec::new(),
        tries: 0,
        is_over: false,
    }
}

fn pause(since: Timestamp) -> Event {
    Event::Paused(Some(Pause { since, reason: String::new() }))
}

#[tokio::test]
async fn what_was_being_claimed_when_staff_paused_or_suppressed_a_mailbox_goes_back() {
    let start = civil("2027-03-13T09:00");
    for event in [pause(start), Event::Suppressed] {
        let folder = tempfile::tempdir().unwrap();
        let mut day = new_day(folder.path(), start);
        let claim = day.desk.handle(Event::Tick, day.at()).pop().unwrap();
        let claimed = day.carry_out(claim).await;
        day.desk.handle(event, day.at());
        let chores = day.desk.handle(claimed, day.at());
        assert!(day.desk.buffer.is_empty());
        let given_back = chores.iter().filter(|chore| matches!(chore, Chore::GiveBack(_, None))).count();
        assert!(given_back > 0, "{chores:?}");
    }
}

#[test]
fn what_was_dealt_out_is_called_back_by_a_pause_by_other_rules_and_by_the_end_of_the_hours() {
    let start = civil("2027-03-13T17:59");
    let later = |seconds: u64| {
        let (wall, since_start) = (start + Duration::from_secs(seconds), HEAD_START + Duration::from_secs(seconds));
        Now { wall, clock: wall, since_start }
    };
    for (event, at, is_called_back) in [
        (Event::Tick, 59, false),
        (Event::Tick, 61, true),
        (pause(start), 1, true),
        (Event::Paused(None), 1, false),
        (Event::Revised(Box::new(rules("1/h"))), 1, true),
        (Event::Suppressed, 1, true),
    ] {
        let mut desk = Desk::new(&settings(), Chance::fresh());
        desk.handle(Event::Tick, later(0));
        let (deal, told) = (desk.recall.deal(), format!("{event:?} after {at} s"));
        desk.handle(event, later(at));
        assert_eq!(!deal.holds(), is_called_back, "{told}");
    }
}

#[tokio::test]
async fn two_days_with_a_restart_a_pause_a_change_and_a_clock_that_jumps_keep_to_every_limit_and_use_it() {
    let folder = tempfile::tempdir().unwrap();
    // The second of them is the day on which the clock is put forward.
    let mut day = new_day(folder.path(), civil("2027-03-13T07:50"));
    day.restart().await;

    day.until("2027-03-13T11:00").await;
    assert_eq!(day.between("2027-03-13T00:00", "2027-03-13T08:00"), 0, "before the hours");
    let morning = day.between("2027-03-13T08:00", "2027-03-13T11:00");
    assert!((142..=150).contains(&morning), "50 an hour bind: {morning}");
    let first_minute = day.between("2027-03-13T08:00", "2027-03-13T08:01");
    assert!(first_minute < OFFICIALS, "lanes begin apart: {first_minute} in the first minute");

    day.restart().await;
    day.turn(pause(day.now)).await;
    day.until("2027-03-13T12:00").await;
    assert_eq!(day.between("2027-03-13T11:00", "2027-03-13T12:00"), 0, "paused");
    day.turn(Event::Paused(None)).await;
    day.turn(Event::Revised(Box::new(rules("10/h")))).await;
    day.until("2027-03-13T15:00").await;
    let slower = day.between("2027-03-13T12:00", "2027-03-13T15:00");
    assert!((110..=120).contains(&slower), "10 an hour each bind: {slower}");

    // A day forward and a day back: the same hours, and no burst.
    day.clock_off = 86_400;
    day.until("2027-03-13T16:00").await;
    day.clock_off = -86_400;
    day.until("2027-03-13T17:00").await;
    day.clock_off = 0;
    day.turn(Event::Revised(Box::new(rules("20/h")))).await;
    day.until("2027-03-14T18:00").await;

    let of_first_day = day.between("2027-03-13T00:00", "2027-03-14T00:00");
    assert!((285..=300).contains(&of_first_day), "the quota of the day: {of_first_day}");
    assert_eq!(day.between("2027-03-13T18:00", "2027-03-14T08:00"), 0, "the night");
    assert_eq!(day.gone.len(), OFFICIALS * LETTERS_EACH, "all are out on the second day");
    day.check(1, 50, |_| true);
    day.check(24, 300, |_| true);
    let mut lanes: Vec<i64> = day.gone.iter().map(|gone| gone.1).collect();
    lanes.sort_unstable();
    lanes.dedup();
    assert_eq!(lanes.len(), OFFICIALS);
    for lane in lanes {
        day.check(1, 20, |gone| gone.1 == lane);
    }
}
