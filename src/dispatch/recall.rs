//! What was dealt out can be called back as long as it is not on the wire: by a pause, by other rules, by the hours
//! that close.
//!
//! The desk deals and calls back; the heart asks before the point of no return. Must not know why.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How often everything was called back. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Recall(Arc<AtomicU64>);

/// The consent with which one message was dealt out.
#[derive(Debug)]
pub(super) struct Deal {
    recall: Recall,
    round: u64,
    until: Option<Instant>,
}

impl Recall {
    /// A message is dealt out now.
    pub(super) fn deal(&self) -> Deal {
        Deal { recall: self.clone(), round: self.0.load(Ordering::Acquire), until: None }
    }

    /// Whatever was dealt out and is not on the wire goes back.
    pub(super) fn call_back(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Deal {
    /// It holds for so long: then the pace that let the message go is stale.
    pub(super) fn for_at_most(self, time: Duration) -> Self {
        Self { until: Some(Instant::now() + time), ..self }
    }

    /// Whether the message may still begin.
    pub(super) fn holds(&self) -> bool {
        self.round == self.recall.0.load(Ordering::Acquire) && self.until.is_none_or(|until| Instant::now() <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deal_holds_until_it_is_called_back_or_stale() {
        let recall = Recall::default();
        let (plain, early) = (recall.deal(), recall.deal().for_at_most(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(plain.holds() && early.holds());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(plain.holds() && !early.holds());
        recall.call_back();
        assert!(!plain.holds() && recall.deal().holds());
    }
}
