//! The common end of all three paths: from a live password to a certificate that logs in.
//!
//! It is walked as a workflow of its own, but never stored as one: each path embeds
//! [`State`] as `State::Tail` and [`Command`] as `Command::Tail`.

mod certificate;

use engine::{Anchor, Context, Deadline, Span, Transition, Workflow};
use serde::{Deserialize, Serialize};

use self::certificate::{disowned, issued, used};
use crate::reissue::{Consequences, Reissue, customer, only, own};
use crate::terms::{
    CERTIFIED, Channel, Effect, Facts, ISSUED, Job, KeyOrigin, Notice, Refusal, Revocation, Role,
    Rules, Signal, TaskKind, VoidReason, days, minutes,
};

/// The common tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail;

/// Where a case stands from the issue of its password on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// A live password waits to be used.
    Waiting {
        /// Decides how long it is valid.
        channel: Channel,
        /// A sealed copy for the display page exists.
        copy: bool,
        /// Expiry notices that are no longer due: 0, 1 (halfway) or 2 (last day).
        reminded: u8,
    },
    /// The password was used in the very moment of its expiry; its claim is on its way.
    Redeemed {
        /// As in `Waiting`.
        channel: Channel,
    },
    /// The password is used; the certificate is being made.
    Claimed {
        /// As in `Waiting`.
        channel: Channel,
    },
    /// The certificate exists and was not used yet.
    CertificateIssued {
        /// As in `Waiting`.
        channel: Channel,
        /// Of the certificate, as hexadecimal digits.
        serial: String,
        /// Where its key was made.
        key: KeyOrigin,
        /// It may still be fetched again.
        refetch: bool,
        /// The reminder to use it went out.
        reminded: bool,
    },
    /// Too many wrong entries: the password is void, another case is the cure.
    Locked,
    /// Stopped because of a suspicion; a supervisor settles it.
    Frozen,
    /// End: the new certificate logged in.
    Completed,
    /// End: the new certificate was never used.
    ClosedUnused,
    /// End: locked, and no other case cured it in time.
    ClosedLocked,
    /// End: the password was not used in time.
    Expired,
    /// End: the certificate was not made in time.
    Failed,
    /// End: another case issued.
    Superseded,
    /// End: another case got a certificate.
    NotNeeded,
    /// End: withdrawn by the customer.
    Withdrawn,
    /// End: stopped because of a suspicion.
    Stopped,
}

/// What is asked of a case from the issue of its password on; several also apply before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// User: the digits are noted, destroy the display copy.
    Noted,
    /// Clock: the display window is over.
    CloseReveal,
    /// Clock: half of the validity is over.
    RemindHalfway,
    /// Clock: one day is left.
    RemindLastDay,
    /// Clock: the validity is over.
    Expire,
    /// Retrieval credential: entered rightly.
    Claim {
        /// PKCS#10 in PEM; `None` asks for a key made on the server.
        csr: Option<String>,
    },
    /// Retrieval credential: entered wrongly too often.
    RetrievalLocked,
    /// Worker: the certificate is made.
    CertificateMade {
        /// As hexadecimal digits.
        serial: String,
        /// Where its key was made.
        key: KeyOrigin,
    },
    /// Worker: the request was not usable; the user may send another one.
    CertificateRefused,
    /// Clock: the certificate was not made in time.
    GiveUp,
    /// User: fetch again; a key made in the browser needs a new request.
    Refetch {
        /// PKCS#10 in PEM.
        csr: Option<String>,
    },
    /// Clock: it can no longer be fetched again.
    CloseRefetch,
    /// User: the first mutual-TLS login with the new certificate.
    FirstLogin {
        /// Of the certificate that logged in.
        serial: String,
    },
    /// Clock: the certificate was not used yet.
    RemindFirstLogin,
    /// Clock: the certificate was never used.
    CloseUnused,
    /// Another case: it has issued.
    Supersede,
    /// Another case: it got a certificate.
    NotNeeded,
    /// Customer, or a clerk holding the sealed letter: stop asking.
    Withdraw,
    /// User: "this was not me".
    Disown,
    /// Help desk, customer or supervisor: stop because of a suspicion.
    EmergencyStop,
    /// Supervisor: the suspicion is settled.
    Resolve {
        /// Nothing was wrong.
        innocent: bool,
    },
    /// Clock: closes what is locked or stopped.
    Close,
}

impl Workflow for Tail {
    const NAME: &'static str = "tail";
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
        State::Waiting { channel: Channel::SelfService, copy: true, reminded: 0 }
    }

    fn decide(
        state: &State,
        command: &Command,
        context: &Context<Self>,
        _rules: &Rules,
    ) -> Result<Transition<Self>, Refusal> {
        permit(command, context)?;
        let facts = &context.facts;
        match state {
            State::Waiting { channel, copy, reminded } => waiting(
                &Live { channel: *channel, copy: *copy, reminded: *reminded },
                command,
                facts,
            ),
            State::Redeemed { channel } | State::Claimed { channel } => {
                used(state, *channel, command, facts)
            }
            State::CertificateIssued { .. } => issued(state, command),
            State::Locked => locked(command, facts),
            State::Frozen => frozen(command),
            State::Completed | State::ClosedUnused | State::Failed => match command {
                // The certificate may be in the wrong hands long after the case has ended.
                Command::Disown => Ok(disowned()),
                _ => Err(Refusal::NotNow),
            },
            _ => Err(Refusal::NotNow),
        }
    }

    fn deadlines(state: &State, rules: &Rules) -> Vec<Deadline<Command>> {
        let entered = |span, command| vec![Deadline::after(Anchor::ENTERED, span, command)];
        match state {
            State::Waiting { channel, copy, reminded } => {
                let mut all = validity(*channel, *reminded, rules);
                if *copy {
                    let window = minutes(rules.reveal_window_minutes);
                    all.push(Deadline::after(ISSUED, window, Command::CloseReveal));
                }
                all
            }
            State::Redeemed { .. } | State::Claimed { .. } => {
                entered(minutes(rules.certificate_refetch_minutes), Command::GiveUp)
            }
            State::CertificateIssued { refetch, reminded, .. } => {
                let mut all = Vec::new();
                let mut after = |span, command| {
                    all.push(Deadline::after(CERTIFIED, span, command));
                };
                if *refetch {
                    after(minutes(rules.certificate_refetch_minutes), Command::CloseRefetch);
                }
                if !reminded {
                    after(days(rules.first_login_reminder_days), Command::RemindFirstLogin);
                }
                after(days(rules.first_login_close_days), Command::CloseUnused);
                all
            }
            State::Locked => entered(days(rules.locked_close_days), Command::Close),
            State::Frozen => entered(days(rules.stopped_close_days), Command::Close),
            _ => Vec::new(),
        }
    }
}

/// The deadlines of a live password: its notices and its end. Shared with a letter in the mail.
pub(crate) fn validity(channel: Channel, reminded: u8, rules: &Rules) -> Vec<Deadline<Command>> {
    let after = |span, command| Deadline::after(ISSUED, span, command);
    let mut all = vec![after(rules.validity(channel), Command::Expire)];
    if let (0, Some(hours)) = (reminded, rules.halfway_hours(channel)) {
        all.push(after(Span::hours(hours), Command::RemindHalfway));
    }
    if let (0 | 1, Some(hours)) = (reminded, rules.last_day_hours(channel)) {
        all.push(after(Span::hours(hours), Command::RemindLastDay));
    }
    all
}

/// Who may send a command of the tail at all.
pub(crate) fn permit<W: Reissue>(command: &Command, context: &Context<W>) -> Result<(), Refusal> {
    match command {
        Command::CloseReveal
        | Command::RemindHalfway
        | Command::RemindLastDay
        | Command::Expire
        | Command::GiveUp
        | Command::CloseRefetch
        | Command::RemindFirstLogin
        | Command::CloseUnused
        | Command::Close => only(context, &[Role::Clock]),
        Command::Claim { .. }
        | Command::RetrievalLocked
        | Command::Supersede
        | Command::NotNeeded => only(context, &[Role::Peer]),
        Command::CertificateMade { .. } | Command::CertificateRefused => {
            only(context, &[Role::Worker])
        }
        Command::Refetch { .. } | Command::FirstLogin { .. } => own(context),
        Command::Withdraw if context.actor.role == Role::Clerk => Ok(()),
        Command::Noted | Command::Disown | Command::Withdraw => customer(context),
        Command::EmergencyStop => match context.actor.role {
            Role::HelpDesk | Role::Supervisor => Ok(()),
            _ => customer(context),
        },
        Command::Resolve { .. } => only(context, &[Role::Supervisor]),
    }
}

struct Live {
    channel: Channel,
    copy: bool,
    reminded: u8,
}

type Decision = Result<Transition<Tail>, Refusal>;

fn waiting(live: &Live, command: &Command, facts: &Facts) -> Decision {
    let Live { channel, copy, reminded } = *live;
    Ok(match command {
        Command::Noted | Command::CloseReveal if copy => {
            Transition::to(State::Waiting { channel, copy: false, reminded })
                .with(Effect::DestroyDisplayCopy)
        }
        Command::RemindHalfway if reminded < 1 => {
            Transition::to(State::Waiting { channel, copy, reminded: 1 })
                .telling(Notice::ExpiryHalfway)
        }
        Command::RemindLastDay if reminded < 2 => {
            Transition::to(State::Waiting { channel, copy, reminded: 2 })
                .telling(Notice::ExpiryTomorrow)
        }
        Command::Expire => expired(channel, facts),
        Command::Claim { csr } => Transition::to(State::Claimed { channel })
            .with(Effect::DestroyDisplayCopy)
            .asking(Job::MakeCertificate { csr: csr.clone() }),
        Command::RetrievalLocked => retrieval_locked(),
        Command::Supersede => superseded(facts),
        Command::NotNeeded => not_needed(facts),
        Command::Withdraw => withdrawn(facts),
        Command::Disown => {
            Transition::to(State::Frozen).disarming(VoidReason::Stopped, facts).freezing(INCIDENT)
        }
        Command::EmergencyStop => {
            Transition::to(State::Frozen).disarming(VoidReason::Stopped, facts).freezing(CALL)
        }
        _ => return Err(Refusal::NotNow),
    })
}

const CALL: TaskKind = TaskKind::CallBack;
const INCIDENT: TaskKind = TaskKind::Incident;

/// The validity is over. An entry that was right in that very moment still counts.
pub(crate) fn expired(channel: Channel, facts: &Facts) -> Transition<Tail> {
    if facts.password_used {
        return Transition::to(State::Redeemed { channel });
    }
    Transition::to(State::Expired)
        .disarming(VoidReason::Expired, facts)
        .releasing(facts)
        .telling(Notice::Expired)
}

/// The credential has locked itself, so it needs no signal.
pub(crate) fn retrieval_locked() -> Transition<Tail> {
    Transition::to(State::Locked).voiding(VoidReason::Locked).telling(Notice::RetrievalLocked)
}

/// Another case has issued. It has armed the credential for its own password and taken over the
/// held certificates, so neither is touched by mistake here.
pub(crate) fn superseded(facts: &Facts) -> Transition<Tail> {
    Transition::to(State::Superseded)
        .voiding(VoidReason::Superseded)
        .releasing(facts)
        .telling(Notice::Superseded)
}

/// Another case got a certificate.
pub(crate) fn not_needed(facts: &Facts) -> Transition<Tail> {
    Transition::to(State::NotNeeded)
        .disarming(VoidReason::Ended, facts)
        .releasing(facts)
        .telling(Notice::NotNeeded)
}

/// The customer no longer wants it.
pub(crate) fn withdrawn(facts: &Facts) -> Transition<Tail> {
    Transition::to(State::Withdrawn)
        .disarming(VoidReason::Withdrawn, facts)
        .releasing(facts)
        .telling(Notice::Withdrawn)
}

fn locked(command: &Command, facts: &Facts) -> Decision {
    Ok(match command {
        Command::Supersede => Transition::to(State::Superseded).releasing(facts),
        Command::NotNeeded => Transition::to(State::NotNeeded).releasing(facts),
        Command::Withdraw => {
            Transition::to(State::Withdrawn).releasing(facts).telling(Notice::Withdrawn)
        }
        Command::Disown => Transition::to(State::Frozen).freezing(INCIDENT),
        Command::EmergencyStop => Transition::to(State::Frozen).freezing(CALL),
        Command::Close => {
            Transition::to(State::ClosedLocked).releasing(facts).telling(Notice::ClosedLocked)
        }
        _ => return Err(Refusal::NotNow),
    })
}

fn frozen(command: &Command) -> Decision {
    Ok(match command {
        Command::Resolve { innocent: true } => Transition::to(State::Stopped)
            .with(Effect::ReleaseCertificate)
            .telling(Notice::StopSettled),
        Command::Resolve { innocent: false } => Transition::to(State::Stopped)
            .with(Effect::RevokeCertificate { why: Revocation::Compromised })
            .telling(Notice::StopSettled),
        // Nobody settled it: what is held stays held.
        Command::Close => Transition::to(State::Stopped).telling(Notice::StopSettled),
        _ => return Err(Refusal::NotNow),
    })
}
