//! Path 3: Form 3 by mail; one case per user and retrieval request on the form.

mod defect;
mod desk;
mod post;

pub use post::is_tracking_number;

use engine::{ActorId, Anchor, Context, Deadline, Transition, Workflow};
use serde::{Deserialize, Serialize};

use crate::reissue::{Consequences, demand, only, wrapped};
use crate::tail;
use crate::terms::{
    Channel, DefectCode, Effect, Facts, Job, Notice, Refusal, Role, Rules, Signal, SubmissionRef,
    TaskKind, UserRef, VoidReason, days,
};

/// The paper path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper;

/// The stored name; never changed.
pub const NAME: &str = "paper";

/// How often the form has come and how often the letter has gone again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Round {
    /// Submissions of the form so far, from 1.
    pub attempt: u8,
    /// Fresh letters after a returned one.
    pub resends: u8,
}

/// Where a paper case stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Before its first command.
    Start,
    /// The form is matched to the user; a clerk works through the checklist.
    Identified {
        /// Counts.
        round: Round,
    },
    /// The checklist is done; the seal is to be compared.
    Checked {
        /// Counts.
        round: Round,
        /// Did the checklist.
        clerk: ActorId,
    },
    /// The seal matches; somebody else is to approve.
    SealOk {
        /// Counts.
        round: Round,
        /// Did the checklist.
        clerk: ActorId,
        /// Compared the seal.
        sealer: ActorId,
    },
    /// Approved; the letter is being made.
    Approved {
        /// Counts.
        round: Round,
    },
    /// The letter exists; its password is pending.
    Printed {
        /// Counts.
        round: Round,
    },
    /// The letter is in the mail; its password is live.
    Dispatched {
        /// Counts.
        round: Round,
        /// Expiry notices that are no longer due, as in the tail.
        reminded: u8,
    },
    /// The letter came back; its password is void.
    Undelivered {
        /// Counts.
        round: Round,
    },
    /// A defect that a call may mend.
    Defect {
        /// Counts.
        round: Round,
        /// Recorded the call first.
        first: Option<ActorId>,
    },
    /// The form went back to the customer.
    Returned {
        /// Counts.
        round: Round,
        /// The reminder went out.
        reminded: bool,
    },
    /// Defective too often; the supervisor calls.
    Escalated {
        /// Counts.
        round: Round,
    },
    /// The address changed lately; the old address is asked first.
    AddressHold {
        /// Counts.
        round: Round,
    },
    /// A danger sign; somebody calls back first.
    DangerHold {
        /// Counts.
        round: Round,
    },
    /// The password is with the customer.
    Tail(tail::State),
    /// End: an earlier case of the same user goes on.
    Duplicate,
    /// End: the contract, the user or the request does not allow it.
    Rejected,
    /// End: no corrected form, reply or confirmation came.
    ClosedNoResponse,
    /// End: the letter could not be delivered.
    ClosedUndeliverable,
    /// End: nobody moved it on in time.
    Lapsed,
}

/// What is asked of a paper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Worker or clerk: a retrieval request was found on a form.
    Open {
        /// The user in the row.
        user: UserRef,
        /// The envelope.
        submission: SubmissionRef,
    },
    /// Clerk: the checklist is done and nothing is wrong.
    Check,
    /// Clerk: the seal matches.
    MatchSeal,
    /// Approver: the seal matches, approved.
    Approve,
    /// Approver: back to the checklist.
    SendBack,
    /// Approver: the request cannot be granted.
    Reject,
    /// Clerk, approver, or a case from the same form: something is wrong.
    Defect {
        /// What.
        codes: Vec<DefectCode>,
    },
    /// Clerk or approver: the call is recorded; the second record must be another person's.
    CureByPhone,
    /// Clerk or approver: the call did not help, the form goes back.
    ReturnForm,
    /// Worker, mail room or clerk: the corrected form came.
    Resubmit {
        /// The new envelope.
        submission: SubmissionRef,
    },
    /// Supervisor: look at the form once more.
    Readmit,
    /// Clerk or supervisor: the reply or call confirms the new address.
    ConfirmAddress,
    /// Clerk or supervisor: the old address objects.
    ObjectAddress,
    /// Supervisor: the call back cleared the danger sign.
    ClearDanger,
    /// Worker: password and letter are made.
    Print,
    /// Dispatch: the letter is spoiled; a new secret is made.
    Spoil,
    /// Dispatch: posted.
    Dispatch {
        /// Eleven digits.
        tracking: String,
    },
    /// Dispatch or worker: delivered.
    Deliver,
    /// Mail room or dispatch: the letter came back.
    ReturnedMail,
    /// Approver: a fresh letter after a returned one.
    Resend,
    /// Approver: a fresh letter after an expiry, once.
    Remail,
    /// Clock: the corrected form is awaited.
    Remind,
    /// Clock: no answer came.
    CloseNoResponse,
    /// Clock: nobody moved it on.
    Lapse,
    /// From the common tail.
    Tail(tail::Command),
}

impl Workflow for Paper {
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
        permit(command, context)?;
        match command {
            Command::Open { .. }
            | Command::Check
            | Command::MatchSeal
            | Command::Approve
            | Command::SendBack
            | Command::Reject
            | Command::ConfirmAddress
            | Command::ObjectAddress
            | Command::ClearDanger => desk::decide(state, command, context, rules),
            Command::Defect { .. }
            | Command::CureByPhone
            | Command::ReturnForm
            | Command::Resubmit { .. }
            | Command::Readmit
            | Command::Remind
            | Command::CloseNoResponse => defect::decide(state, command, context, rules),
            Command::Print
            | Command::Spoil
            | Command::Dispatch { .. }
            | Command::Deliver
            | Command::ReturnedMail
            | Command::Resend
            | Command::Remail => post::decide(state, command, context, rules),
            Command::Lapse => lapse(state),
            Command::Tail(command) => in_tail(state, command, context, rules),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let entered = |count, command| vec![Deadline::after(Anchor::ENTERED, days(count), command)];
        match state {
            State::Start
            | State::Identified { .. }
            | State::Checked { .. }
            | State::SealOk { .. }
            | State::Approved { .. }
            | State::Printed { .. }
            | State::Undelivered { .. } => entered(rules.paper_lapse_days, Command::Lapse),
            State::Dispatched { reminded, .. } => {
                let all = tail::validity(Channel::Paper, *reminded, rules).into_iter();
                let wrap = |due: Deadline<tail::Command>| {
                    Deadline::after(due.anchor, due.span, Command::Tail(due.command))
                };
                all.map(wrap).collect()
            }
            State::Defect { .. } | State::Escalated { .. } => {
                entered(rules.defect_close_days, Command::CloseNoResponse)
            }
            State::Returned { reminded, .. } => {
                let mut all = entered(rules.defect_close_days, Command::CloseNoResponse);
                if !reminded {
                    all.extend(entered(rules.defect_reminder_days, Command::Remind));
                }
                all
            }
            State::AddressHold { .. } => entered(rules.address_hold_days, Command::CloseNoResponse),
            State::DangerHold { .. } => entered(rules.danger_hold_days, Command::CloseNoResponse),
            State::Tail(state) => wrapped(state, rules, Command::Tail),
            State::Duplicate
            | State::Rejected
            | State::ClosedNoResponse
            | State::ClosedUndeliverable
            | State::Lapsed => Vec::new(),
        }
    }
}

type Decision = Result<Transition<Paper>, Refusal>;

/// Who may send a command at all; the four eyes are judged where they matter.
fn permit(command: &Command, context: &Context<Paper>) -> Result<(), Refusal> {
    let roles: &[Role] = match command {
        Command::Open { .. } => &[Role::Worker, Role::Clerk],
        Command::Check | Command::MatchSeal => &[Role::Clerk],
        Command::Approve | Command::SendBack | Command::Resend | Command::Remail => {
            &[Role::Approver]
        }
        Command::Reject => &[Role::Approver, Role::Supervisor],
        Command::Defect { .. } => &[Role::Clerk, Role::Approver, Role::Peer],
        Command::CureByPhone | Command::ReturnForm => &[Role::Clerk, Role::Approver],
        Command::Resubmit { .. } => &[Role::Worker, Role::MailRoom, Role::Clerk],
        Command::Readmit | Command::ClearDanger => &[Role::Supervisor],
        Command::ConfirmAddress | Command::ObjectAddress => &[Role::Clerk, Role::Supervisor],
        Command::Print => &[Role::Worker],
        Command::Spoil | Command::Dispatch { .. } => &[Role::Dispatch],
        Command::Deliver => &[Role::Dispatch, Role::Worker],
        Command::ReturnedMail => &[Role::MailRoom, Role::Dispatch],
        Command::Remind | Command::CloseNoResponse | Command::Lapse => &[Role::Clock],
        Command::Tail(command) => return tail::permit(command, context),
    };
    only(context, roles)
}

/// What every step checks anew: the contract, the user, the need, the danger and the address may
/// have changed since the step before. `None` when the case may go on.
fn recheck(round: Round, facts: &Facts) -> Option<Transition<Paper>> {
    if !facts.contract_active {
        return Some(rejected("contract_inactive"));
    }
    if !facts.user_active {
        return Some(rejected("user_inactive"));
    }
    if !facts.still_needed {
        let ended = State::Tail(tail::State::NotNeeded);
        return Some(Transition::to(ended).telling(Notice::NotNeeded));
    }
    if facts.danger {
        return Some(held(round));
    }
    if facts.address_fresh {
        let asked = Transition::to(State::AddressHold { round })
            .telling(Notice::AddressInquiry)
            .asking(Job::OpenTask { kind: TaskKind::LetterInquiry });
        return Some(asked);
    }
    None
}

fn rejected(reason: &'static str) -> Transition<Paper> {
    Transition::to(State::Rejected).telling(Notice::Rejected).because(reason)
}

fn held(round: Round) -> Transition<Paper> {
    Transition::to(State::DangerHold { round })
        .telling(Notice::CallAwaited)
        .asking(Job::OpenTask { kind: TaskKind::CallBack })
}

fn lapse(state: &State) -> Decision {
    let lapsed = || Transition::to(State::Lapsed).telling(Notice::Lapsed);
    match state {
        State::Start => Ok(Transition::to(State::Lapsed)),
        State::Identified { .. }
        | State::Checked { .. }
        | State::SealOk { .. }
        | State::Approved { .. } => Ok(lapsed()),
        State::Printed { .. } => Ok(lapsed().voiding(VoidReason::Ended)),
        State::Undelivered { .. } => {
            Ok(Transition::to(State::ClosedUndeliverable).telling(Notice::ClosedUndeliverable))
        }
        _ => Err(Refusal::NotNow),
    }
}

/// The tail's commands before, during and after the letter's way through the mail.
fn in_tail(
    state: &State,
    command: &tail::Command,
    context: &Context<Paper>,
    rules: &Rules,
) -> Decision {
    match state {
        State::Tail(state) => crate::reissue::in_tail(state, command, context, rules, State::Tail),
        State::Dispatched { round, reminded } => {
            let channel = Channel::Paper;
            let live = tail::State::Waiting { channel, copy: false, reminded: *reminded };
            let mut decided = crate::reissue::in_tail(&live, command, context, rules, State::Tail)?;
            if let State::Tail(tail::State::Waiting { reminded, .. }) = decided.to {
                decided.to = State::Dispatched { round: *round, reminded };
            }
            Ok(decided)
        }
        State::Printed { .. } => printed(command),
        _ => unprinted(state, command),
    }
}

/// The letter exists, but nobody outside has it: void it. Its password was never live, so there
/// is nothing to disarm and no certificate is held yet.
fn printed(command: &tail::Command) -> Decision {
    use VoidReason as Why;
    use tail::{Command as C, State as End};
    let ended = |end, why| Transition::to(State::Tail(end)).voiding(why);
    Ok(match command {
        C::Supersede => ended(End::Superseded, Why::Superseded).telling(Notice::Superseded),
        C::NotNeeded => ended(End::NotNeeded, Why::Ended).telling(Notice::NotNeeded),
        C::Withdraw => ended(End::Withdrawn, Why::Withdrawn).telling(Notice::Withdrawn),
        C::EmergencyStop => ended(End::Frozen, Why::Stopped).freezing(TaskKind::CallBack),
        C::Disown => ended(End::Frozen, Why::Stopped).freezing(TaskKind::Incident),
        _ => return Err(Refusal::NotNow),
    })
}

/// Nothing exists yet that could be voided, and the form must not touch a certificate: a stop
/// holds the case, not the certificate.
fn unprinted(state: &State, command: &tail::Command) -> Decision {
    use tail::{Command as C, State as End};
    let round = round_of(state).ok_or(Refusal::NotNow)?;
    let ended = |end| Transition::to(State::Tail(end));
    let stopped = |kind| {
        Transition::to(State::DangerHold { round })
            .with(Effect::RaiseDanger)
            .asking(Job::OpenTask { kind })
            .telling(Notice::Stopped)
    };
    demand(
        !matches!((state, command), (State::DangerHold { .. }, C::EmergencyStop | C::Disown)),
        Refusal::NotNow,
    )?;
    Ok(match command {
        C::Supersede => ended(End::Superseded).telling(Notice::Superseded),
        C::NotNeeded => ended(End::NotNeeded).telling(Notice::NotNeeded),
        C::Withdraw => ended(End::Withdrawn).telling(Notice::Withdrawn),
        C::EmergencyStop => stopped(TaskKind::CallBack),
        C::Disown => stopped(TaskKind::Incident),
        _ => return Err(Refusal::NotNow),
    })
}

/// The counts of a case that has no password yet or none any more.
const fn round_of(state: &State) -> Option<Round> {
    match state {
        State::Identified { round }
        | State::Checked { round, .. }
        | State::SealOk { round, .. }
        | State::Approved { round }
        | State::Undelivered { round }
        | State::Defect { round, .. }
        | State::Returned { round, .. }
        | State::Escalated { round }
        | State::AddressHold { round }
        | State::DangerHold { round } => Some(*round),
        _ => None,
    }
}
