//! What keeps cases moving: the clock, the inboxes and the two lanes of the outbox.
//!
//! One bad row never stalls others: whatever fails is put back with a delay, or set aside, and the
//! round goes on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::history::{digest, hex};
use crate::outbox::{self, Lane, OutboxRow};
use crate::runner::{Performed, Touched, guarded};
use crate::submission::{Cause, Origin, Stored};
use crate::timers::Due;
use crate::{ActorId, CaseId, Core, Failure, Fault, Moment, chain, inbox, schedule, timers};

/// Deadlines or inboxes taken at once by one round.
const PASS: i64 = 32;
/// Messages in progress at once, and jobs.
const AT_ONCE: usize = 8;
/// How long a loop sleeps when nothing wakes it: the safety net for other processes' work.
const POLL: Duration = Duration::from_millis(500);
/// How long a loop that is told to stop waits for what is in progress. Whatever is left is done
/// again after its lease, as after a crash.
const FAREWELL: Duration = Duration::from_secs(10);
/// Commands handed on after one commit by the committer itself; the rest is left to the loops.
const CHAIN: usize = 64;
/// How often a result is written before it is left to the lease.
const TRIES: u32 = 4;

impl Core {
    /// One round over everything that may be due; returns how much was settled.
    pub(crate) async fn pass(self: &Arc<Self>) -> Result<usize, Fault> {
        let mut done = self.ticks().await? + self.deadlines().await? + self.inboxes().await?;
        for lane in [Lane::Messages, Lane::Work] {
            let mut flying = JoinSet::new();
            done += self.launch(lane, &mut flying).await?;
            while flying.join_next().await.is_some() {}
        }
        Ok(done)
    }

    /// Fires schedules and deadlines and empties inboxes until told to stop.
    pub(crate) async fn run_clock(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let round =
                async { Ok(self.ticks().await? + self.deadlines().await? + self.inboxes().await?) };
            match round.await {
                Ok(0) => idle(&self.wake.clock, &mut stop).await,
                Ok(_) => {}
                Err::<usize, Fault>(fault) => {
                    tracing::error!(error = %chain(&fault), "a round of the clock failed");
                    if pause(&mut stop).await {
                        return;
                    }
                }
            }
            if stop.has_changed().is_err() {
                return;
            }
        }
    }

    /// Carries out the rows of one lane, so many at once, until told to stop.
    pub(crate) async fn run_lane(self: &Arc<Self>, lane: Lane, mut stop: watch::Receiver<bool>) {
        let bell = match lane {
            Lane::Messages => &self.wake.messages,
            Lane::Work => &self.wake.work,
        };
        let mut flying = JoinSet::new();
        while !*stop.borrow() && stop.has_changed().is_ok() {
            while flying.try_join_next().is_some() {}
            match self.launch(lane, &mut flying).await {
                // As many as there was room for: there may be more.
                Ok(_) if flying.len() >= AT_ONCE => {
                    tokio::select! {
                        _ = flying.join_next() => {}
                        _ = stop.changed() => {}
                    }
                }
                Ok(_) => {
                    tokio::select! {
                        Some(_) = flying.join_next() => {}
                        () = idle(bell, &mut stop) => {}
                    }
                }
                Err(fault) => {
                    tracing::error!(error = %chain(&fault), ?lane, "the outbox cannot be read");
                    pause(&mut stop).await;
                }
            }
        }
        let rest = async { while flying.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, rest).await.is_err() {
            tracing::warn!(?lane, "work in progress was broken off and will be done again");
        }
    }

    async fn ticks(&self) -> Result<usize, Fault> {
        let mut done = 0;
        for schedule in &self.schedules_in_force() {
            match schedule::queue_due(&self.db, schedule).await {
                Ok(queued) => done += queued,
                Err(fault) => {
                    tracing::error!(schedule = %schedule.name, error = %chain(&fault),
                        "a schedule failed");
                }
            }
        }
        if done > 0 {
            self.wake.work.notify_one();
        }
        Ok(done)
    }

    async fn deadlines(&self) -> Result<usize, Fault> {
        let mut tx = self.db.read().await?;
        let due = timers::due(&mut tx, PASS).await?;
        drop(tx);
        let mut done = 0;
        for timer in due {
            match self.hand_in(&timer.workflow, deadline(&timer)).await {
                Ok(touched) => {
                    self.after_commit(touched).await;
                    done += 1;
                }
                Err(fault) => self.postpone_timer(&timer, &fault).await?,
            }
        }
        Ok(done)
    }

    async fn inboxes(&self) -> Result<usize, Fault> {
        let mut tx = self.db.read().await?;
        let cases = inbox::expectant(&mut tx, PASS).await?;
        drop(tx);
        Ok(self.deliver_all(cases).await)
    }

    /// Hands waiting commands to `cases` and to those that come to expect something thereby.
    pub(crate) async fn deliver_all(&self, cases: Vec<CaseId>) -> usize {
        let mut queue = VecDeque::from(cases);
        let mut done = 0;
        while let Some(case) = queue.pop_front()
            && done < CHAIN
        {
            match self.deliver(case, CHAIN - done, &mut queue).await {
                Ok(settled) => done += settled,
                Err(fault) => {
                    tracing::warn!(%case, error = %chain(&fault), "inbox left for later");
                }
            }
        }
        if !queue.is_empty() {
            self.wake.clock.notify_one();
        }
        done
    }

    /// Asks a case everything in its inbox that it has not declined at this version. Each accepted
    /// command may make another one welcome.
    async fn deliver(
        &self,
        case: CaseId,
        limit: usize,
        queue: &mut VecDeque<CaseId>,
    ) -> Result<usize, Fault> {
        let mut done = 0;
        for _ in 0..limit {
            let mut tx = self.db.read().await?;
            let waiting = inbox::next_for(&mut tx, case).await?;
            drop(tx);
            let Some(waiting) = waiting else { break };
            match self.hand_in(&waiting.workflow, waiting.stored()).await {
                Ok(touched) => {
                    self.publish(&touched);
                    queue.extend(touched.expectant.into_iter().filter(|other| *other != case));
                    done += 1;
                }
                Err(fault) => {
                    tracing::warn!(%case, inbox = waiting.id, error = %chain(&fault),
                        "a kept command cannot be handed in");
                    let mut tx = self.db.write().await?;
                    let delay = self.retry.delay(waiting.id, waiting.failures + 1);
                    let (at, reason) = (tx.now().plus(delay), chain(&fault));
                    inbox::postpone(&mut tx, waiting.id, at, &reason).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(done)
    }

    /// Hands a stored command to its workflow; a panic there is a fault like any other.
    async fn hand_in(&self, workflow: &str, stored: Stored) -> Result<Touched, Fault> {
        let runner = self.runner(workflow)?;
        guarded(runner.submit_stored(stored)).await.unwrap_or_else(|message| {
            Err(Fault::Panicked { workflow: workflow.to_owned(), message })
        })
    }

    async fn postpone_timer(&self, timer: &Due, fault: &Fault) -> Result<(), Fault> {
        tracing::warn!(case = timer.case_id, error = %chain(fault), "a deadline cannot be sent");
        let mut tx = self.db.write().await?;
        let at = tx.now().plus(self.retry.delay(timer.case_id, timer.failures + 1));
        timers::postpone(&mut tx, timer, at, &chain(fault)).await?;
        tx.commit().await
    }

    /// Claims as many rows as there is room for and begins them; returns how many.
    async fn launch(
        self: &Arc<Self>,
        lane: Lane,
        flying: &mut JoinSet<()>,
    ) -> Result<usize, Fault> {
        let room = AT_ONCE.saturating_sub(flying.len());
        if room == 0 {
            return Ok(0);
        }
        let limit = i64::try_from(room).unwrap_or(1);
        let rows = outbox::claim(&self.db, lane, &self.retry, limit).await?;
        let count = rows.len();
        for row in rows {
            let core = self.clone();
            flying.spawn(async move { core.carry_out(row).await });
        }
        Ok(count)
    }

    async fn carry_out(&self, row: OutboxRow) {
        let result = guarded(self.perform(&row)).await;
        let result = result.unwrap_or_else(|panic| Err(Failure::passing(panic)));
        let mut tries = 0;
        while let Err(fault) = self.settle(&row, &result).await {
            tries += 1;
            tracing::warn!(id = row.id, tries, error = %chain(&fault), "outbox row not settled");
            if tries == TRIES {
                // The lease will run out, and the row will be carried out again.
                return;
            }
            tokio::time::sleep(Duration::from_millis(50 << tries)).await;
        }
    }

    async fn perform(&self, row: &OutboxRow) -> Result<Performed, Failure> {
        if row.kind == "tick" {
            return self.tick(row).await;
        }
        // A version of the program that knows the workflow may come back before the attempts end.
        let runner = self.runner(&row.workflow).map_err(Failure::passing)?;
        runner.carry_out(row).await
    }

    async fn tick(&self, row: &OutboxRow) -> Result<Performed, Failure> {
        let handler = self.handler(&row.workflow);
        let handler = handler.ok_or_else(|| Failure::permanent("no such schedule any more"))?;
        let tick = row.body.parse().map(Moment).map_err(Failure::permanent)?;
        let patience = self.retry.patience();
        match tokio::time::timeout(patience, handler(tick)).await {
            Ok(done) => done.map(|()| Performed::Sent),
            Err(_) => Err(Failure::passing(format!("broken off after {} s", patience.as_secs()))),
        }
    }

    /// Writes down what became of a row, unless another attempt owns it by now.
    async fn settle(
        &self,
        row: &OutboxRow,
        result: &Result<Performed, Failure>,
    ) -> Result<(), Fault> {
        let is_ours = match result {
            Ok(Performed::Answered) => return Ok(()),
            Ok(Performed::Sent) => {
                let mut tx = self.db.write().await?;
                let is_ours = outbox::done(&mut tx, row.id, row.attempts).await?;
                tx.commit().await?;
                is_ours
            }
            Err(failure) => {
                let used = row.attempts - row.spent;
                let is_last = failure.permanent || used >= self.retry.attempts;
                tracing::warn!(id = row.id, label = %row.label, attempt = row.attempts, is_last,
                    reason = %failure.reason, "outbox row failed");
                let mut tx = self.db.write().await?;
                let again = tx.now().plus(self.retry.delay(row.id, used));
                let again = (!is_last).then_some(again);
                let is_ours = outbox::failed(&mut tx, row, &failure.reason, again).await?;
                tx.commit().await?;
                is_ours
            }
        };
        if !is_ours {
            tracing::warn!(
                id = row.id,
                attempt = row.attempts,
                "lease was lost to another attempt"
            );
        }
        if let Some(case) = row.case_id {
            self.announce(&[CaseId(case)]);
        }
        Ok(())
    }
}

/// The command of a deadline. Its id holds the due time, so that two nodes send the same one.
fn deadline(timer: &Due) -> Stored {
    let tag = digest(timer.slot.as_bytes()).get(..6).map(hex).unwrap_or_default();
    Stored {
        case: CaseId(timer.case_id),
        command: timer.command.clone(),
        command_id: format!("timer-{}-{}-{tag}", timer.case_id, timer.at),
        actor: ActorId("engine".into()),
        role: "clock".into(),
        origin: Origin::default(),
        cause: Cause::Timer { slot: timer.slot.clone(), due: Moment(timer.at) },
    }
}

/// Waits for the bell, for the safety net's turn, or for the end.
async fn idle(bell: &Notify, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = bell.notified() => {}
        () = tokio::time::sleep(POLL) => {}
        _ = stop.changed() => {}
    }
}

/// Lets some time pass after a failure; true when told to stop meanwhile.
async fn pause(stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(POLL) => false,
        changed = stop.changed() => changed.is_err() || *stop.borrow(),
    }
}
