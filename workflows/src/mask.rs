//! A part of a scanned page that nobody shall see, because somebody wrote a password there.
//!
//! One person lays a mask at once, for every moment counts. What lies under it is seen again, or the
//! mask is lifted, only when a second person allows it: both stand in the history, and so does every
//! look.

use engine::{ActorId, Anchor, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::terms::{Role, Rules, Signal, days, minutes};

/// A mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask;

/// The stored name; never changed.
pub const NAME: &str = "mask";

/// The picture of a page has so many parts in each direction.
pub const WHOLE: u16 = 10_000;
/// A mask narrower or flatter than this would hide nothing.
const LEAST: u16 = 20;

/// A rectangle on a page, in parts of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Area {
    /// From the left edge.
    pub x: u16,
    /// From the upper edge.
    pub y: u16,
    /// To the right.
    pub w: u16,
    /// Down.
    pub h: u16,
}

impl Area {
    /// It lies on the page and hides something.
    pub const fn is_sound(self) -> bool {
        self.w >= LEAST
            && self.h >= LEAST
            && self.x as u32 + self.w as u32 <= WHOLE as u32
            && self.y as u32 + self.h as u32 <= WHOLE as u32
    }
}

/// What is asked for about a mask that lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// To look at what lies under it.
    See,
    /// To take it away.
    Lift,
}

impl Wish {
    /// Every wish.
    pub const ALL: [Self; 2] = [Self::See, Self::Lift];
}

/// Where a mask stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// It hides its part of the page, for good.
    Lying,
    /// It hides it still; another person is to decide.
    Asked {
        /// What.
        wish: Wish,
        /// Who asked.
        by: ActorId,
    },
    /// It hides it from everybody but these two.
    Shown {
        /// Who asked.
        first: ActorId,
        /// Who allowed it.
        second: ActorId,
    },
    /// End: it hides nothing any more.
    Lifted,
}

/// What is asked of a mask.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// One person: nobody shall see this.
    Lay {
        /// Which part of the page.
        area: Area,
    },
    /// One person: see it, or lift it.
    Ask {
        /// What.
        wish: Wish,
    },
    /// Another person: so be it.
    Allow,
    /// Another person: no.
    Refuse,
    /// Who asked: no longer wanted.
    Withdraw,
    /// One of the two: look.
    See,
    /// Clock: nobody decided.
    Lapse,
    /// Clock: enough was seen.
    Cover,
}

/// What the host looks up for a mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// There is a picture of the page.
    pub page_found: bool,
}

/// A write that commits with the state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Writes down where it lies: from the commit on nobody is served the pixels under it.
    KeepMask {
        /// Which part of the page.
        area: Area,
    },
    /// Serves them again.
    DropMask,
}

/// A mask tells nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {}

/// A mask asks for no work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Job {}

/// Why a mask declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// Wrong role.
    #[error("this role may not do that")]
    NotAllowed,
    /// Right role, wrong moment.
    #[error("the mask is not at that step")]
    NotNow,
    /// There is no picture of such a page.
    #[error("there is no such page")]
    NoPage,
    /// It would lie outside the page, or hide nothing.
    #[error("the area is not on the page, or too small")]
    NoArea,
    /// Whoever asked does not decide; two accounts of one person are one.
    #[error("another person must decide")]
    SecondPerson,
    /// Only who asked takes it back, and only the two look.
    #[error("somebody else has asked")]
    NotYours,
}

impl Workflow for Mask {
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
        permit(command, context.actor.role)?;
        match (state, command) {
            (State::Start, Command::Lay { area }) => lay(*area, &context.facts),
            (State::Lying, Command::Ask { wish }) => {
                let by = context.actor.id.clone();
                Ok(Transition::to(State::Asked { wish: *wish, by }))
            }
            (State::Asked { wish, by }, _) => settle(*wish, by, command, &context.actor.id),
            (State::Shown { first, second }, Command::See) => {
                if context.actor.id != *first && context.actor.id != *second {
                    return Err(Refusal::NotYours);
                }
                Ok(Transition::to(state.clone()))
            }
            (State::Shown { .. }, Command::Cover) => Ok(Transition::to(State::Lying)),
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        match state {
            State::Asked { .. } => {
                let span = days(rules.proposal_days);
                vec![Deadline::after(Anchor::ENTERED, span, Command::Lapse)]
            }
            State::Shown { .. } => {
                let span = minutes(rules.mask_shown_minutes);
                vec![Deadline::after(Anchor::ENTERED, span, Command::Cover)]
            }
            State::Start | State::Lying | State::Lifted => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Mask>, Refusal>;

fn permit(command: &Command, role: Role) -> Result<(), Refusal> {
    let roles: &[Role] = match command {
        Command::Lay { .. } | Command::Ask { .. } | Command::Withdraw | Command::See => {
            &[Role::Clerk, Role::Approver, Role::Supervisor]
        }
        Command::Allow | Command::Refuse => &[Role::Approver, Role::Supervisor],
        Command::Lapse | Command::Cover => &[Role::Clock],
    };
    if roles.contains(&role) { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn lay(area: Area, facts: &Facts) -> Decision {
    if !facts.page_found {
        return Err(Refusal::NoPage);
    }
    if !area.is_sound() {
        return Err(Refusal::NoArea);
    }
    Ok(Transition::to(State::Lying).with(Effect::KeepMask { area }).because("secret_written"))
}

fn settle(wish: Wish, by: &ActorId, command: &Command, actor: &ActorId) -> Decision {
    match command {
        Command::Allow | Command::Refuse if actor == by => Err(Refusal::SecondPerson),
        Command::Withdraw if actor != by => Err(Refusal::NotYours),
        Command::Allow => Ok(match wish {
            Wish::See => Transition::to(State::Shown { first: by.clone(), second: actor.clone() }),
            Wish::Lift => Transition::to(State::Lifted).with(Effect::DropMask),
        }),
        Command::Refuse | Command::Withdraw | Command::Lapse => Ok(Transition::to(State::Lying)),
        _ => Err(Refusal::NotNow),
    }
}
