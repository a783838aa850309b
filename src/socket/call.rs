//! The calls of the local socket: each is one operation of the application.

mod enrolling;
mod office;
mod online;
mod station;

use engine::CaseId;
use forms::{FormData, Variant};
use serde::{Deserialize, Serialize};
use workflows::credential::Kind;
use workflows::enrolment;
use workflows::paper;
use workflows::tail;
use workflows::terms::Reason;

use super::Reply;
use crate::app::App;
use crate::correspondence::LetterKey;
use crate::customer::{Declined, Session};
use crate::secret::Token;

/// An operation with its arguments. Tokens, tickets and entries are secrets of the caller.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// Sign in; gives `token` and `ticket`.
    SignIn {
        /// Ten digits.
        contract: String,
        /// Nine digits.
        user_id: String,
        /// The login password.
        password: String,
        /// Serial of the certificate in use, on the certificate site.
        certificate: Option<String>,
    },
    /// Prove a one-time password; gives a new `token`.
    OneTimePassword {
        /// The session.
        token: String,
        /// What the card shows.
        entry: String,
    },
    /// Path 1: begin; gives `case`.
    BeginOwn {
        /// The session.
        token: String,
        /// Why.
        reason: Reason,
    },
    /// Path 1: issue, once per case.
    IssueOwn {
        /// The session.
        token: String,
        /// The display ticket.
        ticket: String,
        /// The case.
        case: CaseId,
    },
    /// Show the digits to the browser that holds the ticket; gives `digits` or null.
    Display {
        /// The session.
        token: String,
        /// The display ticket.
        ticket: String,
        /// The case.
        case: CaseId,
    },
    /// Path 2: begin for a colleague; gives `case`.
    BeginColleague {
        /// The session.
        token: String,
        /// The colleague's user ID.
        user_id: String,
        /// Why.
        reason: Reason,
        /// The page's idempotency key.
        key: String,
    },
    /// Path 2: confirm with the own transaction password.
    ConfirmColleague {
        /// The session.
        token: String,
        /// The display ticket.
        ticket: String,
        /// The case.
        case: CaseId,
        /// The transaction password.
        password: String,
    },
    /// Enter the retrieval password; gives `case`.
    Claim {
        /// The session.
        token: String,
        /// The 16 digits.
        entry: String,
        /// PKCS#10 in PEM from the browser.
        csr: Option<String>,
    },
    /// Fetch the certificate; gives `p12` in Base64 or `pem`.
    Fetch {
        /// The session.
        token: String,
        /// The case.
        case: CaseId,
        /// The bundle's password, empty for none.
        password: String,
    },
    /// A command of the common tail, such as noted, withdraw, disown.
    Tail {
        /// The session.
        token: String,
        /// The case.
        case: CaseId,
        /// The command.
        command: tail::Command,
        /// Its id.
        id: String,
    },
    /// Present a certificate by its fingerprint, as the certificate site does.
    Visit {
        /// SHA-256, hexadecimal.
        fingerprint: String,
    },
    /// Enter an enrolment code; gives `token`.
    BeginEnrolment {
        /// Ten digits.
        contract: String,
        /// Nine digits.
        user_id: String,
        /// The code.
        code: String,
    },
    /// What an enrolment is about; gives `items` and `until`.
    EnrolmentStatus {
        /// The enrolment.
        token: String,
    },
    /// Set a password in an enrolment.
    SetPassword {
        /// The enrolment.
        token: String,
        /// `login` or `transaction`.
        kind: Kind,
        /// The new one.
        password: String,
    },
    /// Register a card of the stock in an enrolment.
    RegisterCard {
        /// The enrolment.
        token: String,
        /// Printed on its back.
        serial: String,
        /// What it shows.
        first: String,
        /// What it shows next.
        second: String,
    },
    /// A seed for an authenticator in an enrolment; gives `secret` in Base32.
    BeginCard {
        /// The enrolment.
        token: String,
    },
    /// Register the authenticator in an enrolment.
    ConfirmCard {
        /// The enrolment.
        token: String,
        /// What it shows.
        entry: String,
    },
    /// End an enrolment.
    FinishEnrolment {
        /// The enrolment.
        token: String,
    },
    /// Issue an enrolment code for a colleague; gives `code`, or null where it is not shown.
    IssueCode {
        /// The session.
        token: String,
        /// The display ticket.
        ticket: String,
        /// The colleague's user ID.
        user_id: String,
        /// The own transaction password.
        password: String,
        /// The page's idempotency key.
        key: String,
    },
    /// Change a password after login.
    ChangePassword {
        /// The session.
        token: String,
        /// `login` or `transaction`.
        kind: Kind,
        /// The present one.
        present: String,
        /// The new one.
        password: String,
    },
    /// Ask to be called back, before login.
    CallBack {
        /// Ten digits.
        contract: String,
        /// Nine digits.
        user_id: String,
    },
    /// Stop everything of the signed-in user; gives `cases`.
    EmergencyStop {
        /// The session.
        token: String,
    },
    /// Dispatch or the mail room sends a command about an enrolment code's letter; gives `state`.
    Enrolment {
        /// The account.
        login: String,
        /// In which role.
        role: String,
        /// The case.
        case: CaseId,
        /// The command.
        command: enrolment::Command,
        /// Its id.
        id: String,
    },
    /// Path 3: make a prefilled form; gives `number` and `pdf` in Base64.
    DraftForm {
        /// The session.
        token: String,
        /// Which form.
        variant: Variant,
        /// What is filled in.
        data: Box<FormData>,
    },
    /// The mail room registers an envelope; gives `case`.
    Receive {
        /// The account.
        login: String,
        /// The form's number.
        number: String,
        /// How it came.
        carrier: String,
        /// Pages counted by hand.
        pages: u16,
    },
    /// The mail room scans; gives what was read.
    Scan {
        /// The account.
        login: String,
        /// The form's number.
        number: String,
        /// The files, Base64.
        files: Vec<String>,
    },
    /// The cases that came out of a form; gives `cases`.
    CasesOf {
        /// The form's number.
        number: String,
    },
    /// A member of staff looks at a paper case.
    ViewCase {
        /// The account.
        login: String,
        /// In which role.
        role: String,
        /// The case.
        case: CaseId,
    },
    /// A member of staff sends a command to a paper case; gives `state`.
    Paper {
        /// The account.
        login: String,
        /// In which role.
        role: String,
        /// The case.
        case: CaseId,
        /// The command.
        command: paper::Command,
        /// Its id.
        id: String,
    },
    /// Dispatch counted the batch.
    Reconcile {
        /// The account.
        login: String,
        /// The cases whose letters are in it.
        cases: Vec<CaseId>,
    },
    /// The sealed letter of a case; gives `sealed` in Base64 and `address_version`.
    SealedLetter {
        /// The account.
        login: String,
        /// The case.
        case: CaseId,
    },
    /// What waits for the print station; gives `station` (the key that letters are sealed
    /// to), `sealed`, `uncounted` and `ordinary`.
    LettersWaiting {
        /// The account.
        login: String,
    },
    /// Hands a sealed letter of the batch over, once; gives `sealed` in Base64, `address_version`,
    /// `case` and `workflow`.
    HandLetter {
        /// The account.
        login: String,
        /// The letter.
        letter: i64,
    },
    /// Draws an ordinary letter of the pile; gives `covers` and `sealed`.
    OrdinaryLetter {
        /// The account.
        login: String,
        /// Which.
        letter: LetterKey,
    },
    /// These ordinary letters were printed.
    LettersPrinted {
        /// The account.
        login: String,
        /// Which.
        letters: Vec<LetterKey>,
    },
    /// Where a case stands; gives `workflow`, `state`, `version`, `ended`.
    Case {
        /// The case.
        case: CaseId,
    },
    /// A dead letter is tried again.
    RetryOutbox {
        /// The outbox row.
        id: i64,
        /// Who does it.
        by: String,
    },
    /// A dead letter is given up.
    DropOutbox {
        /// The outbox row.
        id: i64,
        /// Who does it.
        by: String,
    },
    /// Imports files into the ledger; gives the report.
    Import {
        /// Absolute paths.
        files: Vec<std::path::PathBuf>,
    },
    /// Takes a checkpoint now.
    Checkpoint,
    /// Answers when the server is up.
    Ping,
}

const PLACE: &str = "local";

impl Call {
    /// Carries the call out.
    pub(super) async fn carry_out(self, app: &App) -> Reply {
        let done = match self {
            Self::SignIn { .. }
            | Self::OneTimePassword { .. }
            | Self::BeginOwn { .. }
            | Self::IssueOwn { .. }
            | Self::Display { .. }
            | Self::BeginColleague { .. }
            | Self::ConfirmColleague { .. } => online::carry_out(app, self).await,
            Self::Claim { .. }
            | Self::Fetch { .. }
            | Self::Tail { .. }
            | Self::Visit { .. }
            | Self::DraftForm { .. } => online::carry_out_afterwards(app, self).await,
            Self::BeginEnrolment { .. }
            | Self::EnrolmentStatus { .. }
            | Self::SetPassword { .. }
            | Self::RegisterCard { .. }
            | Self::BeginCard { .. }
            | Self::ConfirmCard { .. }
            | Self::FinishEnrolment { .. }
            | Self::IssueCode { .. }
            | Self::ChangePassword { .. }
            | Self::CallBack { .. }
            | Self::EmergencyStop { .. } => enrolling::carry_out(app, self).await,
            Self::LettersWaiting { .. }
            | Self::HandLetter { .. }
            | Self::OrdinaryLetter { .. }
            | Self::LettersPrinted { .. } => station::carry_out(app, self).await,
            _ => office::carry_out(app, self).await,
        };
        match done {
            Ok(value) => Reply::Done(value),
            Err(Declined::Fault(fault)) => {
                let reference = app.nonce();
                tracing::error!(%reference, error = %engine::chain(&fault), "a call broke");
                Reply::Broken(reference)
            }
            Err(Declined::Refused { code }) => Reply::Declined(code),
            Err(other) => Reply::Declined(other.to_string()),
        }
    }
}

fn token(text: &str) -> Result<Token, Declined> {
    Token::parse(text).ok_or(Declined::SignedOut)
}

async fn session(app: &App, text: &str) -> Result<Session, Declined> {
    app.session(&token(text)?, PLACE).await
}

/// Whoever operates the machine, by the name they gave.
pub(crate) fn operator(name: &str) -> engine::Hand {
    engine::Hand {
        actor: engine::ActorId(format!("operator-{name}")),
        role: "system_administrator".to_owned(),
        origin: engine::Origin { auth: "local".to_owned(), place: "command line".to_owned() },
    }
}
