//! Reads a template file: finds subject and body, and collects every problem that any check finds.
//!
//! It must not stop at the first problem where it can go on.

use std::ops::Range;

use super::check::{Checker, Used};
use super::engine::{Engine, Refusal};
use super::fields::{Fields, Purpose, Scope};
use super::problem::{Finding, position};
use super::render::{SubjectFault, fault_of, sample_names};
use super::{Template, TemplateProblem, markdown, scan};

const SOURCE_BYTES_MAX: usize = 64 * 1024;
const PREFIX: &str = "Subject:";

pub(super) fn parse(
    name: &str,
    source: &str,
    purpose: Purpose,
    fields: &Fields,
) -> Result<Template, Vec<TemplateProblem>> {
    let source = source.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    match check(&source, purpose, fields) {
        Ok((engine, used)) => {
            Ok(Template { name: name.to_owned(), source, purpose, fields: fields.clone(), used, engine })
        }
        Err(mut findings) => {
            findings.sort();
            findings.dedup();
            Err(findings.into_iter().map(|finding| finding.locate(name, &source)).collect())
        }
    }
}

fn check(source: &str, purpose: Purpose, fields: &Fields) -> Result<(Engine, Used), Vec<Finding>> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(vec![Finding::new(0, "the template is longer than 64 KiB; is it the right file?")]);
    }
    let layout = Layout::of(source);
    let mut checker = Checker::new(Scope { fields, purpose, letter: None });
    let (subject, cut_subject) = scan::scan(source, layout.subject.start, layout.subject.end);
    let (body, cut_body) = scan::scan(source, layout.body_at, source.len());
    checker.check(&subject);
    checker.check(&body);
    let mut findings = layout.findings;
    findings.append(&mut checker.findings);
    findings.extend(markdown::inspect(&body));
    let is_cut = cut_subject.is_some() || cut_body.is_some();
    findings.extend(cut_subject.into_iter().chain(cut_body));
    if is_cut {
        return Err(findings);
    }
    match Engine::parse(source, layout.subject.clone(), layout.body_at) {
        Ok(engine) if findings.is_empty() => {
            rehearse(&engine, source, purpose, fields)?;
            Ok((engine, checker.needed()))
        }
        Ok(_) => Err(findings),
        Err(more) => {
            add_where_nothing_is_said(source, &mut findings, more);
            Err(findings)
        }
    }
}

/// What the engine finds is often what a check has found before it, in plainer words.
fn add_where_nothing_is_said(source: &str, findings: &mut Vec<Finding>, more: Vec<Finding>) {
    let lines: Vec<usize> = findings.iter().map(|finding| position(source, finding.at).0).collect();
    findings.extend(more.into_iter().filter(|finding| !lines.contains(&position(source, finding.at).0)));
}

/// Fills the template in once with made-up words: what fails with them fails with everybody's.
fn rehearse(engine: &Engine, source: &str, purpose: Purpose, fields: &Fields) -> Result<(), Vec<Finding>> {
    let names = sample_names(purpose, fields);
    if let Some(root) = engine.roots().into_iter().find(|root| !names.contains_key(root)) {
        return Err(vec![Finding::new(0, format!("`{root}` is nothing that this template can speak of"))]);
    }
    match engine.render(source, names) {
        Ok((subject, _)) if fault_of(subject.trim()) == Some(SubjectFault::TooLong) => {
            Err(vec![Finding::new(0, "the subject is longer than 200 characters; shorten it")])
        }
        Ok(_) => Ok(()),
        Err(Refusal::Failed(finding)) => Err(vec![finding]),
        Err(Refusal::TooLong) => Err(vec![Finding::new(0, "the letter is longer than 256 KiB; shorten it")]),
    }
}

/// Where subject and body are.
struct Layout {
    subject: Range<usize>,
    body_at: usize,
    findings: Vec<Finding>,
}

impl Layout {
    fn of(source: &str) -> Self {
        let first_line = source.split('\n').next().unwrap_or_default();
        let has_prefix = first_line.get(..PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(PREFIX));
        if !has_prefix {
            let what = "the first line must be the subject, as in `Subject: A letter from {{ constituent.name }}`";
            return Self { subject: 0..0, body_at: 0, findings: vec![Finding::new(0, what)] };
        }
        let mut findings = Vec::new();
        let subject = PREFIX.len()..first_line.len();
        if source[subject.clone()].trim().is_empty() {
            findings.push(Finding::new(0, "the subject is empty; write it after `Subject:`"));
        }
        let rest = (first_line.len() + 1).min(source.len());
        let second_line = source[rest..].split('\n').next().unwrap_or_default();
        if !second_line.trim().is_empty() {
            findings.push(Finding::new(rest, "the second line must be blank; the letter begins on the third"));
        }
        if source[rest..].trim().is_empty() {
            findings
                .push(Finding::new(source.len(), "there is no letter; write it below the subject and a blank line"));
        }
        Self { subject, body_at: rest, findings }
    }
}
