//! A data folder with very many finished cases: a ledger by way of the import, one case of each
//! online way played through the application, and copies of these for everybody.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use data_encoding::BASE32;
use engine::copies::{Copy, Template};
use engine::{CaseId, Moment};
use pki::{BundlePassword, Certificate, ClientSpecification, PrivateKey, RevocationUrl, Serial};
use saihakko::app::App;
use saihakko::customer::{Display, Session, SignIn, SignedIn};
use saihakko::import;
use saihakko::import::samples::card_seed;
use saihakko::secret::{OneTimeCard, hash_password};
use saihakko::store::certificates::CertificateRow;
use saihakko::store::copies::{self, Person, ReissueCopy};
use workflows::terms::Reason;
use zeroize::Zeroizing;

/// Users of a contract, and how many of them hold the reissue authority.
const USERS: usize = 40;
const HOLDERS: usize = 6;
/// Cases of a user.
const CASES: usize = 5;
/// The passwords of everybody; the folder is thrown away.
pub const LOGIN: &str = "login-of-the-bench";
/// Confirms a reissue for a colleague.
pub const ORDER: &str = "order-of-the-bench";
const PLACE: &str = "127.0.0.1";
/// The registered seal of everybody.
const SEAL: &[u8] = include_bytes!("../../../samples/seal-mizuiro.png");
/// How many clerks, and how many approvers, the office has at most.
const CLERKS: usize = 40;
const APPROVERS: usize = 10;
const DAY: u64 = 86_400;

/// An administrator with a certificate that logs in.
pub struct Holder {
    /// The certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: Arc<PrivateKey>,
    /// A colleague of the same contract.
    pub colleague: String,
}

/// Somebody who signs in with a password.
#[derive(Clone)]
pub struct User {
    /// Who.
    pub person: Person,
    /// The newest case.
    pub case: CaseId,
}

/// Who lives in the folder.
pub struct Town {
    /// With certificates, for the certificate site.
    pub holders: Vec<Holder>,
    /// For the customers' site.
    pub users: Vec<User>,
    /// Who reissue for themselves, once each.
    pub issuers: Vec<Person>,
    /// Cases written.
    pub cases: usize,
}

/// Fills an empty folder.
pub async fn fill(app: &App, dir: &Path, cases: usize, holders: usize) -> Result<Town> {
    let contracts = cases.div_ceil(CASES * USERS).max(1);
    import_ledger(app, dir, contracts).await?;
    let mut tx = app.tools.db.read().await?;
    let people = copies::people(&mut tx).await?;
    drop(tx);
    let first = people.get(..USERS).context("no contract")?;
    let (own, colleague) = play(app, first).await?;
    let mut town = Town { holders: Vec::new(), users: Vec::new(), issuers: Vec::new(), cases: 0 };
    let now = app.tools.db.now().await?;
    let key = Arc::new(PrivateKey::generate()?);
    let printer = Printer { app, own: &own, colleague: &colleague, key, now };
    for contract in people.chunks(USERS) {
        printer.contract(contract, &mut town, cases, holders).await?;
    }
    app.take_checkpoint().await?;
    app.publish_revocation_list().await?;
    Ok(town)
}

/// The staff by login and role.
fn office() -> impl Iterator<Item = (String, &'static str)> {
    let clerks = (0..CLERKS).map(|no| (format!("clerk{no}"), "clerk"));
    let approvers = (0..APPROVERS).map(|no| (format!("approver{no}"), "approver"));
    clerks.chain(approvers).chain(std::iter::once(("mailroom".to_owned(), "mail_room")))
}

fn user_id(contract: usize, user: usize) -> String {
    format!("{:09}", 100_000_000 + contract * 100 + user)
}

async fn import_ledger(app: &App, dir: &Path, contracts: usize) -> Result<()> {
    let tools = &app.tools;
    let hash =
        |secret: &str| hash_password(&tools.entropy, None, secret.as_bytes(), tools.hash_cost());
    let (login, order) = (hash(LOGIN)?, hash(ORDER)?);
    let mut lists = [
        ("contracts.csv", "number,variant,status,company,company_kana,representative,branch,account_type,account_number,phone,language,phrase,target_only_reveal\n".to_owned()),
        ("addresses.csv", "contract,postal_code,address,changed_on\n".to_owned()),
        ("users.csv", "contract,user_id,name,kana,department,title,email,language,status,reissue_authority,certificate_required\n".to_owned()),
        ("credentials.csv", "contract,user_id,kind,secret\n".to_owned()),
        ("specimens.csv", "contract,valid_from,picture\n".to_owned()),
        ("staff.csv", "person,login,name,roles,password,seed\n".to_owned()),
    ];
    let [(_, companies), (_, addresses), (_, users), (_, credentials), (_, specimens), (_, staff)] =
        &mut lists;
    for (name, role) in office() {
        let seed = BASE32.encode(&card_seed(&name));
        writeln!(staff, "S-{name},{name},見本 {name},{role},\"{login}\",{seed}")?;
    }
    for no in 0..contracts {
        let number = format!("30{no:08}");
        writeln!(
            companies,
            "{number},bizstation,active,株式会社 見本{no},カブシキガイシャ ミホン,代表取締役 見本 一郎,042,ordinary,{no:07},03-0000-0101,ja,青い鳥,false"
        )?;
        writeln!(addresses, "{number},100-0000,東京都千代田区見本町{no}番地,2018-04-01")?;
        writeln!(specimens, "{number},2018-04-01,seal.png")?;
        for user in 0..USERS {
            let id = user_id(no, user);
            let holds = user < HOLDERS;
            writeln!(
                users,
                "{number},{id},見本 太郎{user},ミホン タロウ,総務部,係長,u{id}@customer.example,ja,active,{holds},true"
            )?;
            writeln!(credentials, "{number},{id},login,\"{login}\"")?;
            if holds {
                let seed = BASE32.encode(&card_seed(&id));
                writeln!(credentials, "{number},{id},transaction,\"{order}\"")?;
                writeln!(credentials, "{number},{id},one_time_password,{seed}")?;
            }
        }
    }
    let folder = dir.join("ledger");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("seal.png"), SEAL)?;
    let mut paths = Vec::new();
    for (name, text) in lists {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        paths.push(path);
    }
    let report = import::import(&app.engine, &tools.keys, tools.hash_cost(), &paths).await?;
    anyhow::ensure!(report.problems.is_empty(), "the ledger has bad rows: {report:?}");
    app.open_missing_credentials().await?;
    Ok(())
}

/// What a card shows at a moment.
pub fn card(user_id: &str, seconds: i64) -> Result<String> {
    let card = OneTimeCard::new(&card_seed(user_id))?;
    Ok(card.shown_at(u64::try_from(seconds)?))
}

/// Signs somebody in.
pub async fn enter(
    app: &App,
    who: &Person,
    certificate: Option<String>,
) -> Result<(Session, SignedIn)> {
    let typed = SignIn {
        contract: who.contract.clone(),
        user_id: who.user_id.clone(),
        password: Zeroizing::new(LOGIN.to_owned()),
        place: PLACE.to_owned(),
        certificate,
    };
    let signed_in = app.sign_in(&typed).await?;
    Ok((app.session(&signed_in.token, PLACE).await?, signed_in))
}

/// A case that was played, with the people in it and the serial of the certificate it came to.
struct Played {
    template: Template,
    user: String,
    opener: String,
    serial: String,
}

/// Plays both online ways to their ends.
async fn play(app: &App, people: &[Person]) -> Result<(Played, Played)> {
    let holder = people.get(HOLDERS - 1).context("nobody holds the authority")?;
    let target = people.last().context("nobody is there")?;
    let (session, signed_in) = enter(app, holder, None).await?;
    let case = app.begin_own_reissue(&session, Reason::Expired, "bench").await?;
    let code = card(&holder.user_id, app.tools.db.now().await?.seconds())?;
    let token = app.enter_one_time_password(&session, &code).await?;
    let session = app.session(&token, PLACE).await?;
    app.issue_for_oneself(&session, case, &signed_in.ticket).await?;
    let own = finish(app, &session, &session, &signed_in, case).await?;

    let (session, signed_in) = enter(app, holder, Some(own.serial.clone())).await?;
    let case = app.begin_colleague_reissue(&session, &target.user_id, Reason::NewPc, "b").await?;
    app.confirm_colleague_reissue(&session, case, ORDER, &signed_in.ticket).await?;
    let (theirs, _) = enter(app, target, None).await?;
    let colleague = finish(app, &session, &theirs, &signed_in, case).await?;
    Ok((own, colleague))
}

/// Enters the digits, has the certificate made, logs in with it.
async fn finish(
    app: &App,
    shown_to: &Session,
    user: &Session,
    signed_in: &SignedIn,
    case: CaseId,
) -> Result<Played> {
    app.engine.drain().await?;
    let Display::Digits(shown) = app.display(shown_to, case, &signed_in.ticket).await? else {
        bail!("no digits are shown")
    };
    let typed = String::from_utf8(shown.digits.expose_ascii().to_vec())?;
    app.claim(user, &typed, None).await?;
    app.engine.drain().await?;
    app.fetch(user, case, &BundlePassword::empty()).await?;
    let mut tx = app.tools.db.read().await?;
    let serial = saihakko::store::certificates::newest_of_case(&mut tx, case).await?;
    let serial = serial.context("no certificate was made")?;
    let certificate = saihakko::store::certificates::by_serial(&mut tx, &serial).await?;
    let certificate = certificate.context("no certificate was made")?;
    drop(tx);
    app.visit(&engine::history::digest(&certificate.der), PLACE).await?;
    app.engine.drain().await?;
    let mut tx = app.tools.db.read().await?;
    let template = Template::read(&mut tx, case).await?;
    let (user, opener) = (format!("user-{}", user.user), format!("user-{}", shown_to.user));
    Ok(Played { template, user, opener, serial })
}

/// Writes copies.
struct Printer<'a> {
    app: &'a App,
    own: &'a Played,
    colleague: &'a Played,
    key: Arc<PrivateKey>,
    now: Moment,
}

impl Printer<'_> {
    /// Everybody's cases of one contract, in one transaction.
    async fn contract(
        &self,
        people: &[Person],
        town: &mut Town,
        cases: usize,
        holders: usize,
    ) -> Result<()> {
        let administrator = people.first().context("a contract without anybody")?;
        // Numbers are taken in transactions of their own.
        let mut numbers = Vec::new();
        for _ in 0..(CASES * people.len()).min(cases.saturating_sub(town.cases)) {
            numbers.push(self.app.engine.next_case().await?);
        }
        let mut numbers = numbers.into_iter();
        let mut tx = self.app.tools.db.write().await?;
        for (index, person) in people.iter().enumerate() {
            let mut newest = None;
            for turn in (0..CASES).rev() {
                let Some(case) = numbers.next() else { break };
                let (certificate, row) = self.certificate(person, turn, case)?;
                let opener = if person.reissue_authority { person } else { administrator };
                self.copy(&mut tx, case, (opener, person), turn, &row).await?;
                town.cases += 1;
                if index == 0 && turn == 0 && town.holders.len() < holders {
                    let colleague = people.last().context("nobody is there")?.user_id.clone();
                    town.holders.push(Holder { certificate, key: self.key.clone(), colleague });
                }
                newest = Some(case);
            }
            match (index, newest) {
                (1, Some(case)) => town.users.push(User { person: person.clone(), case }),
                // The last holder has played the template.
                (2.., _) if index < HOLDERS - 1 => town.issuers.push(person.clone()),
                _ => {}
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// The certificate that came of a case, signed by the authority. All are for one key, which
    /// nobody minds here; the newest of a user is in force.
    fn certificate(
        &self,
        person: &Person,
        turn: usize,
        case: CaseId,
    ) -> Result<(Certificate, CertificateRow)> {
        let tools = &self.app.tools;
        let mut octets = [0; 16];
        (tools.entropy)(&mut octets);
        let age = i64::try_from(age(turn, person.id).as_secs())?;
        let made = self.now.seconds() - age;
        let specification = ClientSpecification {
            subject: pki::Subject::new(&person.user_id)?,
            validity: pki::Validity::years(made, 1)?,
            serial: Serial::from_random(octets),
            revocation_url: RevocationUrl::new(&tools.config.certificates.revocation_list_url)?,
        };
        let certificate = tools.authority.issue_client(&specification, self.key.public_key())?;
        let (state, why) = if turn == 0 { ("active", "") } else { ("revoked", "superseded") };
        let row = CertificateRow {
            serial: specification.serial.to_string(),
            fingerprint: engine::history::digest(certificate.der()).to_vec(),
            user_id: person.id,
            case_id: Some(case.0),
            der: certificate.der().to_vec(),
            not_before: specification.validity.not_before(),
            not_after: specification.validity.not_after(),
            state: state.to_owned(),
            held_by: None,
            why: why.to_owned(),
            changed_at: made * 1_000_000,
            unused: false,
            sealed_key: None,
        };
        Ok((certificate, row))
    }

    async fn copy(
        &self,
        tx: &mut engine::Tx,
        case: CaseId,
        (opener, person): (&Person, &Person),
        turn: usize,
        certificate: &CertificateRow,
    ) -> Result<()> {
        let played = if person.reissue_authority { self.own } else { self.colleague };
        let (subject, opened_by) = (format!("user-{}", person.id), format!("user-{}", opener.id));
        let actors =
            [(played.user.clone(), subject.clone()), (played.opener.clone(), opened_by.clone())];
        let reissue = ReissueCopy {
            copy: Copy { case, subject: &subject, actors: &actors, earlier: age(turn, person.id) },
            user: person.id,
            opened_by: &opened_by,
            certificate,
        };
        copies::write(tx, &played.template, &reissue).await?;
        Ok(())
    }
}

/// Cases lie 200 days apart, the newest some weeks back, and nobody's at the same moment.
fn age(turn: usize, user: i64) -> Duration {
    let days = 30 + 200 * u64::try_from(turn).unwrap_or_default();
    Duration::from_secs(days * DAY + 37 * user.unsigned_abs())
}
