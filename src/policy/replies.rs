//! In which order it is asked what a reply means: staff's own rules, those of the relay's provider, those of every
//! other provider, the general ones (`replies.toml`).
//!
//! The words of another provider count too, because a relay passes on what the next one said: they are as distinctive
//! through somebody else's Postfix. A bare code does not travel like that, so a provider's rules that name no words are
//! asked only at its own relays. What no rule knows, `codes` reads.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::model::{Class, Reply};

use super::providers::Profile;
use super::reply_rule::{self, NamedEffect, Rule, RuleProblem};

/// What a relay's replies are looked up in.
#[derive(Debug, Clone)]
pub struct Replies {
    profile: &'static Profile,
    staff: StaffRules,
}

/// Rules that staff wrote for this campaign.
#[derive(Debug, Clone, Default)]
pub struct StaffRules(Arc<[Rule]>);

impl StaffRules {
    /// Reads them; `file` is where they stand, which the log shows with a rule's name.
    pub fn parse(source: &str, file: &str) -> Result<Self, Vec<RuleProblem>> {
        let mut rules = reply_rule::read(source, &[])?;
        for rule in &mut rules {
            rule.name = format!("{file}/{}", rule.name);
        }
        Ok(Self(rules.into()))
    }
}

/// What is known about a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) class: Class,
    pub(super) effect: Option<NamedEffect>,
    pub(super) rule: Cow<'static, str>,
}

impl Replies {
    /// For a relay of that provider, with the rules of staff, if there are any.
    pub fn new(profile: &'static Profile, staff: StaffRules) -> Self {
        Self { profile, staff }
    }

    /// The relay's provider.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// The first rule that fits.
    pub(super) fn look_up(&self, reply: &Reply) -> Option<Known> {
        let text = reply.text.to_lowercase();
        let known = |rule: &Rule, name| Known { class: rule.class, effect: rule.effect, rule: name };
        if let Some(rule) = self.staff.0.iter().find(|rule| rule.fits(reply, &text)) {
            return Some(known(rule, Cow::Owned(rule.name.clone())));
        }
        let others = Profile::all().flat_map(Profile::rules).filter(|rule| rule.names_a_text());
        let mut rules = self.profile.rules().iter().chain(others).chain(GENERAL.iter());
        let rule = rules.find(|rule| rule.fits(reply, &text))?;
        Some(known(rule, Cow::Borrowed(rule.name.as_str())))
    }
}

impl Default for Replies {
    /// For a relay of which nothing special is known.
    fn default() -> Self {
        Self::new(Profile::unknown(), StaffRules::default())
    }
}

/// A test holds the table to being readable; without it one that is not would be an empty one, and the codes alone
/// would decide.
static GENERAL: LazyLock<Vec<Rule>> =
    LazyLock::new(|| reply_rule::read(include_str!("replies.toml"), &[]).unwrap_or_default());

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::model::Phase;

    use super::*;

    const STAFF: &str = r#"
        [[rule]]
        name = "our-postfix"
        text = ["user unknown"]
        codes = ["550"]
        class = "connection"
    "#;

    fn class(replies: &Replies, code: u16, text: &str) -> Option<Known> {
        replies.look_up(&Reply::new(Phase::Rcpt, code, [text]))
    }

    #[test]
    fn every_compiled_in_rule_has_a_name_of_its_own() {
        let rules = reply_rule::read(include_str!("replies.toml"), &[]).unwrap();
        let all: Vec<&str> =
            GENERAL.iter().chain(Profile::all().flat_map(Profile::rules)).map(|r| r.name.as_str()).collect();
        assert_eq!(GENERAL.len(), rules.len());
        assert!(all.len() > 60, "{}", all.len());
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn the_rules_of_staff_come_first_and_are_named_with_their_file() {
        let staff = StaffRules::parse(STAFF, "replies.toml").unwrap();
        let ours = Replies::new(Profile::unknown(), staff);
        let known = class(&ours, 550, "5.1.1 User unknown").unwrap();
        assert_eq!((known.class, known.rule.as_ref()), (Class::Connection, "replies.toml/our-postfix"));
        let usual = class(&Replies::default(), 550, "5.1.1 User unknown").unwrap();
        assert_eq!(usual.class, Class::RecipientPermanent);
        assert_eq!(class(&ours, 553, "User unknown"), class(&Replies::default(), 553, "User unknown"));
    }

    #[test]
    fn the_words_of_a_provider_are_known_through_any_relay_but_its_bare_codes_only_at_its_own() {
        let google = Replies::new(Profile::named("google-workspace").unwrap(), StaffRules::default());
        let words = "5.4.5 Daily user sending limit exceeded";
        assert_eq!(class(&google, 550, words), class(&Replies::default(), 550, words));
        assert_eq!(class(&google, 550, "5.4.5 no").unwrap().class, Class::Quota);
        assert_eq!(class(&Replies::default(), 550, "5.4.5 no"), None, "congestion, by RFC 3463");
    }
}
