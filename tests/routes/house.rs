//! The application with the sample ledger, and its people on the way through their cases.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use engine::{CaseId, Clock, Moment};
use saihakko::app::{App, Surroundings, system_entropy};
use saihakko::config::Config;
use saihakko::customer::{Display, Session, SignIn, SignedIn};
use saihakko::import::samples::{self, AOBA, MIZUIRO, card_seed};
use saihakko::secret::{OneTimeCard, hash_password};
use saihakko::text::Texts;
use saihakko::web::customer::{Audience, Customers, Throttle, router};
use saihakko::web::page::{Frame, Pages};
use saihakko::web::staff::Staff;
use tempfile::TempDir;
use workflows::terms::Reason;
use zeroize::Zeroizing;

use crate::answer::Visitor;

/// 2026-11-19 09:42 in Japan.
const BEGINNING: Moment = Moment::from_seconds(1_795_048_920);
/// Where the customers' site answers.
pub(crate) const SITE: &str = "localhost:8443";
/// Where the certificate site answers.
pub(crate) const CERTIFICATE_SITE: &str = "certificate.localhost:8444";
/// Where the staff's site answers.
pub(crate) const OFFICE: &str = "staff.localhost:8445";
/// 佐藤 花子 holds the authority.
pub(crate) const HANAKO: &str = "010429001";
/// 鈴木 一郎 holds it as well.
pub(crate) const ICHIRO: &str = "010429002";
/// 山田 太郎 does not.
pub(crate) const TARO: &str = "010429003";
/// 田中 美咲 neither.
pub(crate) const MISAKI: &str = "010429004";
/// 小林 直子 of the other company.
pub(crate) const NAOKO: &str = "020705001";
/// What every page of a signed-in user of the first company shows.
pub(crate) const PHRASE: &str = "青い鳥と三毛猫";

/// Everything that the pages stand on.
pub(crate) struct House {
    pub(crate) app: App,
    /// The customers' site.
    pub(crate) site: Router,
    /// The certificate site.
    pub(crate) certificate_site: Router,
    /// The staff's site.
    pub(crate) office: Router,
    clock: Clock,
    _folder: TempDir,
}

/// The cases of the house.
pub(crate) struct Cases {
    /// 佐藤's own, completed with a certificate.
    pub(crate) completed: CaseId,
    /// Opened by 佐藤 for 山田, not confirmed.
    pub(crate) confirming: CaseId,
    /// Issued by 佐藤 for 田中.
    pub(crate) issued: CaseId,
    /// The digits of that one.
    pub(crate) digits: String,
    /// 鈴木's own, before the one-time password.
    pub(crate) begun: CaseId,
    /// 佐藤 on the certificate site, who sees those digits.
    pub(crate) holder: Visitor,
}

impl House {
    /// Opens the application in a folder of its own, with hashes that cost little.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, configured otherwise.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = Config::for_demo(folder.path());
        config.security.argon2_memory_kib = 1024;
        config.security.argon2_passes = 1;
        config.security.sign_ins_per_minute = 0;
        change(&mut config);
        let clock = Clock::manual(BEGINNING);
        let program = env!("CARGO_BIN_EXE_saihakko").into();
        let around = Surroundings {
            clock: clock.clone(),
            program,
            ..Surroundings::of_this_machine().unwrap()
        };
        let app = App::open(config, around).await.unwrap();
        let tools = &app.tools;
        let lists = samples::write(&folder.path().join("ledger"), |one| {
            let hashed =
                hash_password(&tools.entropy, None, one.secret.as_bytes(), tools.hash_cost());
            hashed.map_err(std::io::Error::other)
        });
        let (paths, cost) = (lists.unwrap(), tools.hash_cost());
        let report = saihakko::import::import(&app.engine, &tools.keys, cost, &paths).await;
        let report = report.unwrap();
        assert!(report.problems.is_empty(), "{report:?}");
        app.open_missing_credentials().await.unwrap();
        let site = pages(&app, Audience::Password, SITE);
        let certificate_site = pages(&app, Audience::Certificate, CERTIFICATE_SITE);
        let office = saihakko::web::staff::router(Staff {
            app: app.clone(),
            frame: frame(&app, OFFICE),
            throttle: Arc::new(Throttle::default()),
            url: format!("https://{OFFICE}"),
            checkpoint: Arc::new(|| None),
            compared: saihakko::web::staff::Comparisons::default(),
        });
        Self { app, site, certificate_site, office, clock, _folder: folder }
    }

    /// Time passes, and whatever falls due is done.
    pub(crate) async fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.app.engine.drain().await.unwrap();
    }

    async fn enter(&self, user_id: &str, certificate: Option<String>) -> (Session, SignedIn) {
        let contract = if user_id == NAOKO { MIZUIRO } else { AOBA };
        let typed = SignIn {
            contract: contract.to_owned(),
            user_id: user_id.to_owned(),
            password: Zeroizing::new(format!("login-{user_id}")),
            place: "203.0.113.24".to_owned(),
            certificate,
        };
        let signed_in = self.app.sign_in(&typed).await.unwrap();
        let session = self.app.session(&signed_in.token, "203.0.113.24").await.unwrap();
        (session, signed_in)
    }

    /// A session on the customers' site.
    pub(crate) async fn session_of(&self, user_id: &str) -> Session {
        self.enter(user_id, None).await.0
    }

    /// Somebody who has signed in on the customers' site.
    pub(crate) async fn visitor(&self, user_id: &str) -> Visitor {
        let (_, signed_in) = self.enter(user_id, None).await;
        Visitor { cookies: cookies("session", "ticket", &signed_in), certificate: None }
    }

    /// Somebody of the staff who has signed in.
    pub(crate) async fn member(&self, login: &str) -> Visitor {
        self.try_member(login).await.unwrap()
    }

    /// The same, where it may fail.
    pub(crate) async fn try_member(&self, login: &str) -> Option<Visitor> {
        // A number counts once: the next one is waited for.
        self.clock.advance(Duration::from_secs(30));
        let typed = saihakko::staffing::StaffSignIn {
            login: login.to_owned(),
            password: Zeroizing::new(format!("staff-{login}")),
            code: Zeroizing::new(self.card(login).await),
            place: "203.0.113.24".to_owned(),
        };
        self.entered(&typed).await
    }

    /// Somebody of the staff with a fresh password and card.
    pub(crate) async fn signed_in(
        &self,
        login: &str,
        password: &str,
        seed: &str,
    ) -> Option<Visitor> {
        let seed = data_encoding::BASE32_NOPAD.decode(seed.as_bytes()).unwrap();
        let code = match OneTimeCard::new(&seed) {
            Ok(card) => card.shown_at(u64::try_from(self.seconds().await).unwrap()),
            Err(_) => String::new(),
        };
        let typed = saihakko::staffing::StaffSignIn {
            login: login.to_owned(),
            password: Zeroizing::new(password.to_owned()),
            code: Zeroizing::new(code),
            place: "203.0.113.24".to_owned(),
        };
        self.entered(&typed).await
    }

    async fn entered(&self, typed: &saihakko::staffing::StaffSignIn) -> Option<Visitor> {
        let token = self.app.staff_sign_in(typed).await.ok()?;
        let cookies = format!("__Host-staff={}", *token.expose());
        Some(Visitor { cookies, certificate: None })
    }

    pub(crate) async fn seconds(&self) -> i64 {
        self.app.tools.db.now().await.unwrap().seconds()
    }

    /// What the card of a user shows now.
    pub(crate) async fn card(&self, user_id: &str) -> String {
        let card = OneTimeCard::new(&card_seed(user_id)).unwrap();
        let now = self.app.tools.db.now().await.unwrap().seconds();
        card.shown_at(u64::try_from(now).unwrap())
    }

    /// Plays the people of the first company until each case stands where a page needs it.
    pub(crate) async fn with_cases(&self) -> Cases {
        let (completed, holder) = self.completed().await;
        let session = self.app.session(&token(&holder), "203.0.113.24").await.unwrap();
        let begin =
            |user_id, key| self.app.begin_colleague_reissue(&session, user_id, Reason::NewPc, key);
        let issued = begin(MISAKI, "issued").await.unwrap();
        let ticket = ticket(&holder);
        let password = format!("order-{HANAKO}");
        let confirm = self.app.confirm_colleague_reissue(&session, issued, &password, &ticket);
        confirm.await.unwrap();
        let confirming = begin(TARO, "confirming").await.unwrap();
        let Display::Digits(shown) = self.app.display(&session, issued, &ticket).await.unwrap()
        else {
            panic!("no digits are shown")
        };
        let digits = String::from_utf8(shown.digits.expose_ascii().to_vec()).unwrap();
        let (other, _) = self.enter(ICHIRO, None).await;
        let begun = self.app.begin_own_reissue(&other, Reason::Expired, "begun").await.unwrap();
        self.wait(1).await;
        Cases { completed, confirming, issued, digits, begun, holder }
    }

    /// Path 1 to its end; gives 佐藤 as she comes to the certificate site.
    async fn completed(&self) -> (CaseId, Visitor) {
        let app = &self.app;
        let (session, signed_in) = self.enter(HANAKO, None).await;
        let case = app.begin_own_reissue(&session, Reason::Expired, "own").await.unwrap();
        let card = self.card(HANAKO).await;
        let token = app.enter_one_time_password(&session, &card).await.unwrap();
        let session = app.session(&token, "203.0.113.24").await.unwrap();
        app.issue_for_oneself(&session, case, &signed_in.ticket).await.unwrap();
        self.wait(1).await;
        let shown = app.display(&session, case, &signed_in.ticket).await.unwrap();
        let Display::Digits(shown) = shown else { panic!("no digits are shown") };
        let typed = String::from_utf8(shown.digits.expose_ascii().to_vec()).unwrap();
        app.claim(&session, &typed, None).await.unwrap();
        self.wait(1).await;
        let mut tx = app.tools.db.read().await.unwrap();
        let serial = saihakko::store::certificates::newest_of_case(&mut tx, case).await.unwrap();
        let serial = serial.unwrap();
        let row = saihakko::store::certificates::by_serial(&mut tx, &serial).await.unwrap();
        drop(tx);
        let der: Arc<[u8]> = row.unwrap().der.into();
        app.visit(&engine::history::digest(&der), "203.0.113.24").await.unwrap();
        self.wait(1).await;
        let (_, signed_in) = self.enter(HANAKO, Some(serial)).await;
        let cookies = cookies("member", "member-ticket", &signed_in);
        (case, Visitor { cookies, certificate: Some(der) })
    }
}

fn frame(app: &App, host: &str) -> Frame {
    let pages = Pages::new(Arc::new(Texts::load().unwrap()), app.tools.config.house.clone());
    Frame {
        pages: Arc::new(pages.unwrap()),
        hosts: Arc::from([host.to_owned()]),
        entropy: system_entropy(),
        layout: Frame::of_staff(),
    }
}

fn pages(app: &App, audience: Audience, host: &str) -> Router {
    router(Customers {
        app: app.clone(),
        frame: frame(app, host),
        audience,
        customer_url: Some(format!("https://{SITE}")),
        certificate_url: Some(format!("https://{CERTIFICATE_SITE}")),
        throttle: Arc::new(Throttle::default()),
    })
}

fn cookies(session: &str, ticket: &str, signed_in: &SignedIn) -> String {
    let (token, opens) = (signed_in.token.expose(), signed_in.ticket.expose());
    format!("__Host-{session}={}; __Host-{ticket}={}", *token, *opens)
}

fn cookie(visitor: &Visitor, at: usize) -> saihakko::secret::Token {
    let pair = visitor.cookies.split("; ").nth(at).unwrap();
    saihakko::secret::Token::parse(pair.split_once('=').unwrap().1).unwrap()
}

/// The session's token among a visitor's cookies.
pub(crate) fn token(visitor: &Visitor) -> saihakko::secret::Token {
    cookie(visitor, 0)
}

fn ticket(visitor: &Visitor) -> saihakko::secret::Token {
    cookie(visitor, 1)
}
