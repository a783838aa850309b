//! What every player of the rehearsal does: call, be cut off, call again, and remember.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use engine::CaseId;
use saihakko::customer::Declined;
use saihakko::import::samples::card_seed;
use saihakko::secret::OneTimeCard;
use saihakko::socket::{self, Call, Reply};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::ledger::{LOGIN, Person};

/// After so long without an answer something hangs.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(25);

/// A browser's cookies.
#[derive(Clone)]
pub(crate) struct Cookies {
    /// The session.
    pub(crate) token: String,
    /// The display ticket.
    pub(crate) ticket: String,
}

/// What a display page showed once.
#[derive(Clone)]
pub(crate) struct Shown {
    cookies: Cookies,
    /// The case.
    pub(crate) case: CaseId,
    /// Sixteen of them.
    pub(crate) digits: String,
}

/// What is counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// Calls whose reply never came.
    pub(crate) lost: AtomicU64,
    /// Displays that were compared with an earlier one.
    pub(crate) compared: AtomicU64,
    /// Claims that had gone through although their reply was lost.
    pub(crate) settled_by_looking: AtomicU64,
    /// One-time passwords entered beyond the first of a case.
    pub(crate) cards_again: AtomicU64,
}

/// Drives the server from outside.
pub(crate) struct Driver {
    socket: PathBuf,
    /// Grows whenever a killed server answers again.
    pub(crate) starts: watch::Receiver<u64>,
    /// The killing is over.
    pub(crate) is_over: AtomicBool,
    /// Digits that are still to be shown again.
    on_display: Mutex<Vec<Shown>>,
    /// Everything that was ever shown or mailed.
    pub(crate) digits: Mutex<Vec<String>>,
    /// Finished cases with their workflow.
    pub(crate) finished: Mutex<Vec<(&'static str, CaseId)>>,
    /// What happened.
    pub(crate) counts: Counts,
}

/// The case in an answer.
pub(crate) fn case_in(value: &Value) -> CaseId {
    serde_json::from_value(value["case"].clone()).unwrap()
}

/// A text in an answer.
pub(crate) fn text_in(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}

impl Driver {
    /// A driver for the server at that socket.
    pub(crate) fn new(socket: PathBuf, starts: watch::Receiver<u64>) -> Self {
        Self {
            socket,
            starts,
            is_over: AtomicBool::new(false),
            on_display: Mutex::default(),
            digits: Mutex::default(),
            finished: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// Calls once; `None` when the reply was lost and nobody knows what became of the call.
    pub(crate) async fn once(&self, call: &Call) -> Option<Result<Value, String>> {
        let reply = timeout(PATIENCE, socket::call(&self.socket, call)).await;
        match reply.expect("a call hangs") {
            Ok(Reply::Done(value)) => Some(Ok(value)),
            Ok(Reply::Declined(code)) => Some(Err(code)),
            Ok(Reply::Broken(reference)) => panic!("a call broke inside the server: {reference}"),
            Err(_) => {
                self.counts.lost.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Calls again and again until there is a reply, as people press reload.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Value, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(reply) = self.once(call).await {
                return reply;
            }
            assert!(Instant::now() < deadline, "no reply in two minutes");
            sleep(Duration::from_millis(15)).await;
        }
    }

    /// The same, when it has to succeed.
    pub(crate) async fn done(&self, what: &str, call: &Call) -> Value {
        self.ask(call).await.unwrap_or_else(|code| panic!("{what} was declined: {code}"))
    }

    /// Where a case stands.
    pub(crate) async fn state(&self, case: CaseId) -> String {
        text_in(&self.done("a look at a case", &Call::Case { case }).await, "state")
    }

    /// Waits until a case stands in one of these states.
    pub(crate) async fn until(&self, case: CaseId, wanted: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.state(case).await;
            if wanted.contains(&state.as_str()) {
                return;
            }
            assert!(Instant::now() < deadline, "case {case} stands in {state}, not in {wanted:?}");
            sleep(GLANCE).await;
        }
    }

    /// Signs in.
    pub(crate) async fn sign_in(&self, who: &Person, certificate: Option<&str>) -> Cookies {
        let call = Call::SignIn {
            contract: who.contract.clone(),
            user_id: who.user_id.clone(),
            password: LOGIN.to_owned(),
            certificate: certificate.map(ToOwned::to_owned),
        };
        let cookies = self.done("a sign-in", &call).await;
        Cookies { token: text_in(&cookies, "token"), ticket: text_in(&cookies, "ticket") }
    }

    /// Reads the display page; `None` when it shows nothing.
    async fn look(&self, shown: &Cookies, case: CaseId) -> Option<String> {
        let (token, ticket) = (shown.token.clone(), shown.ticket.clone());
        let page = self.done("a display", &Call::Display { token, ticket, case }).await;
        page["digits"].as_str().map(ToOwned::to_owned)
    }

    /// Reads the digits for the first time and remembers them with their ticket.
    pub(crate) async fn note_digits(&self, cookies: &Cookies, case: CaseId) -> Shown {
        let digits = self.look(cookies, case).await;
        let digits = digits.unwrap_or_else(|| panic!("case {case} shows no digits"));
        assert!(digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_digit()));
        let shown = Shown { cookies: cookies.clone(), case, digits };
        self.digits.lock().unwrap().push(shown.digits.clone());
        self.on_display.lock().unwrap().push(shown.clone());
        shown
    }

    /// The same page must show the same digits.
    pub(crate) async fn compare(&self, shown: &Shown) {
        let again = self.look(&shown.cookies, shown.case).await;
        let is_due = self.on_display.lock().unwrap().iter().any(|one| one.case == shown.case);
        match again {
            Some(digits) => assert_eq!(digits, shown.digits, "case {} shows others", shown.case),
            None => assert!(!is_due, "case {} no longer shows its digits", shown.case),
        }
        self.counts.compared.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on the page may stop showing them.
    pub(crate) fn about_to_claim(&self, shown: &Shown) {
        self.on_display.lock().unwrap().retain(|one| one.case != shown.case);
    }

    /// Once used, the digits are gone for good.
    pub(crate) async fn shows_nothing_more(&self, shown: &Shown) {
        let again = self.look(&shown.cookies, shown.case).await;
        assert!(again.is_none(), "case {} shows digits after their use", shown.case);
    }

    /// After every restart, every page that is still open is loaded again.
    pub(crate) async fn reload_after_every_start(&self) {
        let mut starts = self.starts.clone();
        while starts.changed().await.is_ok() {
            let open = self.on_display.lock().unwrap().clone();
            for shown in &open {
                self.compare(shown).await;
            }
        }
    }

    /// Waits for the next restart, unless none will come.
    pub(crate) async fn outlive_a_kill(&self) {
        let mut starts = self.starts.clone();
        starts.mark_unchanged();
        while !self.is_over.load(Ordering::Relaxed) {
            if let Ok(Ok(())) = timeout(Duration::from_millis(200), starts.changed()).await {
                return;
            }
        }
    }
}

/// A person's one-time-password card. It never shows the same code twice to the program.
pub(crate) struct Card {
    card: OneTimeCard,
    last: u64,
}

impl Card {
    /// The card of a user of the rehearsal.
    pub(crate) fn of(who: &Person) -> Self {
        Self { card: OneTimeCard::new(&card_seed(&who.user_id)).unwrap(), last: 0 }
    }

    /// A code that was not entered before; waits for one when the card has to show it first.
    pub(crate) async fn next(&mut self) -> String {
        loop {
            let now = engine::Moment::of_this_machine().seconds().unsigned_abs() / 30;
            // The program accepts a clock that is a step off, on either side.
            let step = (self.last + 1).max(now);
            if step <= now + 1 {
                self.last = step;
                return self.card.shown_at(step * 30);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// True when the session has to be begun anew.
pub(crate) fn is_signed_out(code: &str) -> bool {
    code == Declined::SignedOut.to_string()
}
