//! The head of a template file, `Subject:` and `Language:`, and where the letter begins.

use std::ops::Range;

use super::problem::Finding;

const SUBJECT: &str = "Subject:";
const LANGUAGE: &str = "Language:";

/// Where subjects and body are.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// One, or several of which each constituent gets one.
    pub(super) subjects: Vec<Range<usize>>,
    /// The language of the letter, where it says one.
    pub(super) language: Option<String>,
    pub(super) body_at: usize,
    pub(super) findings: Vec<Finding>,
}

impl Layout {
    /// Reads the lines up to the first blank one.
    pub(super) fn of(source: &str) -> Self {
        let mut this = Self::default();
        let mut at = 0;
        for line in source.split_inclusive('\n') {
            if line.trim().is_empty() {
                break;
            }
            if !this.line(line.trim_end_matches('\n'), at) {
                break;
            }
            at += line.len();
        }
        this.body_at = at;
        if this.subjects.is_empty() {
            let what = "the first line must be the subject, as in `Subject: A letter from {{ constituent.name }}`";
            this.findings.insert(0, Finding::new(0, what));
        } else if source[at..].trim().is_empty() {
            let what = "there is no letter; write it below the subject and a blank line";
            this.findings.push(Finding::new(source.len(), what));
        }
        this
    }

    /// Takes a line of the head; false where there is none.
    fn line(&mut self, line: &str, at: usize) -> bool {
        if let Some(value) = after(line, SUBJECT) {
            if value.trim().is_empty() {
                self.findings.push(Finding::new(at, "the subject is empty; write it after `Subject:`"));
            }
            self.subjects.push(at + line.len() - value.len()..at + line.len());
        } else if let Some(value) = after(line, LANGUAGE) {
            self.language(value.trim(), at);
        } else {
            if !self.subjects.is_empty() {
                let what = "a blank line must come between the subject and the letter";
                self.findings.push(Finding::new(at, what));
            }
            return false;
        }
        true
    }

    fn language(&mut self, value: &str, at: usize) {
        let is_short = matches!(value.split('-').next().map(str::len), Some(2 | 3));
        let is_tag = is_short
            && (2..=35).contains(&value.len())
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if self.language.is_some() {
            self.findings.push(Finding::new(at, "a letter has one language; take the second `Language:` away"));
        } else if is_tag {
            self.language = Some(value.to_owned());
        } else {
            self.findings.push(Finding::new(at, "the language is a short code, as in `Language: es`"));
        }
    }
}

/// What follows the name of a head line.
fn after<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(|_| &line[name.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_has_subjects_and_a_language_in_any_order() {
        let source = "Subject: a\nlanguage: es \nsubject: b\n\nDear";
        let layout = Layout::of(source);
        let subjects: Vec<&str> = layout.subjects.iter().map(|range| &source[range.clone()]).collect();
        assert_eq!(subjects, [" a", " b"]);
        assert_eq!(layout.language.as_deref(), Some("es"));
        assert_eq!(source[layout.body_at..].trim(), "Dear");
        assert_eq!(layout.findings, []);
    }

    #[test]
    fn a_head_that_is_not_one_is_refused_where_it_goes_wrong() {
        for (source, at) in [
            ("Dear\n\nx", 0),
            ("", 0),
            ("Language: es\n\nx", 0),
            ("Subject:\n\nx", 0),
            ("Subject: a\nx", 11),
            ("Subject: a\n\n \n", 14),
            ("Subject: a\nLanguage: Spanish, of course\n\nx", 11),
            ("Subject: a\nLanguage: english\n\nx", 11),
            ("Subject: a\nLanguage: es\nLanguage: en\n\nx", 24),
        ] {
            assert_eq!(Layout::of(source).findings.first().map(|f| f.at), Some(at), "{source:?}");
        }
    }
}
