//! The host of enrolments: codes are made, hashed and sealed here.

use std::sync::Arc;
use std::time::Duration;

use engine::{
    Actor, Addressed, Answer, Ask, CaseId, Desk, Engine, Failure, Fault, Host, Moment, Parcel,
    Submission, Tx, Write,
};
use workflows::enrolment::{
    Command, Effect, Enrolment, Facts, Job, Notice, Source, State, VoidReason,
};
use workflows::task::Task;
use workflows::terms::{Rules, Signal};
use zeroize::Zeroizing;

use super::task::TaskHost;
use super::{Missing, Tools, facts, reissue, session_of, user_of, user_of_subject};
use crate::letter;
use crate::secret::{EnrolmentCode, Ticket, hash_password};
use crate::store::codes::{self, NewCode};
use crate::store::{cards, enrolling, letters, reissues, sessions, standing};

/// The pepper of enrolment codes.
pub(crate) const CODE_PEPPER: &str = "enrolment-pepper";

/// What binds the display copy of a code to its place: version, user, command.
pub(crate) fn code_place(user: i64, command_id: &str) -> Vec<u8> {
    format!("1/code/{user}/{command_id}").into_bytes()
}

/// Serves the enrolments.
pub struct EnrolmentHost {
    tools: Arc<Tools>,
    tasks: Desk<Task, TaskHost>,
    engine: Engine,
}

/// What accompanies a submission in memory.
#[derive(Default)]
pub struct CodeAttachment {
    /// Opens the display copy that the command makes.
    pub ticket: Option<Ticket>,
    /// The code that an import has taken.
    pub taken: Option<i64>,
    /// Digest of the token of the browser that entered the code.
    pub browser: Option<[u8; 32]>,
    /// The code that the entry was right for.
    pub judged: Option<i64>,
}

/// What was made ready.
#[derive(Default)]
pub struct CodePrepared {
    made: Option<MadeCode>,
    taken: Option<i64>,
    browser: Option<[u8; 32]>,
    judged: Option<i64>,
}

/// A code without its characters.
struct MadeCode {
    verifier: String,
    key_id: String,
    display: Option<(Vec<u8>, [u8; 32])>,
    letter: Option<letter::Made>,
}

impl EnrolmentHost {
    /// A host that opens its tasks at `tasks`.
    pub fn new(tools: Arc<Tools>, engine: Engine, tasks: Desk<Task, TaskHost>) -> Self {
        Self { tools, tasks, engine }
    }

    async fn facts_of(&self, tx: &mut Tx, ask: &Ask<'_, Enrolment>) -> Result<Facts, Fault> {
        let user = user_of_subject(ask.subject).ok_or_else(|| missing(ask.subject))?;
        let standing = standing::find(tx, user).await?.ok_or_else(|| missing(ask.subject))?;
        let rules = &self.tools.rules;
        let (now, actor) = (tx.now(), &ask.actor.id);
        let code = codes::active_of_user(tx, user).await?;
        let lived = Duration::from_secs(86_400 * u64::from(rules.enrolment_code_days));
        let asking = facts::actor(tx, rules, actor, ask.origin, &standing).await?;
        let codes_today = codes::issued_since(tx, &actor.0, facts::midnight(now)).await?;
        let letter = match ask.state {
            State::Printed => letters::newest(tx, ask.case).await?,
            _ => None,
        };
        Ok(Facts {
            contract_active: standing.contract_active(),
            user_active: standing.user_active(),
            code_live: code.is_some_and(|code| Moment(code.issued_at).plus(lived) > now),
            address_fresh: facts::is_address_new(&standing, rules, now),
            danger: reissues::has_danger(tx, user).await?,
            batch_reconciled: letter.is_some_and(|letter| letter.reconciled),
            actor_is_user: user_of(actor) == Some(user),
            same_contract: asking.same_contract,
            actor_authority: asking.authority,
            actor_certificate_active: asking.certificate_active,
            transaction_vouched: asking.transaction_vouched,
            actor_codes_today: u32::try_from(codes_today).unwrap_or(u32::MAX),
        })
    }

    /// Draws a code, hashes it, and seals it for the page or the print station. The characters
    /// exist only in here.
    async fn make(
        &self,
        ask: &Ask<'_, Enrolment>,
        ticket: Option<&Ticket>,
    ) -> Result<MadeCode, Fault> {
        let user = user_of_subject(ask.subject).ok_or_else(|| missing(ask.subject))?;
        let tools = &self.tools;
        let code = EnrolmentCode::generate(&tools.entropy);
        let ascii = code.expose_ascii();
        let letter = match ask.command {
            Command::Print => Some(letter::make_code(tools, ask.case, user, ask.now, &code).await?),
            _ => None,
        };
        let display = match ticket {
            None => None,
            Some(ticket) => {
                let place = code_place(user, ask.command_id);
                let bytes = ticket.expose_bytes();
                let sealed = tools.keys.seal_for(super::DISPLAY, bytes, &place, ascii.as_slice());
                Some((sealed.map_err(Fault::host("seal a code"))?, ticket.digest()))
            }
        };
        let (keys, cost) = (tools.keys.clone(), tools.hash_cost());
        let key_id = keys.current_id().to_owned();
        let characters = Zeroizing::new(ascii.to_vec());
        let hash =
            move || hash_password(keys.entropy(), Some((&keys, CODE_PEPPER)), &characters, cost);
        let verifier = tools.hashed("hash a code", hash).await?;
        Ok(MadeCode { verifier, key_id, display, letter })
    }
}

fn missing(subject: &str) -> Fault {
    let subject = subject.to_owned();
    Fault::host("look up facts")(Missing::Subject { what: "user", subject })
}

fn unprepared(what: &'static str) -> Fault {
    Fault::host("write an effect")(Missing::Prepared { what })
}

/// The case that counts a user's codes; it is opened when it is first needed.
pub(crate) async fn case_of(
    tools: &Tools,
    engine: &Engine,
    desk: &Desk<Enrolment, EnrolmentHost>,
    user: i64,
) -> Result<CaseId, Fault> {
    let mut tx = tools.db.read().await?;
    let found = codes::case_of(&mut tx, user).await?;
    let begun = match found {
        Some(case) => engine::case::find(&mut tx, case).await?.is_some(),
        None => false,
    };
    drop(tx);
    if let (Some(case), true) = (found, begun) {
        return Ok(case);
    }
    let case = match found {
        Some(case) => case,
        None => give_case(tools, engine, user).await?,
    };
    // Two who come at once open the same case under the same command id.
    let (subject, id) = (format!("user-{user}"), format!("enrolment-{user}"));
    let submission =
        Submission::<Enrolment>::opening(case, subject, Command::Begin, Actor::worker(), id);
    desk.submit(submission, CodeAttachment::default()).await?;
    Ok(case)
}

async fn give_case(tools: &Tools, engine: &Engine, user: i64) -> Result<CaseId, Fault> {
    let fresh = engine.next_case().await?;
    let mut tx = tools.db.write().await?;
    codes::give_case(&mut tx, user, fresh).await?;
    let given = codes::case_of(&mut tx, user).await?;
    tx.commit().await?;
    Ok(given.unwrap_or(fresh))
}

/// Has a code sent to a user by letter, once for every outbox row.
pub(super) async fn order(
    tools: &Tools,
    engine: &Engine,
    desk: &Desk<Enrolment, EnrolmentHost>,
    user: i64,
    outbox: i64,
) -> Result<(), Fault> {
    let case = case_of(tools, engine, desk, user).await?;
    let id = format!("order-{outbox}");
    let submission = Submission::new(case, Command::Order, Actor::worker(), id);
    desk.submit(submission, CodeAttachment::default()).await.map(drop)
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Imported => "imported",
        Source::Letter => "letter",
        Source::Colleague => "colleague",
    }
}

fn why_name(why: VoidReason) -> &'static str {
    match why {
        VoidReason::Expired => "expired",
        VoidReason::Locked => "locked",
        VoidReason::Superseded => "superseded",
        VoidReason::Used => "used",
        VoidReason::Spoiled => "spoiled",
        VoidReason::Undelivered => "undelivered",
    }
}

async fn store_code(
    tx: &mut Tx,
    user: i64,
    source: Source,
    write: &Write<'_, Enrolment, CodePrepared>,
) -> Result<(), Fault> {
    if source == Source::Imported {
        let id = write.prepared.taken.ok_or_else(|| unprepared("an imported code"))?;
        let is_taken = codes::take(tx, id).await?;
        return if is_taken { Ok(()) } else { Err(unprepared("an imported code")) };
    }
    let made = write.prepared.made.as_ref().ok_or_else(|| unprepared("a code"))?;
    let display = made.display.as_ref().map(|(sealed, ticket)| (sealed.as_slice(), *ticket));
    let new = NewCode {
        user,
        command_id: write.command_id,
        issued_by: &write.actor.id.0,
        source: source_name(source),
        state: if source == Source::Letter { "pending" } else { "active" },
        verifier: &made.verifier,
        key_id: &made.key_id,
        display,
    };
    codes::insert(tx, &new).await
}

async fn open_enrolment(
    tx: &mut Tx,
    user: i64,
    write: &Write<'_, Enrolment, CodePrepared>,
) -> Result<(), Fault> {
    // Exactly the code that was judged.
    let live = codes::active_of_user(tx, user).await?.map(|code| code.id);
    if live.is_none() || live != write.prepared.judged {
        let what = "the code";
        return Err(Fault::host("settle an entry")(Missing::Changed { what }));
    }
    let token = write.prepared.browser.ok_or_else(|| unprepared("a browser's token"))?;
    enrolling::open(tx, user, &token).await
}

async fn apply_one(
    tx: &mut Tx,
    user: i64,
    effect: &Effect,
    write: &Write<'_, Enrolment, CodePrepared>,
) -> Result<(), Fault> {
    match effect {
        Effect::StoreCode { source } => store_code(tx, user, *source, write).await,
        Effect::ActivateCode => {
            let is_active = codes::activate(tx, user).await?;
            if is_active { Ok(()) } else { Err(unprepared("a code by letter")) }
        }
        Effect::VoidCode { why } => {
            codes::void(tx, user, why_name(*why)).await?;
            letters::spoil(tx, write.case).await
        }
        Effect::DestroyCopy => codes::destroy_copy(tx, user).await,
        Effect::StoreLetter => {
            let letter = write.prepared.made.as_ref().and_then(|made| made.letter.as_ref());
            let letter = letter.ok_or_else(|| unprepared("a letter"))?;
            let (sealed, specimen) = (&letter.sealed, &letter.specimen);
            letters::insert(tx, write.case, letter.address_version, sealed, specimen).await
        }
        Effect::RecordPosting { tracking } => letters::post(tx, write.case, tracking).await,
        Effect::RecordReturn => letters::settle(tx, write.case, "returned").await,
        Effect::OpenEnrolment => open_enrolment(tx, user, write).await,
        Effect::EndEnrolments => {
            enrolling::end_all(tx, user).await?;
            cards::withdraw_offer(tx, user).await
        }
        Effect::SpendTransaction => match session_of(write.origin) {
            Some(session) => sessions::spend_transaction(tx, session).await,
            None => Ok(()),
        },
    }
}

impl Host<Enrolment> for EnrolmentHost {
    type Attachment = CodeAttachment;
    type Prepared = CodePrepared;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(
        &self,
        ask: &Ask<'_, Enrolment>,
        attachment: &CodeAttachment,
    ) -> Result<CodePrepared, Fault> {
        let made = match ask.command {
            Command::Print | Command::Issue => {
                Some(self.make(ask, attachment.ticket.as_ref()).await?)
            }
            _ => None,
        };
        let (taken, browser, judged) = (attachment.taken, attachment.browser, attachment.judged);
        Ok(CodePrepared { made, taken, browser, judged })
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        for user in subjects.iter().filter_map(|subject| user_of_subject(subject)) {
            standing::lock_user(tx, user).await?;
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, Enrolment>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            all.push(self.facts_of(tx, ask).await?);
        }
        Ok(all)
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        writes: &[Write<'_, Enrolment, CodePrepared>],
    ) -> Result<(), Fault> {
        for write in writes {
            let user = user_of_subject(write.subject).ok_or_else(|| missing(write.subject))?;
            for effect in write.effects {
                apply_one(tx, user, effect, write).await?;
            }
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        reissue::address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        reissue::send(&self.tools, &self.engine, &self.tasks, &parcel).await
    }

    async fn perform(
        &self,
        parcel: Parcel<Job>,
    ) -> Result<Option<Answer<Enrolment, CodeAttachment>>, Failure> {
        match parcel.body {
            Job::PrintCode => {
                Ok(Some(Answer { command: Command::Print, attachment: CodeAttachment::default() }))
            }
            Job::OpenTask { kind } => {
                let (id, case) = (parcel.id, parcel.case);
                reissue::open_task(&self.engine, &self.tasks, id, case, kind).await?;
                Ok(None)
            }
        }
    }
}
