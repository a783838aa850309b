//! What every player of the rehearsal does: call, be cut off, call again, and remember.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use engine::CaseId;
use saihakko::import::samples::card_seed;
use saihakko::secret::OneTimeCard;
use saihakko::socket::{self, Call, Reply, SocketFault};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::browser::{Browser, Page, Ports, Site};
use super::ledger::{LOGIN, Person};
use super::server::Place;

/// After so long without an answer something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(25);

/// A page that has shown digits.
#[derive(Clone)]
pub(crate) struct Shown {
    browser: Browser,
    site: Site,
    address: String,
    /// The case.
    pub(crate) case: CaseId,
    /// Sixteen of them.
    pub(crate) digits: String,
}

/// What is counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// Requests and calls that were sent and whose reply never came.
    pub(crate) lost: AtomicU64,
    /// Requests that found nobody at home.
    pub(crate) down: AtomicU64,
    /// Displays that were compared with an earlier one.
    pub(crate) compared: AtomicU64,
    /// Digits that had been taken although the reply was lost.
    pub(crate) settled_by_looking: AtomicU64,
    /// One-time passwords entered beyond the first of a case.
    pub(crate) cards_again: AtomicU64,
    /// Sign-ins in the midst of a case, because the new cookie was lost.
    pub(crate) signed_in_again: AtomicU64,
    /// Buttons that were pressed twice at once.
    pub(crate) double_clicks: AtomicU64,
}

/// Drives the server from outside.
pub(crate) struct Driver {
    socket: PathBuf,
    ports: Ports,
    root: pki::Certificate,
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
    pub(crate) fn new(place: &Place, root: pki::Certificate, starts: watch::Receiver<u64>) -> Self {
        Self {
            socket: place.socket(),
            ports: place.ports,
            root,
            starts,
            is_over: AtomicBool::new(false),
            on_display: Mutex::default(),
            digits: Mutex::default(),
            finished: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// Somebody's browser.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.ports, &self.root)
    }

    /// A browser that holds the certificate of a .p12.
    pub(crate) fn browser_with(&self, bundle: &[u8]) -> Browser {
        Browser::with_p12(self.ports, &self.root, bundle)
    }

    /// A reply did not come, or nobody was there to ask.
    pub(crate) fn note_lost(&self, was_sent: bool) {
        let count = if was_sent { &self.counts.lost } else { &self.counts.down };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls once; `None` when the reply was lost and nobody knows what became of the call.
    async fn once(&self, call: &Call) -> Option<Result<Value, String>> {
        let reply = timeout(PATIENCE, socket::call(&self.socket, call)).await;
        match reply.expect("a call hangs") {
            Ok(Reply::Done(value)) => Some(Ok(value)),
            Ok(Reply::Declined(code)) => Some(Err(code)),
            Ok(Reply::Broken(reference)) => panic!("a call broke inside the server: {reference}"),
            Err(fault) => {
                self.note_lost(!matches!(fault, SocketFault::Unreachable { .. }));
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

    /// Signs in through the socket, as the player of the mailed form does; gives the token.
    pub(crate) async fn sign_in(&self, who: &Person) -> String {
        let call = Call::SignIn {
            contract: who.contract.clone(),
            user_id: who.user_id.clone(),
            password: LOGIN.to_owned(),
            certificate: None,
        };
        text_in(&self.done("a sign-in", &call).await, "token")
    }

    /// Reloads a page with digits; `None` when it shows none any more.
    async fn look(&self, shown: &Shown) -> Option<String> {
        let page = shown.browser.open(self, shown.site, &shown.address).await;
        if page.here != shown.address || !page.status.is_success() {
            page.stray("the page that has shown digits");
        }
        page.digits()
    }

    /// Remembers the digits of a page that shows them for the first time.
    pub(crate) fn note_digits(
        &self,
        browser: &Browser,
        site: Site,
        case: CaseId,
        page: &Page,
    ) -> Shown {
        let digits = page.digits().unwrap_or_else(|| page.stray("digits"));
        let (browser, address) = (browser.clone(), page.here.clone());
        let shown = Shown { browser, site, address, case, digits };
        self.digits.lock().unwrap().push(shown.digits.clone());
        self.on_display.lock().unwrap().push(shown.clone());
        shown
    }

    /// The same page must show the same digits.
    pub(crate) async fn compare(&self, shown: &Shown) {
        let again = self.look(shown).await;
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
        let again = self.look(shown).await;
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
