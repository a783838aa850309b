//! What the story needs: a data folder, a sample ledger, a clock set by hand, a running server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use engine::{CaseId, Clock, Entropy, Moment};
use saihakko::app::{App, Surroundings};
use saihakko::config::{Config, DatabaseUrl};
use saihakko::customer::{Session, SignIn, SignedIn};
use saihakko::import::{self, samples};
use saihakko::secret::{HashCost, OneTimeCard, hash_password};
use saihakko::server::Server;
use saihakko::store::cases;
use zeroize::Zeroizing;

use super::SmtpServer;
use crate::command::say;

/// Marks a folder that a demonstration may replace.
const MARK: &str = ".saihakko-demo";
/// From where the people of the story come.
pub const PLACE: &str = "127.0.0.1";

/// Writes the sample ledger with its passwords hashed; gives the lists.
pub fn write_ledger(dir: &Path, entropy: &Entropy, cost: HashCost) -> Result<Vec<PathBuf>> {
    let lists = samples::write(dir, |one| {
        hash_password(entropy, None, one.secret.as_bytes(), cost).map_err(std::io::Error::other)
    });
    lists.with_context(|| format!("{} cannot be written", dir.display()))
}

/// A heading of the story.
pub fn act(number: &str, title: &str) {
    say(format_args!("\n{number}. {title}"));
}

/// A step of the story that held.
pub fn did(what: impl std::fmt::Display) {
    say(format_args!("   ✓ {what}"));
}

/// Everything the acts play on.
pub struct Stage {
    /// The application.
    pub app: App,
    /// The running server.
    pub server: Server,
    /// Where files go.
    pub dir: PathBuf,
    /// The cases of the story, by title.
    pub cases: Vec<(CaseId, &'static str)>,
}

impl Stage {
    /// Makes the folder, imports the sample ledger and starts the server.
    pub async fn set(
        dir: &Path,
        database: String,
        smtp: Option<&SmtpServer>,
        usual_ports: bool,
    ) -> Result<Self> {
        clear(dir)?;
        for name in ["forms", "scans", "letters", "certificates", "histories", "diagrams"] {
            std::fs::create_dir_all(dir.join(name))?;
        }
        std::fs::write(dir.join(MARK), "")?;
        let mut config = Config::for_demo(dir);
        config.database.url = DatabaseUrl(database);
        if let Some(server) = smtp {
            config.mail.host.clone_from(&server.host);
            config.mail.port = server.port;
        }
        if !usual_ports || !are_free(&mut config) {
            for site in config.sites_mut() {
                site.address = SocketAddr::from(([127, 0, 0, 1], 0));
            }
        }
        // The story moves the clock; it begins at the machine's time.
        let clock = Clock::manual(Moment::of_this_machine());
        let around = Surroundings { clock, ..Surroundings::of_this_machine()? };
        let app = App::open(config, around).await?;
        let server = Server::start(&app).await?;
        let stage = Self { app, server, dir: dir.to_owned(), cases: Vec::new() };
        stage.import().await?;
        Ok(stage)
    }

    async fn import(&self) -> Result<()> {
        let tools = &self.app.tools;
        let lists = write_ledger(&self.dir.join("ledger"), &tools.entropy, tools.hash_cost())?;
        let cost = tools.hash_cost();
        let report = import::import(&self.app.engine, &tools.keys, cost, &lists).await?;
        ensure!(report.problems.is_empty(), "the sample ledger has bad rows: {report:?}");
        self.app.open_missing_credentials().await?;
        let rows: u64 = report.counts.values().map(|counts| counts.new).sum();
        did(format_args!("サンプル台帳を取り込みました / sample ledger imported: {rows} rows"));
        Ok(())
    }

    /// Remembers a case for the end of the story.
    pub fn remember(&mut self, case: CaseId, title: &'static str) {
        self.cases.push((case, title));
    }

    /// Writes a file of the story.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("{} not written", path.display()))?;
        Ok(path)
    }

    /// Signs a sample user in and gives session and cookies.
    pub async fn sign_in(
        &self,
        contract: &str,
        user_id: &str,
        certificate: Option<&str>,
    ) -> Result<(Session, SignedIn)> {
        let typed = SignIn {
            contract: contract.to_owned(),
            user_id: user_id.to_owned(),
            password: Zeroizing::new(format!("login-{user_id}")),
            place: PLACE.to_owned(),
            certificate: certificate.map(ToOwned::to_owned),
        };
        let signed_in = self.app.sign_in(&typed).await?;
        let session = self.app.session(&signed_in.token, PLACE).await?;
        Ok((session, signed_in))
    }

    /// What the user's one-time-password card shows now.
    pub async fn card(&self, user_id: &str) -> Result<String> {
        let card = OneTimeCard::new(&samples::card_seed(user_id))?;
        let now = self.app.tools.db.now().await?.seconds();
        Ok(card.shown_at(u64::try_from(now)?))
    }

    /// Waits until nothing is left to leave the house.
    pub async fn quiet(&self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        let mut changes = self.app.engine.changes();
        loop {
            let mut tx = self.app.tools.db.read().await?;
            let (waiting, dead) = cases::outbox_counts(&mut tx).await?;
            drop(tx);
            ensure!(dead == 0, "{dead} dead letters");
            if waiting == 0 {
                return Ok(());
            }
            ensure!(tokio::time::Instant::now() < deadline, "{waiting} rows wait in the outbox");
            let next = tokio::time::Instant::now() + Duration::from_millis(50);
            let _ = tokio::time::timeout_at(next, changes.recv()).await;
        }
    }

    /// Moves the clock and wakes the engine.
    pub fn pass_time(&self, span: Duration) -> Result<()> {
        let Clock::Manual(at) = self.app.tools.db.clock() else { bail!("the clock is not ours") };
        at.fetch_add(i64::try_from(span.as_micros())?, Ordering::SeqCst);
        self.app.engine.wake();
        Ok(())
    }

    /// Where a case stands.
    pub async fn state(&self, case: CaseId) -> Result<String> {
        let mut tx = self.app.tools.db.read().await?;
        let row = engine::case::find(&mut tx, case).await?.context("the case is gone")?;
        Ok(row.state_name)
    }

    /// Waits until a case stands in a state.
    pub async fn until(&self, case: CaseId, wanted: &str) -> Result<()> {
        let mut changes = self.app.engine.changes();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let state = self.state(case).await?;
            if state == wanted {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "case {case} stands in {state}, not in {wanted}"
            );
            let next = tokio::time::Instant::now() + Duration::from_millis(100);
            let _ = tokio::time::timeout_at(next, changes.recv()).await;
        }
    }

    /// Stops the server and closes the database.
    pub async fn end(self) -> Result<()> {
        self.server.stop().await;
        self.app.take_checkpoint().await?;
        self.app.tools.db.close().await;
        Ok(())
    }
}

/// Removes an earlier demonstration; touches nothing else.
fn clear(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let is_empty = std::fs::read_dir(dir)?.next().is_none();
    if is_empty {
        return Ok(());
    }
    if !dir.join(MARK).exists() {
        bail!("{} is not empty and no demonstration: choose another --dir", dir.display());
    }
    std::fs::remove_dir_all(dir).with_context(|| format!("{} not removed", dir.display()))
}

/// True when nobody listens on the usual ports.
fn are_free(config: &mut Config) -> bool {
    config.sites_mut().into_iter().all(|site| std::net::TcpListener::bind(site.address).is_ok())
}
