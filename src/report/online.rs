//! What was found online: the worst first, each in a sentence; the same for programs.

use serde_json::{Value, json};

use crate::online::{Finding, Weight};

use super::layout::paragraph;

/// For people.
pub fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for (weight, head) in [
        (Weight::Problem, "Online: mail will fail because of this"),
        (Weight::Advice, "Online: this could be better, or could not be looked at"),
        (Weight::Good, "Online: this is well"),
    ] {
        let of_weight: Vec<&Finding> = findings.iter().filter(|finding| finding.weight == weight).collect();
        if of_weight.is_empty() {
            continue;
        }
        out.push_str(head);
        out.push('\n');
        for finding in of_weight {
            paragraph(&mut out, 2, &format!("{}: {}", finding.about, one(finding)));
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// In lower case at its start, as it may begin with a domain.
fn one(finding: &Finding) -> String {
    let Finding { what, action, .. } = finding;
    if action.is_empty() { format!("{what}.") } else { format!("{what}: {action}.") }
}

/// For programs.
pub fn json(findings: &[Finding]) -> Value {
    let one = |finding: &Finding| {
        json!({
            "weight": finding.weight.as_str(),
            "about": finding.about,
            "what": finding.what,
            "action": Some(&finding.action).filter(|action| !action.is_empty()),
        })
    };
    findings.iter().map(one).collect()
}
