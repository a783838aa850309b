//! The host of the three reissue paths.

use std::sync::Arc;

use engine::{
    Actor, Addressed, Answer, Ask, CaseId, Desk, Failure, Fault, Host, Parcel, Submission, Tx,
    Workflow, Write,
};
use workflows::delegated::{self, Delegated};
use workflows::paper::{self, Paper};
use workflows::self_service::{self, SelfService};
use workflows::tail;
use workflows::task::{self, Task};
use workflows::terms::{
    Channel, Effect, Facts, Job, Notice, Reason, Refusal, Role, Rules, Signal, TaskKind, UserRef,
};

use super::issue::{self, Attachment, Preparation, Prepared};
use super::task::TaskHost;
use super::{Tools, effects, facts, user_of_subject};
use crate::notify::Announce;
use crate::store::standing;

/// A reissue path: a workflow in the shared terms, with what the host must know about it.
pub trait Path:
    Workflow<
        Role = Role,
        Facts = Facts,
        Rules = Rules,
        Effect = Effect,
        Notice = Notice,
        Job = Job,
        Signal = Signal,
        Refusal = Refusal,
    >
{
    /// Which way it is.
    const CHANNEL: Channel;
    /// What an opening command says.
    fn opening(command: &Self::Command) -> Option<Opening>;
    /// What must be made ready before a command is decided.
    fn preparation(command: &Self::Command) -> Preparation;
    /// A command of the common tail.
    fn tail(command: tail::Command) -> Self::Command;
    /// The answer to a printed letter, where there are letters.
    fn printed() -> Option<Self::Command>;
}

/// What an opening command says about its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Who shall get the password.
    pub user: UserRef,
    /// Why; on paper the form says it.
    pub reason: Option<Reason>,
    /// The form's number.
    pub submission: Option<i64>,
}

impl Path for SelfService {
    const CHANNEL: Channel = Channel::SelfService;

    fn opening(command: &Self::Command) -> Option<Opening> {
        let self_service::Command::Open { user, reason } = command else { return None };
        Some(Opening { user: *user, reason: Some(*reason), submission: None })
    }

    fn preparation(command: &Self::Command) -> Preparation {
        match command {
            self_service::Command::Issue => Preparation::Password,
            _ => Preparation::Nothing,
        }
    }

    fn tail(command: tail::Command) -> Self::Command {
        self_service::Command::Tail(command)
    }

    fn printed() -> Option<Self::Command> {
        None
    }
}

impl Path for Delegated {
    const CHANNEL: Channel = Channel::Delegated;

    fn opening(command: &Self::Command) -> Option<Opening> {
        let delegated::Command::Open { target, reason } = command else { return None };
        Some(Opening { user: *target, reason: Some(*reason), submission: None })
    }

    fn preparation(command: &Self::Command) -> Preparation {
        match command {
            delegated::Command::Issue | delegated::Command::Reveal => Preparation::Password,
            _ => Preparation::Nothing,
        }
    }

    fn tail(command: tail::Command) -> Self::Command {
        delegated::Command::Tail(command)
    }

    fn printed() -> Option<Self::Command> {
        None
    }
}

impl Path for Paper {
    const CHANNEL: Channel = Channel::Paper;

    fn opening(command: &Self::Command) -> Option<Opening> {
        let paper::Command::Open { user, submission } = command else { return None };
        Some(Opening { user: *user, reason: None, submission: Some(submission.0) })
    }

    fn preparation(command: &Self::Command) -> Preparation {
        match command {
            paper::Command::Print => Preparation::Letter,
            _ => Preparation::Nothing,
        }
    }

    fn tail(command: tail::Command) -> Self::Command {
        paper::Command::Tail(command)
    }

    fn printed() -> Option<Self::Command> {
        Some(paper::Command::Print)
    }
}

/// Serves the three paths.
pub struct ReissueHost {
    tools: Arc<Tools>,
    tasks: Desk<Task, TaskHost>,
    engine: engine::Engine,
}

impl ReissueHost {
    /// A host that opens its tasks at `tasks`.
    pub fn new(tools: Arc<Tools>, engine: engine::Engine, tasks: Desk<Task, TaskHost>) -> Self {
        Self { tools, tasks, engine }
    }

    async fn make_certificate<W: Path>(
        &self,
        parcel: &Parcel<Job>,
        csr: Option<&str>,
    ) -> Result<Option<Answer<W, Attachment>>, Failure> {
        let answer =
            |command, attachment| Ok(Some(Answer { command: W::tail(command), attachment }));
        match issue::certificate(&self.tools, &parcel.subject, parcel.case, csr).await {
            Ok(made) => {
                let (serial, key) = (made.row.serial.clone(), made.key);
                let attachment = Attachment { certificate: Some(made), ..Attachment::default() };
                answer(tail::Command::CertificateMade { serial, key }, attachment)
            }
            Err(issue::CertificateFailure::Refused) => {
                answer(tail::Command::CertificateRefused, Attachment::default())
            }
            Err(issue::CertificateFailure::Fault(failure)) => Err(failure),
        }
    }
}

/// Opens a task about a case, once for every outbox row.
pub(crate) async fn open_task(
    engine: &engine::Engine,
    tasks: &Desk<Task, TaskHost>,
    outbox: i64,
    about: CaseId,
    kind: TaskKind,
) -> Result<(), Failure> {
    let case = engine.next_case().await.map_err(Failure::passing)?;
    let command = task::Command::Open { kind, about };
    let id = format!("task-{outbox}");
    let submission =
        Submission::opening(case, format!("case-{about}"), command, Actor::worker(), id);
    tasks.submit(submission, ()).await.map(drop).map_err(Failure::passing)
}

/// Sends a notice. A mail that is refused for good is a task: somebody finds the right address.
pub(crate) async fn send<N: Announce>(
    tools: &Tools,
    engine: &engine::Engine,
    tasks: &Desk<Task, TaskHost>,
    parcel: &Parcel<N>,
) -> Result<(), Failure> {
    let sent = tools.notifier.send(parcel).await;
    if sent.as_ref().is_err_and(|failure| failure.permanent) {
        open_task(engine, tasks, parcel.id, parcel.case, TaskKind::BouncedMail).await?;
    }
    sent
}

impl<W: Path> Host<W> for ReissueHost {
    type Attachment = Attachment;
    type Prepared = Prepared;

    fn rules(&self) -> Arc<Rules> {
        self.tools.rules.clone()
    }

    async fn prepare(&self, ask: &Ask<'_, W>, attachment: &Attachment) -> Result<Prepared, Fault> {
        match W::preparation(ask.command) {
            Preparation::Password => issue::password(&self.tools, ask, attachment).await,
            Preparation::Letter => issue::letter(&self.tools, ask).await,
            Preparation::Nothing => Ok(match &attachment.certificate {
                Some(made) => Prepared::Certificate(Box::new(made.clone())),
                None => Prepared::Nothing,
            }),
        }
    }

    async fn lock(&self, tx: &mut Tx, subjects: &[String]) -> Result<(), Fault> {
        for user in subjects.iter().filter_map(|subject| user_of_subject(subject)) {
            standing::lock_user(tx, user).await?;
        }
        Ok(())
    }

    async fn facts(&self, tx: &mut Tx, asks: &[Ask<'_, W>]) -> Result<Vec<Facts>, Fault> {
        let mut all = Vec::with_capacity(asks.len());
        for ask in asks {
            let about = facts::About {
                case: ask.case,
                subject: ask.subject,
                opening: W::opening(ask.command),
                actor: &ask.actor.id,
                origin: ask.origin,
            };
            all.push(facts::of_reissue(tx, &self.tools.rules, &about).await?);
        }
        Ok(all)
    }

    async fn apply(&self, tx: &mut Tx, writes: &[Write<'_, W, Prepared>]) -> Result<(), Fault> {
        for write in writes {
            let place = effects::Place {
                case: write.case,
                subject: write.subject,
                channel: W::CHANNEL.workflow(),
                actor: &write.actor.id,
                origin: write.origin,
                command_id: write.command_id,
            };
            if let Some(opening) = W::opening(write.command) {
                effects::open(tx, &place, &opening).await?;
            }
            for effect in write.effects {
                effects::apply(tx, &place, effect, write.prepared).await?;
            }
        }
        Ok(())
    }

    fn address(&self, signal: &Signal) -> Result<Addressed, Fault> {
        address(signal)
    }

    async fn send(&self, parcel: Parcel<Notice>) -> Result<(), Failure> {
        send(&self.tools, &self.engine, &self.tasks, &parcel).await
    }

    async fn perform(&self, parcel: Parcel<Job>) -> Result<Option<Answer<W, Attachment>>, Failure> {
        match &parcel.body {
            Job::MakeCertificate { csr } => self.make_certificate(&parcel, csr.as_deref()).await,
            Job::PrintLetter => {
                Ok(W::printed()
                    .map(|command| Answer { command, attachment: Attachment::default() }))
            }
            Job::OpenTask { kind } => {
                open_task(&self.engine, &self.tasks, parcel.id, parcel.case, *kind).await?;
                Ok(None)
            }
        }
    }
}

/// A signal as the engine delivers it.
pub(super) fn address(signal: &Signal) -> Result<Addressed, Fault> {
    use workflows::terms::Addressed as A;
    let (case, addressed) = signal.address();
    let workflow = addressed.workflow();
    let command = match &addressed {
        A::SelfService(command) => serde_json::to_value(command),
        A::Delegated(command) => serde_json::to_value(command),
        A::Paper(command) => serde_json::to_value(command),
        A::Clerical(command) => serde_json::to_value(command),
        A::Credential(command) => serde_json::to_value(command),
        A::Account(command) => serde_json::to_value(command),
    };
    let command = command.map_err(|source| Fault::Unwritable { what: "signal", source })?;
    Ok(Addressed { case, workflow, command, speaker: signal.speaker() })
}
