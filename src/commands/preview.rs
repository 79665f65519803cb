//! `preview`: letters as they would be sent, to look at; random ones and the worst.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::cli::{Place, Preview};
use crate::compose::{Composer, StampSeed, new_message_id};
use crate::contacts::Row;
use crate::model::{CampaignTag, Constituent, EmailAddress, MessageId, MessageRef, Official};
use crate::report::counted;
use crate::template::{Template, to_html, to_text};

use super::console::say;
use super::workspace::{BadRows, Prepared, Workspace};
use super::{Exit, Failure};

/// How many of each kind of worst letter.
const WORST: usize = 1;
/// How many letters of one address are written at most.
const TO_MAX: usize = 100;

pub(super) fn run(place: &Place, args: &Preview) -> Result<Exit, Failure> {
    let workspace = Workspace::open(place)?;
    let prepared = workspace.prepare(BadRows::Stop)?;
    let chosen = choose(&prepared, args)?;
    if chosen.is_empty() {
        let whom = args.to.as_deref().unwrap_or("anybody");
        return Err(Failure::new(Exit::Refused, format!("there is no letter from or to {whom}")));
    }
    let out = workspace.config.dir.join(&args.out);
    fs::create_dir_all(&out).map_err(|e| Failure::file(&out, &e))?;
    clear(&out)?;
    let composer = workspace.composer()?;
    for (place, letter) in chosen.iter().enumerate() {
        write(&prepared, &composer, letter, &out, place + 1)?;
    }
    say(format!("{} in {}; nothing was sent.", counted(chosen.len() as u64, "letter"), out.display()));
    let suppressed = workspace.with_findings(&prepared, |found| found.suppressed);
    if suppressed > 0 {
        let letters = counted(suppressed, "letter");
        say(format!("{letters} of the campaign to suppressed mailboxes will not go (undersigned suppress list)."));
    }
    Ok(Exit::Done)
}

/// Removes what an earlier preview left, so that no old letter is read as a new one.
pub(super) fn clear(out: &Path) -> Result<(), Failure> {
    let file = |e: std::io::Error| Failure::file(out, &e);
    for entry in fs::read_dir(out).map_err(file)? {
        let path = entry.map_err(file)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_ours = name.starts_with(|c: char| c.is_ascii_digit())
            && name.contains('-')
            && [".txt", ".html", ".eml"].iter().any(|ending| name.ends_with(ending));
        if is_ours {
            fs::remove_file(&path).map_err(|e| Failure::file(&path, &e))?;
        }
    }
    Ok(())
}

/// One letter that was chosen, and why.
struct Chosen {
    why: &'static str,
    official: usize,
    constituent: Box<Constituent>,
}

fn choose(prepared: &Prepared, args: &Preview) -> Result<Vec<Chosen>, Failure> {
    if let Some(address) = &args.to {
        let address = EmailAddress::parse(address)
            .map_err(|e| Failure::new(Exit::Usage, format!("--to {address} is not an address: {e}")))?;
        return letters_of(prepared, &address);
    }
    let mut chosen = one_of_each_text(prepared)?;
    chosen.extend(random_and_worst(prepared, args.count)?);
    Ok(chosen)
}

/// Letters in which every variant of every letter is seen, as far as anybody gets it.
fn one_of_each_text(prepared: &Prepared) -> Result<Vec<Chosen>, Failure> {
    let texts = &prepared.texts;
    let variants = |letter: &Template| letter.variants().iter().sum::<usize>();
    if texts.others.is_empty() && texts.letter.variants().iter().all(|size| *size < 2) {
        return Ok(Vec::new());
    }
    let all: usize = texts.letters().map(|(_, letter)| variants(letter)).sum();
    let mut seen: HashSet<(usize, usize, usize)> = HashSet::new();
    let mut chosen = Vec::new();
    each(prepared, |constituent, official| {
        if seen.len() == all {
            return;
        }
        let number = texts.number_for(&prepared.survey.officials()[official].official, &constituent);
        let drawn = texts.numbered(number).drawn(&constituent);
        let before = seen.len();
        seen.extend(drawn.into_iter().enumerate().map(|(place, variant)| (number, place, variant)));
        if seen.len() > before {
            chosen.push(Chosen { why: "another text", official, constituent });
        }
    })?;
    Ok(chosen)
}

fn each(prepared: &Prepared, mut each: impl FnMut(Box<Constituent>, usize)) -> Result<(), Failure> {
    for row in prepared.survey.rows()? {
        if let Row::Joined { constituent, officials, .. } = row? {
            for official in officials {
                each(constituent.clone(), official);
            }
        }
    }
    Ok(())
}

fn letters_of(prepared: &Prepared, address: &EmailAddress) -> Result<Vec<Chosen>, Failure> {
    let key = address.key();
    let mut chosen = Vec::new();
    each(prepared, |constituent, official| {
        let to = prepared.survey.officials()[official].official.mailbox.as_ref().map(EmailAddress::key);
        if chosen.len() < TO_MAX && (constituent.mailbox.key() == key || to.as_ref() == Some(&key)) {
            chosen.push(Chosen { why: "asked for", official, constituent });
        }
    })?;
    Ok(chosen)
}

/// Reservoir sampling: every letter has the same chance, whatever their number.
fn random_and_worst(prepared: &Prepared, count: usize) -> Result<Vec<Chosen>, Failure> {
    let mut random: Vec<Chosen> = Vec::new();
    let mut worst: [(&'static str, Vec<(usize, Chosen)>); 3] =
        [("longest", Vec::new()), ("most empty cells", Vec::new()), ("most unusual letters", Vec::new())];
    let mut seen = 0_usize;
    each(prepared, |constituent, official| {
        let badness = badness(&prepared.survey.officials()[official].official, &constituent);
        for ((why, list), score) in worst.iter_mut().zip(badness) {
            list.push((score, Chosen { why, official, constituent: constituent.clone() }));
            list.sort_by_key(|(score, _)| Reverse(*score));
            list.truncate(WORST);
        }
        seen += 1;
        let chosen = Chosen { why: "random", official, constituent };
        if random.len() < count {
            random.push(chosen);
        } else if let Some(place) = random.get_mut(rand::random_range(0..seen)) {
            *place = chosen;
        }
    })?;
    random.extend(worst.into_iter().flat_map(|(_, list)| list).filter(|(score, _)| *score > 0).map(|(_, c)| c));
    Ok(random)
}

fn badness(official: &Official, constituent: &Constituent) -> [usize; 3] {
    let cells = [
        official.title.as_str(),
        official.name.as_str(),
        constituent.name.as_str(),
        &constituent.address,
        &constituent.postcode,
        &constituent.signed_on,
        &constituent.note,
    ];
    let length = cells.iter().map(|cell| cell.len()).sum();
    let empty = cells.iter().filter(|cell| cell.is_empty()).count();
    let unusual = cells.iter().flat_map(|cell| cell.chars()).filter(|c| !c.is_ascii()).count();
    [length, empty, unusual]
}

fn write(prepared: &Prepared, composer: &Composer, letter: &Chosen, out: &Path, number: usize) -> Result<(), Failure> {
    let official = &prepared.survey.officials()[letter.official].official;
    let rendered = prepared
        .texts
        .render_letter(official, &letter.constituent)
        .map_err(|e| Failure::new(Exit::Refused, e.to_string()))?;
    let stem = format!("{number:02}-{}", letter.why.replace(' ', "-"));
    let save = |ending: &str, bytes: &[u8]| {
        let path = out.join(format!("{stem}.{ending}"));
        fs::write(&path, bytes).map_err(|e| Failure::file(&path, &e))
    };
    save("txt", format!("Subject: {}\n\n{}", rendered.subject, to_text(&rendered.markdown)).as_bytes())?;
    let language = rendered.language.as_deref().unwrap_or(&composer.identity().language);
    save("html", to_html(&rendered.subject, &rendered.markdown, language).as_bytes())?;
    if official.mailbox.is_some() {
        let reference = MessageRef { tag: preview_tag()?, id: MessageId(i64::try_from(number).unwrap_or(0)) };
        let seed = StampSeed { message_id: new_message_id(&reference, composer.identity(), 0), date: Timestamp::now() };
        save("eml", &composer.letter(&reference, &seed, official, &letter.constituent, &rendered)?.bytes)?;
    }
    Ok(())
}

fn preview_tag() -> Result<CampaignTag, Failure> {
    CampaignTag::parse("prevew").ok_or_else(|| Failure::new(Exit::Internal, "the preview's tag cannot be used"))
}
