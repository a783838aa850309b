use std::fmt::Write as _;
use std::fs;

use super::*;

fn read(toml: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bank.toml");
    fs::write(&path, toml).unwrap();
    let pairs = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Config::read(Some(&path), pairs).map_err(|fault| {
        let mut text = fault.to_string();
        let mut cause: &dyn std::error::Error = &fault;
        while let Some(next) = cause.source() {
            write!(text, ": {next}").unwrap();
            cause = next;
        }
        text
    })
}

#[test]
fn nothing_given_is_the_defaults() {
    assert_eq!(Config::read(None, []).unwrap(), Config::default());
    assert_eq!(read("", &[]).unwrap(), Config::default());
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = read(
        "[mail]\nport = 25\nconnections = 2\n",
        &[
            ("SAIHAKKO__MAIL__PORT", "2525"),
            ("SAIHAKKO__RULES__RETRIEVAL_MAX_WRONG", "3"),
            ("SAIHAKKO__HOUSE__REPLY_ADDRESS", "[\"a\", \"b\"]"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!((config.mail.port, config.mail.connections), (2525, 2));
    assert_eq!(config.rules.retrieval_max_wrong, 3);
    assert_eq!(config.house.reply_address, ["a", "b"]);
}

#[test]
fn text_from_the_environment_stays_text() {
    let config = read("", &[("SAIHAKKO__HOUSE__TELEPHONE", "0312345678")]).unwrap();
    assert_eq!(config.house.telephone, "0312345678");
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let fault = read("[mail]\nhots = \"a\"\n", &[]).unwrap_err();
    assert!(fault.contains("hots") && fault.contains("bank.toml"), "{fault}");
    let fault = read("[nail]\nhost = \"a\"\n", &[]).unwrap_err();
    assert!(fault.contains("nail") && fault.contains("bank.toml"), "{fault}");
    let fault = read("[rules]\notp_max_worng = 1\n", &[]).unwrap_err();
    assert!(fault.contains("otp_max_worng") && fault.contains("bank.toml"), "{fault}");
    let fault = read("", &[("SAIHAKKO__MAIL__HOTS", "a")]).unwrap_err();
    assert!(fault.contains("SAIHAKKO__MAIL__HOTS"), "{fault}");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_place() {
    let fault = read("[mail]\nport = \"many\"\n", &[]).unwrap_err();
    assert!(fault.contains("mail.port") && fault.contains("bank.toml"), "{fault}");
    let fault = read("", &[("SAIHAKKO__MAIL__PORT", "many")]).unwrap_err();
    assert!(fault.contains("SAIHAKKO__MAIL__PORT"), "{fault}");
    let fault = read("[calendar]\nextra_holidays = [\"24 November\"]\n", &[]).unwrap_err();
    assert!(fault.contains("24 November is no day"), "{fault}");
}

#[test]
fn values_without_sense_are_refused_by_name() {
    for (toml, key) in [
        ("[mail]\nfrom = \"nobody\"", "mail.from"),
        ("[mail]\nhost = \"mx.bank.example\"\ntls = \"none\"", "mail.tls"),
        ("[mail]\nuser = \"a\"", "mail.user"),
        ("[mail]\nsend_timeout_s = 300", "retry.lease_s"),
        ("[retry]\nattempts = 0", "retry.attempts"),
        ("[intake]\nlook_s = 0", "intake.look_s"),
        ("[house]\nreply_permit = \"1234\"", "house.reply_permit_until"),
        ("[house]\nreply_permit_until = \"2027-03-31\"", "house.reply_permit_until"),
        ("[staff_identity]\nlocal_sign_in = false", "staff_identity.local_sign_in"),
        ("[schedules]\ncheckpoint = \"often\"", "schedules.checkpoint"),
        ("[database]\nurl = \"mysql://a\"", "database.url"),
        (
            "[certificates]\nrevocation_list_url = \"https://a/\"",
            "certificates.revocation_list_url",
        ),
        ("[security]\nargon2_memory_kib = 1", "security.argon2_memory_kib"),
        ("[security]\nsession_idle_minutes = 0", "security.session_idle_minutes"),
    ] {
        let fault = read(toml, &[]).unwrap_err();
        assert!(fault.contains(key), "{toml}: {fault}");
    }
}

#[test]
fn a_missing_file_is_a_fault() {
    assert!(Config::read(Some(Path::new("/nonexistent/bank.toml")), []).is_err());
}

#[test]
fn a_password_in_the_database_address_does_not_show() {
    let config = read("[database]\nurl = \"postgres://a:s3cret@host/b\"\n", &[]).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn everything_lies_under_the_data_directory_unless_said_otherwise() {
    let config = Config::for_demo(Path::new("/d"));
    assert_eq!(config.outbox_dir(), Path::new("/d/outbox"));
    assert_eq!(config.socket_file(), Path::new("/d/saihakko.sock"));
    let config = read("[mail]\noutbox_dir = \"/o\"\n[listen]\nsocket = \"/s\"\n", &[]).unwrap();
    assert_eq!(config.outbox_dir(), Path::new("/o"));
    assert_eq!(config.socket_file(), Path::new("/s"));
}

/// Which source holds the structure of each section.
const SOURCES: [(&str, &str, &str); 21] = [
    ("house", "House", include_str!("../../forms/src/data.rs")),
    ("data", "Data", include_str!("sections.rs")),
    ("database", "Database", include_str!("sections.rs")),
    ("rules", "Rules", include_str!("../../workflows/src/terms/rules.rs")),
    ("retry", "Retry", include_str!("../../engine/src/outbox.rs")),
    ("mail", "Mail", include_str!("sections.rs")),
    ("listen", "Listen", include_str!("sections.rs")),
    ("customer_site", "Site", include_str!("sections.rs")),
    ("certificate_site", "Site", include_str!("sections.rs")),
    ("staff_site", "Site", include_str!("sections.rs")),
    ("metrics_site", "Site", include_str!("sections.rs")),
    ("revocation_list_site", "Site", include_str!("sections.rs")),
    ("certificates", "Certificates", include_str!("sections.rs")),
    ("forms", "Fonts", include_str!("sections.rs")),
    ("calendar", "BusinessDays", include_str!("sections.rs")),
    ("office", "Office", include_str!("sections.rs")),
    ("intake", "Intake", include_str!("intake.rs")),
    ("staff_identity", "StaffIdentity", include_str!("identity.rs")),
    ("schedules", "Schedules", include_str!("sections.rs")),
    ("security", "Security", include_str!("sections.rs")),
    ("log", "Log", include_str!("sections.rs")),
];

/// Documentation of the fields of a structure, in their order, read from its source.
fn documented(source: &str, structure: &str) -> Vec<(String, String)> {
    let head = format!("pub struct {structure} {{");
    let body = source.split_once(&head).unwrap_or_else(|| panic!("no {structure}")).1;
    let body = body.split_once("\n}").unwrap().0;
    let mut fields = Vec::new();
    let mut words = Vec::new();
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            words.push(text.trim());
        } else if let Some((name, _)) =
            line.strip_prefix("pub ").and_then(|field| field.split_once(':'))
        {
            fields.push((name.to_owned(), words.join(" ")));
            words.clear();
        }
    }
    fields
}

/// The pages of the sources name chapters that only this project's people have.
fn without_sources(words: &str) -> String {
    let sentences = words.split_inclusive(". ").filter(|sentence| {
        !["ANNEX", "RULINGS", "DOMAIN", "SECURITY", "Default "]
            .iter()
            .any(|word| sentence.starts_with(word))
    });
    sentences.collect::<String>().trim().to_owned()
}

fn page() -> String {
    let defaults = toml::Value::try_from(Config::default()).unwrap();
    let defaults = defaults.as_table().unwrap();
    let sections = documented(include_str!("../config.rs"), "Config");
    assert_eq!(sections.len(), defaults.len(), "a section without documentation");
    let mut page = include_str!("page_head.md").to_owned();
    for (section, words) in sections {
        let (_, structure, source) =
            SOURCES.iter().find(|(name, ..)| *name == section).expect("source of the section");
        let values = defaults.get(&section).and_then(toml::Value::as_table).unwrap();
        let fields = documented(source, structure);
        assert_eq!(fields.len(), values.len(), "[{section}]: keys without documentation");
        write!(
            page,
            "\n## `[{section}]`\n\n{words}\n\n| Key | Default | Meaning |\n|---|---|---|\n"
        )
        .unwrap();
        for (key, words) in fields {
            let words = without_sources(&words).replace('|', "\\|");
            assert!(words.len() > 10, "[{section}] {key} says nothing");
            let value = values.get(&key).unwrap_or_else(|| panic!("[{section}] has no {key}"));
            writeln!(page, "| `{key}` | `{value}` | {words} |").unwrap();
        }
    }
    page
}

#[test]
fn the_page_tells_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &page).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, page, "run the tests with UPDATE_DOCS=1 and look at the difference");
}
