//! The command line, as types. Knows clap; must not do anything.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Exit codes and passwords, at the end of `--help`.
const AFTER_HELP: &str = "\
Exit codes:
    0  done
    1  internal error
    2  usage or configuration
    3  contacts or letter refused, or mail would fail (check --online)
    4  campaign stopped (relay account, breaker, ledger)
    5  finished with failures
    6  another dispatcher holds this ledger
    7  nothing left but messages in doubt or held
  130  interrupted twice

The password of the relay NAME comes from one of these:
    its password_file, of mode 0600
    the systemd credential undersigned-NAME
    the environment variable UNDERSIGNED_PASSWORD_NAME
    a prompt
Where it wants an access token instead: its token_command, or its token_file of mode 0600.

First steps:
    undersigned new DIR --letter FILE --contacts FILE
    then in DIR: check, match, preview, rehearse, test, send";

/// The columns of what `export` writes, at the end of its `--help`.
const EXPORT_HELP: &str = "\
Beside your own columns, in your own order, stand:
    state       what became of the letters: sent, bounced, deferred, …
    time        when the mail server took them, or when they were last tried
    last reply  what the mail server last said
    advice      what to do, where there is something to do

With --failed, before your own columns stand:
    line        where the row is in your file (and in which, if you have several)
    problem     what went wrong
    advice      what to do
Mend the rows, then send that file alone:
    undersigned send --set contacts.files=failed.csv

With several contact files each is written to a file of its own; --out then
names a folder.";

/// The columns of problems.csv, at the end of `check --help`.
const CHECK_HELP: &str = "\
The whole list of problems is written to problems.csv in the campaign folder:
    file, line  where it is; line 1 is the header
    column      the column it is about, under your own header
    value       what stands there
    problem     what is wrong
    advice      what to do
The file goes when no problem is left.";

/// Sends advocacy letters: matches constituents to their officials, fills in each letter, hands it to a mail
/// server at a bearable pace, and keeps a durable record of every attempt.
#[derive(Debug, Parser)]
#[command(name = "undersigned", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Cli {
    /// Where the campaign is.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Which campaign, under which settings.
#[derive(Debug, Args)]
pub struct Place {
    /// The campaign folder
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Overrides one setting of `config.toml`, for example `--set pace.per_mailbox=60/h`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Makes a campaign folder of your letter and your contacts, or with a sample to change
    New(New),
    /// Reads everything, fills in every letter, and tells every problem and who writes to whom; sends nothing
    Check(Check),
    /// Decides which jurisdiction is meant where constituents write it otherwise than officials do
    Match(Match),
    /// Writes letters as they would be sent, to look at: .eml, .html and .txt
    Preview(Preview),
    /// Sends the whole campaign to a mailbox on this machine, with a ledger of its own
    Rehearse(Rehearse),
    /// Sends some letters through the real relay to you instead of the officials, marked as tests
    Test(Test),
    /// Plans what is new, then sends until nothing can move; run it again to go on after a break
    Send(Send),
    /// Shows where every message stands
    Status(Status),
    /// Tells when each official's last letter goes, which limit holds them back, and what would make the deadline
    Forecast,
    /// Shows every limit on speed that is in force, or changes one while letters go
    Pace(Pace),
    /// Hands nothing more over until `resume`, also where `send` runs in another terminal
    Pause(WithReason),
    /// Ends a pause
    Resume(WithReason),
    /// Shows every attempt with what the relay answered
    Log(Log),
    /// Writes your contact files again with what became of everybody beside each row
    Export(Export),
    /// Puts messages that failed back into the queue
    Retry(Retry),
    /// Makes waiting messages wait until `release`
    Hold(Selected),
    /// Lets held messages go on
    Release(Selected),
    /// Withdraws messages that were not sent yet
    Cancel(Selected),
    /// Decides what becomes of messages in doubt
    Resolve(Resolve),
    /// Makes or shows the key that signs your messages, with what your domain's DNS must say
    Dkim {
        /// What to do
        #[command(subcommand)]
        what: Dkim,
    },
    /// Prints a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page
    Man,
}

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

/// `send`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Send {
    /// Does not ask for the campaign's name first
    #[arg(long)]
    pub yes: bool,
    /// At most so many letters in this run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Goes on without the rows that cannot be used, and writes them to refused.csv
    #[arg(long)]
    pub skip_bad: bool,
    /// Uses the changed texts for every message that was not offered to a relay yet
    #[arg(long)]
    pub accept_changed_letter: bool,
    /// Sends to people who look like somebody who was planned before under another address or name
    #[arg(long)]
    pub accept_changed_people: bool,
    /// Takes refusals that are all alike for real, after the campaign stopped because of them
    #[arg(long)]
    pub accept_refusals: bool,
}

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Again every two seconds, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// `pace`
#[derive(Debug, Args)]
pub struct Pace {
    /// What to change; without it, every limit is shown
    #[command(subcommand)]
    pub change: Option<PaceChange>,
}

/// Changes of the pace.
#[derive(Debug, Subcommand)]
pub enum PaceChange {
    /// Gives limits another value, as in `pace set per_mailbox=60/h`; a running `send` follows within a second
    Set(PaceSet),
    /// Goes back to what config.toml says
    Unset(PaceUnset),
}

/// `pace set`
#[derive(Debug, Args)]
pub struct PaceSet {
    /// A key of the section pace, or relay.NAME.rate or relay.NAME.quota, and its value
    #[arg(required = true, value_name = "KEY=VALUE")]
    pub assignments: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `pace unset`
#[derive(Debug, Args)]
pub struct PaceUnset {
    /// The keys that were set
    #[arg(required_unless_present = "all", value_name = "KEY")]
    pub keys: Vec<String>,
    /// Everything that was set
    #[arg(long, conflicts_with = "keys")]
    pub all: bool,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `pause`, `resume`
#[derive(Debug, Args)]
pub struct WithReason {
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `log`
#[derive(Debug, Args)]
pub struct Log {
    /// For programs: one object a line
    #[arg(long)]
    pub json: bool,
    /// Only messages that are now in this state
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Only this message
    #[arg(long, value_name = "ID")]
    pub message: Option<String>,
}

/// `export`
#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct Export {
    /// Only the rows that need mending, as a file to mend and to send by itself
    #[arg(long)]
    pub failed: bool,
    /// Where to write, instead of NAME-status.csv or failed.csv in the campaign folder
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `retry`
#[derive(Debug, Args)]
pub struct Retry {
    /// Which ones; without it, bounced and expired
    #[arg(long, value_enum)]
    pub state: Option<Failed>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `dkim`
#[derive(Debug, Subcommand)]
pub enum Dkim {
    /// Makes a key in the campaign folder, and tells what to do with it
    Keygen(Keygen),
    /// Shows again what your domain's DNS must say of the keys in config.toml
    Show,
}

/// `dkim keygen`
#[derive(Debug, Args)]
pub struct Keygen {
    /// The key's name in the DNS; a new key needs a new one [default: undersigned1, or undersigned2 for ed25519]
    #[arg(long, value_name = "NAME")]
    pub selector: Option<String>,
    /// Every receiver knows rsa; ed25519 is good as a second signature only
    #[arg(long, value_enum, default_value_t = KeyAlgorithm::Rsa)]
    pub algorithm: KeyAlgorithm,
    /// The size of an RSA key
    #[arg(long, value_enum, default_value_t = KeyBits::B2048)]
    pub bits: KeyBits,
    /// Also writes the key's name and file into config.toml, so that messages are signed from now on
    #[arg(long)]
    pub write: bool,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyAlgorithm {
    /// RSA
    Rsa,
    /// Ed25519
    Ed25519,
}

/// The size of an RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyBits {
    /// The usual one
    #[value(name = "2048")]
    B2048,
    /// A longer record
    #[value(name = "3072")]
    B3072,
    /// Too long a record for some name servers
    #[value(name = "4096")]
    B4096,
}

/// States from which staff can try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Failed {
    /// Refused for good
    Bounced,
    /// Refused for now until time ran out
    Expired,
    /// To a mailbox that was refused for good before
    Suppressed,
}

/// `hold`, `release`, `cancel`
#[derive(Debug, Args)]
pub struct Selected {
    /// Messages by their number, as in `log`; without any, all that can be
    pub ids: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `resolve`
#[derive(Debug, Args)]
pub struct Resolve {
    /// What is true of them
    #[arg(long = "as", value_enum)]
    pub verdict: Resolved,
    /// All that are in doubt
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Messages by their number, as in `log`
    #[arg(required_unless_present = "all")]
    pub ids: Vec<String>,
    /// Why, for the record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// What staff found out about a message in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Resolved {
    /// The relay has it
    Sent,
    /// Send it again, at the risk of a second copy
    Resend,
}
