//! Any bytes as `config.toml`: read or refused in words, and what is changed in it says what was wanted.

use std::path::{Path, PathBuf};

use undersigned::config::{Config, Setting, edited};

/// A folder of this process: in memory where there is such a place.
fn folder() -> PathBuf {
    let base = if Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    base.join(format!("undersigned-config-{}-{thread}", std::process::id()))
}

fn load(bytes: &[u8]) -> Option<Config> {
    let folder = folder();
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("config.toml"), bytes).expect("a file");
    let loaded = Config::load(&folder, &[]);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    match loaded {
        Ok(config) => Some(config),
        Err(error) => {
            assert!(!error.problems.is_empty() && error.problems.iter().all(|p| !p.what().is_empty()), "{error}");
            None
        }
    }
}

/// The property. `bytes` are a file; each change is made to it by itself.
pub(crate) fn holds(bytes: &[u8]) {
    let loaded = load(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return assert!(loaded.is_none(), "not UTF-8, and read") };
    let name = "A \"name\" # of ours \\ é";
    for (key, setting) in [
        ("campaign.name", Setting::Text(name.into())),
        ("contacts.columns.name", Setting::Texts(vec!["Full # name".into(), "[x]\n".into()])),
        ("pace.global", Setting::Remove),
    ] {
        let Ok(after) = edited(text, &[(key, setting.clone())]) else { continue };
        let table: toml::Table = after.parse().expect("what was written is TOML");
        let found = key.split('.').try_fold(toml::Value::Table(table), |value, part| value.get(part).cloned());
        let wanted = match &setting {
            Setting::Text(text) => Some(toml::Value::from(text.as_str())),
            Setting::Texts(texts) => Some(toml::Value::from(texts.clone())),
            Setting::Remove => None,
        };
        assert_eq!(found, wanted, "{after}");
        assert_eq!(edited(&after, &[(key, setting)]).ok().as_ref(), Some(&after), "a second time changes nothing");
        if loaded.is_some() && key == "campaign.name" {
            let again = load(after.as_bytes()).expect("what was read before is read with another name");
            assert_eq!(again.identity.campaign, name);
        }
    }
}
