//! Cron schedules: each tick queued exactly once, with a rule for ticks missed while down.

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, Utc};

use crate::{Db, Failure, Fault, Moment, Tx, on, outbox};

/// What a tick does. It may be called more than once for one tick when it fails or the process
/// dies, so it must be idempotent for its moment.
pub type TickHandler =
    Arc<dyn Fn(Moment) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>> + Send + Sync>;

/// What happens to ticks that fell into a time without a running engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Only the latest missed tick is carried out.
    Latest,
    /// Every missed tick is carried out, oldest first.
    Each,
}

/// A named cron schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Stored; never reused for something else.
    pub name: String,
    /// The expression: seconds, minutes, hours, day of month, month, day of week.
    pub expression: String,
    cron: cron::Schedule,
    offset: FixedOffset,
    catch_up: CatchUp,
}

/// Ticks queued at most in one pass, so that a long downtime does not become one huge transaction.
const AT_ONCE: usize = 100;

impl Schedule {
    /// Reads a cron expression, meant in local time at a fixed offset from UTC.
    pub fn new(
        name: &str,
        expression: &str,
        offset: FixedOffset,
        catch_up: CatchUp,
    ) -> Result<Self, Fault> {
        let cron = cron::Schedule::from_str(expression).map_err(|error| Fault::BadSchedule {
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        let (name, expression) = (name.to_owned(), expression.to_owned());
        Ok(Self { name, expression, cron, offset, catch_up })
    }

    /// The first tick after `moment`; `None` when there is none.
    pub fn next_after(&self, moment: Moment) -> Option<Moment> {
        let local = moment.utc()?.with_timezone(&self.offset);
        self.cron.after(&local).next().map(to_moment)
    }

    /// Ticks after `last` up to and including `now`, as the catch-up rule has them.
    fn due(&self, last: Moment, now: Moment) -> Vec<Moment> {
        let Some(local) = last.utc().map(|at| at.with_timezone(&self.offset)) else {
            return Vec::new();
        };
        match self.catch_up {
            CatchUp::Each => {
                let missed = self.cron.after(&local).map(to_moment);
                missed.take_while(|tick| *tick <= now).take(AT_ONCE).collect()
            }
            CatchUp::Latest => self.latest(now).filter(|tick| *tick > last).into_iter().collect(),
        }
    }

    /// The last tick up to and including `now`, however long the schedule slept.
    fn latest(&self, now: Moment) -> Option<Moment> {
        // A tick falls on a whole second, and the search looks strictly before its start.
        let after = Moment::from_seconds(now.seconds().saturating_add(1));
        let local = after.utc()?.with_timezone(&self.offset);
        self.cron.after(&local).next_back().map(to_moment)
    }
}

fn to_moment(date: DateTime<FixedOffset>) -> Moment {
    date.with_timezone(&Utc).into()
}

/// Queues the ticks of `schedule` that are due. Among all nodes one compare-and-set wins.
pub(crate) async fn queue_due(db: &Db, schedule: &Schedule) -> Result<usize, Fault> {
    let mut tx = db.read().await?;
    let now = tx.now();
    let last = last_tick(&mut tx, &schedule.name).await?;
    drop(tx);
    let Some(last) = last else { return begin(db, &schedule.name).await };
    let due = schedule.due(last, now);
    let Some(newest) = due.last() else { return Ok(0) };
    let mut tx = db.write().await?;
    if !advance(&mut tx, &schedule.name, last, *newest).await? {
        return Ok(0);
    }
    for tick in &due {
        outbox::put(&mut tx, "tick", &schedule.name, None, "Tick", &tick.0.to_string()).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}

/// The last tick that was queued; `None` before the schedule was ever seen.
pub async fn last_tick(tx: &mut Tx, name: &str) -> Result<Option<Moment>, Fault> {
    const SQL: &str = "SELECT last_tick FROM schedules WHERE name = $1";
    let last: Option<i64> =
        on!(tx, |conn| sqlx::query_scalar(SQL).bind(name).fetch_optional(conn).await)
            .map_err(Fault::database("read a schedule"))?;
    Ok(last.map(Moment))
}

/// A schedule seen for the first time counts from now: nothing was missed before it existed.
async fn begin(db: &Db, name: &str) -> Result<usize, Fault> {
    const SQL: &str =
        "INSERT INTO schedules (name, last_tick) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    let mut tx = db.write().await?;
    let now = tx.now().0;
    on!(&mut tx, |conn| sqlx::query(SQL).bind(name).bind(now).execute(conn).await.map(drop))
        .map_err(Fault::database("begin a schedule"))?;
    tx.commit().await?;
    Ok(0)
}

async fn advance(tx: &mut Tx, name: &str, from: Moment, to: Moment) -> Result<bool, Fault> {
    const SQL: &str = "UPDATE schedules SET last_tick = $3 WHERE name = $1 AND last_tick = $2";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(name)
        .bind(from.0)
        .bind(to.0)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(Fault::database("advance a schedule"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However far back the last tick lies, the latest is the one that walking forward finds.
    #[test]
    fn the_latest_tick_is_the_last_of_all_missed_ones() {
        let offset = FixedOffset::east_opt(9 * 3600).unwrap();
        let begin = Moment::from_seconds(1_795_000_000);
        let expressions = [
            "0 0 2 * * *",
            "0 */7 * * * *",
            "30 15 10 1 * *",
            "0 0 9 * * Mon-Fri",
            "*/50 * * * * *",
        ];
        for expression in expressions {
            let new = |catch_up| Schedule::new("s", expression, offset, catch_up).unwrap();
            for step in 0..25 {
                let now = Moment(begin.0 + step * 9_977_000_003);
                let each: Vec<Moment> = new(CatchUp::Each)
                    .cron
                    .after(&begin.utc().unwrap().with_timezone(&offset))
                    .map(to_moment)
                    .take_while(|tick| *tick <= now)
                    .collect();
                let latest: Vec<Moment> = each.last().copied().into_iter().collect();
                assert_eq!(new(CatchUp::Latest).due(begin, now), latest, "{expression} at {now}");
            }
        }
    }

    #[test]
    fn an_unreadable_expression_is_named() {
        let offset = FixedOffset::east_opt(0).unwrap();
        let fault = Schedule::new("nightly", "at noon", offset, CatchUp::Latest).unwrap_err();
        assert!(fault.to_string().starts_with("schedule nightly cannot be read"));
    }
}
