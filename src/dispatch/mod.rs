//! Where the ledger and the relays meet, and nowhere else: takes messages out of the ledger, hands them over, and
//! writes down what became of each.
//!
//! One loop (`run`) faces the world; `desk` decides, without waiting for anything; each `worker` is one session
//! with one relay; `heart` is the one place in which a message leaves this machine. This module must not decide
//! what a reply means (policy) nor how a message looks (template, compose).

mod books;
mod chance;
mod clock;
mod desk;
mod events;
mod heart;
mod judge;
mod patience;
mod press;
mod progress;
mod recall;
mod relay_desk;
mod rules;
mod worker;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::failpoint;
use crate::ledger::{
    CampaignState, Claim, Decision, DecisionKind, Ledger, LedgerError, Recovered, RelayRecord, RelayState, Selection,
};
use crate::model::MessageState;
use crate::policy::{BreakOffs, Carries, Limit, PaceSettings, RelayLimits, Replies, RetrySchedule, Windows};
use crate::smtp::Relay;

use chance::Chance;
use clock::Clock;
use desk::Desk;
use events::{Chore, Claimed, Event};
use judge::Judge;
use patience::Patience;
pub use press::{Press, PressError};
pub use progress::{Progress, Waiting};
use rules::{Heard, Listener};
pub use rules::{PaceRules, Revise};
use worker::Worker;

/// What happens to a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDoubt {
    /// Waits for staff.
    Hold,
    /// Is sent again, at the risk of a second copy.
    Resend,
}

/// A relay and how hard it may be worked.
#[derive(Debug, Clone)]
pub struct RelayPlan {
    /// The relay.
    pub relay: Arc<Relay>,
    /// At most so many sessions at a time.
    pub connections: usize,
    /// At most so many messages in a time.
    pub rate: Limit,
    /// At most so many in any 24 hours, counted from the ledger.
    pub quota: Limit,
    /// Used only while no relay of a lower order can be used.
    pub order: u32,
    /// Its share among the relays of its order; `None`: whichever is free takes the next.
    pub weight: Option<u32>,
    /// What it may carry.
    pub carries: Carries,
    /// What its replies mean.
    pub replies: Replies,
}

impl RelayPlan {
    /// A relay beside which there is no other.
    pub fn alone(relay: Relay, connections: usize) -> Self {
        Self {
            relay: Arc::new(relay),
            connections,
            rate: Limit::Unlimited,
            quota: Limit::Unlimited,
            order: 1,
            weight: None,
            carries: Carries::ALL,
            replies: Replies::default(),
        }
    }
}

/// How to dispatch.
#[derive(Debug)]
pub struct Settings {
    /// Where to.
    pub relays: Vec<RelayPlan>,
    /// Limits on speed.
    pub pace: PaceSettings,
    /// Hours in which messages may go.
    pub windows: Windows,
    /// At most so many letters to one official; the ledger keeps to it, and staff may change it meanwhile.
    pub official_total: Option<u64>,
    /// How to read what staff change meanwhile; nothing where nobody may.
    pub revise: Option<Revise>,
    /// When to try again.
    pub retry: RetrySchedule,
    /// After this no message is tried.
    pub deadline: Option<Timestamp>,
    /// What happens to a message in doubt.
    pub on_doubt: OnDoubt,
    /// At most so many letters in this run.
    pub letters_max: Option<u64>,
    /// Whether to wait for a relay that is away and for messages that come due later. Not when staff try things out.
    pub is_patient: bool,
    /// Staff have looked at refusals that are all alike, and they are real.
    pub accept_refusals: bool,
}

impl Settings {
    /// The rules on speed among them.
    fn rules(&self) -> PaceRules {
        let of = |plan: &RelayPlan| RelayLimits { rate: plan.rate, quota: plan.quota };
        PaceRules {
            pace: self.pace.clone(),
            relays: self.relays.iter().map(of).collect(),
            windows: self.windows.clone(),
            official_total: self.official_total,
        }
    }
}

/// How firmly staff ask the dispatcher to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    No,
    /// Finish what is in transmission, begin nothing new.
    Gently,
}

/// Returns once staff ask to end, and never where nobody is left who could.
async fn asked(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop != Stop::No).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Why a campaign stopped itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// A relay refuses our account, or its certificate is not right.
    #[error("relay `{relay}` refuses our account or cannot be trusted: {reply}")]
    Account {
        /// The relay's name.
        relay: String,
        /// Its words.
        reply: String,
    },
    /// Going on would mean to wait, and that was not wanted.
    #[error("{reason}")]
    Impatient {
        /// For what.
        reason: String,
    },
    /// The same refusal for many recipients: not about any of them.
    #[error(
        "the relay refused {messages} messages to different recipients with the same words: {text}; they wait in the \
         queue again and none of them is bounced (if the refusals are right: send --accept-refusals)"
    )]
    Breaker {
        /// How many were refused alike.
        messages: usize,
        /// The words, without digits and addresses.
        text: String,
    },
}

/// How a dispatch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing can move any more without staff.
    Settled,
    /// Staff asked for it.
    Interrupted,
    /// As many letters as were asked for are out.
    LimitReached,
    /// The campaign stopped itself.
    Stopped(StopReason),
}

/// Dispatches until nothing can move, staff ask to end, or the campaign must stop.
///
/// # Errors
/// When the ledger cannot be used: then nothing more is sent, and the next run starts from what is on disk.
pub async fn run<L: Ledger>(
    ledger: L,
    settings: Settings,
    press: Press,
    stop: watch::Receiver<Stop>,
    progress: watch::Sender<Progress>,
) -> Result<Ending, LedgerError> {
    let now = Timestamp::now();
    let lane_wait_max = settings.rules().longest_of_mailboxes();
    let patience = Patience::new(progress.clone(), stop.clone());
    let begun = async {
        let recovered = recover(&ledger, &patience, settings.on_doubt, now, lane_wait_max).await?;
        patience.until_done(|| ledger.note_campaign(CampaignState::Running, "", now)).await?;
        for plan in &settings.relays {
            patience.until_done(|| ledger.note_relay(untried(plan.relay.name(), now))).await?;
        }
        Ok::<_, LedgerError>(recovered)
    };
    // Nothing is in transmission yet, so whoever asks to end need not wait for a ledger that cannot be written.
    let mut end_asked = stop.clone();
    let recovered = tokio::select! {
        recovered = begun => recovered?,
        () = asked(&mut end_asked) => return Ok(Ending::Interrupted),
    };
    progress.send_replace(Progress::starting(ledger.counts()?, recovered));
    let ending = Loop::start(ledger.clone(), patience.clone(), settings, press, stop, progress)?.run().await?;
    let (state, reason) = match &ending {
        Ending::Settled => (CampaignState::Finished, String::new()),
        Ending::Interrupted | Ending::LimitReached => (CampaignState::Paused, String::new()),
        Ending::Stopped(reason) => (CampaignState::Stopped, reason.to_string()),
    };
    patience.until_done(|| ledger.note_campaign(state, &reason, Timestamp::now())).await?;
    Ok(ending)
}

/// What an earlier run noted of a relay is no news of this one.
fn untried(name: &str, now: Timestamp) -> RelayRecord {
    let (name, reason) = (name.to_owned(), String::new());
    RelayRecord { name, state: RelayState::Up, since: now, until: None, slowed_to: None, reason }
}

async fn recover<L: Ledger>(
    ledger: &L,
    patience: &Patience,
    on_doubt: OnDoubt,
    now: Timestamp,
    lane_wait_max: Duration,
) -> Result<Recovered, LedgerError> {
    let recovered = patience.until_done(|| ledger.recover(now, lane_wait_max)).await?;
    failpoint::reached("dispatch.recovered");
    if on_doubt == OnDoubt::Resend {
        let order = resend(Selection::State(MessageState::InDoubt), now);
        patience.until_done(|| decide(ledger, order.clone())).await?;
    }
    Ok(recovered)
}

/// The order that `on_doubt = "resend"` stands for: once more to the relay that may have it, and to no other.
fn resend(selection: Selection, at: Timestamp) -> Decision {
    let reason = "campaign.on_doubt is \"resend\"".to_owned();
    Decision { kind: DecisionKind::ResendToSame, selection, reason, at }
}

/// The loop that faces the world: events in, chores out.
struct Loop<L> {
    ledger: L,
    patience: Patience,
    desk: Desk,
    events: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    workers: usize,
    stop: watch::Receiver<Stop>,
    progress: watch::Sender<Progress>,
    clock: Clock,
    began: Timestamp,
    listener: Option<Listener>,
    /// The hand-overs of the last day have been counted.
    knows_the_day: bool,
}

/// However quiet it is, so often the desk looks up: staff may have released or withdrawn something.
const HEARTBEAT: Duration = Duration::from_secs(1);
const EVENTS_MAX: usize = 1024;
/// So often the ledger is asked what staff want.
const LISTEN_EVERY: Duration = Duration::from_millis(400);

impl<L: Ledger> Loop<L> {
    fn start(
        ledger: L,
        patience: Patience,
        settings: Settings,
        press: Press,
        stop: watch::Receiver<Stop>,
        progress: watch::Sender<Progress>,
    ) -> Result<Self, LedgerError> {
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let press = Arc::new(press);
        let mut desk = Desk::new(&settings, Chance::fresh());
        let (clock, rules) = (Clock::start(), settings.rules());
        let now = clock.now();
        if let Some(unit) = rules.longest_unit() {
            let since = now.wall.checked_sub(unit).unwrap_or(now.wall);
            ledger.handed_over(since, &mut |before| desk.remember(&before, now))?;
        }
        let mut workers = 0;
        for (index, plan) in settings.relays.into_iter().enumerate() {
            let judge = Arc::new(Judge {
                clock: clock.clone(),
                replies: plan.replies,
                break_offs: Mutex::new(BreakOffs::new()),
                retry: settings.retry.clone(),
                deadline: settings.deadline,
                on_doubt: settings.on_doubt,
                lane_wait: desk.lane_wait(),
                chance: Mutex::new(Chance::fresh()),
            });
            for _ in 0..plan.connections {
                workers += 1;
                let worker = Worker {
                    index,
                    relay: plan.relay.clone(),
                    ledger: ledger.clone(),
                    patience: patience.clone(),
                    press: press.clone(),
                    judge: judge.clone(),
                    events: sender.clone(),
                    stop: stop.clone(),
                };
                tokio::spawn(worker.run());
            }
        }
        let listener = settings.revise.map(Listener::new);
        let began = now.wall;
        let knows_the_day = false;
        let mut it = Self {
            ledger,
            patience,
            desk,
            events,
            sender,
            workers,
            stop,
            progress,
            clock,
            began,
            listener,
            knows_the_day,
        };
        if rules.counts_days() {
            it.count_the_day()?;
        }
        Ok(it)
    }

    /// Counts for the quotas what went in the 24 hours before this run; once.
    fn count_the_day(&mut self) -> Result<(), LedgerError> {
        if std::mem::replace(&mut self.knows_the_day, true) {
            return Ok(());
        }
        let (desk, now, began) = (&mut self.desk, self.clock.now(), self.began);
        // What the quotas themselves are late by, they count too.
        let since = now.wall.checked_sub(Duration::from_secs(25 * 60 * 60)).unwrap_or(now.wall);
        self.ledger.handed_over_by_minute(since, &mut |relay, at, hand_overs| {
            // A minute that this run began in is counted rather twice than not at all.
            if at.as_second() / 60 <= began.as_second() / 60 {
                desk.remember_of_day(at, relay, hand_overs, now);
            }
        })?;
        if let Some(first) = self.ledger.first_handed_over()? {
            desk.remember_first(first, now);
        }
        Ok(())
    }

    /// Hears what staff want, and whether the machine slept.
    fn listen(&mut self) -> Result<(), LedgerError> {
        self.clock.catch_up();
        let Some(listener) = &mut self.listener else { return Ok(()) };
        for heard in listener.hear(self.ledger.wishes()?) {
            let event = match heard {
                Heard::Pause(pause) => Event::Paused(pause),
                Heard::Suppressed => Event::Suppressed,
                Heard::Rules(rules) => {
                    if rules.counts_days() {
                        self.count_the_day()?;
                    }
                    Event::Revised(rules)
                }
            };
            self.handle(event);
        }
        Ok(())
    }

    async fn run(mut self) -> Result<Ending, LedgerError> {
        let mut stop = self.stop.clone();
        let mut is_asked = false;
        let mut listening = tokio::time::interval(LISTEN_EVERY);
        listening.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.listen()?;
        loop {
            let wait =
                self.desk.wake().map_or(HEARTBEAT, |at| at.saturating_sub(self.clock.now().since_start).min(HEARTBEAT));
            let event = tokio::select! {
                event = self.events.recv() => event.unwrap_or(Event::Tick),
                () = asked(&mut stop), if !is_asked => {
                    is_asked = true;
                    Event::StopAsked
                }
                _ = listening.tick() => {
                    if let Err(error) = self.listen() {
                        tracing::warn!(%error, "what staff want could not be read");
                    }
                    Event::Tick
                }
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => Event::Tick,
            };
            self.workers -= usize::from(matches!(event, Event::Left));
            self.handle(event);
            if self.workers == 0 && self.desk.chores_open() == 0 {
                return self.desk.finish();
            }
        }
    }

    fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        let chores = self.desk.handle(event, now);
        for chore in chores {
            self.carry_out(chore, now.wall);
        }
        self.desk.show(&self.progress);
    }

    fn carry_out(&self, chore: Chore, now: Timestamp) {
        let (ledger, patience, sender) = (self.ledger.clone(), self.patience.clone(), self.sender.clone());
        tokio::spawn(async move {
            let event = match chore {
                Chore::Claim(wanted, round) => match claim(&ledger, &patience, wanted).await {
                    Ok((leased, next_wake)) => Event::Claimed(Claimed { leased, next_wake, round }),
                    Err(error) => Event::ChoreFailed(error),
                },
                Chore::GiveBack(leased, at) => {
                    done(patience.until_written(*leased, |leased| ledger.give_back(leased, at)).await)
                }
                Chore::Postpone(leased, due) => {
                    done(patience.until_written(*leased, |leased| ledger.postpone(leased, due)).await)
                }
                Chore::SetAside(leased, reason) => {
                    done(patience.until_written(*leased, |leased| ledger.set_aside(leased, &reason, now)).await)
                }
                Chore::NoteRelay(record) => done(patience.until_done(|| ledger.note_relay(record.clone())).await),
                Chore::Expire => {
                    let reason = "the campaign's deadline has passed".to_owned();
                    let (kind, selection) = (DecisionKind::Expire, Selection::All);
                    let decision = Decision { kind, selection, reason, at: now };
                    done(patience.until_done(|| decide(&ledger, decision.clone())).await)
                }
                Chore::PullLanesIn(latest) => done(patience.until_done(|| ledger.pull_lanes_in(latest)).await),
                Chore::KeepTotals(total) => done(patience.until_done(|| keep_totals(&ledger, total, now)).await),
                Chore::Reinstate(ids, reason) => {
                    let (kind, selection) = (DecisionKind::Retry, Selection::OfThese(ids));
                    let decision = Decision { kind, selection, reason, at: now };
                    done(patience.until_done(|| decide(&ledger, decision.clone())).await)
                }
            };
            let _ = sender.send(event).await; // the loop outlives every chore, or has failed already
        });
    }
}

async fn claim<L: Ledger>(
    ledger: &L,
    patience: &Patience,
    claim: Claim,
) -> Result<(Vec<crate::ledger::Leased>, Option<Timestamp>), LedgerError> {
    let leased = patience.until_done(|| ledger.claim(claim)).await?;
    if !leased.is_empty() {
        failpoint::reached("dispatch.claimed");
    }
    let next_wake = if leased.is_empty() { patience.until_done(|| ledger.next_wake()).await? } else { None };
    Ok((leased, next_wake))
}

/// A decision waits for the writer, so it must not hold up the sessions.
async fn decide<L: Ledger>(ledger: &L, decision: Decision) -> Result<(), LedgerError> {
    let ledger = ledger.clone();
    tokio::task::spawn_blocking(move || ledger.decide(&decision).map(|_| ())).await.unwrap_or(Ok(()))
}

/// The same for the total of each official.
async fn keep_totals<L: Ledger>(ledger: &L, total: Option<u64>, now: Timestamp) -> Result<(), LedgerError> {
    let ledger = ledger.clone();
    tokio::task::spawn_blocking(move || ledger.keep_totals(total, now).map(|_| ())).await.unwrap_or(Ok(()))
}

fn done(result: Result<(), LedgerError>) -> Event {
    match result {
        // Somebody else moved it: nothing was changed, and the ledger knows best.
        Ok(()) | Err(LedgerError::LostRow { .. }) => Event::ChoreDone,
        Err(error) => Event::ChoreFailed(error),
    }
}
