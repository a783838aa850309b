//! `saihakko print-station`: prints the batch of letters, counts what was put into envelopes, and
//! reports what was spoiled.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use engine::CaseId;
use saihakko::correspondence::{LetterKey, SealedPage};
use saihakko::secret::StationKey;
use saihakko::socket::{self, Call, Reply};
use saihakko::station::{Handed, Printer};
use saihakko::store::letters::{BatchLine, LetterDueRow};
use serde::Deserialize;
use serde_json::{Value, json};
use workflows::{enrolment, paper};

use super::{Answer, Declined, Place, print_json, say};

#[derive(Args)]
pub struct StationOptions {
    #[command(flatten)]
    place: Place,
    /// The account of whoever prints; it needs the role of dispatch.
    #[arg(long)]
    login: String,
    /// The station's private key; the one in the data folder unless it was moved here.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print through this program, one letter on its standard input: "lp -d mailer".
    #[arg(long, value_name = "COMMAND", conflicts_with = "device")]
    printer: Option<String>,
    /// Print onto this device or open pipe: /dev/usb/lp0, /dev/fd/3.
    #[arg(long, value_name = "PATH")]
    device: Option<PathBuf>,
    /// The letter of this case was spoiled: it is void, and a new one is made.
    #[arg(long, value_name = "CASE")]
    spoiled: Vec<i64>,
    /// So many sealed letters lie in envelopes; asked for on a terminal.
    #[arg(long, value_name = "N")]
    inserted: Option<usize>,
    #[command(flatten)]
    answer: Answer,
}

/// What waits, as the server says it.
#[derive(Deserialize)]
struct Waiting {
    /// The key that letters are sealed to.
    station: String,
    sealed: Vec<BatchLine>,
    uncounted: Vec<BatchLine>,
    ordinary: Vec<LetterDueRow>,
}

/// What came of a run.
#[derive(Default)]
struct Outcome {
    sealed: usize,
    ordinary: usize,
    /// Ordinary letters that could not be drawn, with the reason's reference.
    undrawn: Vec<String>,
}

/// Runs the command.
pub async fn run(config: Option<PathBuf>, options: StationOptions) -> Result<ExitCode> {
    // Letters pass through this memory: no core file may keep it.
    rlimit::setrlimit(rlimit::Resource::CORE, 0, 0).context("core files cannot be forbidden")?;
    let config = options.place.config(config.as_deref())?;
    let server = Server { path: config.socket_file(), login: options.login.clone() };
    let mut outcome = Outcome::default();
    if let Some(printer) = printer(&options)? {
        let key = options.key.clone();
        let key = key.unwrap_or_else(|| config.keys_dir().join("print-station.key"));
        let station = StationKey::load(&key).context("the station's key cannot be read")?;
        // Asked first: a letter that is handed over and cannot be opened would be lost.
        if server.waiting().await?.station != station.public().to_text() {
            let reason = "letters are sealed to another station's key";
            return Err(Declined::with_code(reason, 5).into());
        }
        print_sealed(&server, &station, &printer, &mut outcome).await?;
        print_ordinary(&server, &station, &printer, &mut outcome).await?;
    }
    let waiting = server.waiting().await?;
    for case in &options.spoiled {
        let line = waiting.uncounted.iter().find(|line| line.case_id == *case);
        let line = line.ok_or_else(|| {
            Declined::new(format!("no letter of case {case} waits to be counted"))
        })?;
        server.spoil(line).await?;
    }
    let waiting = server.waiting().await?;
    let counted = count(&server, &options, &waiting.uncounted).await?;
    tell(&options, &outcome, &waiting, counted)?;
    Ok(if outcome.undrawn.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn printer(options: &StationOptions) -> Result<Option<Printer>> {
    Ok(match (&options.printer, &options.device) {
        (Some(line), _) => Some(Printer::of_command(line)?),
        (None, Some(path)) => Some(Printer::Device(path.clone())),
        (None, None) => None,
    })
}

/// Every sealed letter that waits; when one does not reach the printer, all of this run are void.
async fn print_sealed(
    server: &Server,
    station: &StationKey,
    printer: &Printer,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut handed: Vec<BatchLine> = Vec::new();
    for line in server.waiting().await?.sealed {
        let letter = server.hand(line.id).await?;
        handed.push(line);
        let printed = match letter.open(station) {
            Ok(page) => printer.print(&page).await.map_err(anyhow::Error::from),
            Err(fault) => Err(fault.into()),
        };
        if let Err(error) = printed {
            for line in &handed {
                server.spoil(line).await?;
            }
            let void = handed.len();
            return Err(error.context(format!(
                "the batch broke: {void} letters are void and will be made anew; destroy every \
                 page in the tray"
            )));
        }
        outcome.sealed += 1;
    }
    Ok(())
}

async fn print_ordinary(
    server: &Server,
    station: &StationKey,
    printer: &Printer,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut done: Vec<LetterKey> = Vec::new();
    for row in server.waiting().await?.ordinary {
        let key = LetterKey::from(&row);
        // One letter may speak for several of an envelope.
        if done.contains(&key) {
            continue;
        }
        let call = Call::OrdinaryLetter { login: server.login.clone(), letter: key };
        let page: SealedPage = match server.ask(&call).await? {
            Reply::Done(value) => serde_json::from_value(value)?,
            Reply::Declined(why) | Reply::Broken(why) => {
                // A name that no font has holds up its own letter only.
                outcome.undrawn.push(format!("{} of case {}: {why}", row.about, row.case_id));
                continue;
            }
        };
        printer.print(&page.open(station)?).await?;
        let (login, letters) = (server.login.clone(), page.covers.clone());
        server.done(&Call::LettersPrinted { login, letters }).await?;
        done.extend(page.covers);
        outcome.ordinary += 1;
    }
    Ok(())
}

/// Compares what lies in envelopes with what was printed; only a batch that agrees may leave.
async fn count(
    server: &Server,
    options: &StationOptions,
    uncounted: &[BatchLine],
) -> Result<Option<usize>> {
    if uncounted.is_empty() {
        return Ok(None);
    }
    let printed = uncounted.len();
    let Some(inserted) = options.inserted.map_or_else(|| asked(printed), |n| Ok(Some(n)))? else {
        return Ok(None);
    };
    if inserted != printed {
        return Err(Declined::new(format!(
            "{printed} letters were printed and {inserted} lie in envelopes: count again, and name \
             what was spoiled with --spoiled CASE; nothing may leave"
        ))
        .into());
    }
    let login = server.login.clone();
    let cases = uncounted.iter().map(|line| CaseId(line.case_id)).collect();
    server.done(&Call::Reconcile { login, cases }).await?;
    Ok(Some(inserted))
}

/// Asks a person at a terminal; nobody else is asked.
fn asked(printed: usize) -> Result<Option<usize>> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Ok(None);
    }
    say(format_args!("封入した親展書の数 / sealed letters in envelopes (printed: {printed}):"));
    let mut line = String::new();
    input.lock().read_line(&mut line).context("no answer")?;
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    line.parse().map(Some).map_err(|_| Declined::new("that is no number").into())
}

fn tell(
    options: &StationOptions,
    outcome: &Outcome,
    waiting: &Waiting,
    counted: Option<usize>,
) -> Result<()> {
    let open: Vec<i64> = match counted {
        Some(_) => Vec::new(),
        None => waiting.uncounted.iter().map(|line| line.case_id).collect(),
    };
    if options.answer.json {
        return print_json(&json!({
            "printed": { "sealed": outcome.sealed, "ordinary": outcome.ordinary },
            "undrawn": outcome.undrawn,
            "spoiled": options.spoiled,
            "counted": counted,
            "uncounted": open,
            "waiting": { "sealed": waiting.sealed.len(), "ordinary": waiting.ordinary.len() },
        }));
    }
    say(format_args!("printed: {} sealed, {} ordinary", outcome.sealed, outcome.ordinary));
    for letter in &outcome.undrawn {
        say(format_args!("not printed: {letter}"));
    }
    if let Some(inserted) = counted {
        say(format_args!("{inserted} in envelopes: the batch agrees and may leave"));
    } else if !open.is_empty() {
        say(format_args!("not counted yet, cases {open:?}"));
    }
    let (sealed, ordinary) = (waiting.sealed.len(), waiting.ordinary.len());
    say(format_args!("waiting: {sealed} sealed, {ordinary} ordinary"));
    Ok(())
}

/// The running server; the station has no database of its own.
struct Server {
    path: PathBuf,
    login: String,
}

impl Server {
    async fn ask(&self, call: &Call) -> Result<Reply> {
        Ok(socket::call(&self.path, call).await?)
    }

    async fn done(&self, call: &Call) -> Result<Value> {
        match self.ask(call).await? {
            Reply::Done(value) => Ok(value),
            Reply::Declined(why) => Err(Declined::new(why).into()),
            Reply::Broken(reference) => anyhow::bail!("something broke, see the log: {reference}"),
        }
    }

    async fn waiting(&self) -> Result<Waiting> {
        let login = self.login.clone();
        Ok(serde_json::from_value(self.done(&Call::LettersWaiting { login }).await?)?)
    }

    async fn hand(&self, letter: i64) -> Result<Handed> {
        let login = self.login.clone();
        Ok(serde_json::from_value(self.done(&Call::HandLetter { login, letter }).await?)?)
    }

    /// The letter of a case is void; its workflow makes a new one with a new secret.
    async fn spoil(&self, line: &BatchLine) -> Result<()> {
        let (login, role) = (self.login.clone(), "dispatch".to_owned());
        let (case, id) = (CaseId(line.case_id), format!("spoil-letter-{}", line.id));
        let call = if line.workflow == enrolment::NAME {
            Call::Enrolment { login, role, case, command: enrolment::Command::Spoil, id }
        } else {
            Call::Paper { login, role, case, command: paper::Command::Spoil, id }
        };
        self.done(&call).await.map(drop)
    }
}
