//! One file a verb; each `run()` reads like a table of contents. This is where words are printed and exit codes made.

mod backup;
mod blanks;
mod campaign;
mod cancel;
mod check;
mod columns;
mod completions;
mod console;
mod disk;
mod dkim;
mod doctor;
mod erasing;
mod exit;
mod export;
mod failure;
mod folder;
mod forecast;
mod forget;
mod forgetting;
mod from_log;
mod hold;
mod live;
mod log;
mod man;
mod matching;
mod new;
mod online;
mod outlook;
mod pace;
mod pause;
mod people;
mod planned;
mod preview;
mod purge;
mod rehearse;
mod relay_limits;
mod release;
mod resolve;
mod restored;
mod resume;
mod retry;
mod second_letters;
mod send;
mod staff;
mod standing;
mod start;
mod status;
mod steps;
mod suppress;
mod test;
mod texts;
mod workspace;

use clap::Parser;

use crate::cli::{Cli, Verb};

pub use exit::Exit;
pub use failure::Failure;

/// Reads the command line and does what it says.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print(); // nothing can be told when the terminal is gone
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    console::start_log();
    keep_to_ourselves();
    match dispatch(&cli) {
        Ok(exit) => exit,
        Err(failure) => {
            console::complain(&failure);
            failure.exit
        }
    }
}

/// Whatever this program makes is its user's alone, from its first byte: nearly all of it holds people's data.
fn keep_to_ourselves() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

fn dispatch(cli: &Cli) -> Result<Exit, Failure> {
    match &cli.verb {
        Verb::New(args) => new::run(args),
        Verb::Check(args) => check::run(&cli.place, args),
        Verb::Match(args) => matching::run(&cli.place, args),
        Verb::Preview(args) => preview::run(&cli.place, args),
        Verb::Rehearse(args) => rehearse::run(&cli.place, args),
        Verb::Doctor(args) => doctor::run(&cli.place, args),
        Verb::Dkim { what } => dkim::run(&cli.place, what),
        Verb::Test(args) => test::run(&cli.place, args),
        Verb::Send(args) => send::run(&cli.place, args),
        Verb::Status(args) => status::run(&cli.place, args),
        Verb::Forecast => forecast::run(&cli.place),
        Verb::Pace(args) => pace::run(&cli.place, args),
        Verb::Pause(args) => pause::run(&cli.place, args),
        Verb::Resume(args) => resume::run(&cli.place, args),
        Verb::Log(args) => log::run(&cli.place, args),
        Verb::Export(args) => export::run(&cli.place, args),
        Verb::Retry(args) => retry::run(&cli.place, args),
        Verb::Hold(args) => hold::run(&cli.place, args),
        Verb::Release(args) => release::run(&cli.place, args),
        Verb::Cancel(args) => cancel::run(&cli.place, args),
        Verb::Resolve(args) => resolve::run(&cli.place, args),
        Verb::Backup(args) => backup::run(&cli.place, args),
        Verb::Suppress { what } => suppress::run(&cli.place, what),
        Verb::Forget(args) => forget::run(&cli.place, args),
        Verb::Purge(args) => purge::run(&cli.place, args),
        Verb::Completions { shell } => completions::run(*shell),
        Verb::Man => man::run(),
    }
}
