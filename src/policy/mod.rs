//! Pure decisions: what a reply means, when to try again, how fast to go and when to stop and ask.
//!
//! Time and randomness come in as arguments, so every decision can be tested as a table. This module must not
//! do I/O, read a clock, draw a random number or wait; it is the only one that names `governor`.

mod asked_wait;
mod break_offs;
mod breaker;
mod codes;
mod disposition;
mod gate;
mod groups;
mod pace;
mod providers;
mod rate;
mod relay_choice;
mod relay_clock;
mod replies;
mod reply_rule;
mod retry;
mod span;
mod spread;
mod start;
mod tally;
mod throttle;
mod time;
mod waiting_line;
mod warm_up;
mod window;
mod windows;

pub use break_offs::BreakOffs;
pub use breaker::{Breaker, Tripped, refusal_in_common};
pub use disposition::{RelayEffect, Situation, Verdict, decide};
pub use gate::{steady_interval, time_for};
pub use groups::{GroupError, Groups, ascii_domain};
pub use pace::{Admission, Binding, Pace, PaceSettings, RelayLimits};
pub use providers::{Profile, ProfileLimits};
pub use rate::{Limit, Rate, RateError, RateUnit};
pub use relay_choice::{Candidate, Carries, Standing};
pub use relay_clock::RelayClock;
pub use replies::{Replies, StaffRules};
pub use reply_rule::RuleProblem;
pub use retry::RetrySchedule;
pub use span::{SpanError, format_span, parse_positive_span, parse_span};
pub use spread::{Opening, jittered};
pub use start::{LATE_AFTER, Start};
pub use throttle::Throttle;
pub use warm_up::{WarmUp, WarmUpError};
pub use window::{Window, WindowError, WindowState};
pub use windows::{Open, Windows};
