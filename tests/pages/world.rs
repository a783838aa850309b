//! A small world behind the pages: a real engine on a real database, real workflows, and a host
//! whose ledger is a table of facts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::calendar::Calendar;
use engine::outbox::Retry;
use engine::{
    Actor, Addressed, Answer, Ask, CaseId, Clock, Db, Desk, Engine, Entropy, Failure, Fault, Host,
    Moment, Origin, Outcome, Parcel, Submission, Tx, Workflow, Write,
};
use saihakko::policy::Viewer;
use saihakko::text::Texts;
use saihakko::web::start::Site;
use tempfile::TempDir;
use workflows::terms::{
    DefectCode, Effect, Facts, Job, KeyOrigin, Notice, Reason, Refusal, Role, Rules, Signal,
    SubmissionRef, UserRef,
};
use workflows::{paper, self_service, tail};

/// 2026-11-19 09:42 in Japan.
pub(crate) const BEGINNING: Moment = Moment::from_seconds(1_795_048_920);

/// A path whose worker can tell the tail what it made.
pub(crate) trait Path:
    Workflow<
        Role = Role,
        Facts = Facts,
        Rules = Rules,
        Effect = Effect,
        Notice = Notice,
        Job = Job,
        Signal = Signal,
        Refusal = Refusal,
    >
{
    fn tail(command: tail::Command) -> Self::Command;
    fn printed() -> Option<Self::Command>;
}

impl Path for self_service::SelfService {
    fn tail(command: tail::Command) -> Self::Command {
        self_service::Command::Tail(command)
    }
    fn printed() -> Option<Self::Command> {
        None
    }
}

impl Path for paper::Paper {
    fn tail(command: tail::Command) -> Self::Command {
        paper::Command::Tail(command)
    }
    fn printed() -> Option<Self::Command> {
        Some(paper::Command::Print)
    }
}

/// Facts by command id; whatever is not listed is as it should be.
#[derive(Default)]
pub(crate) struct Ledger {
    facts: Mutex<HashMap<String, Facts>>,
    /// Subjects whose mail server is down.
    unreachable: Mutex<Vec<String>>,
}

pub(crate) fn good() -> Facts {
    Facts {
        contract_active: true,
        user_active: true,
        certificate_needed: true,
        renewable: false,
        reason: Reason::Expired,
        danger: false,
        user_authority: true,
        login_unlocked: true,
        otp_usable: true,
        retrieval_unlocked: true,
        colleague_can_log_in: false,
        colleague_qualifies: false,
        actor_is_user: true,
        same_contract: true,
        actor_authority: true,
        actor_certificate_active: true,
        actor_prepared: false,
        otp_vouched: true,
        transaction_vouched: true,
        user_reissues_today: 0,
        actor_reissues_today: 0,
        target_only_reveal: false,
        still_needed: true,
        address_fresh: false,
        specimen_valid: true,
        form_age_days: Some(2),
        batch_reconciled: true,
        remailed: false,
        password_used: false,
        open_cases: Vec::new(),
        siblings: Vec::new(),
        retrieval_credential: None,
    }
}

impl<W: Path> Host<W> for Ledger {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<Rules> {
        Arc::new(Rules::default())
    }

    async fn prepare(&self, _: &Ask<'_, W>, (): &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, _: &mut Tx, _: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    async fn facts(&self, _: &mut Tx, asks: &[Ask<'_, W>]) -> Result<Vec<Facts>, Fault> {
        let known = self.facts.lock().unwrap();
        Ok(asks.iter().map(|ask| known.get(ask.command_id).cloned().unwrap_or_else(good)).collect())
    }

    async fn apply(&self, _: &mut Tx, _: &[Write<'_, W, ()>]) -> Result<(), Fault> {
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        panic!("no case here has a neighbour: {signal:?}")
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        if self.unreachable.lock().unwrap().contains(&parcel.subject) {
            return Err(Failure::permanent("the mail server refuses the recipient"));
        }
        Ok(())
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<W, ()>>, Failure> {
        let command = match parcel.body {
            Job::MakeCertificate { .. } => Some(W::tail(tail::Command::CertificateMade {
                serial: format!("{:032x}", parcel.id),
                key: KeyOrigin::Server,
            })),
            Job::PrintLetter => W::printed(),
            Job::OpenTask { .. } => None,
        };
        Ok(command.map(|command| Answer { command, attachment: () }))
    }
}

/// Everything that the pages show.
pub(crate) struct World {
    pub(crate) db: Db,
    /// Where the database lies, as long as the world stands.
    _folder: TempDir,
    clock: Clock,
    engine: Engine,
    ledger: Arc<Ledger>,
    online: Desk<self_service::SelfService, Ledger>,
    paper: Desk<paper::Paper, Ledger>,
}

pub(crate) fn entropy() -> Entropy {
    let counter = std::sync::atomic::AtomicU8::new(1);
    Arc::new(move |bytes: &mut [u8]| {
        bytes.fill(counter.fetch_add(7, std::sync::atomic::Ordering::SeqCst));
    })
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Clock::manual(BEGINNING);
        let path = folder.path().join("saihakko.sqlite");
        let db = Db::sqlite(&path, true, clock.clone()).await.unwrap();
        saihakko::store::migrate(&db).await.unwrap();
        let offset = saihakko::dates::JAPAN;
        let engine =
            Engine::new(db.clone(), Calendar::new(offset, []), Retry::default(), entropy());
        let ledger = Arc::new(Ledger::default());
        let online = engine.register(ledger.clone());
        let paper = engine.register(ledger.clone());
        let world = Self { db, _folder: folder, clock, engine, ledger, online, paper };
        for (person, login, name, roles) in [
            ("1", "sasaki", "佐々木 涼子", "clerk"),
            ("2", "tanaka", "田中 美和", "approver"),
            ("3", "kimura", "木村 誠", "dispatch"),
        ] {
            world.hire(person, login, name, roles).await;
        }
        world
    }

    async fn hire(&self, person: &str, login: &str, name: &str, roles: &str) {
        const SQL: &str = "INSERT INTO staff (person, login, name, roles) VALUES ($1, $2, $3, $4)";
        let mut tx = self.db.write().await.unwrap();
        engine::on!(&mut tx, |conn| sqlx::query(SQL)
            .bind(person)
            .bind(login)
            .bind(name)
            .bind(roles)
            .execute(conn)
            .await
            .map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Hours pass, and whatever falls due is done.
    pub(crate) async fn wait(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
        self.engine.drain().await.unwrap();
    }

    async fn online(&self, case: CaseId, command: self_service::Command, minutes: u64) {
        self.wait(minutes).await;
        let actor = Actor::new("user-7", Role::AuthorityHolder);
        let id = format!(
            "online-{case}-{}-{}",
            engine::label(&command),
            self.engine.db().now().await.unwrap().0
        );
        let submission = match command {
            self_service::Command::Open { .. } => {
                Submission::opening(case, "user-7", command, actor, id)
            }
            command => Submission::new(case, command, actor, id),
        };
        let origin = Origin { auth: "password+otp".into(), place: "203.0.113.24".into() };
        self.online.submit(submission.from(origin), ()).await.unwrap();
        self.engine.drain().await.unwrap();
    }

    async fn paper(
        &self,
        case: CaseId,
        command: paper::Command,
        (person, role): (&str, Role),
        facts: Facts,
        minutes: u64,
    ) -> Outcome<paper::Paper> {
        self.wait(minutes).await;
        let id = format!(
            "paper-{case}-{}-{}",
            engine::label(&command),
            self.engine.db().now().await.unwrap().0
        );
        self.ledger.facts.lock().unwrap().insert(id.clone(), facts);
        let actor = Actor::new(person, role);
        let submission = match command {
            paper::Command::Open { .. } => Submission::opening(case, "user-9", command, actor, id),
            command => Submission::new(case, command, actor, id),
        };
        let origin = Origin { auth: "password+totp".into(), place: "terminal-3".into() };
        let outcome = self.paper.submit(submission.from(origin), ()).await.unwrap();
        self.engine.drain().await.unwrap();
        outcome
    }

    /// Path 1 to its end: a certificate that logged in.
    pub(crate) async fn completed(&self) -> CaseId {
        let case = self.engine.next_case().await.unwrap();
        let open = self_service::Command::Open { user: UserRef(7), reason: Reason::Expired };
        self.online(case, open, 3).await;
        self.online(case, self_service::Command::PassOtp, 1).await;
        self.online(case, self_service::Command::Issue, 1).await;
        self.online(case, self_service::Command::Tail(tail::Command::Noted), 2).await;
        self.claim(case).await;
        let serial = self.serial(case).await;
        let login = tail::Command::FirstLogin { serial };
        self.online(case, self_service::Command::Tail(login), 12).await;
        case
    }

    /// What the retrieval credential does when the digits were right.
    async fn claim(&self, case: CaseId) {
        self.wait(4).await;
        let claim = self_service::Command::Tail(tail::Command::Claim { csr: None });
        let actor = Actor::peer(CaseId(1));
        let submission = Submission::new(case, claim, actor, format!("claim-{case}"));
        self.online.submit(submission, ()).await.unwrap();
        self.engine.drain().await.unwrap();
    }

    async fn serial(&self, case: CaseId) -> String {
        let (_, state) = self.online.find(case).await.unwrap().unwrap();
        match state {
            self_service::State::Tail(tail::State::CertificateIssued { serial, .. }) => serial,
            other => panic!("no certificate: {other:?}"),
        }
    }

    /// Path 1, its password never used.
    pub(crate) async fn expired(&self) -> CaseId {
        let case = self.engine.next_case().await.unwrap();
        let open = self_service::Command::Open { user: UserRef(7), reason: Reason::Forgotten };
        self.online(case, open, 5).await;
        self.online(case, self_service::Command::PassOtp, 1).await;
        self.online(case, self_service::Command::Issue, 1).await;
        self.wait(60 * 26).await;
        case
    }

    /// Path 1, locked after five wrong entries.
    pub(crate) async fn locked(&self) -> CaseId {
        let case = self.engine.next_case().await.unwrap();
        let open = self_service::Command::Open { user: UserRef(7), reason: Reason::NewPc };
        self.online(case, open, 5).await;
        self.online(case, self_service::Command::PassOtp, 1).await;
        self.online(case, self_service::Command::Issue, 1).await;
        self.wait(8).await;
        let locked = self_service::Command::Tail(tail::Command::RetrievalLocked);
        let submission =
            Submission::new(case, locked, Actor::peer(CaseId(1)), format!("lock-{case}"));
        self.online.submit(submission, ()).await.unwrap();
        self.engine.drain().await.unwrap();
        case
    }

    /// Path 3: a defect, a corrected form, a refused self-approval, an approval, a letter.
    pub(crate) async fn on_paper(&self) -> CaseId {
        use paper::Command as C;
        let (clerk, approver) = (("staff-1", Role::Clerk), ("staff-2", Role::Approver));
        let (dispatch, mail_room) = (("staff-3", Role::Dispatch), ("staff-4", Role::MailRoom));
        let case = self.engine.next_case().await.unwrap();
        let submission = SubmissionRef(4);
        let open = C::Open { user: UserRef(9), submission };
        self.paper(case, open, clerk, good(), 30).await;
        self.paper(case, C::Defect { codes: vec![DefectCode::Name] }, clerk, good(), 81).await;
        let resubmit = C::Resubmit { submission: SubmissionRef(5) };
        self.paper(case, resubmit, mail_room, good(), 60 * 95).await;
        self.paper(case, C::Check, clerk, good(), 60 * 3).await;
        self.paper(case, C::MatchSeal, clerk, good(), 11).await;
        let same = Facts { actor_prepared: true, ..good() };
        self.paper(case, C::Approve, ("staff-1", Role::Approver), same, 4).await;
        self.paper(case, C::Approve, approver, good(), 20).await;
        let tracking = "12345678903".to_owned();
        self.paper(case, C::Dispatch { tracking }, dispatch, good(), 190).await;
        case
    }

    /// Path 3, just begun.
    pub(crate) async fn fresh_on_paper(&self) -> CaseId {
        let case = self.engine.next_case().await.unwrap();
        let open = paper::Command::Open { user: UserRef(9), submission: SubmissionRef(6) };
        self.paper(case, open, ("staff-1", Role::Clerk), good(), 45).await;
        case
    }

    /// From now on nobody can write to this subject.
    pub(crate) fn cut_off(&self, subject: &str) {
        self.ledger.unreachable.lock().unwrap().push(subject.to_owned());
    }

    /// The operator's pages over this world.
    pub(crate) fn site(&self, hosts: &[&str]) -> Site {
        Site {
            db: self.db.clone(),
            texts: Arc::new(Texts::load().unwrap()),
            house: forms::House::sample(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            entropy: entropy(),
            viewer: Viewer::Operator,
            checkpoint: Arc::new(|| None),
        }
    }
}
