//! `saihakko bench office`: clerks and approvers at work at the same time, each behind a connection
//! of their own, on a pile of forms among very many finished cases.
//!
//! Everybody does what a person does: look at the queue, take the next form, look at its scan and
//! seals, think, hand it on. The browser loads pictures over several connections at once, and asks for
//! what comes next to be made ready, as the pages' script does. What the server took is read from its own histogram; what a person
//! waited for the next case with its pictures is measured here. Every form has to be handed on
//! once and approved once: one that is lost, or taken twice, fails the measurement.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use engine::Moment;
use hyper::StatusCode;
use saihakko::app::{App, Surroundings};
use saihakko::config::Config;
use saihakko::web::page::address;
use serde::Serialize;
use tokio::task::JoinSet;

use super::client::{Client, Door, Reply};
use super::ground::{configure, note, on_ground, percentile};
use super::server::{Server, Times};
use super::{pile, seed};
use crate::command::{Answer, print_json, say};

#[derive(Args)]
pub struct OfficeOptions {
    /// How many finished cases.
    #[arg(long, default_value_t = 100_000)]
    cases: usize,
    /// How many forms are on the pile; at most one of every company, which has 200 cases.
    #[arg(long, default_value_t = 300)]
    forms: usize,
    /// How many clerks.
    #[arg(long, default_value_t = 20)]
    clerks: usize,
    /// How many approvers.
    #[arg(long, default_value_t = 5)]
    approvers: usize,
    /// How long everybody works.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Seconds that a clerk looks at a form; an approver a quarter of it.
    #[arg(long, default_value_t = 12.0)]
    think: f64,
    /// An empty PostgreSQL database; a fresh SQLite file without it.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Where the throw-away data folder is made; it must not exist.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    answer: Answer,
}

/// What people waited for, in milliseconds.
#[derive(Debug, Serialize)]
struct Waited {
    what: &'static str,
    times: usize,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

/// What a route took in the server, in milliseconds.
#[derive(Debug, Serialize)]
struct Served {
    route: &'static str,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

#[derive(Debug, Serialize)]
struct Figures {
    database: &'static str,
    cases: usize,
    forms: usize,
    clerks: usize,
    approvers: usize,
    seconds: f64,
    handed_on: usize,
    approved: usize,
    memory_mib: f64,
    waited: Vec<Waited>,
    served: Vec<Served>,
}

/// Measures.
pub async fn run(options: OfficeOptions) -> Result<ExitCode> {
    let figures =
        on_ground(options.dir.as_deref(), async |dir| measure(&options, dir).await).await?;
    if options.answer.json {
        print_json(&figures)?;
    } else {
        tell(&figures);
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &OfficeOptions, dir: &Path) -> Result<Figures> {
    let database = match &options.postgres {
        Some(url) => format!("[database]\nurl = {}\n", toml::Value::String(url.clone())),
        None => String::new(),
    };
    let file = configure(dir, &database)?;
    let app = App::open(Config::load(Some(&file))?, Surroundings::of_this_machine()?).await?;
    let town = seed::fill(&app, dir, options.cases, 1).await?;
    note(format_args!("{} cases", town.cases));
    let pile = pile::lay(&app, &town, options.forms).await?;
    let root = app.tools.authority.root_certificate().clone();
    if options.postgres.is_none() {
        app.tools.db.checkpoint_log().await?;
    }
    app.tools.db.close().await;
    drop(app);
    let server = Server::start(&file).await?;
    let door = Door::new(server.port("staff")?, &root, None)?;
    let before = server.times().await?;
    let begun = Instant::now();
    let done = work(options, &door).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = server.times().await?;
    let (memory_mib, _) = server.memory()?;
    server.stop().await?;
    ensure!(
        done.handed_on == pile.len() && done.approved == pile.len(),
        "of {} forms {} were handed on and {} approved: give them more time, or think less",
        pile.len(),
        done.handed_on,
        done.approved
    );
    Ok(Figures {
        database: if options.postgres.is_some() { "postgres" } else { "sqlite" },
        cases: town.cases,
        forms: pile.len(),
        clerks: options.clerks,
        approvers: options.approvers,
        seconds,
        handed_on: done.handed_on,
        approved: done.approved,
        memory_mib,
        waited: done.waited.into_iter().map(|(what, took)| waited(what, took)).collect(),
        served: ROUTES.into_iter().map(|route| served(route, &before, &after)).collect(),
    })
}

/// The routes that an office's day is made of.
const ROUTES: [&str; 8] = [
    "/queue/{queue}",
    "/queue/{queue}/next",
    "/desk/{case}",
    "/desk/{case}/page/{place}",
    "/desk/{case}/seal/{view}",
    "/desk/{case}/hand-on",
    "/desk/{case}/decide",
    "/search",
];

fn waited(what: &'static str, mut took: Vec<f64>) -> Waited {
    took.sort_unstable_by(f64::total_cmp);
    let at = |percent| percentile(&took, percent);
    Waited { what, times: took.len(), p50_ms: at(50), p95_ms: at(95), p99_ms: at(99) }
}

fn served(route: &'static str, before: &Times, after: &Times) -> Served {
    let at = |share| after.within(before, route, share);
    Served { route, p50_ms: at(0.50), p95_ms: at(0.95), p99_ms: at(0.99) }
}

/// What people look for: a user's number, a company, a name that very many have, its reading, a
/// contract.
const SEARCHES: [&str; 5] = ["100001203", "見本17", "見本 太郎9", "ミホン", "3000000042"];

/// What came of everybody's work.
#[derive(Default)]
struct Done {
    handed_on: usize,
    approved: usize,
    waited: BTreeMap<&'static str, Vec<f64>>,
}

/// Everybody works at the same time until the pile is done, or the time is up.
async fn work(options: &OfficeOptions, door: &Door) -> Result<Done> {
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let approved = Arc::new(AtomicUsize::new(0));
    let mut flying = JoinSet::new();
    let clerks = (0..options.clerks).map(|no| (format!("clerk{no}"), Desk::Check));
    let approvers = (0..options.approvers).map(|no| (format!("approver{no}"), Desk::Approve));
    for (at, (login, desk)) in clerks.chain(approvers).enumerate() {
        let think = match desk {
            Desk::Check => Duration::from_secs_f64(options.think),
            Desk::Approve => Duration::from_secs_f64(options.think / 4.0),
        };
        let mut person = Person {
            client: Client::new(door.clone()),
            desk,
            think,
            until,
            all: options.forms,
            approved: approved.clone(),
            waited: BTreeMap::new(),
        };
        flying.spawn(async move {
            // Nobody comes to work in the same moment.
            tokio::time::sleep(Duration::from_millis(150 * at as u64)).await;
            person.sign_in(&login).await?;
            let count = person.day().await.with_context(|| login)?;
            anyhow::Ok((person.desk, count, person.waited))
        });
    }
    let mut done = Done::default();
    while let Some(person) = flying.join_next().await {
        let (desk, count, waited) = person??;
        match desk {
            Desk::Check => done.handed_on += count,
            Desk::Approve => done.approved += count,
        }
        for (what, took) in waited {
            done.waited.entry(what).or_default().extend(took);
        }
    }
    Ok(done)
}

#[derive(Clone, Copy, PartialEq)]
enum Desk {
    Check,
    Approve,
}

impl Desk {
    const fn queue(self) -> &'static str {
        match self {
            Self::Check => "/queue/check",
            Self::Approve => "/queue/approve",
        }
    }
}

/// Somebody at a desk.
struct Person {
    client: Client,
    desk: Desk,
    think: Duration,
    until: Instant,
    /// The whole pile, and how much of it is approved.
    all: usize,
    approved: Arc<AtomicUsize>,
    waited: BTreeMap<&'static str, Vec<f64>>,
}

impl Person {
    async fn sign_in(&mut self, login: &str) -> Result<()> {
        let code = seed::card(login, Moment::of_this_machine().seconds())?;
        let fields = [("login", login), ("password", seed::LOGIN), ("code", code.as_str())];
        self.client.act("/sign-in", &fields).await.map(drop)
    }

    /// Works until the pile is done; gives how many forms went through these hands.
    async fn day(&mut self) -> Result<usize> {
        let mut count = 0;
        while Instant::now() < self.until && self.approved.load(Ordering::Relaxed) < self.all {
            let queue = self.look(self.desk.queue(), "queue").await?;
            self.make_ready(&queue).await?;
            let asked = SEARCHES.get(count % SEARCHES.len()).copied().unwrap_or_default();
            let search = address("/search", &BTreeMap::from([("q".to_owned(), asked.to_owned())]));
            self.look(&search, "search").await?;
            let begun = Instant::now();
            let next = self.client.act(&format!("{}/next", self.desk.queue()), &[]).await?;
            if !next.starts_with("/desk/") {
                tokio::time::sleep(Duration::from_secs(2)).await;
                continue;
            }
            let shown = self.open(&next).await?;
            self.wait("next case with its pictures", begun);
            self.make_ready(&shown).await?;
            tokio::time::sleep(self.think).await;
            self.finish(&next, &shown).await?;
            count += 1;
        }
        Ok(count)
    }

    fn wait(&mut self, what: &'static str, begun: Instant) {
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        self.waited.entry(what).or_default().push(took);
    }

    async fn look(&mut self, path: &str, what: &'static str) -> Result<Reply> {
        let begun = Instant::now();
        let reply = self.client.get(path).await?;
        ensure!(reply.status == StatusCode::OK, "{path}: {} {}", reply.status, reply.location);
        self.wait(what, begun);
        Ok(reply)
    }

    /// Asks for what comes next to be made ready, if the page says what that is.
    async fn make_ready(&mut self, page: &Reply) -> Result<()> {
        let text = page.text();
        let Some((_, rest)) = text.split_once("data-warm=\"") else { return Ok(()) };
        let next = rest.split('"').next().unwrap_or_default();
        // Somebody else may have taken that one meanwhile, and moved it on.
        let reply = self.client.get(next).await?;
        ensure!(!reply.status.is_server_error(), "{next}: {}", reply.status);
        Ok(())
    }

    /// The desk with everything that it shows.
    async fn open(&mut self, path: &str) -> Result<Reply> {
        let shown = self.client.get(path).await?;
        ensure!(shown.status == StatusCode::OK, "{path}: {}", shown.status);
        let text = shown.text();
        let links = text.split(['"', ' ']).filter(|link| link.starts_with("/desk/"));
        let mut pictures: Vec<&str> =
            links.filter(|link| link.contains("/page/") || link.contains("/seal/")).collect();
        pictures.sort_unstable();
        pictures.dedup();
        ensure!(pictures.len() >= 3, "{path} shows {} pictures", pictures.len());
        for (picture, reply) in self.client.get_all(&pictures).await? {
            ensure!(reply.status == StatusCode::OK, "{picture}: {}", reply.status);
            ensure!(reply.body.len() > 500, "{picture} is empty");
        }
        Ok(shown)
    }

    /// Hands on, or approves. Whatever the server says but "done" fails the measurement.
    async fn finish(&mut self, path: &str, shown: &Reply) -> Result<()> {
        let version = shown.hidden("version")?;
        let desk = path.split('?').next().unwrap_or_default();
        let begun = Instant::now();
        let next = match self.desk {
            Desk::Check => {
                let fields = [
                    ("version", version.as_str()),
                    ("seal", "match"),
                    ("looked_original", "yes"),
                    ("looked_untouched", "yes"),
                ];
                self.client.act(&format!("{desk}/hand-on"), &fields).await?
            }
            Desk::Approve => {
                let fields = [("version", version.as_str()), ("seal", "match"), ("do", "approve")];
                let next = self.client.act(&format!("{desk}/decide"), &fields).await?;
                self.approved.fetch_add(1, Ordering::Relaxed);
                next
            }
        };
        self.wait(if self.desk == Desk::Check { "hand on" } else { "approve" }, begun);
        if !next.contains("done=") {
            bail!("{desk} led to {next}");
        }
        Ok(())
    }
}

fn tell(figures: &Figures) {
    for one in &figures.waited {
        say(format_args!(
            "{:<28} {:>6} times, waited p50 {:>6.1} p95 {:>6.1} p99 {:>6.1} ms",
            one.what, one.times, one.p50_ms, one.p95_ms, one.p99_ms
        ));
    }
    for one in &figures.served {
        say(format_args!(
            "{:<28} in the server p50 {:>6.1} p95 {:>6.1} p99 {:>6.1} ms",
            one.route, one.p50_ms, one.p95_ms, one.p99_ms
        ));
    }
    say(format_args!(
        "{}: {} cases; {} clerks and {} approvers did {} forms in {:.0} s; memory {:.0} MiB",
        figures.database,
        figures.cases,
        figures.clerks,
        figures.approvers,
        figures.approved,
        figures.seconds,
        figures.memory_mib
    ));
}
