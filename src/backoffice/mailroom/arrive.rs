//! A file on its way: kept, read in a child, its pages placed, done. Whoever dies in between leaves it
//! where somebody else goes on: what was done is in the database, and the lease ends by itself.

use std::future::Future;
use std::time::Duration;

use engine::{Fault, Moment};
use forms::SubmissionNumber;
use sha2::{Digest, Sha256};
use workflows::terms::Role;

use super::FileResult;
use crate::app::App;
use crate::backoffice::{AtWork, stored};
use crate::customer::Declined;
use crate::reader::{FileRead, LARGEST_FILE};
use crate::store::arrivals::{self, Arrival, New};
use crate::store::sheets;

/// What the bytes of a file that came are sealed for.
const ARRIVAL: &str = "arrival";
/// The source of files that people choose at the page.
const UPLOAD: &str = "upload";
/// Whoever works on a file says so at least this often.
const LONGEST_LEASE: Duration = Duration::from_mins(1);
/// How long a file rests whose envelope is just being read.
const PAUSE: Duration = Duration::from_secs(2);

/// A file as it comes.
pub(super) struct Incoming<'a> {
    /// `folder` or `folder/<device>`; `upload`.
    pub(super) source: &'a str,
    /// As it came.
    pub(super) name: &'a str,
    /// Who sent it; empty for the folder.
    pub(super) login: &'a str,
    /// The file; empty when it is too large to be looked at.
    pub(super) bytes: &'a [u8],
    /// Its size.
    pub(super) size: u64,
}

/// A file that somebody works on.
pub(super) struct Work {
    pub(super) arrival: Arrival,
    /// The fencing token.
    pub(super) attempt: i64,
    pub(super) by: AtWork,
    pub(super) bytes: Vec<u8>,
}

/// What became of the work on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worked {
    /// Every page has its place.
    Done,
    /// An envelope is just being read: the file goes on later.
    Later,
    /// Somebody else has it.
    Lost,
}

impl App {
    fn file_lease(&self) -> Duration {
        LONGEST_LEASE.min(Duration::from_secs(self.tools.config.retry.lease_s))
    }

    /// Takes a file in that a person has chosen: kept sealed, read once in a child, every page put
    /// where its code says. What dies in between is finished by whoever is next.
    pub async fn take_in(
        &self,
        by: &AtWork,
        login: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<FileResult, Declined> {
        let size = bytes.len() as u64;
        let bytes: &[u8] = if bytes.len() > LARGEST_FILE { &[] } else { bytes };
        let incoming = Incoming { source: UPLOAD, name, login, bytes, size };
        // An upload always makes a row of its own.
        let id = self.arrives(&incoming, || true).await?.ok_or(Declined::NotFound)?;
        let at_once = self.work_on(id, 1, Some(by)).await;
        if let Err(Declined::Fault(fault)) = at_once {
            return Err(fault.into());
        }
        self.file_result(id).await
    }

    /// Writes a file down before anything else is done with it; `None` when it is there already.
    /// `is_there` is asked once nobody else can write it down any more.
    pub(super) async fn arrives(
        &self,
        incoming: &Incoming<'_>,
        is_there: impl FnOnce() -> bool,
    ) -> Result<Option<i64>, Fault> {
        let digest: [u8; 32] = Sha256::digest(incoming.bytes).into();
        let is_whole = incoming.bytes.len() as u64 == incoming.size;
        let sealed = if is_whole {
            let sealed = self.tools.keys.seal(ARRIVAL, &digest, incoming.bytes);
            sealed.map_err(Fault::host("seal a file"))?
        } else {
            Vec::new()
        };
        let mut tx = self.tools.db.write().await?;
        let new = New {
            source: incoming.source,
            name: incoming.name,
            login: incoming.login,
            digest: &digest,
            size: i64::try_from(incoming.size).unwrap_or(i64::MAX),
            picture: &sealed,
            loose: self.number_for_loose(),
            reason: if !is_whole {
                "too_large"
            } else if incoming.size == 0 {
                "empty"
            } else {
                ""
            },
            cleared: if incoming.source == UPLOAD { "-" } else { "" },
            // What a person chose is worked on at once; a file of the folder is anybody's.
            leased_until: if incoming.source == UPLOAD {
                tx.now().plus(self.file_lease())
            } else {
                Moment(0)
            },
        };
        let id = arrivals::insert(&mut tx, &new).await?;
        if let Some(id) = id
            && !new.reason.is_empty()
        {
            sheets::put(&mut tx, &super::place::rest_of(id, 1)).await?;
        }
        if id.is_some() && is_there() {
            tx.commit().await?;
            return Ok(id);
        }
        let found = arrivals::in_folder(&mut tx, incoming.source, incoming.name, &digest).await?;
        tx.roll_back().await?;
        Ok(found.filter(|_| id.is_none()))
    }

    fn number_for_loose(&self) -> i64 {
        let mut random = [0; 8];
        (self.tools.entropy)(&mut random);
        stored(SubmissionNumber::from_random(random))
    }

    /// Works on the next file that waits; false when there is none.
    pub async fn work_on_next_file(&self) -> Result<bool, Fault> {
        let mut tx = self.tools.db.write().await?;
        let Some(id) = arrivals::due(&mut tx).await? else { return Ok(false) };
        let until = tx.now().plus(self.file_lease());
        let attempt = arrivals::claim(&mut tx, id, until).await?;
        tx.commit().await?;
        let Some(attempt) = attempt else { return Ok(true) };
        match self.work_on(id, attempt, None).await {
            Ok(_) => Ok(true),
            Err(Declined::Fault(fault)) => Err(fault),
            // A rule said no: the file stays, and the next who comes by looks again.
            Err(declined) => {
                tracing::warn!(file = id, %declined, "a file that came could not go on");
                self.pause(id, attempt).await?;
                Ok(true)
            }
        }
    }

    async fn work_on(
        &self,
        id: i64,
        attempt: i64,
        by: Option<&AtWork>,
    ) -> Result<Worked, Declined> {
        let mut tx = self.tools.db.read().await?;
        let arrival = arrivals::find(&mut tx, id).await?.ok_or(Declined::NotFound)?;
        if arrival.state != "waiting" || arrival.attempts != attempt {
            return Ok(Worked::Lost);
        }
        let sealed = arrivals::picture(&mut tx, id).await?;
        drop(tx);
        let bytes = self.tools.keys.open(ARRIVAL, &arrival.digest, &sealed);
        let bytes = bytes.map_err(Fault::host("open a file"))?.to_vec();
        let by = match by {
            Some(by) => by.clone(),
            None => self.whoever_brought(&arrival).await?,
        };
        let work = Work { arrival, attempt, by, bytes };
        let placing = async {
            let Some(read) = self.read_arrival(&work).await? else { return Ok(Worked::Lost) };
            self.place_pages(&work, &read).await
        };
        // On the heap: the placing of pages is a large future.
        let worked =
            Box::pin(self.holding(id, attempt, placing)).await?.unwrap_or(Ok(Worked::Lost))?;
        if worked == Worked::Later {
            self.pause(id, attempt).await?;
        }
        Ok(worked)
    }

    /// The person who sent the file, or nobody.
    async fn whoever_brought(&self, arrival: &Arrival) -> Result<AtWork, Declined> {
        if arrival.login.is_empty() {
            return Ok(AtWork::machine(arrival.source.clone()));
        }
        match self.at_work(&arrival.login, Role::MailRoom).await {
            // The account is closed; the paper lies there all the same.
            Err(Declined::NotFound) => Ok(AtWork::machine(arrival.source.clone())),
            found => found,
        }
    }

    /// What the file says: kept as soon as it is known, so that nobody reads it twice.
    async fn read_arrival(&self, work: &Work) -> Result<Option<FileRead>, Fault> {
        if let Ok(read) = serde_json::from_str(&work.arrival.reading) {
            return Ok(Some(read));
        }
        let read = self.read_scan(&work.bytes).await?;
        let text = serde_json::to_string(&read)
            .map_err(|source| Fault::Unwritable { what: "reading", source })?;
        let mut tx = self.tools.db.write().await?;
        let is_mine = arrivals::keep_reading(&mut tx, work.arrival.id, work.attempt, &text).await?;
        tx.commit().await?;
        Ok(is_mine.then_some(read))
    }

    /// Does something with a file while saying that it is in hand; `None` once somebody else has it.
    async fn holding<T>(
        &self,
        id: i64,
        attempt: i64,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, Fault> {
        tokio::pin!(work);
        let mut beat = tokio::time::interval(self.file_lease() / 3);
        beat.tick().await;
        loop {
            tokio::select! {
                done = &mut work => return Ok(Some(done)),
                _ = beat.tick() => {
                    let mut tx = self.tools.db.write().await?;
                    let until = tx.now().plus(self.file_lease());
                    if !arrivals::renew(&mut tx, id, attempt, until).await? {
                        return Ok(None);
                    }
                    tx.commit().await?;
                }
            }
        }
    }

    async fn pause(&self, id: i64, attempt: i64) -> Result<(), Fault> {
        let mut tx = self.tools.db.write().await?;
        let until = tx.now().plus(PAUSE);
        arrivals::renew(&mut tx, id, attempt, until).await?;
        tx.commit().await
    }

    /// Lets failed files be read again: one, or all of them; gives how many.
    pub async fn read_files_again(&self, only: Option<i64>) -> Result<usize, Fault> {
        let mut tx = self.tools.db.write().await?;
        let mut count = 0;
        for id in arrivals::failed(&mut tx).await? {
            if only.is_none_or(|only| only == id) {
                let loose = self.number_for_loose();
                count += usize::from(arrivals::retry(&mut tx, id, loose).await?);
            }
        }
        tx.commit().await?;
        Ok(count)
    }

    /// Gives up reading a failed file: its paper is scanned anew. Who did so is kept.
    pub async fn set_file_aside(&self, login: &str, id: i64) -> Result<(), Declined> {
        let mut tx = self.tools.db.write().await?;
        if !arrivals::set_aside(&mut tx, id, login).await? {
            return Err(Declined::NotFound);
        }
        tx.commit().await?;
        Ok(())
    }
}
