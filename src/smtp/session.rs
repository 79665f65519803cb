//! One session with one relay: one message at a time, first its envelope, then, with the ledger's receipt, its text.
//!
//! Where the relay offers PIPELINING, the envelope of the next message may travel with the text of this one, which
//! makes one round trip a message. Its text still waits for a receipt of its own.
//!
//! A session that timed out, lost its connection, heard something out of turn or was left in the middle is
//! never used again: a reply that comes late must not be taken for another message's. This file decides what
//! can be said next, never what a reply means for a message.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Quit;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, timeout};

use super::offers::Offers;
use super::reply::{RawReply, lost};
use super::stream::{Trouble, Unasked, Wire};
use super::text;
use super::timeouts::{SessionLimits, Timeouts};
use super::trust::Trust;
use crate::failpoint;
use crate::model::{Envelope, LossCause, Outcome, Phase, Reply, TransmissionReceipt};

/// A write of the body; each has [`Timeouts::body_write`] to leave.
const BODY_WRITE_BYTES: usize = 64 * 1024;

/// What a relay must know of a message before it has it.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// From whom, to whom.
    pub envelope: &'a Envelope,
    /// How many bytes the message has.
    pub size: usize,
    /// Whether any of them is above 127.
    pub eight_bit: bool,
    /// Whether an address in its envelope or in its headers needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
}

impl<'a> Offer<'a> {
    /// Of a message whose bytes are at hand.
    pub fn new(envelope: &'a Envelope, message: &[u8]) -> Self {
        let smtputf8 = envelope.from.needs_smtputf8() || envelope.to.needs_smtputf8();
        Self { envelope, size: message.len(), eight_bit: !message.is_ascii(), smtputf8 }
    }

    /// The same for a message whose headers, too, may have an address that needs SMTPUTF8.
    #[must_use]
    pub fn with_smtputf8(self, needed: bool) -> Self {
        Self { smtputf8: self.smtputf8 || needed, ..self }
    }
}

/// Where the conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between messages.
    Ready,
    /// In the middle of one. Left like this by a future that was dropped, it is as good as over.
    Busy,
    /// Over.
    Ended,
}

/// A step of the envelope, or the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Reset,
    Mail,
    Rcpt,
    Data,
    Dot,
}

/// How the commands of an envelope reach the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// In one write (RFC 2920).
    InOne,
    /// Each after the answer to the one before.
    OneByOne,
    /// They are there already: they went with the text of the message before.
    Ahead,
}

/// What a reply means for the conversation.
enum Verdict {
    Good,
    Refused,
    /// Out of place, or the relay's farewell.
    Final,
}

impl Step {
    fn phase(self) -> Phase {
        match self {
            Self::Reset | Self::Mail => Phase::Mail,
            Self::Rcpt => Phase::Rcpt,
            Self::Data => Phase::Data,
            Self::Dot => Phase::Dot,
        }
    }

    fn failpoint(self) {
        match self {
            Self::Mail => failpoint::reached("smtp.mail"),
            Self::Rcpt => failpoint::reached("smtp.rcpt"),
            Self::Data => failpoint::reached("smtp.data"),
            Self::Reset | Self::Dot => {}
        }
    }

    fn judge(self, reply: &RawReply) -> Verdict {
        match (self, reply.code) {
            (Self::Reset | Self::Mail | Self::Rcpt, 200..300) | (Self::Data, 354) | (Self::Dot, 250) => Verdict::Good,
            (Self::Mail | Self::Rcpt | Self::Data | Self::Dot, 400..) if !reply.closes() => Verdict::Refused,
            _ => Verdict::Final,
        }
    }
}

/// An open conversation, with EHLO and AUTH behind it.
pub struct Session {
    lettre: AsyncSmtpConnection,
    wire: Wire,
    offers: Offers,
    timeouts: Timeouts,
    limits: SessionLimits,
    state: State,
    /// The relay still holds a sender whose message came to nothing.
    needs_reset: bool,
    /// The envelope that travelled with the last text, and that the relay has not answered yet.
    ahead: Option<String>,
    trust: Arc<Trust>,
    messages: u32,
    refusals: u32,
    connected_at: Instant,
    heard_at: Instant,
}

impl Session {
    pub(super) fn new(
        lettre: AsyncSmtpConnection,
        wire: Wire,
        offers: Offers,
        timeouts: Timeouts,
        limits: SessionLimits,
        trust: Arc<Trust>,
    ) -> Self {
        let now = Instant::now();
        Self {
            lettre,
            wire,
            offers,
            timeouts,
            limits,
            state: State::Ready,
            needs_reset: false,
            ahead: None,
            trust,
            messages: 0,
            refusals: 0,
            connected_at: now,
            heard_at: now,
        }
    }

    pub(super) fn offers(&self) -> Offers {
        self.offers
    }

    /// Whether another message may be offered. Not after a loss, a timeout, a 421 or a reply out of place, nor
    /// when a limit is reached, nor when an [`Accepted`] was dropped without its text.
    pub fn is_usable(&self) -> bool {
        self.state == State::Ready
            && self.messages < self.limits.messages
            && self.refusals < self.limits.refusals
            && self.connected_at.elapsed() < self.limits.age
            && self.heard_at.elapsed() < self.limits.idle
    }

    /// Whether another message may come after the one that it is about to carry.
    pub fn may_carry_another(&self) -> bool {
        self.offers.pipelining && self.trust.is_whole() && self.messages + 1 < self.limits.messages
    }

    /// How long a session may wait between two messages; a worker that waits longer closes it itself.
    pub fn idle_limit(&self) -> Duration {
        self.limits.idle
    }

    /// MAIL, RCPT and DATA. On `Ok` the relay waits for the text, and still has nothing; on `Err` it
    /// provably has nothing. An envelope that travelled ahead is not said again, only listened for.
    pub async fn offer(&mut self, offer: &Offer<'_>) -> Result<Accepted<'_>, Outcome> {
        if !self.is_usable() {
            return Err(lost(Phase::Mail, LossCause::Closed, "this session has ended"));
        }
        let steps = self.steps(offer)?;
        self.state = State::Busy;
        match self.ahead.take() {
            Some(ahead) if ahead == in_one(&steps) => {
                let answered = self.envelope(&steps, Written::Ahead).await;
                self.trust.learn(&answered);
                if self.may_be_about_coming_early(&answered) {
                    let again = self.steps(offer)?;
                    self.state = State::Busy;
                    self.envelope(&again, Written::InOne).await?;
                } else {
                    answered?;
                }
            }
            Some(_) => {
                self.state = State::Ended;
                return Err(lost(Phase::Mail, LossCause::Closed, "the envelope of another message was under way"));
            }
            None => {
                self.check_silence().await?;
                let how = if self.offers.pipelining { Written::InOne } else { Written::OneByOne };
                self.envelope(&steps, how).await?;
            }
        }
        self.needs_reset = false;
        Ok(Accepted { session: self })
    }

    fn steps(&self, offer: &Offer<'_>) -> Result<Vec<(Step, String)>, Outcome> {
        let reset = self.needs_reset.then(|| (Step::Reset, "RSET\r\n".to_owned()));
        let envelope = [
            (Step::Mail, self.mail_command(offer)?),
            (Step::Rcpt, format!("RCPT TO:<{}>\r\n", offer.envelope.to)),
            (Step::Data, "DATA\r\n".to_owned()),
        ];
        Ok(reset.into_iter().chain(envelope).collect())
    }

    /// The commands of an envelope that may travel with the text before it; nothing where it may not.
    fn travelling(&self, next: Option<&Offer<'_>>) -> String {
        let goes_on = self.messages < self.limits.messages
            && self.refusals + 1 < self.limits.refusals
            && self.connected_at.elapsed() < self.limits.age;
        let may = goes_on && self.offers.pipelining && self.trust.is_whole();
        next.filter(|_| may).and_then(|next| self.steps(next).ok()).map(|steps| in_one(&steps)).unwrap_or_default()
    }

    /// Says goodbye, where the relay waits for a command, and closes.
    pub async fn quit(mut self) {
        // A relay that has been told of another message would take QUIT for its text.
        if self.state == State::Ready && self.ahead.is_none() {
            // Whether the relay answers changes nothing.
            let _ = timeout(self.timeouts.quit, self.lettre.command(Quit)).await;
        }
    }

    fn mail_command(&self, offer: &Offer<'_>) -> Result<String, Outcome> {
        let from = &offer.envelope.from;
        let needed = [
            (offer.eight_bit, self.offers.eight_bit, " BODY=8BITMIME", "8BITMIME, which this message needs"),
            (offer.smtputf8, self.offers.smtputf8, " SMTPUTF8", "SMTPUTF8, which this address needs"),
        ];
        let size = if self.offers.size { format!(" SIZE={}", offer.size) } else { String::new() };
        let mut command = format!("MAIL FROM:<{from}>{size}");
        for (is_needed, is_offered, parameter, what) in needed {
            match (is_needed, is_offered) {
                (true, true) => command.push_str(parameter),
                (true, false) => return Err(lost(Phase::Mail, LossCause::NotOffered, what)),
                (false, _) => {}
            }
        }
        command.push_str("\r\n");
        Ok(command)
    }

    /// Says all steps, unless they were said, and hears the answers.
    async fn envelope(&mut self, steps: &[(Step, String)], written: Written) -> Result<(), Outcome> {
        let mut heard: Vec<(Step, RawReply)> = Vec::with_capacity(steps.len());
        let mut refusal = None;
        for (n, (step, command)) in steps.iter().enumerate() {
            let phase = step.phase();
            let reply = match (written, n) {
                (Written::InOne, 0) => self.ask(phase, &in_one(steps)).await,
                (Written::OneByOne, _) => self.ask(phase, command).await,
                (Written::InOne | Written::Ahead, _) => self.listen(phase).await,
            };
            // The first refusal is the reason; what follows is its consequence.
            let reply = reply.map_err(|loss| refusal.clone().unwrap_or(loss))?;
            let verdict = step.judge(&reply);
            if !matches!(verdict, Verdict::Good) {
                refusal.get_or_insert(Outcome::Replied(reply.at(phase)));
            }
            heard.push((*step, reply));
            step.failpoint();
            if matches!(verdict, Verdict::Final) || (refusal.is_some() && written == Written::OneByOne) {
                break;
            }
        }
        let Some(refusal) = refusal else { return Ok(()) };
        self.after_refusal(&heard).await;
        Err(refusal)
    }

    /// A sender that is refused for good stops the campaign: not before it was named by itself, too.
    fn may_be_about_coming_early(&self, answered: &Result<(), Outcome>) -> bool {
        let is_for_good = |reply: &Reply| reply.phase == Phase::Mail && reply.code >= 500;
        self.state == State::Ready && matches!(answered, Err(Outcome::Replied(reply)) if is_for_good(reply))
    }

    /// Brings the conversation back to where MAIL can be said, or ends it.
    async fn after_refusal(&mut self, heard: &[(Step, RawReply)]) {
        let verdict_of = |wanted| heard.iter().find(|(step, _)| *step == wanted).map(|(step, reply)| step.judge(reply));
        let is_good = |wanted| matches!(verdict_of(wanted), Some(Verdict::Good));
        let (mail, rcpt, data) = (is_good(Step::Mail), is_good(Step::Rcpt), is_good(Step::Data));
        self.refusals += 1;
        self.state = match heard.last().map(|(step, reply)| step.judge(reply)) {
            Some(Verdict::Final) | None => State::Ended,
            // DATA accepted for nobody: RFC 2920 3.1 ends it with a lone dot. If there is somebody whom an empty
            // message could reach, closing is the only safe end.
            Some(_) if data && rcpt => State::Ended,
            Some(_) if data => match self.ask_within(self.timeouts.data, Phase::Dot, ".\r\n").await {
                Ok(reply) if !reply.closes() => State::Ready,
                _ => State::Ended,
            },
            Some(_) => State::Ready,
        };
        self.needs_reset = mail && !data;
    }

    /// The relay must have said nothing since its last reply; else its replies and our commands have parted.
    async fn check_silence(&mut self) -> Result<(), Outcome> {
        let outcome = match self.wire.unasked().await {
            Unasked::Nothing => return Ok(()),
            Unasked::Reply(reply) if reply.closes() => Outcome::Replied(reply.at(Phase::Mail)),
            Unasked::Reply(_) => lost(Phase::Mail, LossCause::Garbage, "the relay sent a reply that nobody asked for"),
            Unasked::Trouble(trouble) => lost(Phase::Mail, trouble.cause, &trouble.detail),
        };
        self.state = State::Ended;
        Err(outcome)
    }

    async fn transmit(&mut self, bytes: &[u8], next: Option<&Offer<'_>>) -> Outcome {
        self.messages += 1;
        match self.wire.unasked().await {
            Unasked::Nothing => {}
            Unasked::Trouble(trouble) => return self.lose(Phase::Body, &trouble),
            Unasked::Reply(reply) => {
                let said = format!("the relay said {} before it had the text", reply.at(Phase::Body));
                return self.lose(Phase::Body, &Trouble { cause: LossCause::Garbage, detail: said });
            }
        }
        let ahead = self.travelling(next);
        if let Err((phase, trouble)) = self.say_text(bytes, &ahead).await {
            return self.lose(phase, &trouble);
        }
        let reply = match self.listen(Phase::Dot).await {
            Ok(reply) => reply,
            Err(loss) => return loss,
        };
        failpoint::reached("smtp.replied");
        self.state = match Step::Dot.judge(&reply) {
            Verdict::Good => State::Ready,
            Verdict::Refused => {
                self.refusals += 1;
                State::Ready
            }
            Verdict::Final => State::Ended,
        };
        self.ahead = (!ahead.is_empty()).then_some(ahead);
        Outcome::Replied(reply.at(Phase::Dot))
    }

    /// The text with its final dot, and what travels with it. An error tells the phase: at `Body` the dot
    /// provably never left; at `Dot` it may have, though what follows it did not.
    async fn say_text(&mut self, bytes: &[u8], ahead: &str) -> Result<(), (Phase, Trouble)> {
        let text = text::on_the_wire(bytes);
        let mut chunks = text.chunks(BODY_WRITE_BYTES).peekable();
        while let Some(chunk) = chunks.next() {
            let with = if chunks.peek().is_none() { ahead.as_bytes() } else { &[] };
            let sent = self.wire.send(chunk, with, self.timeouts.body_write).await;
            sent.map_err(|unsent| (if unsent.chunk_left { Phase::Dot } else { Phase::Body }, unsent.trouble))?;
            failpoint::reached(if chunks.peek().is_some() { "smtp.body" } else { "smtp.dot" });
        }
        Ok(())
    }

    async fn ask(&mut self, phase: Phase, command: &str) -> Result<RawReply, Outcome> {
        self.ask_within(self.limit(phase), phase, command).await
    }

    async fn ask_within(&mut self, limit: Duration, phase: Phase, command: &str) -> Result<RawReply, Outcome> {
        let talk = within(limit, self.lettre.command(command)).await;
        self.conclude(phase, talk).map(|(reply, _)| reply)
    }

    async fn listen(&mut self, phase: Phase) -> Result<RawReply, Outcome> {
        let talk = within(self.limit(phase), self.lettre.read_response()).await;
        self.conclude(phase, talk).map(|(reply, _)| reply)
    }

    /// For AUTH, whose next step lettre makes from its own form of the reply.
    pub(super) async fn ask_lettre(
        &mut self,
        phase: Phase,
        command: impl Display,
    ) -> Result<(RawReply, Option<Response>), Outcome> {
        let talk = within(self.limit(phase), self.lettre.command(command)).await;
        self.conclude(phase, talk)
    }

    /// The wire's own record of the reply counts; lettre's view must agree with it.
    fn conclude(&mut self, phase: Phase, talk: Talk) -> Result<(RawReply, Option<Response>), Outcome> {
        let heard = self.wire.heard();
        let trouble = match (heard, talk) {
            (Some(Ok(reply)), Ok(response)) if reply.refuses() || response.is_some() => {
                self.heard_at = Instant::now();
                return Ok((reply, response));
            }
            (Some(Err(trouble)), _) | (_, Err(trouble)) => trouble,
            (_, Ok(_)) => Trouble { cause: LossCause::Garbage, detail: String::new() },
        };
        Err(self.lose(phase, &trouble))
    }

    fn lose(&mut self, phase: Phase, trouble: &Trouble) -> Outcome {
        self.state = State::Ended;
        lost(phase, trouble.cause, &trouble.detail)
    }

    fn limit(&self, phase: Phase) -> Duration {
        let limits = &self.timeouts;
        match phase {
            Phase::Connect => limits.connect,
            Phase::Tls => limits.tls,
            Phase::Greeting => limits.greeting,
            Phase::Ehlo | Phase::Starttls => limits.ehlo,
            Phase::Auth => limits.auth,
            Phase::Mail => limits.mail,
            Phase::Rcpt => limits.rcpt,
            Phase::Data => limits.data,
            Phase::Body => limits.body_write,
            Phase::Dot => limits.dot,
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("wire", &self.wire)
            .field("state", &self.state)
            .field("messages", &self.messages)
            .field("refusals", &self.refusals)
            .finish_non_exhaustive()
    }
}

/// All commands of an envelope together.
fn in_one(steps: &[(Step, String)]) -> String {
    steps.iter().map(|(_, command)| command.as_str()).collect()
}

/// lettre's answer within the time: its reply where positive, nothing where not.
type Talk = Result<Option<Response>, Trouble>;

async fn within(limit: Duration, talk: impl Future<Output = Result<Response, LettreError>>) -> Talk {
    timeout(limit, talk).await.map(Result::ok).map_err(|_| Trouble::timeout())
}

/// The relay has taken the envelope and waits for the text.
///
/// Dropped without [`Self::transmit`], it leaves a session that is not usable, and the relay with nothing.
#[derive(Debug)]
#[must_use = "dropping it ends the session"]
pub struct Accepted<'a> {
    session: &'a mut Session,
}

impl Accepted<'_> {
    /// The text and its final dot; `bytes` need CRLF line ends (others are made so).
    ///
    /// The envelope of `next`, where given, may travel with them: [`Session::offer`] of the same message then only
    /// listens. Whoever does not offer it after all must let the session go.
    ///
    /// `Lost` at [`Phase::Body`] means that the last bytes provably never left, so that the relay cannot have the
    /// message; `Lost` at [`Phase::Dot`] that nobody can tell. Must be awaited to its end.
    pub async fn transmit<R: TransmissionReceipt>(
        self,
        receipt: &R,
        bytes: &[u8],
        next: Option<&Offer<'_>>,
    ) -> Outcome {
        let outcome = self.session.transmit(bytes, next).await;
        let code = outcome.reply().map(|reply| reply.code);
        tracing::debug!(message = receipt.message().0, phase = outcome.phase().as_str(), code, "transmitted");
        outcome
    }
}
