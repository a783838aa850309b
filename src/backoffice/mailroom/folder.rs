//! The folder into which scanners drop their files. A file is taken in once it rests, and moved to `done`
//! or `failed` once it is known what became of it; the database says which, so that any node, also one
//! that starts after another has died, goes on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use engine::{Fault, Moment};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::arrive::Incoming;
use crate::app::App;
use crate::reader::LARGEST_FILE;
use crate::store::arrivals::{self, Arrival};
use crate::text::{Language, Texts};

/// Where files go whose pages all have their places.
const DONE: &str = "done";
/// Where the others go, a reason beside each.
const FAILED: &str = "failed";
/// What the source of the folder's files is called.
const FOLDER: &str = "folder";
/// A file that stays empty for so many times the usual rest is a failed one.
const EMPTY_PATIENCE: u32 = 20;
/// Endings under which transfer programs keep what is not whole yet.
const UNFINISHED: [&str; 6] = ["tmp", "temp", "part", "partial", "filepart", "crdownload"];

/// A file as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    source: String,
    name: String,
    path: PathBuf,
    size: u64,
    changed: Option<SystemTime>,
}

/// What was seen of a file, and since when it has been so.
struct Seen {
    found: Found,
    since: Moment,
    is_taken: bool,
}

/// One node's look at its folder.
pub struct Watch {
    folder: PathBuf,
    seen: HashMap<PathBuf, Seen>,
}

impl Watch {
    /// Of the configured folder; `None` when there is none.
    pub fn of(app: &App) -> Option<Self> {
        let folder = app.tools.config.intake.folder.clone();
        (!folder.as_os_str().is_empty()).then(|| Self { folder, seen: HashMap::new() })
    }

    /// Looks once: takes in what rests, clears away what is done. Gives how many files it took in.
    pub async fn look(&mut self, app: &App) -> Result<usize, Fault> {
        let folder = self.folder.clone();
        let listed = tokio::task::spawn_blocking(move || list(&folder)).await;
        let listed = listed.map_err(Fault::host("look into the scan folder"))?;
        let listed = listed.map_err(Fault::host("look into the scan folder"))?;
        let mut taken = 0;
        for found in self.resting(app, &listed).await? {
            let path = found.path.clone();
            let (came, is_new) = take(app, found).await?;
            taken += usize::from(is_new);
            if let Some(seen) = self.seen.get_mut(&path) {
                seen.is_taken = came;
            }
        }
        self.clear_away(app, &listed).await?;
        Ok(taken)
    }

    /// The files that have not changed for as long as is wished, and are not taken in yet.
    async fn resting(&mut self, app: &App, listed: &[Found]) -> Result<Vec<Found>, Fault> {
        let now = app.tools.db.now().await?;
        let rest = Duration::from_secs(app.tools.config.intake.rest_s);
        self.seen.retain(|path, _| listed.iter().any(|found| found.path == *path));
        let mut resting = Vec::new();
        for found in listed {
            let fresh = || Seen { found: found.clone(), since: now, is_taken: false };
            let seen = self.seen.entry(found.path.clone()).or_insert_with(fresh);
            if seen.found != *found {
                *seen = fresh();
            }
            let wished = if found.size == 0 { rest * EMPTY_PATIENCE } else { rest };
            if !seen.is_taken && now.since(seen.since) >= wished {
                resting.push(found.clone());
            }
        }
        Ok(resting)
    }

    /// Moves every file whose fate is known to where it belongs.
    async fn clear_away(&self, app: &App, listed: &[Found]) -> Result<(), Fault> {
        let mut tx = app.tools.db.read().await?;
        let unsettled = arrivals::unsettled(&mut tx).await?;
        drop(tx);
        for arrival in unsettled {
            let place = if arrival.state == "done" { DONE } else { FAILED };
            let lies = listed
                .iter()
                .find(|found| found.source == arrival.source && found.name == arrival.name)
                .map(|found| found.path.clone());
            let (id, folder) = (arrival.id, self.folder.clone());
            let moved = tokio::task::spawn_blocking(move || move_away(&folder, &arrival, lies));
            let moved = moved.await.map_err(Fault::host("clear a scan away"))?;
            if let Err(error) = moved {
                tracing::warn!(file = id, %error, "a scan could not be cleared away");
                continue;
            }
            let mut tx = app.tools.db.write().await?;
            arrivals::cleared(&mut tx, id, place).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Takes a resting file in: whether it is in the database now, and whether this look brought it there.
async fn take(app: &App, found: Found) -> Result<(bool, bool), Fault> {
    let own = found.clone();
    let bytes = tokio::task::spawn_blocking(move || read(&own)).await;
    let Ok(bytes) = bytes.map_err(Fault::host("read a scan"))? else {
        // It went away or grew meanwhile: the next look sees.
        return Ok((false, false));
    };
    let (source, name) = (found.source.as_str(), found.name.as_str());
    let incoming = Incoming { source, name, login: "", bytes: &bytes, size: found.size };
    let mut is_new = false;
    // Another node may have taken it, finished it and moved it away since the listing. Once nobody
    // else can write it down, the file that still lies there is one that nobody has taken.
    let came = app
        .arrives(&incoming, || {
            is_new = look_at(&found.path).is_some_and(|now| now == (found.size, found.changed));
            is_new
        })
        .await?;
    Ok((came.is_some(), came.is_some() && is_new))
}

/// Files in the folder and in the folders of devices below it, the oldest first.
fn list(folder: &Path) -> std::io::Result<Vec<Found>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('.') && name != DONE && name != FAILED {
            for inner in std::fs::read_dir(entry.path())? {
                all.extend(one(&inner?, format!("{FOLDER}/{name}")));
            }
        } else {
            all.extend(one(&entry, FOLDER.to_owned()));
        }
    }
    all.sort_by(|a, b| (a.changed, &a.path).cmp(&(b.changed, &b.path)));
    Ok(all)
}

/// A plain file that is no half of a transfer; links are not followed.
fn one(entry: &std::fs::DirEntry, source: String) -> Option<Found> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    if name.starts_with(['.', '~']) || UNFINISHED.contains(&ending.as_str()) {
        return None;
    }
    let (size, changed) = look_at(&entry.path())?;
    Some(Found { source, name, path: entry.path(), size, changed })
}

fn look_at(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let about = std::fs::symlink_metadata(path).ok()?;
    about.is_file().then(|| (about.len(), about.modified().ok()))
}

/// The bytes of a file that does not change while it is read; none of one that is too large.
fn read(found: &Found) -> Result<Vec<u8>, ()> {
    let is_too_large = found.size > LARGEST_FILE as u64;
    let bytes = if is_too_large { Vec::new() } else { std::fs::read(&found.path).map_err(drop)? };
    let is_same = look_at(&found.path) == Some((found.size, found.changed));
    let is_whole = is_too_large || bytes.len() as u64 == found.size;
    if is_same && is_whole { Ok(bytes) } else { Err(()) }
}

/// The name under which a file lies at the end: its number makes it the only one of its name.
fn final_name(arrival: &Arrival) -> String {
    let plain = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c };
    let name: String = arrival.name.chars().take(60).map(plain).collect();
    format!("{:06}-{name}", arrival.id)
}

/// Moves a file out of the folder; done twice, it is there. A reason lies beside a failed one.
fn move_away(folder: &Path, arrival: &Arrival, lies: Option<PathBuf>) -> std::io::Result<()> {
    let name = final_name(arrival);
    let (done, failed) = (folder.join(DONE), folder.join(FAILED));
    std::fs::create_dir_all(&done)?;
    std::fs::create_dir_all(&failed)?;
    let reason = failed.join(format!("{name}.txt"));
    if arrival.state != "done" {
        std::fs::write(&reason, reason_text(arrival))?;
        return match lies.filter(|path| is_that(path, arrival)) {
            Some(path) => std::fs::rename(path, failed.join(&name)),
            None => Ok(()),
        };
    }
    let from = if arrival.cleared == FAILED { Some(failed.join(&name)) } else { lies };
    match from.filter(|path| arrival.cleared == FAILED || is_that(path, arrival)) {
        Some(path) if path.exists() => std::fs::rename(path, done.join(&name))?,
        _ => {}
    }
    match std::fs::remove_file(&reason) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Scanners use their names again: another file of this name stays where it is.
fn is_that(path: &Path, arrival: &Arrival) -> bool {
    let Some((size, _)) = look_at(path) else { return false };
    if i64::try_from(size) != Ok(arrival.size) {
        return false;
    }
    // What was too large to be read has no digest of its own.
    arrival.reason == "too_large"
        || std::fs::read(path).is_ok_and(|bytes| Sha256::digest(&bytes).to_vec() == arrival.digest)
}

fn reason_text(arrival: &Arrival) -> String {
    let key = format!("staff.intake.reason_{}", arrival.reason);
    let Ok(texts) = Texts::shared() else { return format!("{}\n", arrival.reason) };
    Language::ALL.map(|language| format!("{}\n", texts.get(language, &key))).concat()
}

impl App {
    /// Takes in what comes until it is told to stop: the folder's files, and what people have chosen
    /// and nobody has finished.
    pub async fn run_mail_room(&self, mut stop: watch::Receiver<bool>) {
        let mut watch = Watch::of(self);
        let pause = Duration::from_secs(self.tools.config.intake.look_s);
        loop {
            if let Some(watch) = &mut watch
                && let Err(fault) = watch.look(self).await
            {
                tracing::error!(fault = engine::chain(&fault), "the scan folder");
            }
            let hands = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            let mut at_it = JoinSet::new();
            for _ in 0..hands {
                let (app, stop) = (self.clone(), stop.clone());
                at_it.spawn(async move { app.work_on_files(&stop).await });
            }
            // A file under way is finished: what is cut off is read once more.
            while at_it.join_next().await.is_some() {}
            tokio::select! {
                _ = stop.wait_for(|told| *told) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn work_on_files(&self, stop: &watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.work_on_next_file().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(fault) => {
                    tracing::error!(fault = engine::chain(&fault), "a file that came");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_hidden_files_and_halves_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["b.pdf", ".hidden.pdf", "~lock.pdf", "a.pdf.part", "x.TMP"] {
            std::fs::write(at(name), "x").unwrap();
        }
        for name in ["mfp-2f", "done", "failed", ".trash"] {
            std::fs::create_dir(at(name)).unwrap();
            std::fs::write(at(name).join("c.pdf"), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", at("passwd.pdf")).unwrap();
        let listed = list(folder.path()).unwrap();
        let mut names: Vec<(&str, &str)> =
            listed.iter().map(|found| (found.source.as_str(), found.name.as_str())).collect();
        names.sort_unstable();
        assert_eq!(names, [("folder", "b.pdf"), ("folder/mfp-2f", "c.pdf")]);
    }

    #[test]
    fn a_name_that_is_no_name_elsewhere_is_made_plain() {
        let arrival = Arrival {
            id: 7,
            source: FOLDER.to_owned(),
            name: "a\n:b.pdf".to_owned(),
            login: String::new(),
            digest: Vec::new(),
            size: 1,
            state: "done".to_owned(),
            reason: String::new(),
            reading: String::new(),
            loose: 0,
            attempts: 1,
            leased_until: 0,
            cleared: String::new(),
            aside_by: String::new(),
            came_at: 0,
            changed_at: 0,
        };
        assert_eq!(final_name(&arrival), "000007-a__b.pdf");
    }
}
