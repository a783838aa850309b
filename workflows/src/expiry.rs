//! The expiry of one certificate: its holder is told some days before, once at each distance.

use engine::{Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{Role, Rules, Signal, TOLD, days};

/// The expiry of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry;

/// The stored name; never changed.
pub const NAME: &str = "expiry";

/// What was said of an expiry so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Nothing yet.
    Start,
    /// The holder was told.
    Told {
        /// At which distance, in days.
        days: u16,
    },
    /// End: nothing more is said.
    Over,
}

/// What is asked of an expiry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker, once a day: say it if it is time.
    Tell {
        /// Of the certificate, as hexadecimal digits.
        serial: String,
    },
    /// Clock: the certificate has expired.
    Close,
}

/// What the host looks up for an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Contract and user are in force.
    pub user_active: bool,
    /// The certificate is neither held nor revoked nor expired.
    pub active: bool,
    /// The user has an active certificate that lasts longer.
    pub newer: bool,
    /// Days in Japan until it expires.
    pub days_left: u16,
}

/// A write that commits with the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Notes beside the certificate what was said.
    RecordTold {
        /// At which distance.
        days: u16,
    },
}

/// A message to the holder; the last one also goes to the administrators of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// The certificate expires soon.
    CertificateExpiring {
        /// No further one follows.
        last: bool,
    },
}

/// An expiry asks for no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Wrong moment.
    #[error("nothing more is said of this expiry")]
    NotNow,
    /// Contract or user ended.
    #[error("the user no longer exists")]
    UserInactive,
    /// Held, revoked or expired.
    #[error("the certificate is not active")]
    Inactive,
    /// The user has a newer one.
    #[error("a newer certificate is active")]
    Newer,
    /// Not yet, or said already.
    #[error("it is not time to say it")]
    NotDue,
}

impl Workflow for Expiry {
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
        rules: &Rules,
    ) -> Result<Transition<Self>, Refusal> {
        let wanted = match command {
            Command::Tell { .. } => Role::Worker,
            Command::Close => Role::Clock,
        };
        demand(context.actor.role == wanted, Refusal::NotAllowed)?;
        match (state, command) {
            (State::Start | State::Told { .. }, Command::Tell { .. }) => {
                tell(state, context.facts, rules)
            }
            (State::Told { .. }, Command::Close) => Ok(Transition::to(State::Over)),
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, _rules: &Rules) -> Vec<Deadline<Command>> {
        match state {
            // A day longer than it can last, so that the last one is said before.
            State::Told { days: left } => {
                vec![Deadline::after(TOLD, days(u32::from(*left) + 1), Command::Close)]
            }
            State::Start | State::Over => Vec::new(),
        }
    }
}

fn demand(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(refusal) }
}

/// The distance that is due when so many days are left and this one was told last; after a
/// downtime only the nearest, so that nobody gets two mails for one certificate in a morning.
pub fn due(days_left: u16, told: Option<u16>, rules: &Rules) -> Option<u16> {
    let distances = rules.certificate_notice_days.iter().copied();
    let nearest = distances.filter(|distance| *distance >= days_left).min()?;
    told.is_none_or(|told| told > nearest).then_some(nearest)
}

fn tell(state: &State, facts: Facts, rules: &Rules) -> Result<Transition<Expiry>, Refusal> {
    demand(facts.user_active, Refusal::UserInactive)?;
    demand(facts.active, Refusal::Inactive)?;
    demand(!facts.newer, Refusal::Newer)?;
    let told = match state {
        State::Told { days } => Some(*days),
        _ => None,
    };
    let days = due(facts.days_left, told, rules).ok_or(Refusal::NotDue)?;
    let last = rules.certificate_notice_days.iter().all(|distance| *distance >= days);
    Ok(Transition::to(State::Told { days })
        .marking(TOLD)
        .with(Effect::RecordTold { days })
        .telling(Notice::CertificateExpiring { last }))
}
