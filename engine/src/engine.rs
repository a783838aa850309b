//! The engine: registered workflows, and the loops that keep their cases moving.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, Notify, broadcast, watch};

use crate::calendar::Calendar;
use crate::desk::Desk;
use crate::history::{Entry, EntryKind, GENESIS};
use crate::host::Host;
use crate::outbox::{self, Lane, OutboxRow, Retry};
use crate::runner::{Runner, Touched};
use crate::schedule::{Schedule, TickHandler};
use crate::submission::Origin;
use crate::{ActorId, CaseId, Db, Entropy, Fault, Tx, Workflow, advance, case, on};

/// What all desks of an engine share.
pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) entropy: Entropy,
    calendar: RwLock<Arc<Calendar>>,
    pub(crate) retry: Retry,
    runners: RwLock<HashMap<&'static str, Arc<dyn Runner>>>,
    handlers: RwLock<HashMap<String, TickHandler>>,
    schedules: RwLock<Vec<Schedule>>,
    numbers: Mutex<HashMap<&'static str, (i64, i64)>>,
    changes: broadcast::Sender<CaseId>,
    pub(crate) wake: Wake,
}

/// One bell a loop: each keeps a ring until its loop looks.
#[derive(Default)]
pub(crate) struct Wake {
    pub(crate) clock: Notify,
    pub(crate) messages: Notify,
    pub(crate) work: Notify,
}

impl Wake {
    pub(crate) fn all(&self) {
        for bell in [&self.clock, &self.messages, &self.work] {
            bell.notify_one();
        }
    }
}

/// Keeps cases of any number of workflows durably moving.
#[derive(Clone)]
pub struct Engine(Arc<Core>);

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
            wake: Wake::default(),
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
    /// use are lost. Not to be called inside a transaction: it takes the writer's place itself.
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
        self.0.wake.all();
    }

    /// Records something that leaves the state alone, such as a view of an image.
    pub async fn note(&self, note: Note<'_>) -> Result<(), Fault> {
        let case = note.case;
        let mut tx = self.0.db.write().await?;
        self.0.note(&mut tx, note).await?;
        tx.commit().await?;
        self.0.announce(&[case]);
        Ok(())
    }

    /// As [`Engine::note`], within a transaction of the caller's, so that what is done and the entry
    /// that tells of it are one. It takes the case's lock: it comes before whatever else of the case
    /// is written, and of several cases the lowest number comes first. Nothing is announced.
    pub async fn note_in(&self, tx: &mut Tx, note: Note<'_>) -> Result<(), Fault> {
        self.0.note(tx, note).await
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

    /// Keeps everything moving until `stop` turns true or its sender is gone. Deadlines, messages
    /// and jobs each have a loop of their own, so that slow mail holds up neither a letter nor the
    /// clock. Up to eight messages and eight jobs are in progress at once, and nothing is promised
    /// about the order in which they end.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        tokio::join!(
            self.0.run_clock(stop.clone()),
            self.0.run_lane(Lane::Messages, stop.clone()),
            self.0.run_lane(Lane::Work, stop),
        );
    }

    /// Ends the leases that a process before this one left behind, so that its work goes on at
    /// once. Only for a process that has the database to itself.
    pub async fn release_leases(&self) -> Result<u64, Fault> {
        let mut tx = self.0.db.write().await?;
        let released = outbox::release_all(&mut tx).await?;
        tx.commit().await?;
        Ok(released)
    }

    /// Makes a dead letter ready again, and says so in its case's history.
    pub async fn retry(&self, id: i64, by: &Hand) -> Result<Option<OutboxRow>, Fault> {
        let mut tx = self.0.db.write().await?;
        let case = self.0.lock_case_of(&mut tx, id).await?;
        let row = outbox::revive(&mut tx, id).await?;
        self.0.note_hand(&mut tx, row.as_ref(), "RetryDeadLetter", by).await?;
        tx.commit().await?;
        self.0.announce(case.as_slice());
        self.wake();
        Ok(row)
    }

    /// Gives a dead letter up, and says so in its case's history.
    pub async fn give_up(&self, id: i64, by: &Hand) -> Result<Option<OutboxRow>, Fault> {
        let mut tx = self.0.db.write().await?;
        let case = self.0.lock_case_of(&mut tx, id).await?;
        let row = outbox::discard(&mut tx, id).await?;
        self.0.note_hand(&mut tx, row.as_ref(), "DropDeadLetter", by).await?;
        tx.commit().await?;
        self.0.announce(case.as_slice());
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

    /// Announces changed cases, rings for what was queued, and hands on what waits for them. What
    /// fails here is found again by the loops.
    pub(crate) async fn after_commit(&self, touched: Touched) {
        self.publish(&touched);
        self.deliver_all(touched.expectant).await;
    }

    pub(crate) fn publish(&self, touched: &Touched) {
        self.announce(&touched.changed);
        if touched.has_message {
            self.wake.messages.notify_one();
        }
        if touched.has_work {
            self.wake.work.notify_one();
        }
    }

    pub(crate) fn announce(&self, changed: &[CaseId]) {
        for case in changed {
            // Nobody may be listening.
            let _ = self.changes.send(*case);
        }
    }

    pub(crate) fn handler(&self, schedule: &str) -> Option<TickHandler> {
        read_lock(&self.handlers).get(schedule).cloned()
    }

    pub(crate) fn schedules_in_force(&self) -> Vec<Schedule> {
        read_lock(&self.schedules).clone()
    }

    pub(crate) fn runner(&self, name: &str) -> Result<Arc<dyn Runner>, Fault> {
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

    async fn note(&self, tx: &mut Tx, note: Note<'_>) -> Result<(), Fault> {
        let locked = case::lock(tx, note.case).await?;
        let mut row = locked.ok_or(Fault::NoSuchCase { case: note.case })?;
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
            state_digest: row.state_digest(),
            details_digest: GENESIS,
            hash: GENESIS,
        };
        advance::extend(tx, &mut row, entry, None, false).await
    }

    /// Takes the lock of a row's case before the row itself, as a transition does.
    async fn lock_case_of(&self, tx: &mut Tx, id: i64) -> Result<Option<CaseId>, Fault> {
        let case = outbox::case_of(tx, id).await?;
        if let Some(case) = case {
            case::lock(tx, case).await?;
        }
        Ok(case)
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
