//! A small but complete workflow: a loan that is asked for, checked, approved, printed, reminded
//! of, and returned; with its host, whose effects go into a table of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use engine::{
    ActorId, Addressed, Anchor, Answer, Ask, CaseId, Context, Deadline, Failure, Fault, Host, Kind,
    Parcel, Span, Speaker, Transition, Tx, Workflow, Write, label, on,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// One text for both databases.
pub(crate) const TABLES: &str = "
CREATE TABLE borrowers (subject TEXT PRIMARY KEY, blocked BIGINT NOT NULL, loans BIGINT NOT NULL);
CREATE TABLE stamps (
    command_id TEXT NOT NULL, what TEXT NOT NULL, case_id BIGINT NOT NULL,
    PRIMARY KEY (command_id, what)
);
";

pub(crate) const ISSUED: Anchor = Anchor("issued");

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loan;

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum State {
    Blank,
    /// Version 1 stored this as a bare name, without the count.
    Asked {
        misses: u8,
        rival: Option<CaseId>,
    },
    Checked {
        by: ActorId,
        rival: Option<CaseId>,
    },
    Printing {
        rival: Option<CaseId>,
    },
    Waiting {
        pages: u8,
        rival: Option<CaseId>,
    },
    Returned,
    Lapsed,
    Locked,
    Superseded,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Command {
    Open {
        rival: Option<CaseId>,
    },
    Miss,
    Check,
    Approve,
    /// Approves another loan by way of this one.
    ApproveToo {
        other: CaseId,
    },
    Printed {
        pages: u8,
    },
    Remind {
        round: u8,
    },
    Extend,
    Return,
    Lapse,
    Supersede,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Borrower,
    Clerk,
    Clock,
    Worker,
    Peer,
}

impl engine::Role for Role {
    const CLOCK: Self = Self::Clock;
    const WORKER: Self = Self::Worker;
    const PEER: Self = Self::Peer;

    fn name(self) -> &'static str {
        match self {
            Self::Borrower => "borrower",
            Self::Clerk => "clerk",
            Self::Clock => "clock",
            Self::Worker => "worker",
            Self::Peer => "peer",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Borrower, Self::Clerk, Self::Clock, Self::Worker, Self::Peer];
        all.into_iter().find(|role| role.name() == name)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Facts {
    blocked: bool,
    loans: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) patience: Span,
    pub(crate) reminders: Vec<Span>,
    pub(crate) term: Span,
}

impl Default for Rules {
    fn default() -> Self {
        let reminders = vec![Span::days(1), Span::days(2)];
        Self { patience: Span::days(7), reminders, term: Span::BusinessDays(5) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Stamp(&'static str),
    Lend,
    TakeBack,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Notice {
    Asked,
    Reminder { round: u8 },
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Job {
    Print {
        copies: u8,
    },
    /// Ends without an answer.
    File,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    Supersede(CaseId),
    Approve(CaseId),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("not now")]
    NotNow,
    #[error("the borrower is blocked")]
    Blocked,
    #[error("the borrower has a loan already")]
    OneAtATime,
    #[error("not by the one who checked")]
    FourEyes,
    #[error("an empty print is no print")]
    Empty,
}

impl Workflow for Loan {
    const NAME: &'static str = "loan";
    const VERSION: u32 = 2;

    type State = State;
    type Command = Command;
    type Role = Role;
    type Facts = Facts;
    type Rules = Rules;
    type Effect = Effect;
    type Notice = Notice;
    type Job = Job;
    type Signal = Signal;
    type Refusal = Refusal;

    fn start() -> State {
        State::Blank
    }

    fn decide(
        state: &State,
        command: &Command,
        context: &Context<Self>,
        _: &Rules,
    ) -> Result<Transition<Self>, Refusal> {
        match (state, command) {
            (State::Blank, Command::Open { .. }) if context.facts.blocked => Err(Refusal::Blocked),
            (State::Blank, Command::Open { .. }) if context.facts.loans > 0 => {
                Err(Refusal::OneAtATime)
            }
            (State::Blank, Command::Open { rival }) => {
                Ok(Transition::to(State::Asked { misses: 0, rival: *rival })
                    .with(Effect::Lend)
                    .telling(Notice::Asked))
            }
            (State::Asked { misses: 2, .. }, Command::Miss) => Ok(ended(State::Locked)),
            (State::Asked { misses, rival }, Command::Miss) => {
                Ok(Transition::to(State::Asked { misses: misses + 1, rival: *rival }))
            }
            (State::Asked { rival, .. }, Command::Check) => {
                let by = context.actor.id.clone();
                Ok(Transition::to(State::Checked { by, rival: *rival }).because("looks-right"))
            }
            (State::Checked { by, .. }, Command::Approve) if *by == context.actor.id => {
                Err(Refusal::FourEyes)
            }
            (State::Checked { rival, .. }, Command::Approve) => {
                Ok(Transition::to(State::Printing { rival: *rival })
                    .asking(Job::Print { copies: 2 }))
            }
            (State::Checked { .. }, Command::ApproveToo { other }) => {
                Ok(Transition::to(state.clone()).signalling(Signal::Approve(*other)))
            }
            (State::Printing { .. }, Command::Printed { pages: 0 }) => Err(Refusal::Empty),
            (State::Printing { rival }, Command::Printed { pages }) => {
                Ok(Transition::to(State::Waiting { pages: *pages, rival: *rival })
                    .marking(ISSUED)
                    .with(Effect::Stamp("printed")))
            }
            (State::Waiting { .. }, Command::Remind { round }) => {
                Ok(Transition::to(state.clone()).telling(Notice::Reminder { round: *round }))
            }
            (State::Waiting { .. }, Command::Extend) => {
                Ok(Transition::to(state.clone()).marking(ISSUED))
            }
            (State::Waiting { .. }, Command::Miss) => Ok(Transition::to(state.clone())),
            (State::Waiting { rival, .. }, Command::Return) => {
                let done = ended(State::Returned).with(Effect::Stamp("returned")).asking(Job::File);
                let signals = rival.iter().map(|rival| Signal::Supersede(*rival)).collect();
                Ok(Transition { signals, ..done })
            }
            (state, Command::Lapse) if !is_end(state) => Ok(ended(State::Lapsed)),
            (state, Command::Supersede) if !is_end(state) && *state != State::Blank => {
                Ok(ended(State::Superseded))
            }
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        match state {
            _ if is_end(state) => Vec::new(),
            State::Waiting { .. } => {
                let reminder = |(round, span): (u8, &Span)| {
                    Deadline::after(ISSUED, *span, Command::Remind { round })
                };
                let reminders = (1..).zip(&rules.reminders).map(reminder);
                let last = Deadline::after(ISSUED, rules.term, Command::Lapse);
                reminders.chain([last]).collect()
            }
            _ => vec![Deadline::after(Anchor::OPENED, rules.patience, Command::Lapse)],
        }
    }

    fn upgrade(from: u32, stored: &str) -> Option<State> {
        (from == 1 && stored == "\"Asked\"").then_some(State::Asked { misses: 0, rival: None })
    }
}

fn is_end(state: &State) -> bool {
    matches!(state, State::Returned | State::Lapsed | State::Locked | State::Superseded)
}

fn ended(state: State) -> Transition<Loan> {
    Transition::to(state).with(Effect::TakeBack).telling(Notice::Ended)
}

/// What the host does when a message or job of some name comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Fails,
    FailsForGood,
    Panics,
    /// Waits for a permit of [`Sample::gate`] first.
    Waits,
    AnswersNothingPrinted,
}

/// The host: facts and effects in tables, messages and jobs into a log.
pub(crate) struct Sample {
    /// Everything sent or performed: name, row, attempt.
    pub(crate) log: Mutex<Vec<(String, i64, i64)>>,
    pub(crate) moods: Mutex<HashMap<&'static str, Mood>>,
    pub(crate) gate: Semaphore,
    /// Effects of this command fail.
    pub(crate) poison: Mutex<Option<&'static str>>,
    pub(crate) rules: Mutex<Rules>,
    /// Leaves the borrowers alone, so that only the engine's own locks are left.
    pub(crate) is_lockless: AtomicBool,
    /// Transactions begun for commands: each asks for facts once.
    pub(crate) asked: AtomicUsize,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            log: Mutex::default(),
            moods: Mutex::default(),
            gate: Semaphore::new(0),
            poison: Mutex::default(),
            rules: Mutex::default(),
            is_lockless: AtomicBool::default(),
            asked: AtomicUsize::default(),
        }
    }
}

impl Sample {
    pub(crate) fn mood(&self, name: &'static str, mood: Option<Mood>) {
        let mut moods = self.moods.lock().unwrap();
        match mood {
            Some(mood) => moods.insert(name, mood),
            None => moods.remove(name),
        };
    }

    /// How often something of that name was begun.
    pub(crate) fn times(&self, name: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|(logged, ..)| logged == name).count()
    }

    async fn begin<T: std::fmt::Debug>(&self, parcel: &Parcel<T>) -> Result<Option<Mood>, Failure> {
        let name = label(&parcel.body);
        self.log.lock().unwrap().push((name.clone(), parcel.id, parcel.attempt));
        let mood = self.moods.lock().unwrap().get(name.as_str()).copied();
        match mood {
            Some(Mood::Fails) => return Err(Failure::passing("the line is busy")),
            Some(Mood::FailsForGood) => return Err(Failure::permanent("no such address")),
            Some(Mood::Panics) => panic!("out of paper"),
            Some(Mood::Waits) => self.gate.acquire().await.unwrap().forget(),
            Some(Mood::AnswersNothingPrinted) | None => {}
        }
        Ok(mood)
    }
}

impl Host<Loan> for Sample {
    type Attachment = ();
    type Prepared = ();

    fn rules(&self) -> Arc<Rules> {
        Arc::new(self.rules.lock().unwrap().clone())
    }

    async fn prepare(&self, _: &Ask<'_, Loan>, (): &()) -> Result<(), Fault> {
        Ok(())
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        const BEGIN: &str = "INSERT INTO borrowers (subject, blocked, loans) VALUES ($1, 0, 0) \
             ON CONFLICT (subject) DO NOTHING";
        const LOCK: &str = "SELECT loans FROM borrowers WHERE subject = $1 FOR UPDATE";
        if self.is_lockless.load(Ordering::SeqCst) {
            return Ok(());
        }
        for subject in subjects {
            on!(tx, |conn| sqlx::query(BEGIN).bind(subject).execute(conn).await.map(drop))
                .map_err(Fault::database("make sure of a borrower"))?;
            if tx.kind() == Kind::Postgres {
                on!(tx, |conn| sqlx::query(LOCK).bind(subject).execute(conn).await.map(drop))
                    .map_err(Fault::database("lock a borrower"))?;
            }
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Loan>]) -> Result<Vec<Facts>, Fault> {
        const SQL: &str = "SELECT blocked, loans FROM borrowers WHERE subject = $1";
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut facts = Vec::new();
        for ask in asks {
            let row: Option<(i64, i64)> =
                on!(tx, |conn| sqlx::query_as(SQL).bind(ask.subject).fetch_optional(conn).await)
                    .map_err(Fault::database("read a borrower"))?;
            let (blocked, loans) = row.unwrap_or_default();
            facts.push(Facts { blocked: blocked != 0, loans });
        }
        Ok(facts)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, Loan, ()>]) -> Result<(), Fault> {
        const STAMP: &str = "INSERT INTO stamps (command_id, what, case_id) VALUES ($1, $2, $3)";
        const COUNT: &str = "UPDATE borrowers SET loans = loans + $2 WHERE subject = $1";
        let poison = *self.poison.lock().unwrap();
        for write in writes {
            if poison == Some(write.command_id) {
                return Err(Fault::host("apply")("poisoned"));
            }
            for effect in write.effects {
                match effect {
                    Effect::Stamp(what) => on!(tx, |conn| sqlx::query(STAMP)
                        .bind(write.command_id)
                        .bind(*what)
                        .bind(write.case.0)
                        .execute(conn)
                        .await
                        .map(drop)),
                    Effect::Lend | Effect::TakeBack => on!(tx, |conn| sqlx::query(COUNT)
                        .bind(write.subject)
                        .bind(if *effect == Effect::Lend { 1_i64 } else { -1 })
                        .execute(conn)
                        .await
                        .map(drop)),
                }
                .map_err(Fault::database("apply an effect"))?;
            }
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        let (case, command, speaker) = match signal {
            Signal::Supersede(case) => (*case, Command::Supersede, Speaker::Case),
            Signal::Approve(case) => (*case, Command::Approve, Speaker::Actor),
        };
        let command = serde_json::to_value(command).unwrap();
        Ok(Addressed { case, workflow: Loan::NAME, command, speaker })
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        self.begin(&parcel).await.map(drop)
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<Loan, ()>>, Failure> {
        let mood = self.begin(&parcel).await?;
        let Job::Print { copies } = parcel.body else { return Ok(None) };
        let pages = if mood == Some(Mood::AnswersNothingPrinted) { 0 } else { copies };
        Ok(Some(Answer { command: Command::Printed { pages }, attachment: () }))
    }
}
