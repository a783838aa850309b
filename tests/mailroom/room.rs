//! The mail room of a story: forms that were given out, files that scanners drop, nodes that look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::{Actor, ActorId, CaseId, Submission};
use forms::{FormData, SubmissionNumber, UserRow};
use saihakko::backoffice::AtWork;
use saihakko::backoffice::mailroom::folder::Watch;
use saihakko::reader::{Check, Digits, Drawn, PageRead, Said, Seal};
use saihakko::store::contracts;
use saihakko::store::submissions::SubmissionRow;
use workflows::submission::Command;
use workflows::terms::Role;

use crate::house::{AOBA, House, YAMADA};

/// A form that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) number: SubmissionNumber,
    pub(crate) case: CaseId,
}

/// A page of a form as a good scan reads.
pub(crate) fn page(number: Option<SubmissionNumber>, page_of: &str) -> PageRead {
    let digits = [
        ("contract_number", AOBA),
        ("u1_user_id", YAMADA),
        ("date_year", "8"),
        ("date_month", "12"),
        ("date_day", "1"),
    ];
    let checks = [("u1_retrieval_reissue", Some(true)), ("u1_reason_expired", Some(true))];
    let is_first = page_of.starts_with('1');
    let seal = Seal { found: true, ..Seal::default() };
    PageRead {
        kind: "form".to_owned(),
        case_id: number.map(|number| number.to_string()),
        variant: Some("bizstation".to_owned()),
        page_of: Some(page_of.to_owned()),
        registered: true,
        checks: if is_first {
            checks.map(|(name, v)| (name.to_owned(), Check { v })).into()
        } else {
            BTreeMap::new()
        },
        digits: if is_first {
            digits
                .map(|(name, v)| (name.to_owned(), Digits { v: v.into(), ..Digits::default() }))
                .into()
        } else {
            BTreeMap::new()
        },
        seals: [("registered_seal".to_owned(), seal)].into(),
        ..PageRead::default()
    }
}

/// A further user on a page.
pub(crate) fn row(page: &mut PageRead, no: u8, user_id: &str) {
    let digits = Digits { v: user_id.to_owned(), ..Digits::default() };
    page.digits.insert(format!("u{no}_user_id"), digits);
    for tick in ["retrieval_reissue", "reason_expired"] {
        page.checks.insert(format!("u{no}_{tick}"), Check { v: Some(true) });
    }
}

/// A page that is no form.
pub(crate) fn of_kind(kind: &str) -> PageRead {
    PageRead { kind: kind.to_owned(), ..PageRead::default() }
}

/// A scan: its pages, of which some can be read only in health.
pub(crate) fn scan(pages: &[(PageRead, bool)]) -> Vec<u8> {
    let mut file = String::new();
    let mut say = |mark: char, said: &Said<PageRead>| {
        file.push(mark);
        file.push_str(&serde_json::to_string(said).unwrap());
        file.push('\n');
    };
    for (index, (page, is_hard)) in pages.iter().enumerate() {
        let page = PageRead { page: index + 1, ..page.clone() };
        let drawn = || Drawn { page: "AA==".to_owned(), seal: String::new() };
        let mark = if *is_hard { '=' } else { '+' };
        say('+', &Said::Begins(index + 1));
        let lost = PageRead { page: index + 1, ..of_kind("unknown") };
        say(mark, &Said::Page(page));
        say(mark, &Said::Drawn(drawn()));
        if *is_hard {
            say('~', &Said::Page(lost));
        }
    }
    say('+', &Said::End(None));
    file.into_bytes()
}

/// A scan of which every page can be read.
pub(crate) fn plain(pages: &[PageRead]) -> Vec<u8> {
    scan(&pages.iter().map(|page| (page.clone(), false)).collect::<Vec<_>>())
}

impl House {
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("scans")
    }

    /// A scanner drops a file.
    pub(crate) fn drop_file(&self, name: &str, bytes: &[u8]) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// While it is sick, the reader loses what is hard to read.
    pub(crate) fn make_reader(&self, is_sick: bool) {
        let path = self.dir.path().join("reader.sick");
        if is_sick {
            std::fs::write(path, "").unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }

    /// The names of files in a part of the folder.
    pub(crate) fn names(&self, part: &str) -> Vec<String> {
        names(&self.folder().join(part))
    }

    pub(crate) async fn mail_room(&self) -> AtWork {
        self.app.at_work("uketsuke", Role::MailRoom).await.unwrap()
    }

    /// A form is given out for 山田, and its envelope is awaited.
    pub(crate) async fn form(&self) -> Form {
        self.form_for(&[YAMADA]).await
    }

    async fn form_for(&self, users: &[&str]) -> Form {
        let app = &self.app;
        let mut random = [0; 8];
        (app.tools.entropy)(&mut random);
        let number = SubmissionNumber::from_random(random);
        let mut tx = app.tools.db.read().await.unwrap();
        let contract = contracts::id_of(&mut tx, AOBA).await.unwrap();
        drop(tx);
        let row = |id: &&str| UserRow { user_id: (*id).to_owned(), ..UserRow::default() };
        let printed = FormData {
            contract_number: AOBA.to_owned(),
            users: users.iter().map(row).collect(),
            ..FormData::default()
        };
        let case = app.engine.next_case().await.unwrap();
        let row = SubmissionRow {
            number: number.to_string().parse().unwrap(),
            case_id: case.0,
            variant: "bizstation".to_owned(),
            contract_id: contract,
            receipt: String::new(),
            carrier: String::new(),
            counted: 0,
            prefilled: serde_json::to_string(&printed).unwrap(),
            reading: String::new(),
        };
        let user = self.user(YAMADA).await;
        let actor = Actor { id: ActorId(format!("user-{user}")), role: Role::User };
        let (subject, id) = (format!("submission-{number}"), format!("prefill-{number}"));
        let opening = Submission::opening(case, subject, Command::Prefill, actor, id);
        let outcome = app.desks.submission.submit(opening, Some(row)).await.unwrap();
        assert!(matches!(outcome, engine::Outcome::Accepted(_)), "{outcome:?}");
        Form { number, case }
    }

    /// The same with its envelope registered.
    pub(crate) async fn received(&self, pages: u16) -> Form {
        self.received_for(pages, &[YAMADA]).await
    }

    pub(crate) async fn received_for(&self, pages: u16, users: &[&str]) -> Form {
        let form = self.form_for(users).await;
        let by = self.mail_room().await;
        self.app.receive(&by, form.number, "普通郵便", pages).await.unwrap();
        form
    }

    /// A node that has just started looks until everything is done: the lease of whoever died has ended.
    pub(crate) async fn settle_down(&self) {
        self.clock.advance(Duration::from_mins(5));
        let mut watch = Watch::of(&self.app).unwrap();
        for _ in 0..4 {
            watch.look(&self.app).await.unwrap();
            self.clock.advance(Duration::from_secs(6));
            while self.app.work_on_next_file().await.unwrap() {}
            self.drain().await;
        }
    }

    /// Each page of each file that came under a name: place, and what comes next.
    pub(crate) async fn sheets(&self, name: &str) -> Vec<String> {
        let files = self.app.files().await.unwrap();
        let own = files.iter().filter(|file| file.name == name);
        let line = |one: &saihakko::backoffice::mailroom::Placed| {
            format!("{} {} {}", one.which, one.place, one.what).trim_end().to_owned()
        };
        own.flat_map(|file| file.placed.iter().map(line)).collect()
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(listed) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = listed.map(|entry| entry.unwrap()).filter(|e| e.file_type().unwrap().is_file());
    let mut names: Vec<String> =
        files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
