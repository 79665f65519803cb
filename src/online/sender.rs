//! What the DNS says of the campaign's own domains: SPF, DKIM, DMARC.

use super::dns::{Answer, Dns};
use super::spf::RelayPlace;
use super::{Finding, dkim, dmarc, spf};

/// A key that we sign with, as receivers look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The whole name of the record.
    pub name: String,
    /// What must stand there.
    pub record: String,
}

/// Who sends.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The domains that stand in `From`, each once.
    pub from: Vec<String>,
    /// The envelope sender's domain.
    pub envelope: String,
    /// The domain that signs, and its keys; empty where the relay signs, or nobody.
    pub signed_by: String,
    /// The keys that we sign with.
    pub keys: Vec<PublicKey>,
    /// The hosts of relays that are not on this machine.
    pub relays: Vec<String>,
}

/// Everything that the DNS says of them; or why it cannot be asked from here at all.
pub async fn look_at(dns: &Dns, sender: &Sender) -> Result<Vec<Finding>, String> {
    let own = dns.texts(&sender.envelope).await;
    if let Answer::Unreachable(why) = own {
        return Err(why);
    }
    let mut relays = Vec::new();
    for host in &sender.relays {
        relays.push(RelayPlace { host: host.clone(), addresses: dns.addresses(host).await.records().to_vec() });
    }
    let facts = spf::gather(dns, &sender.envelope, own).await;
    let mut findings = spf::judge(&sender.envelope, &facts, &relays);
    for key in &sender.keys {
        findings.push(dkim::judge(key, &dns.texts(&key.name).await));
    }
    findings.extend(replaced_headers(sender));
    let signed_by = (!sender.keys.is_empty()).then_some(sender.signed_by.as_str());
    for from in &sender.from {
        let voucher = dmarc::Voucher { from, envelope: &sender.envelope, signed_by };
        findings.push(dmarc::judge(voucher, &dmarc::gather(dns, from).await));
    }
    Ok(findings)
}

/// Amazon SES gives every message its own Message-ID and Date, which breaks a signature that was there before.
fn replaced_headers(sender: &Sender) -> Option<Finding> {
    let host =
        sender.relays.iter().find(|host| host.ends_with(".amazonaws.com")).filter(|_| !sender.keys.is_empty())?;
    let what = format!("{host} replaces headers that your signature covers, which breaks it");
    Some(Finding::advice(
        "DKIM",
        what,
        "let Amazon SES sign for your domain (Easy DKIM), and take the keys out of [dkim]",
    ))
}
