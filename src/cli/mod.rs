//! The command line, as types. Knows clap; must not do anything.

mod backup;
mod decisions;
mod dkim;
mod doctor;
mod people_data;
mod planning;
mod sending;
mod suppressing;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use backup::Backup;
pub use decisions::{Failed, Resolve, Resolved, Retry, Selected};
pub use dkim::{Dkim, KeyAlgorithm, KeyBits, Keygen};
pub use doctor::Doctor;
pub use people_data::{Forget, Purge};
pub use planning::{Check, Match, New, Preview, Rehearse, Test};
pub use sending::{Export, Log, Pace, PaceChange, PaceSet, PaceUnset, Send, Status, WithReason};
pub use suppressing::{Suppress, SuppressAdd, SuppressImport, SuppressList};

/// Exit codes and passwords, at the end of `--help`.
const AFTER_HELP: &str = "\
Exit codes:
    0  done
    1  internal error
    2  usage or configuration
    3  contacts or letter refused, or mail would fail (check --online),
       or something is bad (doctor)
    4  campaign stopped (relay account, breaker, ledger), or not begun
       (ledger restored or copied, start missed)
    5  finished with failures; forget: something is left to do by hand
    6  another dispatcher holds this ledger
    7  nothing left but messages in doubt or held
  130  interrupted twice

The password of the relay NAME comes from one of these:
    its password_file, of mode 0600
    the systemd credential undersigned-NAME
    the environment variable UNDERSIGNED_PASSWORD_NAME
    a prompt
Where it wants an access token instead: its token_command, or its token_file of
mode 0600.

First steps:
    undersigned new DIR --letter FILE --contacts FILE
    then in DIR: check, match, preview, rehearse, test, send";

/// Sends advocacy letters: matches constituents to their officials, fills in each letter, hands it to a mail
/// server at a bearable pace, and keeps a durable record of every attempt.
#[derive(Debug, Parser)]
#[command(name = "undersigned", version, after_help = AFTER_HELP, max_term_width = 80, arg_required_else_help = true)]
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
    /// Looks the ledger, files and machine over, and says what is not well; changes nothing
    Doctor(Doctor),

    /// Copies the ledger into a file, also while `send` runs
    Backup(Backup),
    /// Keeps the list of mailboxes to which nothing is sent
    #[command(after_help = suppressing::SUPPRESS_HELP)]
    Suppress {
        /// What to do
        #[command(subcommand)]
        what: Suppress,
    },
    /// Withdraws what was not sent of somebody who asks for it, and erases them everywhere
    Forget(Forget),
    /// Erases everybody whose letters were settled long ago, and keeps what became of them
    Purge(Purge),
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

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};
    use unicode_width::UnicodeWidthStr;

    use super::Cli;

    fn too_wide(mut command: Command, wide: &mut Vec<String>) {
        for help in [command.render_help(), command.render_long_help()] {
            let text = help.to_string();
            wide.extend(text.lines().filter(|line| line.width() > 80).map(str::to_owned));
        }
        command.get_subcommands().for_each(|verb| too_wide(verb.clone(), wide));
    }

    #[test]
    fn no_line_of_any_help_is_wider_than_a_terminal() {
        let (mut command, mut wide) = (Cli::command(), Vec::new());
        command.build();
        assert!(command.get_subcommands().count() > 20);
        too_wide(command, &mut wide);
        assert!(wide.is_empty(), "{}", wide.join("\n"));
    }
}
