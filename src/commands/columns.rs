//! Reads the contacts, and asks the person at the terminal about columns that nobody but them can know. What they
//! answer is kept in `config.toml`. Where nobody can be asked, the questions are the refusal.

use std::collections::BTreeSet;

use crate::config::{Config, Setting, edit};
use crate::contacts::{Answer, ContactsError, ContactsSettings, Question, Survey, survey};

use super::console::{ask, can_ask, note};
use super::steps::Steps;
use super::{Exit, Failure};

/// The contacts as they are after every question is answered.
pub(super) fn survey_asking(config: &Config, settings: ContactsSettings) -> Result<Survey, Failure> {
    let mut asking = Asking { config, settings, asked: BTreeSet::new() };
    loop {
        let survey = match read(&asking.settings) {
            Ok(survey) => survey,
            Err(error) => {
                let Some(question) = error.questions().and_then(|q| q.first().copied().cloned()) else {
                    return Err(error.into());
                };
                if !can_ask() || !asking.settle(&question)? {
                    return Err(error.into());
                }
                continue;
            }
        };
        if !can_ask() {
            return Ok(survey);
        }
        let mut is_changed = false;
        for question in survey.open_questions()? {
            is_changed |= asking.settle(&question)?;
        }
        if !is_changed {
            return Ok(survey);
        }
    }
}

fn read(settings: &ContactsSettings) -> Result<Survey, ContactsError> {
    let _reading = Steps::of("reading the contacts", 0);
    survey(settings)
}

struct Asking<'a> {
    config: &'a Config,
    settings: ContactsSettings,
    asked: BTreeSet<(String, &'static str)>,
}

impl Asking<'_> {
    /// Asks one question and keeps the answer; false when that changes nothing. No question is asked twice.
    fn settle(&mut self, question: &Question) -> Result<bool, Failure> {
        if !self.asked.insert((question.file.to_string(), question.column.as_str())) {
            return Ok(false);
        }
        let headers = match answer(question) {
            Answer::Headers(headers) => headers,
            Answer::Nothing if question.is_required => return Ok(false),
            Answer::Nothing => Vec::new(),
            Answer::Stop => return Err(Failure::new(Exit::Refused, "you stopped; nothing was sent")),
        };
        let (name, all) = question.settle(&headers, &mut self.settings);
        let path = self.config.dir.join("config.toml");
        let setting = setting(&all);
        edit(&path, &[(&format!("contacts.columns.{name}"), setting)])?;
        note(format!("Kept in {}, below [contacts.columns]: {name} = {all:?}\n", path.display()));
        Ok(true)
    }
}

/// How a column's headers are written in `config.toml`.
pub(super) fn setting(headers: &[String]) -> Setting {
    match headers {
        [one] => Setting::Text(one.clone()),
        several => Setting::Texts(several.to_vec()),
    }
}

/// Asks until the answer is one. Whoever cannot be asked any more wants to stop.
pub(super) fn answer(question: &Question) -> Answer {
    note(question.what());
    for (number, choice) in question.choices.iter().enumerate() {
        note(format!("  {}  {choice}", number + 1));
    }
    let enter = question.proposal.map_or_else(String::new, |at| format!("Enter for {}, ", at + 1));
    let together = if question.column.is_undivided() { "" } else { "1+2 to put together, " };
    let prompt = format!("Which one? ({enter}a number, {together}- for none, q to stop)");
    loop {
        let Some(typed) = ask(&prompt) else { return Answer::Stop };
        match question.answer(&typed) {
            Ok(answer) => return answer,
            Err(advice) => note(format!("  {advice}")),
        }
    }
}
