//! The application: everything opened, wired and running.

use std::path::PathBuf;
use std::sync::Arc;

use engine::{Clock, Db, Desk, Engine, Entropy, Fault};
use tokio::sync::Semaphore;
use workflows::account::Account;
use workflows::clerical::Clerical;
use workflows::credential::Credential;
use workflows::delegated::Delegated;
use workflows::enrolment::Enrolment;
use workflows::expiry::Expiry;
use workflows::mask::Mask;
use workflows::paper::Paper;
use workflows::proposal::Proposal;
use workflows::self_service::SelfService;
use workflows::submission::Submission;
use workflows::task::Task;

use crate::config::Config;
use crate::host::{
    AccountHost, ClericalHost, CredentialHost, EnrolmentHost, ExpiryHost, ItemDesks, MaskHost,
    ProposalHost, ReissueHost, SubmissionHost, TaskHost, Tools,
};
use crate::identity::Provider;
use crate::reader::Reader;
use crate::{keeper, store};

/// Where commands of each workflow go in.
#[derive(Clone)]
pub struct Desks {
    /// Credentials.
    pub credential: Desk<Credential, CredentialHost>,
    /// Enrolment codes.
    pub enrolment: Desk<Enrolment, EnrolmentHost>,
    /// What is said before certificates expire.
    pub expiry: Desk<Expiry, ExpiryHost>,
    /// Path 1.
    pub self_service: Desk<SelfService, ReissueHost>,
    /// Path 2.
    pub delegated: Desk<Delegated, ReissueHost>,
    /// Path 3.
    pub paper: Desk<Paper, ReissueHost>,
    /// Envelopes.
    pub submission: Desk<Submission, SubmissionHost>,
    /// The form's other requests.
    pub clerical: Desk<Clerical, ClericalHost>,
    /// Tasks.
    pub task: Desk<Task, TaskHost>,
    /// Changes that two people make.
    pub proposal: Desk<Proposal, ProposalHost>,
    /// Staff's accounts.
    pub account: Desk<Account, AccountHost>,
    /// What is hidden on pages.
    pub mask: Desk<Mask, MaskHost>,
}

/// The running application; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What hosts and operations work with.
    pub tools: Arc<Tools>,
    /// The engine.
    pub engine: Engine,
    /// Its desks.
    pub desks: Desks,
    /// Reads scans in child processes.
    pub reader: Reader,
}

/// Why the application cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpeningFault {
    /// A part could not be opened.
    #[error("could not open the {part}")]
    Part {
        /// Which part.
        part: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpeningFault {
    pub(crate) fn part<E>(part: &'static str) -> impl Fn(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Part { part, source: source.into() }
    }
}

/// What opening needs besides the configuration: clock and randomness are arguments.
pub struct Surroundings {
    /// Where the time comes from.
    pub clock: Clock,
    /// Where random bytes come from.
    pub entropy: Entropy,
    /// The program that reads scans in a child process: `saihakko` itself.
    pub program: PathBuf,
}

impl Surroundings {
    /// The machine's own clock and generator, and this very program.
    pub fn of_this_machine() -> Result<Self, OpeningFault> {
        let program = std::env::current_exe().map_err(OpeningFault::part("program"))?;
        Ok(Self { clock: Clock::Database, entropy: system_entropy(), program })
    }
}

/// The operating system's generator. A system that has none cannot run this program: the bytes
/// would be predictable, so the process ends.
pub fn system_entropy() -> Entropy {
    Arc::new(|buffer| {
        if getrandom::fill(buffer).is_err() {
            std::process::abort();
        }
    })
}

impl App {
    /// Opens database, keys, authority and fonts, registers every workflow, and mends what an
    /// interrupted import left.
    pub async fn open(config: Config, around: Surroundings) -> Result<Self, OpeningFault> {
        let config = Arc::new(config);
        let db = open_database(&config, around.clock.clone()).await?;
        store::migrate(&db).await.map_err(OpeningFault::part("database"))?;
        let now = db.now().await.map_err(OpeningFault::part("database"))?;
        let kept = keeper::open(&config, &around.entropy, now)?;
        let calendar = keeper::calendar(&config, &db).await?;
        let font = (!config.forms.font.as_os_str().is_empty()).then(|| config.forms.font.clone());
        let press =
            forms::Press::new(&forms::FontChoice { configured: font, ..Default::default() })
                .map_err(OpeningFault::part("fonts"))?;
        let notifier = crate::notify::Notifier::new(&config, db.clone())
            .map_err(OpeningFault::part("mail"))?;
        let engine = Engine::new(db.clone(), calendar, config.retry, around.entropy.clone());
        let provider = Provider::of(&config.staff_identity)
            .map_err(OpeningFault::part("identity provider"))?;
        let hashing = Semaphore::new(parallel_hashes(&config));
        let tools = Arc::new(Tools {
            rules: Arc::new(config.rules.clone()),
            config,
            keys: kept.keys,
            entropy: around.entropy,
            authority: kept.authority,
            press,
            station: kept.station,
            notifier,
            db,
            provider,
            hashing,
        });
        let desks = register(&tools, &engine);
        let app = Self { tools, engine, desks, reader: Reader::new(around.program) };
        app.register_schedules().map_err(OpeningFault::part("schedules"))?;
        app.open_missing_credentials().await.map_err(OpeningFault::part("credentials"))?;
        Ok(app)
    }

    /// After an import: folds names for searches, opens the cases of credentials that have none yet,
    /// and makes imported enrolment codes live.
    pub async fn open_missing_credentials(&self) -> Result<usize, Fault> {
        self.fold_names().await?;
        let opened = self.open_credentials().await?;
        self.take_codes_over().await?;
        Ok(opened)
    }

    async fn open_credentials(&self) -> Result<usize, Fault> {
        let mut opened = 0;
        loop {
            let mut tx = self.tools.db.read().await?;
            let missing = store::credentials::without_case(&mut tx, 200).await?;
            drop(tx);
            if missing.is_empty() {
                break;
            }
            opened += missing.len();
            crate::customer::enrol(self, missing).await?;
        }
        loop {
            let mut tx = self.tools.db.read().await?;
            let brought = store::credentials::brought(&mut tx, 200).await?;
            drop(tx);
            if brought.is_empty() {
                return Ok(opened);
            }
            crate::customer::enrol_brought(self, brought).await?;
        }
    }
}

/// As many as configured; 0 takes one for each processor.
fn parallel_hashes(config: &Config) -> usize {
    match config.security.parallel_hashes {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => count,
    }
}

async fn open_database(config: &Config, clock: Clock) -> Result<Db, OpeningFault> {
    let url = &config.database.url.0;
    let opened = if url.is_empty() {
        std::fs::create_dir_all(&config.data.dir).map_err(OpeningFault::part("data folder"))?;
        Db::sqlite(&config.database_file(), true, clock).await
    } else {
        Db::postgres(url, config.database.connections, clock).await
    };
    opened.map_err(OpeningFault::part("database"))
}

/// Tasks first: every other host may open one.
fn register(tools: &Arc<Tools>, engine: &Engine) -> Desks {
    let task = engine.register(Arc::new(TaskHost::new(tools.clone())));
    let host = EnrolmentHost::new(tools.clone(), engine.clone(), task.clone());
    let enrolment = engine.register(Arc::new(host));
    let host = CredentialHost::new(tools.clone(), engine.clone(), enrolment.clone());
    let credential = engine.register(Arc::new(host));
    let expiry = engine.register(Arc::new(ExpiryHost::new(tools.clone())));
    let reissue = Arc::new(ReissueHost::new(tools.clone(), engine.clone(), task.clone()));
    let self_service = engine.register(reissue.clone());
    let delegated = engine.register(reissue.clone());
    let paper = engine.register(reissue);
    let clerical =
        engine.register(Arc::new(ClericalHost::new(tools.clone(), engine.clone(), task.clone())));
    let items = ItemDesks { tasks: task.clone(), paper: paper.clone(), clerical: clerical.clone() };
    let host = SubmissionHost::new(tools.clone(), engine.clone(), items);
    let submission = engine.register(Arc::new(host));
    let proposal = engine.register(Arc::new(ProposalHost::new(tools.clone(), engine.clone())));
    let account = engine.register(Arc::new(AccountHost::new(tools.clone())));
    let mask = engine.register(Arc::new(MaskHost::new(tools.clone())));
    Desks {
        credential,
        enrolment,
        expiry,
        self_service,
        delegated,
        paper,
        submission,
        clerical,
        task,
        proposal,
        account,
        mask,
    }
}
