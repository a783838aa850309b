//! Who is told what: from a notice of a case to mails, and to the letters that are due.
//!
//! Mails go to the user whom the case is about and to the other holders of the reissue authority
//! of the contract, each in their own language. Whoever has been told is remembered, so a retry
//! tells each person once.

mod announce;

pub use announce::{Announce, Announcement, Audience};

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use engine::case::CaseRow;
use engine::{CaseId, Db, Failure, Fault, Moment, Parcel, Span, Tx};
use workflows::terms::{Channel, Rules};

use crate::config::Config;
use crate::dates;
use crate::mail::{Composer, Fields, MailFault, MessageBuilder, Recipient, Sender};
use crate::store::addresses;
use crate::store::contracts::{self, Contract};
use crate::store::expiries;
use crate::store::letters::{self, LetterDueRow};
use crate::store::mails::{self, Customer};
use crate::store::users::{self, Reader};
use crate::text::Language;

/// Tells people by mail.
#[derive(Clone)]
pub struct Notifier(Arc<Parts>);

struct Parts {
    db: Db,
    house: forms::House,
    rules: Rules,
    composer: Composer,
    builder: MessageBuilder,
    sender: Sender,
}

/// A letter that a notice asks for; whoever prints letters makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterDue {
    /// The contract whose registered address it goes to.
    pub contract: i64,
    /// The user it is about, if it is about one.
    pub user: Option<i64>,
    /// The version of the address: for an inquiry the one before the present one. 0 when the
    /// contract has none.
    pub address_version: i64,
    /// The notice, by the name of its mail template (`address_inquiry` and `user_id` have no
    /// mail).
    pub about: &'static str,
    /// The day of the notice in Japan.
    pub on: NaiveDate,
}

impl LetterDue {
    /// As it lies on the pile.
    pub fn on_pile<N>(&self, parcel: &Parcel<N>) -> LetterDueRow {
        LetterDueRow {
            outbox_id: parcel.id,
            about: self.about.to_owned(),
            case_id: parcel.case.0,
            contract_id: self.contract,
            user_id: self.user,
            address_version: self.address_version,
            due_on: self.on.to_string(),
        }
    }
}

/// Everything that the mails of one notice have in common.
struct Matter {
    announcement: Announcement,
    contract: Contract,
    user: Option<(i64, String)>,
    actor: Option<String>,
    until: Option<Moment>,
    /// As people speak of it.
    number: String,
    at: Moment,
}

impl Notifier {
    /// A notifier with the configured sender; reads every template, so that a broken one stops the
    /// start.
    pub fn new(config: &Config, db: Db) -> Result<Self, MailFault> {
        let sender = Sender::new(config)?;
        Ok(Self(Arc::new(Parts {
            db,
            house: config.house.clone(),
            rules: config.rules.clone(),
            composer: Composer::new()?,
            builder: MessageBuilder::new(&config.mail.from)?,
            sender,
        })))
    }

    /// The way out, for whoever checks it.
    pub fn sender(&self) -> &Sender {
        &self.0.sender
    }

    /// Mails a notice to everybody it concerns and who has not been told yet. One person's bad
    /// address does not keep the others from being told; the failure is reported after the rest.
    pub async fn send<N: Announce>(&self, parcel: &Parcel<N>) -> Result<(), Failure> {
        self.pile_letters(parcel).await?;
        let announcement = parcel.body.announce();
        if announcement.template.is_none() {
            return Ok(());
        }
        let found = self.matter(announcement, parcel).await.map_err(Failure::passing)?;
        let Some((matter, readers, told)) = found else {
            tracing::info!(case = %parcel.case, outbox = parcel.id, "nobody known to tell");
            return Ok(());
        };
        let mut failures = Vec::new();
        for reader in readers {
            let key = format!("user-{}", reader.id);
            if reader.email.is_empty() || told.contains(&key) {
                continue;
            }
            if let Err(failure) = self.tell(parcel.id, &matter, &reader, key).await {
                failures.push(failure);
            }
        }
        // Whoever can still be reached decides whether another attempt is worth it.
        failures.sort_by_key(|failure| failure.permanent);
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    /// Puts the letters that a notice asks for on the pile to be printed, once.
    async fn pile_letters<N: Announce>(&self, parcel: &Parcel<N>) -> Result<(), Failure> {
        let due = self.letters(parcel).await?;
        if due.is_empty() {
            return Ok(());
        }
        let passing = |fault: Fault| Failure::passing(engine::chain(&fault));
        let mut tx = self.0.db.write().await.map_err(passing)?;
        for letter in due {
            letters::due(&mut tx, &letter.on_pile(parcel)).await.map_err(passing)?;
        }
        tx.commit().await.map_err(passing)
    }

    /// The letters that a notice asks for: where it goes by letter too, and a lock when nobody
    /// concerned has an e-mail address.
    pub async fn letters<N: Announce>(
        &self,
        parcel: &Parcel<N>,
    ) -> Result<Vec<LetterDue>, Failure> {
        self.letters_due(&parcel.body.announce(), parcel).await.map_err(Failure::passing)
    }

    /// The same, for whoever only looks ahead.
    pub(crate) async fn letters_due<N>(
        &self,
        announcement: &Announcement,
        parcel: &Parcel<N>,
    ) -> Result<Vec<LetterDue>, Fault> {
        let mut tx = self.0.db.read().await?;
        let Some(customer) = mails::customer(&mut tx, parcel.case).await? else {
            return Ok(Vec::new());
        };
        let readers = audience(&mut tx, announcement.audience, customer).await?;
        // Letters answer letters: what was asked for online is answered there.
        let row = engine::case::find(&mut tx, parcel.case).await?;
        let online = [Channel::SelfService, Channel::Delegated].map(Channel::workflow);
        let is_online = row.is_some_and(|row| online.contains(&row.workflow.as_str()));
        let by_letter = announcement.letter && !is_online;
        let reachable = readers.iter().any(|reader| !reader.email.is_empty());
        if !by_letter && (reachable || !announcement.letter_without_mail) {
            return Ok(Vec::new());
        }
        let current = addresses::current(&mut tx, customer.contract_id).await?;
        let version = current.map_or(0, |address| address.version);
        let back = i64::from(announcement.to_former_address && version > 1);
        Ok(vec![LetterDue {
            contract: customer.contract_id,
            user: customer.user_id,
            address_version: version - back,
            about: announcement.name,
            on: dates::japan(parcel.queued_at).date_naive(),
        }])
    }

    /// Reads everything the mails need, in one look.
    async fn matter<N>(
        &self,
        announcement: Announcement,
        parcel: &Parcel<N>,
    ) -> Result<Option<(Matter, Vec<Reader>, Vec<String>)>, Fault> {
        let mut tx = self.0.db.read().await?;
        let Some(customer) = mails::customer(&mut tx, parcel.case).await? else { return Ok(None) };
        let contract = contracts::by_id(&mut tx, customer.contract_id).await?;
        let Some(contract) = contract else { return Ok(None) };
        let user = match customer.user_id {
            Some(id) => users::by_id(&mut tx, id).await?.map(|user| (id, user.name)),
            None => None,
        };
        let readers = audience(&mut tx, announcement.audience, customer).await?;
        let actor = colleague(&mut tx, parcel.case, parcel.entry, customer).await?;
        let row = engine::case::find(&mut tx, parcel.case).await?;
        let until = match &row {
            Some(row) if row.workflow == workflows::expiry::NAME => {
                expiries::moment_of(&mut tx, parcel.case).await?
            }
            Some(row) => self.expiry(row)?,
            None => None,
        };
        let opened_at = row.map_or(parcel.queued_at, |row| Moment(row.opened_at));
        let number = dates::numbered(opened_at, parcel.case.0);
        let told = mails::recipients(&mut tx, parcel.id).await?;
        let at = parcel.queued_at;
        let matter = Matter { announcement, contract, user, actor, until, number, at };
        Ok(Some((matter, readers, told)))
    }

    /// When the password or code of a case expires: counted from its issue, on paper from the
    /// dispatch.
    fn expiry(&self, row: &CaseRow) -> Result<Option<Moment>, Fault> {
        if row.workflow == workflows::enrolment::NAME {
            let lived = Duration::from_secs(86_400 * u64::from(self.0.rules.enrolment_code_days));
            let issued = row.read_anchors()?.get(workflows::terms::ISSUED.0).copied();
            return Ok(issued.map(|from| from.plus(lived)));
        }
        let channels = [Channel::SelfService, Channel::Delegated, Channel::Paper];
        let channel = channels.into_iter().find(|channel| channel.workflow() == row.workflow);
        let Some(channel) = channel else { return Ok(None) };
        let anchor = match channel {
            Channel::Paper => workflows::terms::DISPATCHED,
            Channel::SelfService | Channel::Delegated => workflows::terms::ISSUED,
        };
        let anchors = row.read_anchors()?;
        let from = anchors.get(anchor.0).copied();
        Ok(match self.0.rules.validity(channel) {
            Span::Time(time) => from.map(|from| from.plus(time)),
            Span::BusinessDays(_) => None,
        })
    }

    async fn tell(
        &self,
        outbox: i64,
        matter: &Matter,
        reader: &Reader,
        key: String,
    ) -> Result<(), Failure> {
        let Some(template) = matter.announcement.template else { return Ok(()) };
        let language = Language::from_code(&reader.language).unwrap_or_default();
        let fields = self.fields(matter, reader, language);
        let content =
            self.0.composer.compose(template, language, &fields).map_err(|fault| broken(&fault))?;
        let (name, email) = (reader.name.clone(), reader.email.clone());
        let recipient = Recipient { key, name, email };
        let outgoing = self
            .0
            .builder
            .build(outbox, &recipient, &content, matter.at)
            .map_err(|fault| broken(&fault))?;
        self.0.sender.send(&outgoing).await?;
        // When this fails the mail goes again, under the same Message-ID.
        self.remember(outbox, &recipient.key, &outgoing.message_id).await.map_err(Failure::passing)
    }

    async fn remember(&self, outbox: i64, key: &str, message_id: &str) -> Result<(), Fault> {
        // Settling the row flushes it.
        let mut tx = self.0.db.write_lazily().await?;
        mails::remember(&mut tx, outbox, key, message_id).await?;
        tx.commit().await
    }

    fn fields(&self, matter: &Matter, reader: &Reader, language: Language) -> Fields {
        let house = &self.0.house;
        let light = matter.contract.variant == "light";
        Fields {
            bank: house.bank.clone(),
            service: if light { &house.light } else { &house.bizstation }.clone(),
            phone: house.telephone.clone(),
            specimen: house.specimen,
            company: matter.contract.company.clone(),
            phrase: matter.contract.phrase.clone(),
            contract: masked(&matter.contract.number),
            case: matter.number.clone(),
            reader: reader.name.clone(),
            user: matter.user.as_ref().map(|(_, name)| name.clone()),
            to_self: matter.user.as_ref().is_some_and(|(id, _)| *id == reader.id),
            actor: matter.actor.clone(),
            at: dates::full(language, matter.at),
            until: matter.until.map(|until| dates::full(language, until)),
            tracking: matter.announcement.tracking.as_deref().map(grouped),
            attempts: self.0.rules.retrieval_max_wrong,
            kind: matter.announcement.kind,
            request: matter.announcement.request,
        }
    }
}

/// The people a notice goes to, in the order of their rows.
async fn audience(
    tx: &mut Tx,
    audience: Audience,
    customer: Customer,
) -> Result<Vec<Reader>, Fault> {
    let mut readers = users::readers(tx, customer.contract_id, customer.user_id).await?;
    if audience == Audience::User {
        readers.retain(|reader| Some(reader.id) == customer.user_id);
    }
    Ok(readers)
}

/// The name of the colleague who acted, when it was somebody of the same contract and not the
/// user in person.
async fn colleague(
    tx: &mut Tx,
    case: CaseId,
    entry: i64,
    customer: Customer,
) -> Result<Option<String>, Fault> {
    let actor = mails::actor(tx, case, entry).await?;
    let id = actor.and_then(|actor| actor.strip_prefix("user-")?.parse::<i64>().ok());
    let Some(id) = id.filter(|id| Some(*id) != customer.user_id) else { return Ok(None) };
    let user = users::by_id(tx, id).await?;
    Ok(user.filter(|user| user.contract_id == customer.contract_id).map(|user| user.name))
}

/// The second half of a contract number: `*****12345`.
pub fn masked(number: &str) -> String {
    let hidden = number.chars().count().div_ceil(2);
    number.chars().enumerate().map(|(at, digit)| if at < hidden { '*' } else { digit }).collect()
}

/// A registered-mail number as the post writes it: 3-2-5-1 digits.
fn grouped(tracking: &str) -> String {
    let mut text = String::new();
    for (at, digit) in tracking.chars().enumerate() {
        if matches!(at, 3 | 5 | 10) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// Trying again does not mend a template or an address.
fn broken(fault: &MailFault) -> Failure {
    Failure::permanent(engine::chain(fault))
}

#[cfg(test)]
mod tests;
