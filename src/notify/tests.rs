use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use engine::{Clock, on};
use workflows::terms::Notice;
use workflows::{clerical, credential, enrolment, expiry, submission};

use super::*;
use crate::store;
use crate::store::addresses::Address;
use crate::store::users::User;

const NOW: Moment = Moment::from_seconds(1_795_160_049);

/// A ledger of one contract with four users: two administrators, one plain user, one English.
struct Bench {
    dir: tempfile::TempDir,
    db: Db,
    notifier: Notifier,
    /// By name, the rows of the users.
    users: BTreeMap<&'static str, i64>,
}

const CASE: i64 = 77;

fn contract() -> Contract {
    Contract {
        number: "0104212345".into(),
        variant: "bizstation".into(),
        status: "active".into(),
        company: "株式会社 青葉製作所".into(),
        company_kana: "アオバ".into(),
        representative: "代表取締役 青葉 茂".into(),
        branch: "042".into(),
        account_type: "ordinary".into(),
        account_number: "1042913".into(),
        phone: "03-0000-0101".into(),
        language: "ja".into(),
        phrase: "青い鳥と三毛猫".into(),
        target_only_reveal: false,
    }
}

fn user(id: &str, name: &str, authority: bool, language: &str) -> User {
    User {
        contract_id: 1,
        user_id: id.into(),
        name: name.into(),
        kana: "カナ".into(),
        department: String::new(),
        title: String::new(),
        email: format!("u{id}@aoba.example"),
        language: language.into(),
        status: "active".into(),
        reissue_authority: authority,
        certificate_required: true,
    }
}

async fn bench(workflow: &'static str) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.db");
    let db = Db::sqlite(&path, true, Clock::manual(NOW)).await.unwrap();
    store::migrate(&db).await.unwrap();
    let notifier = Notifier::new(&Config::for_demo(dir.path()), db.clone()).unwrap();
    let mut tx = db.write().await.unwrap();
    contracts::save(&mut tx, &contract()).await.unwrap();
    let mut rows = BTreeMap::new();
    for (key, user) in [
        ("sato", user("010429001", "佐藤 花子", true, "ja")),
        ("suzuki", user("010429002", "鈴木 一郎", true, "ja")),
        ("yamada", user("010429003", "山田 太郎", false, "ja")),
        ("emily", user("010429006", "Emily Carter", false, "en")),
        ("gone", User { status: "deleted".into(), ..user("010429009", "元 社員", true, "ja") }),
    ] {
        users::save(&mut tx, &user).await.unwrap();
        rows.insert(key, users::id_of(&mut tx, 1, &user.user_id).await.unwrap().unwrap());
    }
    for (version, changed_at) in [(1, 0), (2, 5)] {
        let (postal_code, address) = ("1000000".to_owned(), format!("見本町{version}番"));
        let address = Address { contract_id: 1, version, postal_code, address, changed_at };
        addresses::save(&mut tx, &address).await.unwrap();
    }
    let bench = Bench { dir, db, notifier, users: rows };
    bench.open_case(&mut tx, workflow).await;
    tx.commit().await.unwrap();
    bench
}

impl Bench {
    /// A case about 山田 太郎 whose entry 4 was written by 佐藤 花子.
    async fn open_case(&self, tx: &mut Tx, workflow: &str) {
        let (yamada, sato) = (self.users["yamada"], format!("user-{}", self.users["sato"]));
        let anchors = format!("{{\"issued\":{0},\"dispatched\":{0}}}", NOW.0);
        on!(tx, |conn| sqlx::query(
            "INSERT INTO cases (id, workflow, shape, subject, state, state_name, version, entries, \
             head, anchors, opened_at, changed_at) VALUES ($1,$2,1,'x','\"S\"','S',4,4,$3,$4,0,0)"
        )
        .bind(CASE)
        .bind(workflow)
        .bind(vec![0u8; 32])
        .bind(&anchors)
        .execute(conn)
        .await
        .map(drop))
        .unwrap();
        on!(tx, |conn| sqlx::query(
            "INSERT INTO entries (case_id, no, kind, at, actor, role, auth, place, command_id, \
             command, from_state, to_state, outcome, version, state_digest, details_digest, hash) \
             VALUES ($1,4,'transition',0,$2,'','','','c','','','','',4,$3,$3,$3)"
        )
        .bind(CASE)
        .bind(&sato)
        .bind(vec![0u8; 32])
        .execute(conn)
        .await
        .map(drop))
        .unwrap();
        on!(tx, |conn| sqlx::query(
            "INSERT INTO reissues (case_id, user_id, channel, reason, opened_by, danger, \
             confirmed_address, remailed, defects, opened_at) \
             VALUES ($1,$2,'delegated','expired','',FALSE,0,FALSE,'',0)"
        )
        .bind(CASE)
        .bind(yamada)
        .execute(conn)
        .await
        .map(drop))
        .unwrap();
    }

    fn parcel<N>(id: i64, body: N) -> Parcel<N> {
        Parcel {
            id,
            case: CaseId(CASE),
            subject: String::new(),
            entry: 4,
            queued_at: NOW,
            attempt: 1,
            body,
        }
    }

    async fn set_email(&self, who: &str, email: &str) {
        let mut tx = self.db.write().await.unwrap();
        let user = users::by_id(&mut tx, self.users[who]).await.unwrap().unwrap();
        users::save(&mut tx, &User { email: email.into(), ..user }).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.dir.path().join("outbox")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = folder.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Who got a mail, by the key in its name.
    fn told(&self) -> Vec<&'static str> {
        let files = self.files();
        self.users
            .iter()
            .filter(|(_, id)| {
                files.iter().any(|file| file.to_string_lossy().contains(&format!("user-{id}@")))
            })
            .map(|(who, _)| *who)
            .collect()
    }
}

#[tokio::test]
async fn user_and_administrators_are_told_and_nobody_else() {
    let bench = bench("delegated").await;
    bench.notifier.send(&Bench::parcel(1, Notice::IssuedByColleague)).await.unwrap();
    assert_eq!(bench.told(), ["sato", "suzuki", "yamada"]);
}

#[tokio::test]
async fn reminders_go_to_the_user_alone() {
    let bench = bench("delegated").await;
    bench.notifier.send(&Bench::parcel(1, Notice::ExpiryTomorrow)).await.unwrap();
    assert_eq!(bench.told(), ["yamada"]);
}

#[tokio::test]
async fn a_retry_tells_each_person_once() {
    let bench = bench("delegated").await;
    let parcel = Bench::parcel(1, Notice::Completed);
    bench.notifier.send(&parcel).await.unwrap();
    for file in bench.files() {
        fs::remove_file(file).unwrap();
    }
    bench.notifier.send(&parcel).await.unwrap();
    assert_eq!(bench.told(), [""; 0]);
    bench.notifier.send(&Bench::parcel(2, Notice::Completed)).await.unwrap();
    assert_eq!(bench.told().len(), 3);
}

#[tokio::test]
async fn one_bad_address_keeps_nobody_else_from_being_told() {
    let bench = bench("delegated").await;
    bench.set_email("sato", "not an address").await;
    let failure = bench.notifier.send(&Bench::parcel(1, Notice::Completed)).await.unwrap_err();
    assert!(failure.permanent);
    assert!(!failure.reason.contains("not an address"), "{}", failure.reason);
    assert_eq!(bench.told(), ["suzuki", "yamada"]);
}

#[tokio::test]
async fn what_the_mail_says_comes_from_the_ledger() {
    let bench = bench("delegated").await;
    bench.notifier.send(&Bench::parcel(1, Notice::IssuedByColleague)).await.unwrap();
    let yamada = format!("user-{}@", bench.users["yamada"]);
    let file = bench.files().into_iter().find(|f| f.to_string_lossy().contains(&yamada)).unwrap();
    let text = plain_text(&fs::read(file).unwrap());
    let until = dates::full(Language::Japanese, NOW.plus(Duration::from_hours(7 * 24)));
    for part in [
        "佐藤 花子 様のお手続き",
        "山田 太郎 様の証明書",
        until.as_str(),
        "*****12345",
        "青い鳥と三毛猫",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("0104212345"));
}

/// The first part of a message, decoded by hand.
fn plain_text(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let part = text.split("Content-Type: text/plain").nth(1).unwrap();
    let body = part.split("\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap();
    let lines: String = body.split_whitespace().collect();
    let bytes = data_encoding::BASE64.decode(lines.as_bytes()).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn letters_go_where_the_form_came_from() {
    let paper = bench("paper").await;
    let letters = paper.notifier.letters(&Bench::parcel(1, Notice::Rejected)).await.unwrap();
    assert_eq!((letters.len(), letters[0].address_version, letters[0].about), (1, 2, "rejected"));
    let inquiry = Bench::parcel(1, Notice::AddressInquiry);
    paper.notifier.send(&inquiry).await.unwrap();
    assert!(paper.files().is_empty(), "an inquiry goes by letter only");
    let letters = paper.notifier.letters(&inquiry).await.unwrap();
    assert_eq!(letters[0].address_version, 1, "to the address before the change");
    let online = bench("delegated").await;
    assert!(online.notifier.letters(&Bench::parcel(1, Notice::Lapsed)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lock_goes_by_letter_when_nobody_has_mail() {
    let bench = bench("delegated").await;
    let parcel = Bench::parcel(1, Notice::RetrievalLocked);
    assert!(bench.notifier.letters(&parcel).await.unwrap().is_empty());
    for who in ["sato", "suzuki", "yamada"] {
        bench.set_email(who, "").await;
    }
    assert_eq!(bench.notifier.letters(&parcel).await.unwrap().len(), 1);
    bench.notifier.send(&parcel).await.unwrap();
    assert!(bench.files().is_empty());
}

#[tokio::test]
async fn a_case_of_nobody_tells_nobody() {
    let bench = bench("delegated").await;
    let parcel = Parcel { case: CaseId(1), ..Bench::parcel(1, submission::Notice::Received) };
    bench.notifier.send(&parcel).await.unwrap();
    assert!(bench.files().is_empty());
}

/// Every notice that has a mail is sent for real: no field that its template wants is missing.
#[tokio::test]
async fn every_notice_can_be_told() {
    use clerical::Notice as Clerical;
    use credential::{Kind, Notice as Credential};
    use submission::Notice as Submission;
    let bench = bench("paper").await;
    let tracking = || "12345678901".to_owned();
    let mut told = Vec::new();
    let mut id = 0;
    macro_rules! tell {
        ($($notice:expr),* $(,)?) => {$({
            id += 1;
            let parcel = Bench::parcel(id, $notice);
            told.extend(parcel.body.announce().template);
            bench.notifier.send(&parcel).await.unwrap();
        })*};
    }
    tell!(
        Notice::Issued,
        Notice::IssuedByColleague,
        Notice::Granted,
        Notice::Approved,
        Notice::Dispatched { tracking: tracking() },
        Notice::Defective,
        Notice::DefectReminder,
        Notice::AddressInquiry,
        Notice::CallAwaited,
        Notice::Undelivered,
        Notice::Rejected,
        Notice::NotNeeded,
        Notice::Duplicate,
        Notice::ClosedNoResponse,
        Notice::ClosedUndeliverable,
        Notice::Lapsed,
        Notice::Withdrawn,
        Notice::Superseded,
        Notice::ExpiryHalfway,
        Notice::ExpiryTomorrow,
        Notice::Expired,
        Notice::RetrievalLocked,
        Notice::ClosedLocked,
        Notice::CertificateReady,
        Notice::CertificateFailed,
        Notice::FirstLoginReminder,
        Notice::Completed,
        Notice::ClosedUnused,
        Notice::Stopped,
        Notice::StopSettled,
        Credential::Locked { kind: Kind::Login },
        Credential::Unlocked { kind: Kind::Transaction },
        Credential::Reset { kind: Kind::OneTimePassword },
        Credential::Locked { kind: Kind::Retrieval },
        Credential::Enrolled { kind: Kind::Login },
        Credential::Changed { kind: Kind::Transaction },
        Credential::Guidance,
        enrolment::Notice::CodeIssued,
        enrolment::Notice::CodePosted { tracking: tracking() },
        enrolment::Notice::CodeLocked,
        enrolment::Notice::CodeExpired,
        expiry::Notice::CertificateExpiring { last: true },
        Submission::DraftReminder,
        Submission::Received,
        Submission::PagesMissing,
        Submission::PagesReminder,
        Submission::Returned,
        Clerical::Approved,
        Clerical::Done { request: clerical::Request::LoginReset },
        Clerical::UserId,
        Clerical::Refused,
        Clerical::Withdrawn,
        Clerical::Lapsed,
    );
    told.sort_unstable();
    told.dedup();
    let templates: Vec<&str> = crate::mail::TEMPLATES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(told, templates, "every template is used, every notice has one");
}

#[test]
fn numbers_are_masked_and_grouped() {
    assert_eq!(masked("0104212345"), "*****12345");
    assert_eq!(masked(""), "");
    assert_eq!(grouped("12345678901"), "123-45-67890-1");
}
