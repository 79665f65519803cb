//! The part of `check` that leaves this machine: every relay (login, no mail) and the DNS.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::timeout;

use crate::cli::Check;
use crate::compose::Signer;
use crate::model::{EmailAddress, LossCause, Outcome, Phase};
use crate::online::{Dns, Finding, PublicKey, Recipients, Sender, look_at_recipients, look_at_sender};
use crate::smtp::Relay;

use super::workspace::{Prepared, Workspace};
use super::{Failure, campaign};

/// Staff wait: a relay that takes longer to let us in is told as such.
const RELAY: Duration = Duration::from_secs(45);
const SETTINGS: &str = "see whether host, port and tls are right in config.toml, and whether a firewall stands between";

/// Asks everybody; nobody gets any mail.
pub(super) fn look(workspace: &Workspace, prepared: &Prepared, args: &Check) -> Result<Vec<Finding>, Failure> {
    let sender = sender(workspace)?;
    let recipients = recipients(prepared);
    let relays = if workspace.config.relays.is_empty() { Vec::new() } else { workspace.relays()? };
    campaign::runtime()?.block_on(async {
        let mut findings = Vec::new();
        for plan in &relays {
            findings.push(ask_relay(&plan.relay).await);
        }
        if relays.is_empty() {
            let action = "fill in a [[relay]] table in config.toml";
            findings.push(Finding::advice("relay", "no mail server is configured yet", action));
        }
        findings.extend(ask_dns(args, &sender, &recipients).await);
        findings.sort_by_key(|finding| finding.weight);
        Ok(findings)
    })
}

async fn ask_dns(args: &Check, sender: &Sender, recipients: &Recipients) -> Vec<Finding> {
    let asked = match Dns::new(args.name_server) {
        Ok(dns) => look_at_sender(&dns, sender).await.map(|findings| (dns, findings)),
        Err(why) => Err(why),
    };
    match asked {
        Ok((dns, mut findings)) => {
            findings.extend(look_at_recipients(&dns, recipients).await);
            findings
        }
        Err(why) => {
            let what = format!(
                "the DNS cannot be reached from here ({why}), so neither your domain nor the officials' were looked at"
            );
            vec![Finding::problem(
                "DNS",
                what,
                "check again where there is a network, or name a server with --name-server",
            )]
        }
    }
}

fn sender(workspace: &Workspace) -> Result<Sender, Failure> {
    let config = &workspace.config;
    let identity = &config.identity;
    let domain = |address: &EmailAddress| address.domain().to_owned();
    let from: BTreeSet<String> = [&identity.sender, &identity.confirmation_sender].into_iter().map(domain).collect();
    let key = |signer: &Signer| PublicKey { name: signer.name().in_dns(), record: signer.record().to_owned() };
    Ok(Sender {
        from: from.into_iter().collect(),
        envelope: domain(&identity.envelope_sender),
        signed_by: config.dkim.domain.clone(),
        keys: workspace.signers()?.iter().map(key).collect(),
        relays: config.relays.iter().filter(|r| !r.is_loopback()).map(|r| r.host().to_ascii_lowercase()).collect(),
    })
}

/// The domains of all officials who have a mailbox.
fn recipients(prepared: &Prepared) -> Recipients {
    let mut recipients = Recipients::new();
    for mailbox in prepared.survey.officials().iter().filter_map(|listed| listed.official.mailbox.as_ref()) {
        *recipients.entry(mailbox.domain().to_owned()).or_default() += 1;
    }
    recipients
}

/// Connects, shows who we are, and says goodbye.
async fn ask_relay(relay: &Relay) -> Finding {
    let about = format!("relay {}", relay.name());
    match timeout(RELAY, relay.connect()).await {
        Ok(Ok(session)) => {
            session.quit().await;
            Finding::good(&about, "it lets us in; no mail was handed over")
        }
        Ok(Err(outcome)) => refused(&about, &outcome),
        Err(_) => {
            Finding::problem(&about, format!("it did not let us in within {} seconds", RELAY.as_secs()), SETTINGS)
        }
    }
}

fn refused(about: &str, outcome: &Outcome) -> Finding {
    match outcome {
        Outcome::Replied(reply) if reply.code < 500 => {
            Finding::advice(about, format!("it answers {outcome}"), "it may do better later; try again")
        }
        Outcome::Replied(reply) if reply.phase == Phase::Auth => {
            let action = "see whether username and password are right, and whether the provider wants another \
                          password for programs";
            Finding::problem(about, format!("it answers {outcome}"), action)
        }
        Outcome::Replied(_) => {
            Finding::problem(about, format!("it answers {outcome}"), "ask your provider what that means")
        }
        Outcome::Lost { cause, .. } => {
            let action = match cause {
                LossCause::Dns => "see whether host is right in config.toml",
                LossCause::Certificate => "see whether host is the name that its certificate has, or name a ca_file",
                LossCause::NoToken => "mend token_command or token_file in config.toml",
                LossCause::NotOffered => "see whether port, tls and auth in config.toml are as your provider says",
                _ => SETTINGS,
            };
            Finding::problem(about, format!("it cannot be used: {outcome}"), action)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_cannot_be_used_is_told_with_the_setting_that_it_is_about() {
        for (cause, setting) in [
            (LossCause::Dns, "host"),
            (LossCause::Certificate, "ca_file"),
            (LossCause::NoToken, "token_command"),
            (LossCause::NotOffered, "auth"),
            (LossCause::Timeout, "firewall"),
        ] {
            let outcome = Outcome::Lost { phase: Phase::Auth, cause, detail: String::new() };
            let told = refused("relay main", &outcome).action;
            assert!(told.contains(setting), "{cause:?}: {told:?}");
        }
    }
}
