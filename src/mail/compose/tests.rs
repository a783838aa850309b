use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::notify::masked;

fn fields(language: Language, to_self: bool) -> Fields {
    let moment = engine::Moment::from_seconds(1_795_160_049);
    let until = moment.plus(std::time::Duration::from_hours(24));
    Fields {
        bank: "サンプル銀行".into(),
        service: "BizSTATION".into(),
        phone: "0120-000-000".into(),
        specimen: true,
        company: "株式会社 青葉製作所".into(),
        phrase: "青い鳥と三毛猫".into(),
        contract: masked("0104290012"),
        case: "R8-001042".into(),
        reader: if to_self { "山田 太郎" } else { "佐藤 花子" }.into(),
        user: Some("山田 太郎".into()),
        to_self,
        actor: Some("佐藤 花子".into()),
        at: crate::dates::full(language, moment),
        until: Some(crate::dates::full(language, until)),
        tracking: Some("123-45-67890-1".into()),
        attempts: 5,
        kind: Some("transaction"),
        request: Some("login_reset"),
    }
}

fn contents() -> Vec<(&'static str, Language, bool, Content)> {
    let composer = Composer::new().unwrap();
    let mut all = Vec::new();
    for (name, ..) in TEMPLATES {
        for language in Language::ALL {
            for to_self in [true, false] {
                let fields = fields(language, to_self);
                all.push((
                    *name,
                    language,
                    to_self,
                    composer.compose(name, language, &fields).unwrap(),
                ));
            }
        }
    }
    all
}

#[test]
fn every_mail_in_both_languages() {
    for (name, language, to_self, content) in contents() {
        let other = if to_self { "" } else { "_to_others" };
        let snapshot = format!("{name}_{}{other}", language.code());
        // Most mails say the same to everybody but for the reader's name.
        if to_self || matches!(name, "issued_by_colleague" | "granted") {
            insta::assert_snapshot!(snapshot, format!("{}\n\n{}", content.subject, content.text));
        }
    }
}

#[test]
fn the_layout_in_html() {
    let composer = Composer::new().unwrap();
    for language in Language::ALL {
        let content = composer.compose("dispatched", language, &fields(language, true)).unwrap();
        insta::assert_snapshot!(format!("html_{}", language.code()), content.html);
    }
}

#[test]
fn every_file_is_a_template_and_none_is_missing() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/mail");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut known: BTreeSet<String> = TEMPLATES
        .iter()
        .chain(PARTS)
        .flat_map(|(name, ..)| [format!("{name}.ja.txt"), format!("{name}.en.txt")])
        .collect();
    known.extend(LAYOUTS.map(|(name, _)| name.to_owned()));
    assert_eq!(files, known);
}

#[test]
fn no_mail_holds_what_no_mail_may_hold() {
    for (name, language, _, content) in contents() {
        for text in [&content.text, &content.html] {
            let digits = crate::text::longest_number(text);
            assert!(digits < 16, "{name} {}: {digits} digits in a row", language.code());
            for word in
                ["http:", "https:", "www.", "href", "0104290012", "010429", "<script", "<img"]
            {
                assert!(!text.contains(word), "{name} {}: {word}", language.code());
            }
            // Nobody is hurried.
            for word in ["至急", "直ちに", "今すぐ", "immediately", "urgent", "at once"] {
                assert!(!text.contains(word), "{name} {}: {word}", language.code());
            }
        }
    }
}

#[test]
fn every_mail_says_what_every_mail_must_say() {
    for (name, language, _, content) in contents() {
        let wanted = match language {
            Language::Japanese => ["ブックマーク", "お願いすることは"],
            Language::English => ["bookmark", "ask for passwords or certificate renewal"],
        };
        for text in [&content.text, &content.html] {
            for word in wanted.into_iter().chain([
                "R8-001042",
                "*****90012",
                "青い鳥と三毛猫",
                "0120-000-000",
            ]) {
                assert!(text.contains(word), "{name} {}: {word}", language.code());
            }
        }
    }
}

#[test]
fn html_says_what_the_text_says() {
    for (name, language, _, content) in contents() {
        let mut lines = content.text.lines();
        // Between the greeting and the rule stand heading and paragraphs.
        let body = lines.by_ref().skip(3).take_while(|line| !line.starts_with("---"));
        for line in body.filter(|line| !line.is_empty()) {
            let escaped = line.replace('\'', "&#x27;");
            assert!(content.html.contains(&escaped), "{name} {}: {line}", language.code());
        }
    }
}

#[test]
fn names_cannot_write_html_or_lines() {
    let mut fields = fields(Language::Japanese, true);
    fields.user = Some("<script>alert(1)</script>".into());
    fields.company = "A & B \"C\"\r\n\r\nBcc: x@y.example".into();
    let content = Composer::new().unwrap().compose("issued", Language::Japanese, &fields).unwrap();
    assert!(!content.html.contains("<script>"), "{}", content.html);
    assert!(content.html.contains("&lt;script&gt;"));
    assert!(content.text.contains("A & B \"C\" Bcc: x@y.example\n"));
    assert_eq!(content.subject.lines().count(), 1);
}

#[test]
fn a_mail_with_a_gap_is_not_composed() {
    let composer = Composer::new().unwrap();
    let mut fields = fields(Language::English, true);
    fields.until = None;
    let fault = composer.compose("issued", Language::English, &fields).unwrap_err();
    assert!(matches!(fault, MailFault::Template { .. }));
    assert!(matches!(
        composer.compose("no_such", Language::English, &fields).unwrap_err(),
        MailFault::NoTemplate { .. }
    ));
}

#[test]
fn without_a_phrase_no_mail_speaks_of_one() {
    let composer = Composer::new().unwrap();
    let mut fields = fields(Language::Japanese, true);
    fields.phrase = String::new();
    let content = composer.compose("completed", Language::Japanese, &fields).unwrap();
    assert!(!content.text.contains("合言葉") && !content.html.contains("合言葉"));
}

/// Writes every mail in HTML, for people who want to look at them.
#[test]
fn mails_can_be_looked_at() {
    let Some(dir) = std::env::var_os("LOOK_AT_MAILS") else { return };
    for (name, language, to_self, content) in contents() {
        let file = format!("{name}-{}-{to_self}.html", language.code());
        fs::write(std::path::Path::new(&dir).join(file), content.html).unwrap();
    }
}
