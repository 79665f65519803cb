//! Reads a template: finds subjects and body, and collects every problem that any check finds.
//!
//! It must not stop at the first problem where it can go on.

use super::check::{Checker, Used};
use super::engine::{Engine, Refusal};
use super::fields::{Fields, Purpose, Scope};
use super::layout::Layout;
use super::problem::Finding;
use super::render::{Names, SubjectFault, fault_of, sample_names};
use super::source::SOURCE_BYTES_MAX;
use super::variants::{Rewritten, rewrite};
use super::{Source, Template, TemplateProblem, markdown, scan};

pub(super) fn parse(source: Source, purpose: Purpose, fields: &Fields) -> Result<Template, Vec<TemplateProblem>> {
    match check(&source, purpose, fields) {
        Ok((engine, used, language, body_at)) => Ok(Template {
            source,
            purpose,
            fields: fields.clone(),
            used,
            engine,
            language: language.map(Into::into),
            body_at,
        }),
        Err(mut findings) => {
            findings.sort();
            findings.dedup();
            Err(findings.into_iter().map(|finding| source.locate(finding)).collect())
        }
    }
}

type Checked = (Engine, Used, Option<String>, usize);

fn check(whole: &Source, purpose: Purpose, fields: &Fields) -> Result<Checked, Vec<Finding>> {
    let source = whole.text();
    if source.len() > SOURCE_BYTES_MAX {
        return Err(vec![Finding::new(0, "the template is longer than 64 KiB; is it the right file?")]);
    }
    let layout = Layout::of(source);
    let mut findings = layout.findings;
    findings.extend(invisible(source));
    let mut checker = Checker::new(Scope { fields, purpose, letter: None });
    let mut sizes = vec![layout.subjects.len()];
    let mut subjects = Vec::new();
    let mut cuts = Vec::new();
    for range in &layout.subjects {
        let (pieces, cut) = scan::scan(source, range.start, range.end);
        checker.check_subject(&pieces);
        let (rewritten, crossed) = rewrite(source, range.end, &pieces, &mut sizes);
        subjects.push(rewritten);
        findings.extend(crossed);
        cuts.extend(cut);
    }
    let (pieces, cut) = scan::scan(source, layout.body_at, source.len());
    checker.check(&pieces);
    let (body, crossed) = rewrite(source, source.len(), &pieces, &mut sizes);
    findings.extend(crossed);
    cuts.extend(cut);
    findings.append(&mut checker.findings);
    findings.extend(markdown::inspect(&pieces));
    if !cuts.is_empty() {
        findings.extend(cuts);
        return Err(findings);
    }
    let engine = start(whole, (subjects, body, sizes), findings)?;
    rehearse(&engine, purpose, fields)?;
    Ok((engine, checker.needed(), layout.language, layout.body_at))
}

/// The engine, where neither it nor any check has found a problem.
fn start(
    source: &Source,
    (subjects, body, sizes): (Vec<Rewritten>, Rewritten, Vec<usize>),
    mut findings: Vec<Finding>,
) -> Result<Engine, Vec<Finding>> {
    match Engine::parse(subjects, body, sizes) {
        Ok(engine) if findings.is_empty() => Ok(engine),
        Ok(_) => Err(findings),
        Err(more) => {
            add_where_nothing_is_said(source, &mut findings, more);
            Err(findings)
        }
    }
}

/// Control characters have no place in a letter, and one of them stands for a value's bounds here.
fn invisible(source: &str) -> Option<Finding> {
    let at = source.find(|c: char| c.is_control() && c != '\n' && c != '\t')?;
    Some(Finding::new(at, "there is an invisible control character here; delete it and type the text anew"))
}

/// What the engine finds is often what a check has found before it, in plainer words.
fn add_where_nothing_is_said(source: &Source, findings: &mut Vec<Finding>, more: Vec<Finding>) {
    let line = |finding: &Finding| {
        let (file, line, _) = source.place(finding.at);
        (file.to_owned(), line)
    };
    let lines: Vec<(String, usize)> = findings.iter().map(line).collect();
    let is_said = |finding: &Finding| lines.contains(&line(finding)) || (finding.at == 0 && !lines.is_empty());
    findings.extend(more.into_iter().filter(|finding| !is_said(finding)));
}

/// Fills the template in with made-up words, until every variant was seen: what fails with them fails with
/// everybody's.
fn rehearse(engine: &Engine, purpose: Purpose, fields: &Fields) -> Result<(), Vec<Finding>> {
    let names = sample_names(purpose, fields);
    if let Some(root) = engine.unknown_root(|root| names.contains_key(root)) {
        return Err(vec![Finding::new(0, format!("`{root}` is nothing that this template can speak of"))]);
    }
    let sizes = engine.variants();
    let most = sizes.iter().copied().max().unwrap_or(1);
    for turn in 0..most {
        let drawn: Vec<usize> = sizes.iter().map(|size| turn.min(size.saturating_sub(1))).collect();
        rehearse_once(engine, names.clone(), &drawn).map_err(|finding| vec![finding])?;
    }
    Ok(())
}

fn rehearse_once(engine: &Engine, names: Names<'_>, drawn: &[usize]) -> Result<(), Finding> {
    match engine.render(names, drawn) {
        Ok((subject, _)) if fault_of(subject.trim()) == Some(SubjectFault::TooLong) => {
            Err(Finding::new(0, "the subject is longer than 200 characters; shorten it"))
        }
        Ok(_) => Ok(()),
        Err(Refusal::Failed(finding)) => Err(finding),
        Err(Refusal::TooLong) => Err(Finding::new(0, "the letter is longer than 256 KiB; shorten it")),
        Err(Refusal::TooSlow) => Err(Finding::new(0, "filling it in takes too long; use fewer filters")),
        Err(Refusal::Blank(blank)) => Err(Finding::new(
            0,
            format!("`{blank}` is left in the letter once it is filled in; put a field there, or reword it"),
        )),
    }
}
