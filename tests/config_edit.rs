//! A changed `config.toml` means what was wanted, and keeps every comment, empty line and order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

use std::fs;

use proptest::prelude::*;
use undersigned::config::{DEFAULTS, Setting, edit, edited};

fn text(value: &str) -> Setting {
    Setting::Text(value.to_owned())
}

fn texts(values: &[&str]) -> Setting {
    Setting::Texts(values.iter().map(|&v| v.to_owned()).collect())
}

#[test]
fn each_change_is_one_line_where_a_person_would_have_put_it() {
    for (before, key, setting, after) in [
        ("a = 1\n", "name", text("x"), "a = 1\nname = \"x\"\n"),
        ("", "campaign.name", text("x"), "[campaign]\nname = \"x\"\n"),
        (
            "[campaign]\nname = 'a' # mine\n\n# end\n",
            "campaign.name",
            text("b"),
            "[campaign]\nname = \"b\" # mine\n\n# end\n",
        ),
        (
            "[campaign]\n# name = \"x\"\n# more\n\n[pace]\n",
            "campaign.name",
            text("b"),
            "[campaign]\n# name = \"x\"\nname = \"b\"\n# more\n\n[pace]\n",
        ),
        (
            "[contacts.columns]\n# name = [\"a\"]\n# b\n\n# of the pace\n[pace]\n",
            "contacts.columns.note",
            text("n"),
            "[contacts.columns]\n# name = [\"a\"]\n# b\nnote = \"n\"\n\n# of the pace\n[pace]\n",
        ),
        (
            "[contacts]\nmatch = \"all\"\n# of the pace\n[pace]\n",
            "contacts.officials",
            text("o"),
            "[contacts]\nmatch = \"all\"\nofficials = \"o\"\n# of the pace\n[pace]\n",
        ),
        (
            "[contacts]\nmatch = \"all\"\n\n[pace]\n",
            "contacts.columns.name",
            texts(&["A b", "C"]),
            "[contacts]\nmatch = \"all\"\n\n[contacts.columns]\nname = [\"A b\", \"C\"]\n\n[pace]\n",
        ),
        (
            "[contacts]\nfiles = [ # these\n  \"a\", # one\n  \"b#\",\n]\n",
            "contacts.files",
            texts(&["c"]),
            "[contacts]\n# these\n# one\nfiles = [\"c\"]\n",
        ),
        (
            "[contacts]\n# above\nfiles = [\"a\"] # why\nmatch = \"all\"\n",
            "contacts.files",
            Setting::Remove,
            "[contacts]\n# above\n# why\nmatch = \"all\"\n",
        ),
        ("[contacts]\n", "contacts.columns.name", Setting::Remove, "[contacts]\n"),
        (
            "[contacts]\r\nmatch = \"x\"\r\n",
            "contacts.sheet",
            text("S"),
            "[contacts]\r\nmatch = \"x\"\r\nsheet = \"S\"\r\n",
        ),
        ("[contacts]\nmatch = \"x\"", "contacts.sheet", text("S"), "[contacts]\nmatch = \"x\"\nsheet = \"S\"\n"),
        ("contacts.match = \"x\"\n", "contacts.match", text("y"), "contacts.match = \"y\"\n"),
        ("contacts = { match = \"x\" }\n", "contacts.match", text("y"), "contacts = { match = \"y\" }\n"),
    ] {
        assert_eq!(edited(before, &[(key, setting)]).unwrap(), after, "{before}");
    }
}

#[test]
fn tables_of_every_form_take_new_keys() {
    for before in [
        "contacts.match = \"x\"\n",
        "contacts = { match = \"x\" }\n",
        "[contacts]\ncolumns.email = \"e\"\n",
        "[contacts]\ncolumns = { email = \"e\" }\n",
    ] {
        let after = edited(before, &[("contacts.columns.name", text("N"))]).unwrap();
        let table: toml::Table = after.parse().unwrap();
        assert_eq!(table["contacts"]["columns"]["name"].as_str(), Some("N"), "{after}");
    }
}

#[test]
fn the_sample_keeps_all_its_lines_and_gets_new_ones_beside_their_hints() {
    let changes = [
        ("contacts.columns.name", texts(&["First name", "Last name"])),
        ("contacts.columns.postcode", text("ZIP")),
        ("contacts.officials", text("mayors.csv")),
        ("campaign.deadline", text("2027-01-01")),
    ];
    let after = edited(DEFAULTS, &changes).unwrap();
    let old: Vec<&str> = after.lines().filter(|l| DEFAULTS.lines().any(|d| d == *l)).collect();
    assert_eq!(old, DEFAULTS.lines().collect::<Vec<_>>());
    for pair in [
        "# name = [\"First name\", \"Last name\"]\nname = [\"First name\", \"Last name\"]\n",
        "# email = \"E-mail address\"\npostcode = \"ZIP\"\n",
        "# officials = \"officials.csv\"\nofficials = \"mayors.csv\"\n",
        "# deadline = \"2027-03-01\"\ndeadline = \"2027-01-01\"\n",
    ] {
        assert!(after.contains(pair), "{pair}\nis not in\n{after}");
    }
}

#[test]
fn what_is_no_toml_or_has_a_table_there_is_refused_and_left_alone() {
    assert!(edited("a = \n", &[("b", text("x"))]).unwrap_err().to_string().contains("line 1"));
    assert!(edited("[a.b]\n", &[("a.b", text("x"))]).unwrap_err().to_string().contains("`a.b`"));
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("real.toml"), folder.path().join("config.toml"));
    fs::write(&file, "# mine\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    edit(&link, &[("campaign.name", text("x"))]).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n\n[campaign]\nname = \"x\"\n");
    assert!(link.is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
}

fn a_setting() -> impl Strategy<Value = Setting> {
    prop_oneof![
        ".{0,20}|(\\PC|[\n\r\t\"'#\\\\]){0,12}".prop_map(Setting::Text),
        prop::collection::vec("(\\PC|[\n\"'#]){0,8}", 0..4).prop_map(Setting::Texts),
        Just(Setting::Remove),
    ]
}

fn a_key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "campaign.name",
        "contacts.files",
        "contacts.columns.name",
        "contacts.columns.email",
        "pace.global",
        "retry.delays",
        "top",
        "list",
        "campaign.list",
        "campaign.text",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[a-z]{1,4}(\\.[a-zé \"#=-]{1,6}){0,2}"]
}

fn a_document() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("# a comment 1\n".to_owned()),
        Just("\n".to_owned()),
        Just("list = [ # a comment 2\n  'x', # a comment 3\n]\n".to_owned()),
        Just("text = \"\"\"\n# name = 1\n[campaign]\n\"\"\"\n".to_owned()),
        Just("name = \"n\" # a comment 4\n".to_owned()),
        Just("[campaign]\n".to_owned()),
        Just("[contacts] # a comment 5\n".to_owned()),
        Just("[contacts.columns]\n".to_owned()),
        Just("[[relay]]\n".to_owned()),
        Just("contacts.files = ['a']\n".to_owned()),
    ];
    let some = prop::collection::vec(line, 0..9).prop_map(|lines| lines.concat());
    let valid = some.prop_filter("TOML", |text| text.parse::<toml::Table>().is_ok());
    prop_oneof![3 => valid, 1 => Just(DEFAULTS.to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_change_gives_what_was_wanted_and_keeps_every_comment(
        before in a_document(),
        key in a_key(),
        setting in a_setting(),
    ) {
        let Ok(after) = edited(&before, &[(&key, setting.clone())]) else { return Ok(()) };
        let table: toml::Table = after.parse().unwrap();
        let found = key.split('.').try_fold(toml::Value::Table(table.clone()), |value, name| value.get(name).cloned());
        let wanted = match &setting {
            Setting::Text(text) => Some(toml::Value::from(text.as_str())),
            Setting::Texts(texts) => Some(toml::Value::from(texts.clone())),
            Setting::Remove => None,
        };
        prop_assert_eq!(found, wanted);
        for n in 1..=5 {
            let comment = format!("# a comment {n}");
            prop_assert_eq!(before.matches(&comment).count(), after.matches(&comment).count(), "{} in {}", comment, after);
        }
        let again = edited(&after, &[(&key, setting)]).unwrap();
        prop_assert_eq!(again, after);
    }
}
