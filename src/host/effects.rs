//! The writes of a reissue path, in the transaction that decides.

use engine::{ActorId, CaseId, Fault, Origin, Tx};
use workflows::terms::{Channel, Effect, Revocation, VoidReason};

use super::issue::Prepared;
use super::reissue::Opening;
use super::{Missing, facts, session_of, user_of_subject};
use crate::intake;
use crate::store::certificates::{self, Which};
use crate::store::passwords::NewPassword;
use crate::store::reissues::{self, Change, Reissue};
use crate::store::{letters, passwords, sessions, standing, submissions};

/// Which case an effect belongs to, and who caused it.
pub(super) struct Place<'a> {
    pub(super) case: CaseId,
    pub(super) subject: &'a str,
    /// The stored name of the way, or of the other workflow that came with the form.
    pub(super) channel: &'static str,
    pub(super) actor: &'a ActorId,
    pub(super) origin: &'a Origin,
    pub(super) command_id: &'a str,
}

impl Place<'_> {
    fn user(&self) -> Result<i64, Fault> {
        user_of_subject(self.subject).ok_or_else(|| {
            let subject = self.subject.to_owned();
            fault(Missing::Subject { what: "user", subject })
        })
    }
}

fn fault(missing: Missing) -> Fault {
    Fault::host("write an effect")(missing)
}

/// Writes the row of a case that was just opened.
pub(super) async fn open(tx: &mut Tx, place: &Place<'_>, opening: &Opening) -> Result<(), Fault> {
    let form = match opening.submission {
        Some(number) => submissions::find(tx, number).await?,
        None => None,
    };
    let reading = form.map(|row| row.reading).unwrap_or_default();
    let reason = opening.reason.unwrap_or_else(|| intake::reason_on_form(&reading, opening.user.0));
    let row = Reissue {
        case_id: place.case.0,
        user_id: opening.user.0,
        channel: place.channel.to_owned(),
        reason: facts::reason_name(reason),
        opened_by: place.actor.0.clone(),
        danger: reason.is_dangerous(),
        confirmed_address: 0,
        submission: opening.submission,
        form_date: intake::date_on_form(&reading),
        specimen: None,
        remailed: false,
        duplicate_of: None,
        defects: String::new(),
        opened_at: tx.now().0,
        received_at: tx.now().0,
    };
    reissues::insert(tx, &row).await
}

/// Writes one effect.
pub(super) async fn apply(
    tx: &mut Tx,
    place: &Place<'_>,
    effect: &Effect,
    prepared: &Prepared,
) -> Result<(), Fault> {
    let case = place.case;
    match effect {
        Effect::IssuePassword { channel } => issue(tx, place, *channel, prepared).await,
        Effect::ActivatePassword => {
            passwords::supersede(tx, place.user()?).await?;
            passwords::activate(tx, case).await
        }
        Effect::VoidPassword { why } => {
            let (state, word) = void_words(*why);
            passwords::void(tx, case, state, word).await?;
            letters::spoil(tx, case).await
        }
        Effect::DestroyDisplayCopy => passwords::destroy_copy(tx, case).await,
        Effect::HoldCertificate => certificates::hold(tx, place.user()?, case).await,
        Effect::ReleaseCertificate => certificates::release(tx, case).await,
        Effect::RevokeCertificate { why } => {
            let (which, word) = revocation_words(*why);
            certificates::revoke(tx, place.user()?, case, which, word).await
        }
        Effect::StoreCertificate { serial } => match prepared {
            Prepared::Certificate(made) if made.row.serial == *serial => {
                certificates::insert(tx, &made.row).await
            }
            _ => Err(fault(Missing::Prepared { what: "a certificate" })),
        },
        Effect::DestroyServerKey => certificates::destroy_key(tx, case).await,
        Effect::FlagUnused => certificates::flag_unused(tx, case).await,
        Effect::StoreLetter => match prepared {
            Prepared::Letter(letter) => {
                let (sealed, specimen) = (&letter.sealed, &letter.specimen);
                letters::insert(tx, case, letter.address_version, sealed, specimen).await
            }
            _ => Err(fault(Missing::Prepared { what: "a letter" })),
        },
        Effect::RecordPosting { tracking } => letters::post(tx, case, tracking).await,
        Effect::RecordDelivery => letters::settle(tx, case, "delivered").await,
        Effect::RecordReturn => letters::settle(tx, case, "returned").await,
        Effect::RecordRemail => reissues::change(tx, case, &Change::Remailed).await,
        Effect::RecordDefects { codes } => {
            let codes: Vec<&str> = codes.iter().map(|code| code.code()).collect();
            reissues::change(tx, case, &Change::Defects(&codes.join(","))).await
        }
        Effect::LinkDuplicate { of } => reissues::change(tx, case, &Change::DuplicateOf(*of)).await,
        Effect::ReplaceForm { submission } => replace_form(tx, place, submission.0).await,
        Effect::ConfirmAddress => confirm_address(tx, place).await,
        Effect::RaiseDanger => reissues::change(tx, case, &Change::Danger(true)).await,
        Effect::ClearDanger => reissues::change(tx, case, &Change::Danger(false)).await,
    }
}

async fn issue(
    tx: &mut Tx,
    place: &Place<'_>,
    channel: Channel,
    prepared: &Prepared,
) -> Result<(), Fault> {
    let password = match prepared {
        Prepared::Password(password) => password,
        Prepared::Letter(letter) => &letter.password,
        _ => return Err(fault(Missing::Prepared { what: "a password" })),
    };
    let user = place.user()?;
    let pending = channel == Channel::Paper;
    if !pending {
        passwords::supersede(tx, user).await?;
    }
    let display = password.display.as_ref().map(|(sealed, ticket)| (sealed.as_slice(), *ticket));
    let new = NewPassword {
        case: place.case,
        user,
        command_id: place.command_id,
        issued_by: &place.actor.0,
        channel: channel.workflow(),
        pending,
        verifier: &password.verifier,
        key_id: &password.key_id,
        display,
    };
    passwords::insert(tx, &new).await?;
    // The administrator's transaction password vouches for one issue only.
    match session_of(place.origin) {
        Some(session) if channel == Channel::Delegated => {
            sessions::spend_transaction(tx, session).await
        }
        _ => Ok(()),
    }
}

/// The corrected form takes the place of the one that went back.
async fn replace_form(tx: &mut Tx, place: &Place<'_>, number: i64) -> Result<(), Fault> {
    let user = place.user()?;
    let form = submissions::find(tx, number).await?;
    let reading = form.map(|row| row.reading).unwrap_or_default();
    let form_date = intake::date_on_form(&reading);
    let reason = intake::reason_on_form(&reading, user);
    let change = Change::Submission {
        number,
        form_date: form_date.as_deref(),
        reason: &facts::reason_name(reason),
        is_dangerous: reason.is_dangerous(),
    };
    reissues::change(tx, place.case, &change).await
}

async fn confirm_address(tx: &mut Tx, place: &Place<'_>) -> Result<(), Fault> {
    let standing = standing::find(tx, place.user()?).await?;
    let version = standing.map_or(0, |standing| standing.address_version);
    reissues::change(tx, place.case, &Change::ConfirmedAddress(version)).await
}

/// The stored state and reason of a voided password.
fn void_words(why: VoidReason) -> (&'static str, &'static str) {
    match why {
        VoidReason::Expired => ("expired", "expired"),
        VoidReason::Locked => ("locked", "locked"),
        VoidReason::Superseded => ("voided", "superseded"),
        VoidReason::Withdrawn => ("voided", "withdrawn"),
        VoidReason::Stopped => ("voided", "stopped"),
        VoidReason::Undelivered => ("voided", "undelivered"),
        VoidReason::Spoiled => ("voided", "spoiled"),
        VoidReason::Ended => ("voided", "ended"),
    }
}

/// Which certificates a revocation meets, and the reason that goes into the list.
fn revocation_words(why: Revocation) -> (Which, &'static str) {
    match why {
        Revocation::Lost | Revocation::Compromised => (Which::All, "key_compromise"),
        Revocation::Superseded => (Which::AllButNewest, "superseded"),
        Revocation::Unused => (Which::Newest, "superseded"),
        Revocation::Withdrawn => (Which::Newest, "cessation_of_operation"),
    }
}
