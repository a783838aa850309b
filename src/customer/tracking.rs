//! Cases as the customer follows them, like a parcel: what happened when, and what comes next.

use std::collections::BTreeMap;

use engine::{CaseId, Fault, Moment, Workflow, history};
use workflows::delegated::{self, Delegated};
use workflows::paper::{self, Paper};
use workflows::self_service::{self, SelfService};
use workflows::tail;
use workflows::terms::Channel;

use super::{Declined, Session};
use crate::app::App;
use crate::policy::{Relation, may_follow};
use crate::store::letters;
use crate::store::tracking::{self, ColleagueRow, FormRow, TrackedRow};

/// How many cases a list shows.
const LISTED: i64 = 30;

/// A reissue case that this customer may follow.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// The case.
    pub case: CaseId,
    /// What is stored of it.
    pub row: TrackedRow,
    /// The way.
    pub channel: Channel,
    /// Where it stands in the common tail, once it is there.
    pub tail: Option<tail::State>,
    /// When its password ends to be valid, once it is live.
    pub valid_until: Option<Moment>,
    /// It is the customer's own.
    pub is_own: bool,
    /// The customer opened it for a colleague.
    pub is_opener: bool,
}

/// One step of a case's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The key of its text.
    pub name: &'static str,
    /// When it was reached.
    pub at: Option<Moment>,
}

/// Somebody an administrator may pick.
pub type Colleague = ColleagueRow;

impl Tracked {
    fn new(app: &App, row: TrackedRow, session: &Session) -> Result<Self, Fault> {
        let unreadable = || Fault::Unreadable { case: CaseId(row.case_id), what: "state" };
        let channel = [Channel::SelfService, Channel::Delegated, Channel::Paper]
            .into_iter()
            .find(|channel| channel.workflow() == row.channel)
            .ok_or_else(unreadable)?;
        let tail = tail_of(channel, &row).map_err(|Strange| unreadable())?;
        let anchors: BTreeMap<String, Moment> =
            serde_json::from_str(&row.anchors).map_err(|_| unreadable())?;
        let is_live =
            matches!(tail, Some(tail::State::Waiting { .. })) || row.state_name == "Dispatched";
        let issued = anchors.get(workflows::terms::ISSUED.0).filter(|_| is_live);
        let valid_until = issued.and_then(|at| match app.tools.rules.validity(channel) {
            engine::Span::Time(span) => Some(at.plus(span)),
            engine::Span::BusinessDays(_) => None,
        });
        let is_own = row.holder == session.user;
        let is_opener = row.opened_by == session.actor().id.0;
        Ok(Self { case: CaseId(row.case_id), row, channel, tail, valid_until, is_own, is_opener })
    }

    /// Nothing more happens to it.
    pub fn is_over(&self) -> bool {
        self.row.ended_at.is_some()
    }
}

/// A stored state that cannot be read.
struct Strange;

/// The state in the common tail; `None` before it.
fn tail_of(channel: Channel, row: &TrackedRow) -> Result<Option<tail::State>, Strange> {
    fn read<W: Workflow>(row: &TrackedRow) -> Result<W::State, Strange> {
        let read = if row.shape == i64::from(W::VERSION) {
            serde_json::from_str(&row.state).ok()
        } else {
            u32::try_from(row.shape).ok().and_then(|shape| W::upgrade(shape, &row.state))
        };
        read.ok_or(Strange)
    }
    Ok(match channel {
        Channel::SelfService => match read::<SelfService>(row)? {
            self_service::State::Tail(state) => Some(state),
            _ => None,
        },
        Channel::Delegated => match read::<Delegated>(row)? {
            delegated::State::Tail(state) => Some(state),
            _ => None,
        },
        Channel::Paper => match read::<Paper>(row)? {
            paper::State::Tail(state) => Some(state),
            _ => None,
        },
    })
}

/// The steps of a way, each with the states in which it is reached for certain.
fn way(channel: Channel) -> &'static [(&'static str, &'static [&'static str])] {
    match channel {
        Channel::Paper => &[
            ("received", &["Identified"]),
            ("checked", &["SealOk"]),
            ("approved", &["Approved"]),
            ("posted", &["Dispatched"]),
            ("delivered", &["Tail.Waiting"]),
            ("entered", &["Tail.Claimed", "Tail.Redeemed"]),
            ("certified", &["Tail.CertificateIssued"]),
            ("completed", &["Tail.Completed"]),
        ],
        Channel::Delegated => &[
            ("opened", &["Confirming", "Tail.Frozen"]),
            ("issued", &["Tail.Waiting", "Granted"]),
            ("entered", &["Tail.Claimed", "Tail.Redeemed"]),
            ("certified", &["Tail.CertificateIssued"]),
            ("completed", &["Tail.Completed"]),
        ],
        Channel::SelfService => &[
            ("opened", &["Authenticating", "Tail.Frozen"]),
            ("identified", &["Ready"]),
            ("issued", &["Tail.Waiting"]),
            ("entered", &["Tail.Claimed", "Tail.Redeemed"]),
            ("certified", &["Tail.CertificateIssued"]),
            ("completed", &["Tail.Completed"]),
        ],
    }
}

/// A user has a row of their own on a form.
fn stands_on(prefilled: &str, user_id: &str) -> bool {
    let data: Option<forms::FormData> = serde_json::from_str(prefilled).ok();
    data.is_some_and(|data| data.users.iter().any(|row| row.user_id == user_id))
}

impl App {
    /// The customer's newest cases.
    pub async fn own_cases(&self, session: &Session) -> Result<Vec<Tracked>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let rows = tracking::of_user(&mut tx, session.user, LISTED).await?;
        drop(tx);
        self.tracked(session, rows)
    }

    /// The newest cases of the customer's colleagues; none when the customer may not follow those.
    pub async fn cases_of_colleagues(&self, session: &Session) -> Result<Vec<Tracked>, Declined> {
        if !session.has_authority {
            return Ok(Vec::new());
        }
        let mut tx = self.tools.db.read().await?;
        let rows = tracking::of_colleagues(&mut tx, session.contract, session.user, LISTED).await?;
        drop(tx);
        self.tracked(session, rows)
    }

    fn tracked(&self, session: &Session, rows: Vec<TrackedRow>) -> Result<Vec<Tracked>, Declined> {
        let read = |row| Tracked::new(self, row, session).map_err(Declined::from);
        rows.into_iter().map(read).collect()
    }

    /// The newest forms of the contract: all of them for an administrator, and for everybody else
    /// those on which they stand.
    pub async fn forms_for(&self, session: &Session) -> Result<Vec<FormRow>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let user = tracking::visitor(&mut tx, session.user).await?.ok_or(Declined::SignedOut)?;
        let mut rows = tracking::forms(&mut tx, session.contract, LISTED).await?;
        rows.retain(|row| session.has_authority || stands_on(&row.prefilled, &user.user_id));
        Ok(rows)
    }

    /// One case; of somebody else it is answered like one that does not exist.
    pub async fn case_for(&self, session: &Session, case: CaseId) -> Result<Tracked, Declined> {
        let mut tx = self.tools.db.read().await?;
        let row = tracking::find(&mut tx, case).await?.ok_or(Declined::NotFound)?;
        drop(tx);
        let relation = Relation {
            is_holder: row.holder == session.user,
            is_opener: row.opened_by == session.actor().id.0,
            same_contract: row.contract_id == session.contract,
            has_authority: session.has_authority,
        };
        if !may_follow(relation) {
            return Err(Declined::NotFound);
        }
        Ok(Tracked::new(self, row, session)?)
    }

    /// The steps of a case's way with the moments in which they were reached, and the number of
    /// its registered letter.
    pub async fn steps_of(
        &self,
        tracked: &Tracked,
    ) -> Result<(Vec<Step>, Option<String>), Declined> {
        let mut tx = self.tools.db.read().await?;
        let entries = history::entries(&mut tx, tracked.case).await?;
        let letter = match tracked.channel {
            Channel::Paper => letters::newest(&mut tx, tracked.case).await?,
            Channel::SelfService | Channel::Delegated => None,
        };
        drop(tx);
        let reached = |states: &[&str]| {
            let mut moves = entries.iter().filter(|entry| entry.kind == "transition");
            moves.find(|entry| states.contains(&entry.to.as_str())).map(|entry| entry.at)
        };
        let way = way(tracked.channel).iter();
        let steps = way.map(|(name, states)| Step { name, at: reached(states) });
        let tracking = letter.map(|letter| letter.tracking).filter(|number| !number.is_empty());
        Ok((steps.collect(), tracking))
    }

    /// The customer's own case on a way that is still open.
    pub async fn open_case(
        &self,
        session: &Session,
        channel: Channel,
    ) -> Result<Option<CaseId>, Declined> {
        let mut tx = self.tools.db.read().await?;
        let found =
            crate::store::reissues::newest_open(&mut tx, session.user, channel.workflow()).await?;
        Ok(found)
    }

    /// The colleagues whom an administrator may pick.
    pub async fn colleagues(&self, session: &Session) -> Result<Vec<Colleague>, Declined> {
        if !session.has_authority {
            return Err(Declined::NotFound);
        }
        let mut tx = self.tools.db.read().await?;
        Ok(tracking::colleagues(&mut tx, session.contract, session.user).await?)
    }
}
