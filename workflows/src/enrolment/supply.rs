//! Where codes come from: the ledger, a letter, a colleague.

use engine::{Context, Transition};

use super::{
    Command, Decision, Effect, Enrolment, Facts, Job, Notice, Refusal, Source, State, VoidReason,
    demand,
};
use crate::paper::is_tracking_number;
use crate::terms::{ISSUED, Rules, TaskKind};

pub(super) fn decide(
    state: &State,
    command: &Command,
    context: &Context<Enrolment>,
    rules: &Rules,
) -> Decision {
    use {Command as C, State as S};
    let facts = &context.facts;
    match (state, command) {
        (S::Start, C::Begin) => Ok(Transition::to(S::Idle)),
        (S::Start, _) => Err(Refusal::NotNow),
        // One letter is enough for everything that was reset before it is posted.
        (S::Ordered | S::AddressHold | S::Printed, C::Order) => Ok(Transition::to(state.clone())),
        (_, C::Order) => Ok(order(facts).with(Effect::EndEnrolments)),
        (S::Ordered, C::Print) if facts.address_fresh => Ok(hold()),
        (S::Ordered, C::Print) => Ok(Transition::to(S::Printed)
            .with(Effect::VoidCode { why: VoidReason::Superseded })
            .with(Effect::StoreCode { source: Source::Letter })
            .with(Effect::StoreLetter)),
        (S::Printed, C::Dispatch { tracking }) => dispatch(tracking, facts),
        (S::Waiting { source: Source::Letter, .. }, C::ReturnedMail) => Ok(Transition::to(S::Idle)
            .with(Effect::RecordReturn)
            .with(Effect::VoidCode { why: VoidReason::Undelivered })
            .asking(UNDELIVERED)),
        (_, C::Import) => Ok(live(Source::Imported)),
        (_, C::Issue) => {
            colleague(facts, rules)?;
            Ok(live(Source::Colleague).with(Effect::SpendTransaction).telling(Notice::CodeIssued))
        }
        (S::Waiting { copy: true, .. }, C::Noted | C::CloseReveal) => noted(state, command, facts),
        (S::Waiting { .. }, C::Expire) => Ok(Transition::to(S::Idle)
            .with(Effect::VoidCode { why: VoidReason::Expired })
            .with(Effect::DestroyCopy)
            .telling(Notice::CodeExpired)),
        (S::AddressHold, C::Retry) if facts.address_fresh => {
            Ok(Transition::to(S::Idle).asking(UNDELIVERED))
        }
        (S::AddressHold, C::Retry) | (S::Printed, C::Spoil) => Ok(order(facts)),
        (S::Ordered | S::Printed, C::GiveUp) => Ok(Transition::to(S::Idle)
            .with(Effect::VoidCode { why: VoidReason::Spoiled })
            .asking(UNDELIVERED)),
        _ => Err(Refusal::NotNow),
    }
}

/// Somebody calls the company and finds another way.
const UNDELIVERED: Job = Job::OpenTask { kind: TaskKind::Undelivered };

/// The older code is void from this moment: whoever asked for a reset no longer trusts it.
fn order(facts: &Facts) -> Transition<Enrolment> {
    let ordered = if facts.address_fresh {
        hold()
    } else {
        Transition::to(State::Ordered).asking(Job::PrintCode)
    };
    ordered.with(Effect::VoidCode { why: VoidReason::Superseded })
}

fn hold() -> Transition<Enrolment> {
    Transition::to(State::AddressHold).asking(Job::OpenTask { kind: TaskKind::LetterInquiry })
}

fn dispatch(tracking: &str, facts: &Facts) -> Decision {
    demand(facts.batch_reconciled, Refusal::BatchOpen)?;
    demand(is_tracking_number(tracking), Refusal::TrackingNumber)?;
    demand(facts.contract_active, Refusal::ContractInactive)?;
    demand(facts.user_active, Refusal::UserInactive)?;
    if facts.address_fresh {
        return Ok(hold().with(Effect::VoidCode { why: VoidReason::Spoiled }));
    }
    let tracking = tracking.to_owned();
    Ok(waiting(Source::Letter)
        .with(Effect::ActivateCode)
        .with(Effect::RecordPosting { tracking: tracking.clone() })
        .marking(ISSUED)
        .telling(Notice::CodePosted { tracking }))
}

/// What a colleague must be: as for a reissue on their behalf.
fn colleague(facts: &Facts, rules: &Rules) -> Result<(), Refusal> {
    demand(facts.same_contract, Refusal::OtherContract)?;
    demand(facts.actor_authority, Refusal::NoAuthority)?;
    demand(!facts.actor_is_user, Refusal::ForColleagues)?;
    demand(facts.actor_certificate_active, Refusal::CertificateInactive)?;
    demand(facts.contract_active, Refusal::ContractInactive)?;
    demand(facts.user_active, Refusal::UserInactive)?;
    demand(!facts.danger, Refusal::Danger)?;
    let limit = rules.reissues_per_administrator_per_day;
    demand(facts.actor_codes_today < limit, Refusal::DailyLimit)?;
    demand(facts.transaction_vouched, Refusal::TransactionMissing)
}

fn waiting(source: Source) -> Transition<Enrolment> {
    let copy = source == Source::Colleague;
    Transition::to(State::Waiting { source, copy, wrong: 0, open: 0 })
}

/// A new code is live, every older one is void.
fn live(source: Source) -> Transition<Enrolment> {
    waiting(source)
        .with(Effect::VoidCode { why: VoidReason::Superseded })
        .with(Effect::EndEnrolments)
        .with(Effect::StoreCode { source })
        .marking(ISSUED)
}

/// The page that shows the code belongs to somebody of the contract who holds the authority.
fn noted(state: &State, command: &Command, facts: &Facts) -> Decision {
    let State::Waiting { source, wrong, open, .. } = *state else { return Err(Refusal::NotNow) };
    if *command == Command::Noted {
        demand(facts.same_contract, Refusal::OtherContract)?;
        demand(facts.actor_authority, Refusal::NoAuthority)?;
    }
    Ok(Transition::to(State::Waiting { source, copy: false, wrong, open })
        .with(Effect::DestroyCopy))
}
