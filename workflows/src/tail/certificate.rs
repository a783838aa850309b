//! From the used password to the certificate that logs in.

use engine::Transition;

use super::{CALL, Command, Decision, INCIDENT, State, Tail};
use crate::reissue::Consequences;
use crate::terms::{
    CERTIFIED, Channel, Effect, Facts, Job, KeyOrigin, Notice, Refusal, Revocation, Signal,
};

pub(super) fn used(state: &State, channel: Channel, command: &Command, facts: &Facts) -> Decision {
    let make = |csr: &Option<String>| {
        Transition::to(State::Claimed { channel }).asking(Job::MakeCertificate { csr: csr.clone() })
    };
    let claimed = matches!(state, State::Claimed { .. });
    Ok(match command {
        Command::Claim { csr } if !claimed => make(csr),
        Command::Refetch { csr } if claimed => make(csr),
        Command::CertificateMade { serial, key } if claimed => made(channel, serial, *key, facts),
        Command::CertificateRefused if claimed => Transition::to(state.clone()),
        Command::GiveUp => {
            Transition::to(State::Failed).releasing(facts).telling(Notice::CertificateFailed)
        }
        Command::Supersede => {
            Transition::to(State::Superseded).releasing(facts).telling(Notice::Superseded)
        }
        Command::NotNeeded => {
            Transition::to(State::NotNeeded).releasing(facts).telling(Notice::NotNeeded)
        }
        Command::Withdraw => {
            Transition::to(State::Withdrawn).releasing(facts).telling(Notice::Withdrawn)
        }
        Command::Disown => Transition::to(State::Frozen).freezing(INCIDENT),
        Command::EmergencyStop => Transition::to(State::Frozen).freezing(CALL),
        _ => return Err(Refusal::NotNow),
    })
}

fn made(channel: Channel, serial: &str, key: KeyOrigin, facts: &Facts) -> Transition<Tail> {
    let to = State::CertificateIssued {
        channel,
        serial: serial.to_owned(),
        key,
        refetch: true,
        reminded: false,
    };
    let mut made = Transition::to(to)
        .marking(CERTIFIED)
        .with(Effect::StoreCertificate { serial: serial.to_owned() })
        .with(Effect::RevokeCertificate { why: Revocation::Superseded })
        .telling(Notice::CertificateReady);
    for other in &facts.open_cases {
        made = made.signalling(Signal::NotNeeded { to: *other });
    }
    made
}

pub(super) fn issued(state: &State, command: &Command) -> Decision {
    let State::CertificateIssued { channel, serial, key, refetch, reminded } = state else {
        return Err(Refusal::NotNow);
    };
    let (channel, key) = (*channel, *key);
    let stay = |refetch, reminded| {
        let serial = serial.clone();
        Transition::to(State::CertificateIssued { channel, serial, key, refetch, reminded })
    };
    let revoking = |to, why| {
        without_server_key(Transition::to(to), key, *refetch)
            .with(Effect::RevokeCertificate { why })
    };
    Ok(match command {
        Command::Refetch { .. } if !refetch => return Err(Refusal::WindowClosed),
        Command::Refetch { csr: None } if key == KeyOrigin::Server => stay(*refetch, *reminded),
        Command::Refetch { csr } => revoking(State::Claimed { channel }, Revocation::Unused)
            .asking(Job::MakeCertificate { csr: csr.clone() }),
        Command::CloseRefetch if *refetch => {
            without_server_key(stay(false, *reminded), key, *refetch)
        }
        Command::RemindFirstLogin if !reminded => {
            stay(*refetch, true).telling(Notice::FirstLoginReminder)
        }
        Command::FirstLogin { serial: other } if other != serial => {
            return Err(Refusal::OtherCertificate);
        }
        Command::FirstLogin { .. } => {
            without_server_key(Transition::to(State::Completed), key, *refetch)
                .telling(Notice::Completed)
        }
        Command::CloseUnused => {
            without_server_key(Transition::to(State::ClosedUnused), key, *refetch)
                .with(Effect::FlagUnused)
                .telling(Notice::ClosedUnused)
        }
        Command::Supersede => {
            revoking(State::Superseded, Revocation::Unused).telling(Notice::Superseded)
        }
        Command::NotNeeded => {
            revoking(State::NotNeeded, Revocation::Unused).telling(Notice::NotNeeded)
        }
        Command::Withdraw => {
            revoking(State::Withdrawn, Revocation::Withdrawn).telling(Notice::Withdrawn)
        }
        Command::Disown => without_server_key(disowned(), key, *refetch),
        Command::EmergencyStop => {
            without_server_key(Transition::to(State::Frozen), key, *refetch).freezing(CALL)
        }
        _ => return Err(Refusal::NotNow),
    })
}

/// A key made on the server lives only as long as it may be fetched again.
fn without_server_key(
    transition: Transition<Tail>,
    key: KeyOrigin,
    refetch: bool,
) -> Transition<Tail> {
    if refetch && key == KeyOrigin::Server {
        transition.with(Effect::DestroyServerKey)
    } else {
        transition
    }
}

/// "This was not me": whoever has the certificate must not use it.
pub(super) fn disowned() -> Transition<Tail> {
    Transition::to(State::Frozen)
        .with(Effect::RevokeCertificate { why: Revocation::Compromised })
        .asking(Job::OpenTask { kind: INCIDENT })
        .telling(Notice::Stopped)
}
