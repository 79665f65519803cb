//! `match`: what constituents write and no official has is decided by staff, spelling by spelling, and remembered in
//! the alias file. Nothing is decided by the program.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;

use crate::cli::{Match, Place};
use crate::contacts::{Alias, Decisions, SafeCsv, Sought, Survey, add_aliases};
use crate::model::fold;
use crate::plan::{UnjoinedGroup, UnjoinedGroups, unmatched};
use crate::report::counted;

use super::columns::survey_asking;
use super::console::{ask, note, say};
use super::steps::Steps;
use super::workspace::Workspace;
use super::{Exit, Failure};

/// How many spellings are shown where nobody can be asked.
const SHOWN: usize = 20;

pub(super) fn run(place: &Place, args: &Match) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let survey = survey_asking(&workspace.config, workspace.people()?)?;
    let mut reading = Steps::of("matching", survey.constituents());
    let groups = unmatched(&survey, || reading.step())?;
    drop(reading);
    let matching = Matching { survey: &survey, groups: &groups, aliases: workspace.config.contacts.aliases.as_deref() };
    if matching.open().next().is_none() {
        say(matching.nothing_to_decide());
        return Ok(Exit::Done);
    }
    match (&args.list, &args.accept) {
        (Some(file), _) => matching.list(file),
        (None, Some(file)) => matching.accept(file),
        (None, None) if std::io::stdin().is_terminal() => matching.ask_each(),
        (None, None) => {
            say(matching.text());
            Ok(Exit::Done)
        }
    }
}

struct Matching<'a> {
    survey: &'a Survey,
    groups: &'a UnjoinedGroups,
    aliases: Option<&'a Path>,
}

/// What staff answered.
enum Answer {
    Means(usize),
    Not,
    Later,
    Stop,
}

impl Matching<'_> {
    /// The spellings that wait for a decision, the commonest first.
    fn open(&self) -> impl Iterator<Item = (&str, &UnjoinedGroup)> {
        self.groups.kept().iter().filter_map(|group| match &group.sought {
            Sought::Jurisdiction(written) => Some((written.as_str(), group)),
            Sought::Postcode(_) => None,
        })
    }

    fn nothing_to_decide(&self) -> &'static str {
        if self.groups.kept().is_empty() {
            "Nothing to decide: no constituent has a jurisdiction that no official has."
        } else {
            "Nothing to decide here: those without an official have a postcode that is not in the table. See: \
             undersigned check"
        }
    }

    fn aliases(&self) -> Result<&Path, Failure> {
        self.aliases.ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                "there is no file to keep decisions in; name one as contacts.aliases in config.toml",
            )
        })
    }

    /// The officials of a jurisdiction, in a few words.
    fn officials(&self, jurisdiction: &str) -> String {
        let named = |&i: &usize| self.survey.officials()[i].official.salutation();
        match self.survey.officials_of(jurisdiction) {
            [] => "more than one holder of an office; see check".to_owned(),
            [one] => named(one),
            [first, rest @ ..] => format!("{} and {} more", named(first), rest.len()),
        }
    }

    fn head(written: &str, group: &UnjoinedGroup) -> String {
        let first = group.first.first().map_or(0, |place| place.line);
        format!("“{written}” ({}, first in line {first})", counted(group.constituents, "constituent"))
    }

    /// Why a spelling cannot be decided, where that is so: a second meaning in the alias file would be refused.
    fn hindrance(&self, written: &str, group: &UnjoinedGroup) -> Option<String> {
        let of_it = |alias: &&Alias| fold(&alias.written) == fold(written);
        if let Some(alias) = self.survey.aliases().iter().find(of_it) {
            let (line, means) = (alias.line, &alias.means);
            return Some(format!(
                "line {line} of the alias file says “{means}”, which no official has; correct it there"
            ));
        }
        group.suggestions.is_empty().then(|| "is like no jurisdiction that an official has".to_owned())
    }

    /// Every spelling with what it may mean, for where nobody can be asked.
    fn text(&self) -> String {
        let mut out = String::new();
        for (written, group) in self.open().take(SHOWN) {
            let _ = writeln!(out, "{}", Self::head(written, group));
            out.push_str(&self.candidates(written, group));
        }
        let left = self.open().count().saturating_sub(SHOWN);
        if left > 0 {
            let _ = writeln!(out, "… and {} more", counted(left as u64, "spelling"));
        }
        out.push_str(
            "\nNothing was decided. Decide on a terminal, one by one, with:\n  undersigned match\nor in a spreadsheet:\n  \
             undersigned match --list spellings.csv\nthen fill in the column “means” and give it back:\n  \
             undersigned match --accept spellings.csv",
        );
        out
    }

    fn candidates(&self, written: &str, group: &UnjoinedGroup) -> String {
        if let Some(hindrance) = self.hindrance(written, group) {
            return format!("  {hindrance}\n");
        }
        let mut out = String::new();
        for (i, s) in group.suggestions.iter().enumerate() {
            let _ = writeln!(out, "  {}  “{}” ({})\n     {}", i + 1, s.means, self.officials(&s.means), s.why);
        }
        out
    }

    /// Asks about each spelling for which something can be suggested. A yes is kept at once.
    fn ask_each(&self) -> Result<Exit, Failure> {
        let aliases = self.aliases()?;
        let (mut accepted, mut constituents) = (0, 0);
        let asked = self.open().filter(|(written, group)| self.hindrance(written, group).is_none());
        for (written, group) in asked {
            note(format!("\n{}", Self::head(written, group)));
            note(self.candidates(written, group).trim_end());
            match answer(group.suggestions.len()) {
                Answer::Means(number) => {
                    add_aliases(aliases, &[(written, &group.suggestions[number].means)])?;
                    (accepted, constituents) = (accepted + 1, constituents + group.constituents);
                }
                Answer::Not | Answer::Later => {}
                Answer::Stop => break,
            }
        }
        say(self.summary(accepted, constituents, aliases));
        Ok(Exit::Done)
    }

    fn summary(&self, accepted: u64, constituents: u64, aliases: &Path) -> String {
        let all: u64 = self.open().map(|(_, group)| group.constituents).sum::<u64>() + self.groups.left_out();
        let (left, without) = (self.open().count() as u64 - accepted, all - constituents);
        let mut out = if accepted == 0 {
            "Nothing was accepted.".to_owned()
        } else {
            let (accepted, constituents) = (counted(accepted, "spelling"), counted(constituents, "constituent"));
            format!("{accepted} accepted, for {constituents}, and kept in\n  {}", aliases.display())
        };
        if left > 0 {
            let (left, without) = (counted(left, "spelling"), counted(without, "constituent"));
            let _ = write!(
                out,
                "\n{left} left, of {without} without an official:\ncorrect their rows, or add the officials."
            );
        }
        out + "\nSee what is ready now with: undersigned check"
    }

    /// Writes every spelling with what it may mean.
    fn list(&self, file: &Path) -> Result<Exit, Failure> {
        if file.exists() {
            let what = format!("{} is there already, and may hold decisions; name a new file", file.display());
            return Err(Failure::new(Exit::Usage, what));
        }
        let mut csv = SafeCsv::create_with(file, self.survey.delimiter())?;
        csv.write(["written", "means", "may be", "official", "constituents", "first line", "why"])?;
        let mut filled = 0;
        for (written, group) in self.open() {
            let count = group.constituents.to_string();
            let line = group.first.first().map_or(0, |place| place.line).to_string();
            if let Some(hindrance) = self.hindrance(written, group) {
                csv.write([written, "", "", "", &count, &line, &hindrance])?;
                continue;
            }
            for suggestion in &group.suggestions {
                let means = if suggestion.is_plain { suggestion.means.as_str() } else { "" };
                filled += u64::from(suggestion.is_plain);
                let official = self.officials(&suggestion.means);
                csv.write([written, means, &suggestion.means, &official, &count, &line, &suggestion.why])?;
            }
        }
        csv.finish()?;
        say(format!(
            "{} in {}; {filled} of them with a meaning filled in, which you may clear.\nFill in “means” where you are \
             sure, leave it empty where you are not, and give the file back with:\n  undersigned match --accept {}",
            counted(self.open().count() as u64, "spelling"),
            file.display(),
            file.display()
        ));
        Ok(Exit::Done)
    }

    /// Takes the decisions of a listed file: all of them, or none where one cannot be.
    fn accept(&self, file: &Path) -> Result<Exit, Failure> {
        let aliases = self.aliases()?;
        let open: HashSet<String> = self.open().map(|(written, _)| fold(written)).collect();
        let taken = Decisions::read(file)?.judge(self.survey, |written| open.contains(&fold(written)))?;
        let pairs: Vec<(&str, &str)> = taken.accepted.iter().map(|(w, m)| (w.as_str(), m.as_str())).collect();
        if !pairs.is_empty() {
            add_aliases(aliases, &pairs)?;
        }
        let decided: HashSet<String> = pairs.iter().map(|(written, _)| fold(written)).collect();
        let helped = self.open().filter(|(written, _)| decided.contains(&fold(written)));
        let constituents = helped.map(|(_, group)| group.constituents).sum();
        for (written, means) in &pairs {
            say(format!("  “{written}” means “{means}”"));
        }
        for (n, what) in [(taken.undecided, "without a meaning"), (taken.not_needed, "that nobody needs any more")] {
            if n > 0 {
                say(format!("{} {what} left out.", counted(n, "line")));
            }
        }
        say(self.summary(pairs.len() as u64, constituents, aliases));
        Ok(Exit::Done)
    }
}

/// Asks until there is an answer that can be used.
fn answer(candidates: usize) -> Answer {
    let question = if candidates == 1 {
        "  Is this meant? y yes, n no, s skip, q quit:".to_owned()
    } else {
        format!("  Which is meant? 1 to {candidates}, n none, s skip, q quit:")
    };
    loop {
        let Some(typed) = ask(&question) else { return Answer::Stop };
        match typed.to_lowercase().as_str() {
            "y" | "yes" if candidates == 1 => return Answer::Means(0),
            "n" | "no" | "none" => return Answer::Not,
            "s" | "skip" | "" => return Answer::Later,
            "q" | "quit" => return Answer::Stop,
            number => {
                if let Some(chosen) = number.parse::<usize>().ok().filter(|n| (1..=candidates).contains(n)) {
                    return Answer::Means(chosen - 1);
                }
            }
        }
    }
}
