//! One reissue-shaped case, many times: five steps as jobs, a wait for an approval after the
//! third, and a timer of seven days set before the wait and cancelled by the approval.
//!
//! Two phases without think time. In the first, so many submitters at once each open a case and
//! wait until its third step ran; it ends when the tables say that every case waits. In the
//! second, so many approvers each approve a case and wait until its fifth step ran; it ends when
//! the tables say that every case is done. The steps do nothing but note the time, so what is
//! measured is the engine.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{Offset, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::calendar::Calendar;
use crate::outbox::Retry;
use crate::{
    Actor, Addressed, Anchor, Answer, Ask, CaseId, Context, Db, Deadline, Desk, Engine, Failure,
    Fault, Host, Kind, Parcel, Role, Span, Submission, Transition, Tx, Workflow, Write, on,
};

/// How much to do.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Cases in all.
    pub cases: usize,
    /// Submitters, and later approvers, at once.
    pub concurrency: usize,
}

/// What came of it. Times are milliseconds; a step's time is from its predecessor's body to its
/// own, so that it holds the durable commit and the dispatch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// As asked.
    pub cases: usize,
    /// As asked.
    pub concurrency: usize,
    /// Both phases together, in seconds.
    pub seconds: f64,
    /// Over both phases.
    pub cases_per_s: f64,
    /// Over both phases; seven a case.
    pub transitions_per_s: f64,
    /// From the submission of an opening to the first step's body.
    pub opening_p50_ms: f64,
    /// The same, at the 99th percentile.
    pub opening_p99_ms: f64,
    /// From one step's body to the next.
    pub step_p50_ms: f64,
    /// The same, at the 99th percentile.
    pub step_p99_ms: f64,
    /// From the submission of an approval to the fourth step's body.
    pub approval_p50_ms: f64,
    /// The same, at the 99th percentile.
    pub approval_p99_ms: f64,
    /// Transactions that wrote, in all.
    pub commits: u64,
    /// The same for each case.
    pub commits_per_case: f64,
    /// Bodies that ran again although nothing had crashed.
    pub steps_run_twice: usize,
}

/// Runs the workload on a migrated database, beside whatever it already holds.
pub async fn run(db: &Db, load: Load) -> Result<Figures, Fault> {
    let calendar = Calendar::new(Utc.fix(), []);
    let entropy = Arc::new(|bytes: &mut [u8]| bytes.fill(7));
    let engine = Engine::new(db.clone(), calendar, Retry::default(), entropy);
    let host = Arc::new(Stopwatch::default());
    let desk = engine.register::<Reissue, _>(host.clone());
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run(stopped).await }
    });
    let commits = db.commits();
    let begun = Instant::now();
    let cases = in_parallel(load.concurrency, vec![(); load.cases], |()| {
        open(engine.clone(), desk.clone())
    })
    .await?;
    until_all(db, "Waiting", &cases).await?;
    in_parallel(load.concurrency, cases.clone(), |case| approve(case, desk.clone())).await?;
    until_all(db, "Done", &cases).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let commits = db.commits() - commits;
    // The receiver is gone when the loops have ended by themselves.
    let _ = stop.send(true);
    running.await.map_err(|error| Fault::host("run the loops")(error.to_string()))?;
    Ok(host.figures(db.kind(), load, seconds, commits))
}

async fn open(engine: Engine, desk: Desk<Reissue, Stopwatch>) -> Result<CaseId, Fault> {
    let case = engine.next_case().await?;
    let reached = desk.host().expect(case, 3);
    desk.host().note(case, 0);
    let command = Command::Open { input: "x".repeat(450) };
    let actor = Actor::new("customer", Party::Person);
    let id = format!("open-{case}");
    desk.submit(Submission::opening(case, id.clone(), command, actor, id), ()).await?;
    arrive(reached).await?;
    Ok(case)
}

async fn approve(case: CaseId, desk: Desk<Reissue, Stopwatch>) -> Result<CaseId, Fault> {
    let reached = desk.host().expect(case, 5);
    desk.host().note(case, APPROVAL);
    let actor = Actor::new("approver", Party::Person);
    let approval = Submission::new(case, Command::Approve, actor, format!("approve-{case}")).kept();
    desk.submit(approval, ()).await?;
    arrive(reached).await?;
    Ok(case)
}

async fn arrive(reached: oneshot::Receiver<()>) -> Result<(), Fault> {
    let patience = Duration::from_mins(2);
    match tokio::time::timeout(patience, reached).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Fault::host("reach a step")("no progress for 120 s")),
    }
}

/// Does `work` on every input, so many at once.
async fn in_parallel<I, F>(
    at_once: usize,
    inputs: Vec<I>,
    work: impl Fn(I) -> F,
) -> Result<Vec<CaseId>, Fault>
where
    F: Future<Output = Result<CaseId, Fault>> + Send + 'static,
{
    let mut waiting = VecDeque::from(inputs);
    let mut flying = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while flying.len() < at_once.max(1)
            && let Some(input) = waiting.pop_front()
        {
            flying.spawn(work(input));
        }
        match flying.join_next().await {
            None => return Ok(done),
            Some(Ok(result)) => done.push(result?),
            Some(Err(error)) => return Err(Fault::host("measure")(error.to_string())),
        }
    }
}

/// Waits until the tables say that every case of this run is in a state.
async fn until_all(db: &Db, state: &str, cases: &[CaseId]) -> Result<(), Fault> {
    const SQL: &str = "SELECT COUNT(*) FROM cases WHERE workflow = $1 AND state_name = $2 \
         AND id >= $3";
    let Some(first) = cases.iter().min() else { return Ok(()) };
    loop {
        let mut tx = db.read().await?;
        let count: i64 = on!(&mut tx, |conn| sqlx::query_scalar(SQL)
            .bind(Reissue::NAME)
            .bind(state)
            .bind(first.0)
            .fetch_one(conn)
            .await)
        .map_err(Fault::database("count cases"))?;
        if usize::try_from(count).unwrap_or(0) >= cases.len() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Reissue;

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum State {
    Blank,
    Running { step: u8, papers: Vec<String> },
    Waiting { papers: Vec<String> },
    Done,
    Lapsed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Command {
    Open { input: String },
    Finish { step: u8, result: String },
    Approve,
    Lapse,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Step(u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Party {
    Person,
    Clock,
    Worker,
    Peer,
}

impl Role for Party {
    const CLOCK: Self = Self::Clock;
    const WORKER: Self = Self::Worker;
    const PEER: Self = Self::Peer;

    fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Clock => "clock",
            Self::Worker => "worker",
            Self::Peer => "peer",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Person, Self::Clock, Self::Worker, Self::Peer].into_iter().find(|p| p.name() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("not now")]
struct NotNow;

impl Workflow for Reissue {
    const NAME: &'static str = "bench-reissue";
    const VERSION: u32 = 1;

    type State = State;
    type Command = Command;
    type Role = Party;
    type Facts = ();
    type Rules = ();
    type Effect = ();
    type Notice = ();
    type Job = Step;
    type Signal = ();
    type Refusal = NotNow;

    fn start() -> State {
        State::Blank
    }

    fn decide(
        state: &State,
        command: &Command,
        _: &Context<Self>,
        (): &(),
    ) -> Result<Transition<Self>, NotNow> {
        let running =
            |step, papers| Transition::to(State::Running { step, papers }).asking(Step(step));
        match (state, command) {
            (State::Blank, Command::Open { input }) => Ok(running(1, vec![input.clone()])),
            (State::Running { step, papers }, Command::Finish { step: done, result })
                if step == done =>
            {
                let mut papers = papers.clone();
                papers.push(result.clone());
                Ok(match step {
                    3 => Transition::to(State::Waiting { papers }),
                    5 => Transition::to(State::Done),
                    _ => running(step + 1, papers),
                })
            }
            (State::Waiting { papers }, Command::Approve) => Ok(running(4, papers.clone())),
            (State::Running { .. } | State::Waiting { .. }, Command::Lapse) => {
                Ok(Transition::to(State::Lapsed))
            }
            _ => Err(NotNow),
        }
    }

    fn deadlines(state: &State, (): &()) -> Vec<Deadline<Command>> {
        let whole = Deadline::after(Anchor::OPENED, Span::days(30), Command::Lapse);
        match state {
            State::Blank | State::Running { .. } => vec![whole],
            State::Waiting { .. } => {
                vec![whole, Deadline::after(Anchor::ENTERED, Span::days(7), Command::Lapse)]
            }
            State::Done | State::Lapsed => Vec::new(),
        }
    }
}

/// Where the approval is noted, beside the moments of the opening (0) and of the steps (1 to 5).
const APPROVAL: usize = 6;

/// Notes when each step of each case ran, and tells whoever waits for it.
#[derive(Default)]
struct Stopwatch {
    laps: Mutex<HashMap<CaseId, [Option<Instant>; 7]>>,
    waiting: Mutex<HashMap<(CaseId, usize), oneshot::Sender<()>>>,
    again: Mutex<usize>,
}

impl Stopwatch {
    fn expect(&self, case: CaseId, step: usize) -> oneshot::Receiver<()> {
        let (told, reached) = oneshot::channel();
        lock(&self.waiting).insert((case, step), told);
        reached
    }

    fn note(&self, case: CaseId, moment: usize) {
        if let Some(slot) = lock(&self.laps).entry(case).or_default().get_mut(moment)
            && slot.replace(Instant::now()).is_some()
        {
            *lock(&self.again) += 1;
        }
        if let Some(told) = lock(&self.waiting).remove(&(case, moment)) {
            // Whoever waited may have lost patience.
            let _ = told.send(());
        }
    }

    fn figures(&self, kind: Kind, load: Load, seconds: f64, commits: u64) -> Figures {
        let laps = lock(&self.laps);
        let spans = |pairs: &[(usize, usize)]| {
            let mut spans: Vec<f64> = Vec::new();
            for lap in laps.values() {
                for (from, to) in pairs {
                    if let (Some(Some(from)), Some(Some(to))) = (lap.get(*from), lap.get(*to)) {
                        spans.push(to.duration_since(*from).as_secs_f64() * 1000.0);
                    }
                }
            }
            spans.sort_unstable_by(f64::total_cmp);
            spans
        };
        let (opening, approval) = (spans(&[(0, 1)]), spans(&[(APPROVAL, 4)]));
        let step = spans(&[(1, 2), (2, 3), (4, 5)]);
        let cases = u32::try_from(load.cases).map_or(f64::MAX, f64::from);
        let written = u32::try_from(commits).map_or(f64::MAX, f64::from);
        Figures {
            database: if kind == Kind::Sqlite { "sqlite" } else { "postgres" },
            cases: load.cases,
            concurrency: load.concurrency,
            seconds,
            cases_per_s: cases / seconds,
            transitions_per_s: 7.0 * cases / seconds,
            opening_p50_ms: percentile(&opening, 50),
            opening_p99_ms: percentile(&opening, 99),
            step_p50_ms: percentile(&step, 50),
            step_p99_ms: percentile(&step, 99),
            approval_p50_ms: percentile(&approval, 50),
            approval_p99_ms: percentile(&approval, 99),
            commits,
            commits_per_case: written / cases,
            steps_run_twice: *lock(&self.again),
        }
    }
}

/// The nearest rank; 0 when there is no sample.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host<Reissue> for Stopwatch {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<()> {
        Arc::new(())
    }

    async fn prepare(&self, _: &Ask<'_, Reissue>, (): &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, _: &mut Tx, _: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    async fn facts(&self, _: &mut Tx, asks: &[Ask<'_, Reissue>]) -> Result<Vec<()>, Fault> {
        Ok(vec![(); asks.len()])
    }

    async fn apply(&self, _: &mut Tx, _: &[Write<'_, Reissue, ()>]) -> Result<(), Fault> {
        Ok(())
    }

    fn address(&self, (): &()) -> Result<Addressed, Fault> {
        Err(Fault::host("address a signal")("this workflow sends none"))
    }

    async fn send(&self, _: Parcel<()>) -> Result<(), Failure> {
        Ok(())
    }

    async fn perform(&self, parcel: Parcel<Step>) -> Result<Option<Answer<Reissue, ()>>, Failure> {
        let Step(step) = parcel.body;
        self.note(parcel.case, usize::from(step));
        let command = Command::Finish { step, result: "y".repeat(130) };
        Ok(Some(Answer { command, attachment: () }))
    }
}
