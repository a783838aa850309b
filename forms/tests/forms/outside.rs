//! Other programs look at what we print. A missing tool is skipped aloud; on CI it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use forms::{Addressee, CodeLetter, Copy, FontChoice, PasswordLetter, Press, Variant};

use crate::letters;
use crate::sample::{HOUSE, PRESS, copy, job, made_at};

/// Runs a tool, or says that it is missing.
fn tool(name: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(name).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("SKIP: {name}: {error}");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is missing on CI");
            None
        }
    }
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn addressee() -> Addressee {
    Addressee {
        postal_code: "100-0000".into(),
        address: vec!["東京都千代田区見本町一丁目1番1号".into(), "見本ビルディング5階".into()],
        company: "株式会社サンプル商事".into(),
        department: "経理部".into(),
        name: "山田 太郎".into(),
    }
}

fn letter(digits: Option<&[u8; 16]>) -> Vec<u8> {
    let letter = PasswordLetter {
        house: &HOUSE,
        addressee: &addressee(),
        issued_on: "令和8年11月22日(2026年)",
        valid_until: "令和8年12月22日(2026年)",
        contract_last_four: "7890",
        user_name: "山田 太郎",
        reference: "L-000123",
        wrong_entries: 5,
        digits,
        made_at: made_at(),
    };
    PRESS.password_letter(&letter).unwrap().to_vec()
}

fn code_letter(characters: Option<&[u8; 16]>) -> Vec<u8> {
    let letter = CodeLetter {
        house: &HOUSE,
        addressee: &addressee(),
        issued_on: "令和8年11月22日(2026年)",
        valid_until: "令和8年12月22日(2026年)",
        contract_last_four: "7890",
        user_name: "山田 太郎",
        reference: "L-000123",
        wrong_entries: 5,
        characters,
        made_at: made_at(),
    };
    PRESS.code_letter(&letter).unwrap().to_vec()
}

/// Every kind of document that we print.
fn documents(folder: &Path) -> Vec<(PathBuf, Vec<&'static str>)> {
    let form = vec!["パスワードに関する諸届", "証明書取得用パスワード", "契約者番号", "お届け印"];
    let system = Press::new(&FontChoice::default()).unwrap();
    let mut all = Vec::new();
    for variant in Variant::ALL {
        let (job, copy) = (job(variant), copy(variant, 3));
        all.push((
            format!("{variant}-blank"),
            PRESS.form3(&job, &Copy::default()).unwrap(),
            form.clone(),
        ));
        all.push((format!("{variant}-prefilled"), PRESS.form3(&job, &copy).unwrap(), form.clone()));
        all.push((format!("{variant}-system"), system.form3(&job, &copy).unwrap(), form.clone()));
        all.push((
            format!("{variant}-fillable"),
            PRESS.fillable(&job, &copy).unwrap(),
            form.clone(),
        ));
    }
    let words = vec!["証明書取得用パスワード", "再発行のお知らせ", "山田 太郎 様", "親展"];
    all.push((
        "letter".into(),
        letter(Some(&[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3])),
        words.clone(),
    ));
    all.push(("letter-specimen".into(), letter(None), [words, vec!["見本"]].concat()));
    let words = vec!["登録コード(16文字)", "ワンタイムパスワードカード", "山田 太郎 様", "親展"];
    all.push(("code".into(), code_letter(Some(b"W2MQ7XKDWWMM9GHT")), words.clone()));
    all.push(("code-specimen".into(), code_letter(None), [words, vec!["見本"]].concat()));
    all.extend(letters::documents());
    all.into_iter()
        .map(|(name, pdf, words)| {
            let path = folder.join(format!("{name}.pdf"));
            fs::write(&path, pdf).unwrap();
            (path, words)
        })
        .collect()
}

#[test]
fn other_programs_accept_every_document() {
    let folder = tempfile::tempdir().unwrap();
    for (path, words) in documents(folder.path()) {
        let file = path.to_str().unwrap();
        if let Some(output) = tool("qpdf", &["--check", file]) {
            assert!(output.status.success(), "{file}: {}", text_of(&output));
        }
        if let Some(output) = tool("mutool", &["draw", "-q", "-o", "/dev/null", "-F", "txt", file])
        {
            // Debian builds it without colour management, which it says of every file.
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let complaints: Vec<&str> =
                said.lines().filter(|line| !line.is_empty() && !line.contains("ICC")).collect();
            assert!(output.status.success() && complaints.is_empty(), "{file}: {complaints:?}");
        }
        if let Some(output) = tool("pdftotext", &[file, "-"]) {
            let text = text_of(&output);
            for word in words {
                assert!(text.contains(word), "{file} lacks {word}: {text}");
            }
        }
        if let Some(output) = tool("pdffonts", &[file]) {
            let text = text_of(&output);
            let fonts: Vec<&str> = text.lines().skip(2).collect();
            assert!(!fonts.is_empty(), "{file}: {text}");
            for line in fonts {
                let flags: Vec<&str> = line.split_whitespace().rev().skip(2).take(3).collect();
                assert_eq!(flags, ["yes"; 3], "embedded, subset and Unicode in {file}: {line}");
                assert!(line.as_bytes().get(6) == Some(&b'+'), "{file}: {line}");
            }
        }
        if let Some(output) = tool("pdfinfo", &["-isodates", file]) {
            let text = text_of(&output);
            assert!(text.contains("2026-11-22T"), "{file} is dated by its argument: {text}");
        }
    }
}

#[test]
fn the_digits_of_a_letter_are_nowhere_in_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.pdf");
    let pdf = letter(Some(&[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]));
    fs::write(&path, &pdf).unwrap();
    assert!(!pdf.windows(16).any(|window| window == b"3141592653589793"));
    if let Some(output) = tool("pdftotext", &[path.to_str().unwrap(), "-"]) {
        let digits: String = text_of(&output).chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains("3141") && !digits.contains("9793"), "{digits}");
    }
    let specimen = letter(None);
    assert_ne!(specimen.len(), pdf.len());
}

/// poppler and our own reader see the same ticks and digits in a filled form.
#[test]
fn poppler_draws_the_values_of_a_filled_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut blank = copy(Variant::Light, 8);
    let values = blank.data.values();
    blank.data = forms::FormData::default();
    let form = PRESS.fillable(&job(Variant::Light), &blank).unwrap();
    let filled = PRESS.fill(&form, &values).unwrap();
    let path = folder.path().join("filled.pdf");
    fs::write(&path, filled).unwrap();
    let target = folder.path().join("page");
    let arguments = [
        "-r",
        "200",
        "-png",
        "-f",
        "1",
        "-l",
        "1",
        "-singlefile",
        path.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    let Some(output) = tool("pdftoppm", &arguments) else { return };
    assert!(output.status.success());
    let png = fs::read(target.with_extension("png")).unwrap();
    let options = forms::ReadOptions::new(forms::CodeKey::sample());
    let page = forms::read_file(&png, "poppler.png", &options).pages.remove(0);
    assert_eq!(page.case_id, blank.submission);
    for (id, check) in &page.checks {
        assert_eq!(check.v, Some(values.checks.contains(id)), "{id}");
    }
    for (id, digits) in &page.digits {
        assert_eq!(&digits.v, values.digits.get(id).map_or("", String::as_str), "{id}");
    }
}

/// A PDF that opens with a password only is named as such; one that only forbids changes is read.
#[test]
fn a_protected_file_is_named_and_a_restricted_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.pdf");
    let form = PRESS.form3(&job(Variant::Light), &copy(Variant::Light, 1)).unwrap();
    fs::write(&plain, form).unwrap();
    let options = forms::ReadOptions::new(forms::CodeKey::sample());
    for (word, is_protected) in [("open sesame", true), ("", false)] {
        let locked = folder.path().join("locked.pdf");
        let [from, to] = [&plain, &locked].map(|path| path.to_str().unwrap());
        let arguments = ["--encrypt", word, "owner", "256", "--", from, to];
        let Some(output) = tool("qpdf", &arguments) else { return };
        assert!(output.status.success(), "{}", text_of(&output));
        let reading = forms::read_file(&fs::read(&locked).unwrap(), "locked", &options);
        let error = reading.error.map(|fault| fault.to_string());
        let protected = forms::ReadFault::Protected.to_string();
        assert_eq!(error, is_protected.then_some(protected));
        let known = reading.pages.iter().filter(|page| page.case_id.is_some()).count();
        assert_eq!(known == 0, is_protected, "{known} pages");
    }
}
