//! What `scripts/bench` puts between a sender and its sink, and lettre's own transport as a sender. It is no part of
//! the program, and must not know anything of it.

mod delay;
mod front;
mod sender;

use std::collections::HashMap;
use std::error::Error;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage:
  undersigned-bench delay  --to PORT --round-trip-ms N
  undersigned-bench front  --to PORT --ca FILE
  undersigned-bench lettre --port PORT --connections N --messages N --bytes N [--ca FILE]";

#[tokio::main]
async fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let verb = args.next().unwrap_or_default();
    let options = Options::read(args)?;
    match verb.as_str() {
        "delay" => delay::run(options.number("to")?, options.number("round-trip-ms")?).await,
        "front" => front::run(options.number("to")?, options.text("ca")?).await,
        "lettre" => {
            let load = sender::Load {
                port: options.number("port")?,
                connections: options.number("connections")?,
                messages: options.number("messages")?,
                bytes: options.number("bytes")?,
            };
            sender::run(load, options.text("ca").ok()).await
        }
        _ => Err(USAGE.into()),
    }
}

/// `--name value`, each once.
struct Options(HashMap<String, String>);

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = HashMap::new();
        while let Some(name) = args.next() {
            let value = args.next().ok_or(USAGE)?;
            options.insert(name.trim_start_matches("--").to_owned(), value);
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str) -> Outcome<&str> {
        Ok(self.0.get(name).ok_or_else(|| format!("--{name} is missing\n{USAGE}"))?)
    }

    fn number<T: std::str::FromStr<Err = std::num::ParseIntError>>(&self, name: &str) -> Outcome<T> {
        Ok(self.text(name)?.parse()?)
    }
}
