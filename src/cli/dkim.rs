//! The keys that sign messages. Types only.

use clap::{Args, Subcommand, ValueEnum};

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
