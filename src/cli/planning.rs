//! What is done before a launch: making a campaign, checking, joining, looking, rehearsing. Types only.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

/// The columns of problems.csv, at the end of `check --help`.
const CHECK_HELP: &str = "\
The whole list of problems is written to problems.csv in the campaign folder:
    file, line  where it is; line 1 is the header
    column      the column it is about, under your own header
    value       what stands there
    problem     what is wrong
    advice      what to do
The file goes when no problem is left.";

/// `new`
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make; it must be empty or not there yet
    pub folder: PathBuf,
    /// Your letter with its blanks: Word (.docx), plain text or Markdown
    #[arg(long, value_name = "FILE")]
    pub letter: Option<PathBuf>,
    /// Your contacts: constituents, or officials too if a column tells them apart; may be given again
    #[arg(long, value_name = "FILE", requires = "letter")]
    pub contacts: Vec<PathBuf>,
    /// The officials, where they have a file of their own
    #[arg(long, value_name = "FILE", requires = "contacts")]
    pub officials: Option<PathBuf>,
    /// The campaign's name, as officials and constituents see it
    #[arg(long, value_name = "NAME", requires = "letter")]
    pub name: Option<String>,
}

/// `check`
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP)]
pub struct Check {
    /// For programs: one object with everything that was found, also where nothing can be checked
    #[arg(long)]
    pub json: bool,
    /// Goes on without the rows that cannot be used, and writes them to refused.csv
    #[arg(long)]
    pub skip_bad: bool,
    /// Also asks every relay (login, no mail) and the DNS: of your domain and of every official's
    #[arg(long)]
    pub online: bool,
    /// Asks this name server instead of the machine's own, as in 9.9.9.9
    #[arg(long, value_name = "ADDRESS", requires = "online", value_parser = name_server)]
    pub name_server: Option<SocketAddr>,
}

/// An address with or without a port.
fn name_server(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
    text.parse().or_else(|_| alone()).map_err(|_| "expected an address like 9.9.9.9 or 192.0.2.1:53".to_owned())
}

/// `match`
#[derive(Debug, Args)]
pub struct Match {
    /// Writes every spelling with what it may mean into a file for a spreadsheet; nothing is decided
    #[arg(long, value_name = "FILE", conflicts_with = "accept")]
    pub list: Option<PathBuf>,
    /// Takes every line of such a file whose cell `means` is filled in
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
}

/// `preview`
#[derive(Debug, Args)]
pub struct Preview {
    /// Only the letters of the constituent, or to the official, with this address
    #[arg(long, value_name = "ADDRESS", conflicts_with = "count")]
    pub to: Option<String>,
    /// How many random letters, besides the worst (longest, most empty cells, non-ASCII)
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub count: usize,
    /// Where to write them
    #[arg(long, value_name = "DIR", default_value = "preview")]
    pub out: PathBuf,
}

/// `rehearse`
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Keeps the pace of config.toml; otherwise a rehearsal goes as fast as it can
    #[arg(long)]
    pub paced: bool,
    /// Goes on without the rows that cannot be used, and writes them to refused.csv
    #[arg(long)]
    pub skip_bad: bool,
}

/// `test`
#[derive(Debug, Args)]
pub struct Test {
    /// Your own address
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
    /// How many letters
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub count: u16,
}
