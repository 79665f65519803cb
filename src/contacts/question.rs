//! Which column is which, as a question to a person: what could be meant, with values to tell by, and what the
//! answer means for the settings. It asks nobody itself and saves nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::columns::{Column, header_key};
use super::layout::Doubt;
use super::sample::Sample;
use super::settings::ContactsSettings;

/// How many columns are offered where nothing is known.
const CHOICES_MAX: usize = 20;

/// A column of ours that a person must find in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// The file as it was named.
    pub file: Arc<str>,
    /// What is looked for.
    pub column: Column,
    /// Whether the file cannot be used without it.
    pub is_required: bool,
    /// What it could be; at least one.
    pub choices: Vec<Choice>,
    /// The choice that the values speak for, by its place in `choices`.
    pub proposal: Option<usize>,
    /// Whether the choices are known names that compete; otherwise no header has a name that is known.
    pub compete: bool,
    /// The keys of all headers of the file.
    keys: Vec<String>,
}

/// A header, or several that are put together, with the first values. Personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Choice {
    /// As the file has them.
    pub headers: Vec<String>,
    /// The first different values, cut.
    pub values: Vec<String>,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The headers to use, to be put together.
    Headers(Vec<String>),
    /// None of them.
    Nothing,
    /// They do not want to go on.
    Stop,
}

impl Question {
    /// Asks about a doubt, when there is anything to choose from.
    pub(super) fn about(doubt: &Doubt, sample: &Sample, jurisdictions: &BTreeSet<String>) -> Option<Self> {
        let column = doubt.column?;
        let layout = &sample.layout;
        let compete = !doubt.candidates.is_empty();
        let evidence = |places: &Vec<usize>| sample.evidence(column, places, jurisdictions);
        let candidates =
            if compete { doubt.candidates.clone() } else { unnamed(column, sample, |places| evidence(places)) };
        let scores: Vec<usize> = candidates.iter().map(|c| evidence(c).1).collect();
        let best = scores.iter().copied().max().filter(|&best| best > 0);
        let leaders: Vec<usize> = (0..scores.len()).filter(|&i| Some(scores[i]) == best).collect();
        let choice = |places: &Vec<usize>| Choice {
            headers: places.iter().map(|&at| layout.label(at)).collect(),
            values: sample.values(places),
        };
        let choices: Vec<Choice> = candidates.iter().map(choice).collect();
        (!choices.is_empty()).then(|| Self {
            file: Arc::clone(&sample.name),
            column,
            is_required: doubt.is_required,
            choices,
            proposal: if let [only] = leaders.as_slice() { Some(*only) } else { None },
            compete,
            keys: layout.keys.clone(),
        })
    }

    /// The question in two lines, which the choices follow.
    pub fn what(&self) -> String {
        let (file, column, meaning) = (&self.file, self.column.as_str(), self.column.meaning());
        let why = if self.compete { "Several could be it:" } else { "None has a name that is known for it:" };
        format!("{file}: which column is “{column}”,\n  {meaning}? {why}")
    }

    /// What can be typed: the number of a choice or several with `+`, nothing for the proposal, `-`, or `q`.
    pub fn answer(&self, typed: &str) -> Result<Answer, String> {
        match (typed.trim(), self.proposal) {
            ("", Some(proposal)) => Ok(Answer::Headers(self.choices[proposal].headers.clone())),
            ("-", _) => Ok(Answer::Nothing),
            ("q" | "Q", _) => Ok(Answer::Stop),
            (numbers, _) => {
                let choice = |n: &str| self.choices.get(n.trim().parse::<usize>().ok()?.checked_sub(1)?);
                let chosen: Option<Vec<&Choice>> = numbers.split('+').map(choice).collect();
                let chosen = chosen.ok_or_else(|| format!("type a number from 1 to {}", self.choices.len()))?;
                let mut headers: Vec<String> = Vec::new();
                for header in chosen.iter().flat_map(|c| &c.headers) {
                    if !headers.contains(header) {
                        headers.push(header.clone());
                    }
                }
                if self.column.is_undivided() && headers.len() > 1 {
                    return Err(format!("type one number: {} stands in one column", self.column.meaning()));
                }
                Ok(Answer::Headers(headers))
            }
        }
    }

    /// Puts an answer into the settings, beside what they say of other files. Gives the name under
    /// `[contacts.columns]` and the headers that it now has.
    pub fn settle(&self, headers: &[String], settings: &mut ContactsSettings) -> (String, Vec<String>) {
        let ours = |name: &&String| Column::parse(name) == Some(self.column);
        let name = settings.columns.keys().find(ours).cloned().unwrap_or_else(|| self.column.as_str().to_owned());
        let of_others = |header: &&String| !self.keys.contains(&header_key(header));
        let before = settings.columns.get(&name).into_iter().flatten();
        let mut all: Vec<String> = before.filter(of_others).cloned().collect();
        all.extend_from_slice(headers);
        settings.columns.insert(name.clone(), all.clone());
        (name, all)
    }

    /// The line of `config.toml` that chooses the proposal, or else the first.
    fn line(&self) -> String {
        let Some(choice) = self.choices.get(self.proposal.unwrap_or(0)) else { return String::new() };
        let quoted: Vec<String> = choice.headers.iter().map(|h| format!("{h:?}")).collect();
        match quoted.as_slice() {
            [one] => format!("{} = {one}", self.column.as_str()),
            several => format!("{} = [{}]", self.column.as_str(), several.join(", ")),
        }
    }
}

/// Where no header is known: the columns whose values are mostly what is looked for, otherwise all that are free. An
/// address and a role are known by their values, so that nothing else is offered for them.
fn unnamed(column: Column, sample: &Sample, evidence: impl Fn(&Vec<usize>) -> (usize, usize)) -> Vec<Vec<usize>> {
    let layout = &sample.layout;
    let free = (0..layout.headers.len()).filter(|&i| !layout.is_placed(i) && !layout.headers[i].is_empty());
    let free: Vec<Vec<usize>> = free.map(|at| vec![at]).collect();
    let is_likely = |places: &&Vec<usize>| {
        let (filled, fits) = evidence(places);
        fits > 0 && fits * 5 >= filled * 3
    };
    let likely: Vec<Vec<usize>> = free.iter().filter(is_likely).cloned().collect();
    let mut offered = if likely.is_empty() && !column.is_undivided() { free } else { likely };
    offered.truncate(CHOICES_MAX);
    offered
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<String> = self.headers.iter().map(|h| format!("“{h}”")).collect();
        write!(f, "{}", quoted.join(" + "))?;
        match self.values.as_slice() {
            [] => f.write_str(" (empty in the first rows)"),
            values => write!(f, ", as in {}", values.join("; ")),
        }
    }
}

/// What a person reads who cannot be asked.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what())?;
        for choice in &self.choices {
            writeln!(f, "    {choice}")?;
        }
        writeln!(f, "  Say which by a line below [contacts.columns] in config.toml, such as:")?;
        write!(f, "    {}", self.line())
    }
}

/// Without values, because debug output ends in logs.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("column", &self.column)
            .field("choices", &self.choices.len())
            .finish_non_exhaustive()
    }
}

/// Without values, because debug output ends in logs.
impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice").field("headers", &self.headers.len()).finish_non_exhaustive()
    }
}
