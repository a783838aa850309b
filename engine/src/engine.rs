//! The engine: registered workflows, and the loops that keep their cases moving.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, broadcast, watch};

use crate::calendar::Calendar;
use crate::desk::Desk;
use crate::history::{Entry, EntryKind, GENESIS, digest};
use crate::host::Host;
use crate::outbox::{self, OutboxRow, Retry};
use crate::runner::{Performed, Runner};
use crate::schedule::{Schedule, TickHandler};
use crate::submission::{Cause, Origin, Stored};
use crate::{
    ActorId, CaseId, Db, Entropy, Failure, Fault, Moment, Tx, Workflow, advance, case, inbox, on,
    schedule, timers,
};

/// What all desks of an engine share.
pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) entropy: Entropy,
    calendar: RwLock<Arc<Calendar>>,
    retry: Retry,
    runners: RwLock<HashMap<&'static str, Arc<dyn Runner>>>,
    handlers: RwLock<HashMap<String, TickHandler>>,
    schedules: RwLock<Vec<Schedule>>,
    numbers: Mutex<HashMap<&'static str, (i64, i64)>>,
    changes: broadcast::Sender<CaseId>,
    wake: Notify,
}

/// Keeps cases of any number of workflows durably moving.
#[derive(Clone)]
pub struct Engine(Arc<Core>);

/// Rows taken at once by one pass of a loop.
const PASS: i64 = 32;
/// How long a loop sleeps when nothing wakes it: the safety net for other processes' work.
const POLL: Duration = Duration::from_millis(500);
/// How many numbers a node takes from the database at once.
const BLOCK: i64 = 32;

impl Engine {
    /// An engine on a migrated database.
    pub fn new(db: Db, calendar: Calendar, retry: Retry, entropy: Entropy) -> Self {
        Self(Arc::new(Core {
            db,
            entropy,
            calendar: RwLock::new(Arc::new(calendar)),
            retry,
            runners: RwLock::default(),
            handlers: RwLock::default(),
            schedules: RwLock::default(),
            numbers: Mutex::default(),
            changes: broadcast::channel(1024).0,
            wake: Notify::new(),
        }))
    }

    /// Registers a workflow with the host that serves it.
    pub fn register<W: Workflow, H: Host<W>>(&self, host: Arc<H>) -> Desk<W, H> {
        let desk = Desk::new(self.0.clone(), host);
        write_lock(&self.0.runners).insert(W::NAME, Arc::new(desk.clone()));
        desk
    }

    /// Registers what a cron schedule does. Each tick is queued exactly once among all nodes and
    /// carried out through the outbox, with its retries.
    pub fn schedule(&self, schedule: Schedule, handler: TickHandler) {
        write_lock(&self.0.handlers).insert(schedule.name.clone(), handler);
        write_lock(&self.0.schedules).push(schedule);
    }

    /// The schedules in force.
    pub fn schedules(&self) -> Vec<Schedule> {
        read_lock(&self.0.schedules).clone()
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The business days in force.
    pub fn calendar(&self) -> Arc<Calendar> {
        self.0.calendar()
    }

    /// Puts other business days in force; deadlines already armed keep their due times.
    pub fn set_calendar(&self, calendar: Calendar) {
        *write_lock(&self.0.calendar) = Arc::new(calendar);
    }

    /// A number never given before under `name`, growing. Numbers of a block that a node did not
    /// use are lost.
    pub async fn next_number(&self, name: &'static str) -> Result<i64, Fault> {
        self.0.next_number(name).await
    }

    /// The number for a case about to be opened.
    pub async fn next_case(&self) -> Result<CaseId, Fault> {
        self.next_number("case").await.map(CaseId)
    }

    /// Announces every case that this process changes.
    pub fn changes(&self) -> broadcast::Receiver<CaseId> {
        self.0.changes.subscribe()
    }

    /// Makes the loops look at once.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Records something that leaves the state alone, such as a view of an image.
    pub async fn note(&self, note: Note<'_>) -> Result<(), Fault> {
        let mut tx = self.0.db.write().await?;
        self.0.note(&mut tx, note).await?;
        tx.commit().await
    }

    /// Does everything that is due now, and everything that comes of it, until nothing is left.
    /// Returns how many rows it settled. For rehearsals and tests; a server uses [`Engine::run`].
    pub async fn drain(&self) -> Result<usize, Fault> {
        let mut total = 0;
        loop {
            let done = self.0.pass().await?;
            if done == 0 {
                return Ok(total);
            }
            total += done;
        }
    }

    /// Keeps everything moving until `stop` turns true.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        loop {
            if *stop.borrow() {
                return;
            }
            match self.0.pass().await {
                Ok(0) => {
                    tokio::select! {
                        () = self.0.wake.notified() => {}
                        () = tokio::time::sleep(POLL) => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(_) => {}
                Err(fault) => {
                    tracing::error!(error = %chain(&fault), "a pass of the engine failed");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Makes a dead letter ready again, and says so in its case's history.
    pub async fn retry(&self, id: i64, by: &Hand) -> Result<Option<OutboxRow>, Fault> {
        let mut tx = self.0.db.write().await?;
        let row = outbox::revive(&mut tx, id).await?;
        self.0.note_hand(&mut tx, row.as_ref(), "RetryDeadLetter", by).await?;
        tx.commit().await?;
        self.wake();
        Ok(row)
    }

    /// Gives a dead letter up, and says so in its case's history.
    pub async fn give_up(&self, id: i64, by: &Hand) -> Result<Option<OutboxRow>, Fault> {
        let mut tx = self.0.db.write().await?;
        let row = outbox::discard(&mut tx, id).await?;
        self.0.note_hand(&mut tx, row.as_ref(), "DropDeadLetter", by).await?;
        tx.commit().await?;
        Ok(row)
    }
}

/// Who does something by hand.
#[derive(Debug, Clone)]
pub struct Hand {
    /// The person.
    pub actor: ActorId,
    /// In which role.
    pub role: String,
    /// How authenticated, and where.
    pub origin: Origin,
}

/// Something to be written into a case's history that is no command.
#[derive(Debug, Clone)]
pub struct Note<'a> {
    /// The case.
    pub case: CaseId,
    /// What happened, by name.
    pub what: &'a str,
    /// More, from a fixed list: a file's hash, a row's number.
    pub outcome: &'a str,
    /// Who.
    pub by: &'a Hand,
}

impl Core {
    pub(crate) fn calendar(&self) -> Arc<Calendar> {
        read_lock(&self.calendar).clone()
    }

    /// Hands waiting commands to the cases that may want them now, announces changes, and wakes
    /// the loops. What fails here is found again by the loops.
    pub(crate) async fn after_commit(&self, woken: &[CaseId]) {
        for case in woken {
            let _ = self.changes.send(*case);
            if let Err(fault) = self.deliver(*case).await {
                tracing::warn!(%case, error = %chain(&fault), "inbox left for later");
            }
        }
        self.wake.notify_one();
    }

    /// Asks a case everything in its inbox that it has not declined at this version.
    async fn deliver(&self, case: CaseId) -> Result<usize, Fault> {
        let mut done = 0;
        // Each accepted command may make another one welcome; the version bounds the loop.
        loop {
            let mut tx = self.db.read().await?;
            let waiting = inbox::waiting_for(&mut tx, case).await?;
            drop(tx);
            let Some((workflow, stored)) = waiting.into_iter().next() else { return Ok(done) };
            self.runner(&workflow)?.submit_stored(stored).await?;
            done += 1;
        }
    }

    fn runner(&self, name: &str) -> Result<Arc<dyn Runner>, Fault> {
        let found = read_lock(&self.runners).get(name).cloned();
        found.ok_or_else(|| Fault::NoSuchWorkflow { name: name.to_owned() })
    }

    async fn next_number(&self, name: &'static str) -> Result<i64, Fault> {
        const SQL: &str = "INSERT INTO numbers (name, next) VALUES ($1, $2 + 1) \
             ON CONFLICT (name) DO UPDATE SET next = numbers.next + $2 RETURNING next";
        let mut blocks = self.numbers.lock().await;
        let (next, end) = blocks.entry(name).or_insert((0, 0));
        if next == end {
            let mut tx = self.db.write().await?;
            let top: i64 = on!(&mut tx, |conn| sqlx::query_scalar(SQL)
                .bind(name)
                .bind(BLOCK)
                .fetch_one(conn)
                .await)
            .map_err(Fault::database("take numbers"))?;
            tx.commit().await?;
            (*next, *end) = (top - BLOCK, top);
        }
        let number = *next;
        *next += 1;
        Ok(number)
    }

    /// One round over everything that may be due; returns how much was settled.
    async fn pass(&self) -> Result<usize, Fault> {
        Ok(self.ticks().await?
            + self.deadlines().await?
            + self.inboxes().await?
            + self.parcels().await?)
    }

    async fn ticks(&self) -> Result<usize, Fault> {
        let schedules = read_lock(&self.schedules).clone();
        let mut done = 0;
        for schedule in &schedules {
            done += schedule::queue_due(&self.db, schedule).await?;
        }
        Ok(done)
    }

    async fn deadlines(&self) -> Result<usize, Fault> {
        let mut tx = self.db.read().await?;
        let due = timers::due(&mut tx, PASS).await?;
        drop(tx);
        let mut done = 0;
        for timer in due {
            let id = digest(timer.slot.as_bytes());
            let tag = id.get(..6).map(crate::history::hex).unwrap_or_default();
            let stored = Stored {
                case: CaseId(timer.case_id),
                command: timer.command,
                command_id: format!("timer-{}-{}-{tag}", timer.case_id, timer.due_at),
                actor: ActorId("engine".into()),
                role: "clock".into(),
                origin: Origin::default(),
                cause: Cause::Timer { slot: timer.slot },
            };
            self.runner(&timer.workflow)?.submit_stored(stored).await?;
            done += 1;
        }
        Ok(done)
    }

    async fn inboxes(&self) -> Result<usize, Fault> {
        let mut tx = self.db.read().await?;
        let cases = inbox::expectant(&mut tx, PASS).await?;
        drop(tx);
        let mut done = 0;
        for case in cases {
            done += self.deliver(case).await?;
        }
        Ok(done)
    }

    async fn parcels(&self) -> Result<usize, Fault> {
        if !self.has_parcels().await? {
            return Ok(0);
        }
        let mut tx = self.db.write().await?;
        let lease = Duration::from_secs(self.retry.lease_s);
        let rows = outbox::claim(&mut tx, lease, PASS).await?;
        tx.commit().await?;
        let count = rows.len();
        for row in rows {
            self.carry_out(row).await?;
        }
        Ok(count)
    }

    /// A cheap look before taking the writer's place.
    async fn has_parcels(&self) -> Result<bool, Fault> {
        const SQL: &str = "SELECT id FROM outbox WHERE (status = 'ready' AND due_at <= $1) \
             OR (status = 'leased' AND leased_until <= $1) LIMIT 1";
        let mut tx = self.db.read().await?;
        let now = tx.now().0;
        let found: Option<i64> =
            on!(&mut tx, |conn| sqlx::query_scalar(SQL).bind(now).fetch_optional(conn).await)
                .map_err(Fault::database("look into the outbox"))?;
        Ok(found.is_some())
    }

    async fn carry_out(&self, row: OutboxRow) -> Result<(), Fault> {
        let result = if row.kind == "tick" {
            self.tick(&row).await
        } else {
            match self.runner(&row.workflow) {
                Ok(runner) => runner.carry_out(&row).await,
                Err(fault) => Err(Failure::passing(fault)),
            }
        };
        let failure = match result {
            Ok(Performed::Answered) => return Ok(()),
            Ok(Performed::Sent) => return self.settle(&row).await,
            Err(failure) => failure,
        };
        let mut tx = self.db.write().await?;
        let is_last = failure.permanent || row.attempts >= self.retry.attempts;
        let again = tx.now().plus(self.retry.delay(row.id, row.attempts));
        tracing::warn!(id = row.id, label = %row.label, attempt = row.attempts, is_last,
            reason = %failure.reason, "outbox row failed");
        outbox::failed(&mut tx, &row, &failure.reason, (!is_last).then_some(again)).await?;
        tx.commit().await
    }

    async fn settle(&self, row: &OutboxRow) -> Result<(), Fault> {
        let mut tx = self.db.write().await?;
        outbox::done(&mut tx, row.id, row.attempts).await?;
        tx.commit().await?;
        if let Some(case) = row.case_id {
            let _ = self.changes.send(CaseId(case));
        }
        Ok(())
    }

    async fn tick(&self, row: &OutboxRow) -> Result<Performed, Failure> {
        let handler = read_lock(&self.handlers).get(&row.workflow).cloned();
        let handler = handler.ok_or_else(|| Failure::permanent("no such schedule any more"))?;
        let tick = row.body.parse().map(Moment).map_err(Failure::permanent)?;
        handler(tick).await.map(|()| Performed::Sent)
    }

    async fn note(&self, tx: &mut Tx, note: Note<'_>) -> Result<(), Fault> {
        let mut row = case::lock(tx, note.case).await?;
        let entry = Entry {
            case: note.case,
            no: row.entries + 1,
            kind: EntryKind::Noted.name().to_owned(),
            at: tx.now(),
            actor: note.by.actor.0.clone(),
            role: note.by.role.clone(),
            auth: note.by.origin.auth.clone(),
            place: note.by.origin.place.clone(),
            command_id: String::new(),
            command: note.what.to_owned(),
            from: row.state_name.clone(),
            to: row.state_name.clone(),
            outcome: note.outcome.to_owned(),
            version: row.version,
            state_digest: digest(row.state.as_bytes()),
            details_digest: GENESIS,
            hash: GENESIS,
        };
        advance::extend(tx, &mut row, entry, None, false).await
    }

    async fn note_hand(
        &self,
        tx: &mut Tx,
        row: Option<&OutboxRow>,
        what: &str,
        by: &Hand,
    ) -> Result<(), Fault> {
        let Some(row) = row else { return Ok(()) };
        let Some(case) = row.case_id.map(CaseId) else { return Ok(()) };
        self.note(tx, Note { case, what, outcome: &format!("outbox-{}", row.id), by }).await
    }
}

/// A fault with everything that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

fn read_lock<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_lock<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
