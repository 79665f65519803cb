//! How long a reply asks to wait: `try again in 92 seconds`, `come back in 00:04:59`.
//!
//! Reads only; whether the wish is granted is `retry`'s.

use std::time::Duration;

/// Words that tell a wish to return from any other number in a reply.
const CUES: [&str; 11] = [
    "again",
    "retry",
    "retrying",
    "back",
    "wait",
    "later",
    "greylisted",
    "greylisting",
    "greylist",
    "graylisted",
    "resubmit",
];
const PREPOSITIONS: [&str; 7] = ["in", "after", "for", "least", "wait", "about", "another"];

/// What a reply's text asks for, where it does.
pub(super) fn asked_wait(text: &str) -> Option<Duration> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != ':')
        .map(|word| word.trim_matches(':'))
        .filter(|word| !word.is_empty())
        .collect();
    let cue = words.iter().position(|word| CUES.contains(word))?;
    let after_cue = words.get(cue..)?;
    (0..after_cue.len())
        .filter(|at| PREPOSITIONS.contains(&after_cue[*at]))
        .find_map(|at| duration(&after_cue[at + 1..]))
}

/// A span at the start of these words: `92 seconds`, `300s`, `1 hour and 30 minutes`, `00:04:59`.
fn duration(words: &[&str]) -> Option<Duration> {
    if let Some(clock) = words.first().and_then(|word| clock_seconds(word)) {
        return Some(Duration::from_secs(clock));
    }
    let mut seconds = None;
    let mut rest = words;
    loop {
        if seconds.is_some() && rest.first() == Some(&"and") {
            rest = &rest[1..];
        }
        let Some((part, length)) = number_and_unit(rest) else { break };
        seconds = Some(seconds.unwrap_or(0_u64).saturating_add(part));
        rest = &rest[length..];
    }
    seconds.map(Duration::from_secs)
}

/// Seconds, and how many words told them.
fn number_and_unit(words: &[&str]) -> Option<(u64, usize)> {
    let first = words.first()?;
    let (digits, unit) = first.split_at(first.find(|c: char| !c.is_ascii_digit()).unwrap_or(first.len()));
    let number: u64 = digits.parse().ok()?;
    let (unit, length) = if unit.is_empty() { (*words.get(1)?, 2) } else { (unit, 1) };
    let unit_seconds = match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => 24 * 60 * 60,
        _ => return None,
    };
    Some((number.saturating_mul(unit_seconds), length))
}

/// `00:04:59` or `04:59`.
fn clock_seconds(word: &str) -> Option<u64> {
    let parts: Vec<&str> = word.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    parts.iter().try_fold(0_u64, |sum, part| {
        let two_digits = part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
        Some(sum * 60 + two_digits.then(|| part.parse::<u64>().ok()).flatten()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_from_real_replies() {
        for (text, seconds) in [
            ("Greylisted, try again in 300 seconds", 300),
            ("<a@x.example>: Recipient address rejected: Greylisted, please try again in 92 seconds.", 92),
            ("Greylisting in action, please come back in 00:04:59", 299),
            ("Greylisted for 5 minutes", 300),
            ("Please try again in 5 min", 300),
            ("Service unavailable; retry after 1 hour", 3600),
            ("try again in 1 hour and 30 minutes", 5400),
            ("please retry in 300s", 300),
            ("Retry-After: 60 seconds", 60),
            ("Too busy. You must wait 10 minutes", 600),
            ("wait at least 15 minutes before another try", 900),
            ("try again in 2 days", 172_800),
            ("come back in 04:59", 299),
        ] {
            assert_eq!(asked_wait(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not_wishes() {
        for text in [
            "",
            "Please try again later",
            "over quota in 3 mailboxes, try again",
            "Mailbox full for 5 days",
            "try again in 99999999999999999999 seconds",
            "retry in a few minutes",
            "try again in 12 parsecs",
            "Greylisted, see http://postgrey.example/help/5.html",
            "timed out after 300 seconds",
            "come back in 1:2:3:4",
        ] {
            assert_eq!(asked_wait(text), None, "{text}");
        }
    }

    #[test]
    fn huge_numbers_do_not_run_over() {
        let text = format!("try again in {} days {} days", u64::MAX, u64::MAX);
        assert_eq!(asked_wait(&text), Some(Duration::from_secs(u64::MAX)));
    }
}
