//! `saihakko bench pages`: the customers' pages under load, among very many finished cases.
//!
//! The server is a process of its own and is asked over TLS, on connections that are kept alive,
//! by one session each. Nobody thinks between two pages unless a rate is given. What the server
//! took is read from its own histogram, what the reader waited for is measured here.
//!
//! Longer than 500 lines because the list of pages, the load and the report belong to one measure.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::StatusCode;
use saihakko::app::{App, Surroundings};
use saihakko::config::Config;
use serde::Serialize;
use tokio::task::JoinSet;

use super::client::{Client, Door};
use super::ground::{configure, note, on_ground, percentile};
use super::seed::{self, Town};
use super::server::{Server, figure};
use crate::command::{Answer, print_json, say};

#[derive(Args)]
pub struct PagesOptions {
    /// How many finished cases.
    #[arg(long, default_value_t = 100_000)]
    cases: usize,
    /// How many open sessions.
    #[arg(long, default_value_t = 500)]
    sessions: usize,
    /// How many connections at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds for each page.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Pages a second in all; as many as go without it.
    #[arg(long, value_name = "PAGES")]
    rate: Option<f64>,
    /// Seconds of sign-ins and issues.
    #[arg(long, default_value_t = 30)]
    issue_seconds: u64,
    /// Where the throw-away data folder is made; it must not exist.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    answer: Answer,
}

/// What a page cost. Times are milliseconds, sizes bytes.
#[derive(Debug, Serialize)]
struct PageFigures {
    site: &'static str,
    page: &'static str,
    requests_per_s: f64,
    server_p50_ms: f64,
    server_p99_ms: f64,
    client_p50_ms: f64,
    client_p99_ms: f64,
    /// The page itself.
    bytes: usize,
    /// The page itself, if it were packed.
    bytes_gzip: usize,
    /// Page and everything it loads, as it goes over the wire.
    bytes_with_assets: usize,
}

/// What the issues cost.
#[derive(Debug, Serialize)]
struct IssueFigures {
    seconds: f64,
    issues: usize,
    issues_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Debug, Serialize)]
struct Figures {
    cases: usize,
    sessions: usize,
    connections: usize,
    rate: Option<f64>,
    seeding_s: f64,
    database_mib: f64,
    /// Resident memory of the server with every session and connection open.
    memory_mib: f64,
    memory_highest_mib: f64,
    sign_ins_per_s: f64,
    pages: Vec<PageFigures>,
    issues: Option<IssueFigures>,
}

/// Measures.
pub async fn run(options: PagesOptions) -> Result<ExitCode> {
    let figures =
        on_ground(options.dir.as_deref(), async |dir| measure(&options, dir).await).await?;
    if options.answer.json {
        print_json(&figures)?;
    } else {
        tell(&figures);
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(options: &PagesOptions, dir: &Path) -> Result<Figures> {
    let file = configure(dir, "")?;
    let begun = Instant::now();
    let config = Config::load(Some(&file))?;
    let database = config.database_file();
    let app = App::open(config, Surroundings::of_this_machine()?).await?;
    let town = seed::fill(&app, dir, options.cases, options.connections).await?;
    let root = app.tools.authority.root_certificate().clone();
    app.tools.db.checkpoint_log().await?;
    app.tools.db.close().await;
    drop(app);
    let seeding_s = begun.elapsed().as_secs_f64();
    note(format_args!("{} cases after {seeding_s:.0} s", town.cases));
    let server = Server::start(&file).await?;
    let stage = Stage { options, server, root, town };
    let begun = Instant::now();
    let mut holders = stage.holders().await?;
    let mut users = stage.users(options.sessions.saturating_sub(holders.len())).await?;
    let sessions = holders.len() + users.len();
    let sign_ins_per_s = figure(u64::try_from(sessions)?) / begun.elapsed().as_secs_f64();
    note(format_args!("{sessions} sessions, {sign_ins_per_s:.1} sign-ins/s"));
    // Only as many read at once as there are connections; the others keep their sessions open.
    let resting = users.split_off(options.connections.min(users.len()));
    let mut pages = Vec::new();
    for page in CUSTOMERS {
        pages.push(stage.load(page, &mut users).await?);
    }
    for page in HOLDERS {
        pages.push(stage.load(page, &mut holders).await?);
    }
    let (memory_mib, memory_highest_mib) = stage.server.memory()?;
    for holder in &mut holders {
        let path = format!("/settings/users/reissue/{}", holder.case);
        holder.client.act(&path, &[("transaction_password", seed::ORDER)]).await?;
    }
    pages.push(stage.load(COMPLETION, &mut holders).await?);
    let issues = stage.issue().await?;
    if let Some((_, readers)) = issues.as_ref() {
        note(format_args!("{} people hold digits", readers.len()));
    }
    let issues = match issues {
        None => None,
        Some((figures, mut readers)) => {
            readers.truncate(options.connections);
            for page in ISSUED {
                pages.push(stage.load(page, &mut readers).await?);
            }
            Some(figures)
        }
    };
    drop(resting);
    stage.server.stop().await?;
    let figures = Figures {
        cases: stage.town.cases,
        sessions,
        connections: options.connections,
        rate: options.rate,
        seeding_s,
        database_mib: figure(std::fs::metadata(database)?.len() / 1024) / 1024.0,
        memory_mib,
        memory_highest_mib,
        sign_ins_per_s,
        pages,
        issues,
    };
    Ok(figures)
}

/// A page that is loaded.
#[derive(Clone, Copy)]
struct Page {
    site: &'static str,
    /// As it was declared; the server counts by it.
    route: &'static str,
    /// Added to the address.
    query: &'static str,
    name: &'static str,
}

const fn customers(route: &'static str, query: &'static str, name: &'static str) -> Page {
    Page { site: "customers", route, query, name }
}

const fn certificate(route: &'static str, query: &'static str, name: &'static str) -> Page {
    Page { site: "certificate", route, query, name }
}

const CUSTOMERS: [Page; 13] = [
    customers("/", "", "start"),
    customers("/way", "", "way: a question"),
    customers(
        "/way",
        "?danger=no&needed=yes&renewable=no&authority=yes&login=yes&card=yes",
        "way: advice",
    ),
    customers("/sign-in", "", "sign-in form"),
    customers("/certificate", "", "retrieval"),
    customers("/reissue", "", "reason"),
    customers("/cases", "", "cases"),
    customers("/cases/{case}", "", "case"),
    customers("/cases/{case}/not-me", "", "this was not me"),
    customers("/form", "", "Form 3 chooser"),
    customers("/form/check", "", "photo check"),
    customers("/guides", "", "guides"),
    customers("/locked/{kind}", "", "locked"),
];
const HOLDERS: [Page; 6] = [
    certificate("/", "", "certificate welcome"),
    certificate("/menu", "", "menu"),
    certificate("/settings/users", "", "user registration"),
    certificate("/settings/users/reissue", "", "colleagues"),
    certificate("/settings/users/reissue/{case}", "", "confirm"),
    certificate("/cases", "", "cases of an administrator"),
];
const COMPLETION: Page =
    certificate("/settings/users/reissue/{case}/done", "?show=1", "completion with digits");
const ISSUED: [Page; 2] = [
    customers("/reissue/{case}", "", "own reissue"),
    customers("/reissue/{case}/password", "?show=1", "password window"),
];

/// Somebody with a connection and a case.
struct Reader {
    client: Client,
    case: String,
}

impl Page {
    fn address(&self, case: &str) -> String {
        let path = self.route.replace("{case}", case).replace("{kind}", "retrieval");
        format!("{path}{}", self.query)
    }
}

struct Stage<'a> {
    options: &'a PagesOptions,
    server: Server,
    root: pki::Certificate,
    town: Town,
}

impl Stage<'_> {
    /// Administrators sign in behind their certificates and pick a colleague each.
    async fn holders(&self) -> Result<Vec<Reader>> {
        let port = self.server.port("certificate")?;
        let mut readers = Vec::new();
        for holder in &self.town.holders {
            let held = Some((&holder.certificate, holder.key.as_ref()));
            let mut client = Client::new(Door::new(port, &self.root, held)?);
            client.act("/sign-in", &[("password", seed::LOGIN), ("back", "")]).await?;
            let list = client.get("/settings/users/reissue").await?;
            let key = list.hidden("key")?;
            let fields =
                [("key", &*key), ("reason", "new_pc"), ("user_id", holder.colleague.as_str())];
            let next = client.act("/settings/users/reissue", &fields).await?;
            let case = next.rsplit('/').next().unwrap_or_default().to_owned();
            readers.push(Reader { client, case });
        }
        Ok(readers)
    }

    /// People sign in with passwords, some at once.
    async fn users(&self, count: usize) -> Result<Vec<Reader>> {
        let door = Door::new(self.server.port("customers")?, &self.root, None)?;
        let mut waiting = self.town.users.iter().cycle().take(count);
        let mut flying = JoinSet::new();
        let mut readers = Vec::new();
        ensure!(count == 0 || !self.town.users.is_empty(), "nobody can sign in");
        loop {
            while flying.len() < 8
                && let Some(user) = waiting.next().cloned()
            {
                let mut client = Client::new(door.clone());
                flying.spawn(async move {
                    sign_in(&mut client, &user.person.contract, &user.person.user_id).await?;
                    anyhow::Ok(Reader { client, case: user.case.to_string() })
                });
            }
            match flying.join_next().await {
                None => return Ok(readers),
                Some(reader) => readers.push(reader??),
            }
        }
    }

    /// Loads one page for a while on every connection.
    async fn load(&self, page: Page, readers: &mut Vec<Reader>) -> Result<PageFigures> {
        let people = readers.len();
        ensure!(people > 0, "nobody reads {}", page.name);
        let warm = Duration::from_millis(300);
        self.read(page, readers, warm).await?;
        let before = self.server.times().await?;
        let begun = Instant::now();
        let mut took = self.read(page, readers, Duration::from_secs(self.options.seconds)).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let after = self.server.times().await?;
        took.sort_unstable_by(f64::total_cmp);
        let reader = readers.first_mut().context("nobody reads")?;
        let (bytes, bytes_gzip, bytes_with_assets) = weigh(page, reader).await?;
        let figures = PageFigures {
            site: page.site,
            page: page.name,
            requests_per_s: figure(u64::try_from(took.len())?) / seconds,
            server_p50_ms: after.within(&before, page.route, 0.50),
            server_p99_ms: after.within(&before, page.route, 0.99),
            client_p50_ms: percentile(&took, 50),
            client_p99_ms: percentile(&took, 99),
            bytes,
            bytes_gzip,
            bytes_with_assets,
        };
        note(line(&figures));
        Ok(figures)
    }

    /// Every reader loads the page again and again; gives the milliseconds of each.
    async fn read(
        &self,
        page: Page,
        readers: &mut Vec<Reader>,
        span: Duration,
    ) -> Result<Vec<f64>> {
        let people = figure(u64::try_from(readers.len())?);
        let pace = self.options.rate.map(|rate| Duration::from_secs_f64(people / rate));
        let begun = Instant::now();
        let mut flying = JoinSet::new();
        for (index, mut reader) in readers.drain(..).enumerate() {
            let address = page.address(&reader.case);
            let place = figure(u64::try_from(index)?) / people;
            flying.spawn(async move {
                let mut took = Vec::new();
                let mut due = begun + pace.unwrap_or_default().mul_f64(place);
                while begun.elapsed() < span {
                    if let Some(pace) = pace {
                        tokio::time::sleep_until(due.into()).await;
                        due += pace;
                    }
                    let reply = reader.client.get(&address).await?;
                    if reply.status != StatusCode::OK {
                        bail!("{address}: {} {}", reply.status, reply.location);
                    }
                    took.push(reply.took.as_secs_f64() * 1000.0);
                }
                Ok((reader, took))
            });
        }
        let mut all = Vec::new();
        while let Some(done) = flying.join_next().await {
            let (reader, took) = done??;
            readers.push(reader);
            all.extend(took);
        }
        Ok(all)
    }

    /// People sign in, show their cards and have a password made, for half a minute; gives also
    /// those who now look at one.
    async fn issue(&self) -> Result<Option<(IssueFigures, Vec<Reader>)>> {
        if self.options.issue_seconds == 0 {
            return Ok(None);
        }
        let door = Door::new(self.server.port("customers")?, &self.root, None)?;
        let span = Duration::from_secs(self.options.issue_seconds);
        let mut waiting = self.town.issuers.iter();
        let mut flying = JoinSet::new();
        let (mut readers, mut took) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        loop {
            while flying.len() < 16
                && begun.elapsed() < span
                && let Some(person) = waiting.next().cloned()
            {
                let mut client = Client::new(door.clone());
                flying.spawn(async move {
                    let begun = Instant::now();
                    let case = issue(&mut client, &person.contract, &person.user_id).await?;
                    anyhow::Ok((Reader { client, case }, begun.elapsed()))
                });
            }
            match flying.join_next().await {
                None => break,
                Some(done) => {
                    let (reader, time) = done??;
                    readers.push(reader);
                    took.push(time.as_secs_f64() * 1000.0);
                }
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        took.sort_unstable_by(f64::total_cmp);
        let figures = IssueFigures {
            seconds,
            issues: took.len(),
            issues_per_s: figure(u64::try_from(took.len())?) / seconds,
            p50_ms: percentile(&took, 50),
            p99_ms: percentile(&took, 99),
        };
        note(format_args!(
            "{} issues in {seconds:.1} s, {:.1}/s",
            figures.issues, figures.issues_per_s
        ));
        Ok(Some((figures, readers)))
    }
}

async fn sign_in(client: &mut Client, contract: &str, user_id: &str) -> Result<()> {
    let fields =
        [("contract", contract), ("user_id", user_id), ("password", seed::LOGIN), ("back", "")];
    client.act("/sign-in", &fields).await.map(drop)
}

/// Path 1 as far as the digits; gives the case.
async fn issue(client: &mut Client, contract: &str, user_id: &str) -> Result<String> {
    sign_in(client, contract, user_id).await?;
    let key = client.get("/reissue").await?.hidden("key")?;
    let case = client.act("/reissue", &[("reason", "new_pc"), ("key", &key)]).await?;
    let code = seed::card(user_id, engine::Moment::of_this_machine().seconds())?;
    client.act(&format!("{case}/one-time-password"), &[("one_time_password", &code)]).await?;
    let window = client.act(&format!("{case}/password"), &[]).await?;
    let shown = client.get(&window).await?;
    ensure!(shown.text().contains("id=\"digits-shown\""), "{window} shows no digits");
    Ok(case.rsplit('/').next().unwrap_or_default().to_owned())
}

/// The page, packed or not, and with whatever it loads.
async fn weigh(page: Page, reader: &mut Reader) -> Result<(usize, usize, usize)> {
    let shown = reader.client.get(&page.address(&reader.case)).await?;
    let text = shown.text();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let plain = shown.plain();
    packed.write_all(&plain)?;
    let packed = packed.finish()?.len();
    let assets: BTreeSet<&str> =
        text.split(['"', '#']).filter(|part| part.starts_with("/static/")).collect();
    ensure!(!assets.is_empty(), "{} loads nothing", page.name);
    let mut all = shown.body.len();
    for asset in assets {
        let reply = reader.client.get(asset).await?;
        ensure!(reply.status == StatusCode::OK, "{asset}: {}", reply.status);
        all += reply.body.len();
    }
    Ok((plain.len(), packed, all))
}

fn line(one: &PageFigures) -> String {
    format!(
        "{:<26} {:>6.0}/s  server p50 {:>6.2} p99 {:>6.2} ms  client p50 {:>6.2} p99 {:>6.2} ms  \
         {:>6} bytes, {:>6} gzip, {:>6} with assets",
        one.page,
        one.requests_per_s,
        one.server_p50_ms,
        one.server_p99_ms,
        one.client_p50_ms,
        one.client_p99_ms,
        one.bytes,
        one.bytes_gzip,
        one.bytes_with_assets
    )
}

fn tell(figures: &Figures) {
    for page in &figures.pages {
        say(line(page));
    }
    if let Some(issues) = &figures.issues {
        say(format_args!(
            "{:.1} issues/s over {:.0} s, p50 {:.0} ms, p99 {:.0} ms",
            issues.issues_per_s, issues.seconds, issues.p50_ms, issues.p99_ms
        ));
    }
    say(format_args!(
        "{} cases, {:.0} MiB, seeded in {:.0} s; {} sessions, {:.1} sign-ins/s; memory {:.0} MiB",
        figures.cases,
        figures.database_mib,
        figures.seeding_s,
        figures.sessions,
        figures.sign_ins_per_s,
        figures.memory_mib
    ));
}
