//! The envelope (or upload): from a draft on the web to the cases on its pages.

use engine::{Anchor, Context, Deadline, Span, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{Role, Rules, Signal, TaskKind, days};

/// The submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission;

/// The stored name; never changed.
pub const NAME: &str = "submission";

/// Where a submission stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// A prefilled form was made on the web and is awaited.
    Draft {
        /// Reminders sent: 0, 1 or 2.
        reminded: u8,
    },
    /// The envelope has come and bears its receipt number.
    Received,
    /// The pages are scanned and are being read.
    Scanned,
    /// Contract and pages are known; its cases are being opened.
    Identified,
    /// Pages are missing.
    Incomplete {
        /// The reminder went out.
        reminded: bool,
    },
    /// Nobody knows yet whose it is.
    Unidentified,
    /// No contract was found: the supervisor decides.
    Escalated,
    /// End: every request on it is a case.
    Opened,
    /// End: sent back to the registered address.
    Returned,
    /// End: kept by the supervisor, because there is no address to send it to.
    Archived,
    /// End: a draft that was never posted.
    Closed,
}

/// What is asked of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Customer: make a prefilled form.
    Prefill,
    /// Mail room: the envelope has come.
    Receive {
        /// How it came, such as ordinary or registered mail.
        carrier: String,
        /// Counted by hand.
        pages: u16,
    },
    /// Mail room: it was registered with a slip, and nothing is scanned yet.
    Recount {
        /// How it came.
        carrier: String,
        /// Counted by hand.
        pages: u16,
    },
    /// Mail room: the pages are scanned.
    Scan,
    /// Worker or clerk: the pages name a contract of ours and are complete.
    Identify,
    /// Worker or clerk: the pages do not tell whose they are.
    MarkUnidentified,
    /// Worker or clerk: pages are missing.
    MarkIncomplete,
    /// Mail room or clerk: this page belongs elsewhere; it gets a submission of its own.
    Detach {
        /// From 1, in the order of the scan.
        page: u16,
    },
    /// Mail room: the missing pages have come.
    AddPages {
        /// Counted by hand.
        pages: u16,
    },
    /// Clerk: matched by contract number and seal.
    Match,
    /// Mail room or worker: pages whose reading had failed were read after all.
    ReadAgain,
    /// Clerk or supervisor: send it back now.
    SendBack,
    /// Worker: every request on it is a case now.
    ItemsOpened {
        /// How many.
        count: u16,
    },
    /// Supervisor: keep it, there is no address. Clerk: nothing on it is a form of ours.
    Archive,
    /// Clock: the form is awaited.
    Remind,
    /// Clock: give up waiting.
    Close,
}

/// What the host looks up for a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer")]
pub struct Facts {
    /// The contract that the pages name, or that a clerk found, is ours and has a registered
    /// address.
    pub contract_found: bool,
    /// Every page of the submission is there, once, and none belongs elsewhere.
    pub pages_complete: bool,
    /// The actor is a user of the contract for which the draft was made.
    pub actor_of_contract: bool,
    /// The pages were counted by hand and as many were scanned.
    pub count_agrees: bool,
    /// At least one page is of a form of ours.
    pub is_form: bool,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Gives the envelope its receipt number and date stamp.
    RecordReceipt {
        /// How it came.
        carrier: String,
        /// Counted by hand.
        pages: u16,
    },
    /// Mends what was registered; the receipt number stays.
    MendReceipt {
        /// How it came.
        carrier: String,
        /// Counted by hand.
        pages: u16,
    },
    /// Counts pages that came later.
    RecordPages {
        /// Counted by hand.
        pages: u16,
    },
    /// Moves a page to a new submission of its own, which begins as scanned.
    DetachPage {
        /// From 1, in the order of the scan.
        page: u16,
    },
    /// The paper goes back: closes the page images to everybody but the auditor.
    RecordReturn,
}

/// A message to the customer; [`Notice::is_lettered`] goes by letter to the registered address,
/// never to one written on a form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// The draft is still awaited.
    DraftReminder,
    /// The envelope has come.
    Received,
    /// Pages are missing.
    PagesMissing,
    /// The missing pages are still awaited.
    PagesReminder,
    /// It is on its way back, with the reason.
    Returned,
}

impl Notice {
    /// Also goes by letter.
    pub const fn is_lettered(&self) -> bool {
        matches!(self, Self::PagesMissing | Self::Returned)
    }
}

/// Work done after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {
    /// Read the scanned pages; answered by `Identify`, `MarkUnidentified` or `MarkIncomplete`.
    ReadPages,
    /// Open or resubmit a case for every request on the form; answered by `ItemsOpened`.
    OpenItems,
    /// Open a task about this submission; there is no answer.
    OpenTask {
        /// What is to be done.
        kind: TaskKind,
    },
}

/// Why a submission declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the submission is not at that step")]
    NotNow,
    /// Not of the contract.
    #[error("the draft would be for another contract")]
    OtherContract,
    /// An envelope holds at least one page.
    #[error("an envelope holds at least one page")]
    NoPages,
    /// Scanned and counted pages differ.
    #[error("the scanned pages do not agree with the count")]
    CountDiffers,
    /// No such contract.
    #[error("no contract was found")]
    NoContract,
    /// A page is missing or belongs elsewhere.
    #[error("the pages are not complete")]
    PagesIncomplete,
    /// A form of ours is not put aside.
    #[error("a page is of a form of ours")]
    IsForm,
}

impl Workflow for Submission {
    const NAME: &'static str = NAME;
    const VERSION: u32 = 1;
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
        State::Start
    }

    fn decide(
        state: &State,
        command: &Command,
        context: &Context<Self>,
        _rules: &Rules,
    ) -> Result<Transition<Self>, Refusal> {
        permit(state, command, context.actor.role)?;
        let facts = &context.facts;
        match command {
            Command::Close => close(state, facts),
            Command::Remind => remind(state),
            Command::Identify
            | Command::MarkUnidentified
            | Command::MarkIncomplete
            | Command::Match
            | Command::ItemsOpened { .. } => identify(state, command, facts),
            _ => handle(state, command, facts),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let after = |count, command| Deadline::after(Anchor::ENTERED, days(count), command);
        let business = Span::BusinessDays(rules.unidentified_return_business_days);
        match state {
            State::Start | State::Received | State::Scanned | State::Identified => {
                vec![after(rules.paper_lapse_days, Command::Close)]
            }
            State::Draft { reminded } => {
                let mut all = vec![after(rules.draft_close_days, Command::Close)];
                match reminded {
                    0 => all.push(after(rules.draft_first_reminder_days, Command::Remind)),
                    1 => all.push(after(rules.draft_second_reminder_days, Command::Remind)),
                    _ => {}
                }
                all
            }
            State::Incomplete { reminded } => {
                let mut all = vec![after(rules.defect_close_days, Command::Close)];
                if !reminded {
                    all.push(after(rules.defect_reminder_days, Command::Remind));
                }
                all
            }
            State::Unidentified => {
                vec![Deadline::after(Anchor::ENTERED, business, Command::Close)]
            }
            State::Escalated => vec![after(rules.paper_lapse_days, Command::Close)],
            State::Opened | State::Returned | State::Archived | State::Closed => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Submission>, Refusal>;

fn permit(state: &State, command: &Command, role: Role) -> Result<(), Refusal> {
    let roles: &[Role] = match command {
        // Whoever prints a returning letter gives out the form that goes along.
        Command::Prefill => &[Role::User, Role::AuthorityHolder, Role::Clerk, Role::Dispatch],
        // What a scanner drops into its folder comes without a person; but an envelope that is
        // awaited is opened, and its pages are counted, by hand.
        Command::Receive { .. } if *state != State::Start => &[Role::MailRoom],
        Command::Recount { .. } => &[Role::MailRoom],
        Command::Receive { .. } | Command::Scan | Command::AddPages { .. } | Command::ReadAgain => {
            &[Role::MailRoom, Role::Worker]
        }
        Command::Identify | Command::MarkUnidentified | Command::MarkIncomplete => {
            &[Role::Worker, Role::Clerk]
        }
        Command::Detach { .. } => &[Role::MailRoom, Role::Clerk],
        Command::Match => &[Role::Clerk],
        Command::SendBack => &[Role::Clerk, Role::Supervisor],
        Command::ItemsOpened { .. } => &[Role::Worker],
        Command::Archive if *state == State::Unidentified => &[Role::Clerk, Role::Supervisor],
        Command::Archive => &[Role::Supervisor],
        Command::Remind | Command::Close => &[Role::Clock],
    };
    if roles.contains(&role) { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn demand(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(refusal) }
}

fn handle(state: &State, command: &Command, facts: &Facts) -> Decision {
    use {Command as C, State as S};
    Ok(match (state, command) {
        (S::Start, C::Prefill) => {
            demand(facts.actor_of_contract, Refusal::OtherContract)?;
            Transition::to(S::Draft { reminded: 0 })
        }
        (S::Start | S::Draft { .. }, C::Receive { carrier, pages }) => {
            demand(*pages > 0, Refusal::NoPages)?;
            Transition::to(S::Received)
                .with(Effect::RecordReceipt { carrier: carrier.clone(), pages: *pages })
                .telling(Notice::Received)
        }
        (S::Received, C::Recount { carrier, pages }) => {
            demand(*pages > 0, Refusal::NoPages)?;
            Transition::to(S::Received)
                .with(Effect::MendReceipt { carrier: carrier.clone(), pages: *pages })
        }
        (S::Received, C::Scan) => {
            demand(facts.count_agrees, Refusal::CountDiffers)?;
            Transition::to(S::Scanned).asking(Job::ReadPages)
        }
        (S::Incomplete { .. }, C::AddPages { pages }) => {
            demand(*pages > 0, Refusal::NoPages)?;
            Transition::to(S::Scanned)
                .with(Effect::RecordPages { pages: *pages })
                .asking(Job::ReadPages)
        }
        (S::Incomplete { .. } | S::Unidentified, C::ReadAgain) => {
            Transition::to(S::Scanned).asking(Job::ReadPages)
        }
        (S::Scanned | S::Incomplete { .. } | S::Unidentified, C::Detach { page }) => {
            Transition::to(state.clone()).with(Effect::DetachPage { page: *page })
        }
        (S::Unidentified | S::Incomplete { .. } | S::Escalated, C::SendBack) => {
            demand(facts.contract_found, Refusal::NoContract)?;
            returned()
        }
        (S::Escalated, C::Archive) => Transition::to(S::Archived),
        (S::Unidentified, C::Archive) => {
            demand(!facts.is_form, Refusal::IsForm)?;
            Transition::to(S::Archived)
        }
        _ => return Err(Refusal::NotNow),
    })
}

fn identify(state: &State, command: &Command, facts: &Facts) -> Decision {
    use {Command as C, State as S};
    Ok(match (state, command) {
        (S::Scanned, C::Identify) | (S::Scanned | S::Unidentified | S::Escalated, C::Match) => {
            demand(facts.contract_found, Refusal::NoContract)?;
            demand(facts.pages_complete, Refusal::PagesIncomplete)?;
            Transition::to(S::Identified).asking(Job::OpenItems)
        }
        (S::Scanned, C::MarkUnidentified) => Transition::to(S::Unidentified),
        (S::Scanned | S::Unidentified, C::MarkIncomplete) => {
            demand(facts.contract_found, Refusal::NoContract)?;
            Transition::to(S::Incomplete { reminded: false }).telling(Notice::PagesMissing)
        }
        (S::Identified, C::ItemsOpened { .. }) => Transition::to(S::Opened),
        _ => return Err(Refusal::NotNow),
    })
}

fn remind(state: &State) -> Decision {
    match state {
        State::Draft { reminded } if *reminded < 2 => {
            Ok(Transition::to(State::Draft { reminded: reminded + 1 })
                .telling(Notice::DraftReminder))
        }
        State::Incomplete { reminded: false } => {
            Ok(Transition::to(State::Incomplete { reminded: true }).telling(Notice::PagesReminder))
        }
        _ => Err(Refusal::NotNow),
    }
}

fn close(state: &State, facts: &Facts) -> Decision {
    Ok(match state {
        State::Start | State::Draft { .. } => Transition::to(State::Closed),
        State::Unidentified | State::Incomplete { .. } if facts.contract_found => returned(),
        // Never to an address written on a form: without a contract there is none to send it to.
        State::Received
        | State::Scanned
        | State::Identified
        | State::Unidentified
        | State::Incomplete { .. } => Transition::to(State::Escalated)
            .asking(Job::OpenTask { kind: TaskKind::SupervisorCall }),
        State::Escalated => Transition::to(State::Archived),
        _ => return Err(Refusal::NotNow),
    })
}

fn returned() -> Transition<Submission> {
    Transition::to(State::Returned).with(Effect::RecordReturn).telling(Notice::Returned)
}
