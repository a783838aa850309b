//! The server is killed without warning, again and again, while people use it; nothing is lost and
//! nothing happens twice.
//!
//! This process plays the people: customers in browsers of their own, with cookies, forms and
//! certificates, on the very pages over HTTPS; the bank's desks through the local socket. The
//! server is another process. `SAIHAKKO_KILLS` says how often it is killed, `SAIHAKKO_SEED`
//! repeats the chances of an earlier run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "what fails here is a failed test, and the seed is said aloud"
)]

mod aftermath;
mod browser;
mod chance;
mod driver;
mod folder;
mod ledger;
mod online;
mod paper;
mod server;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use self::chance::Chance;
use self::driver::Driver;
use self::ledger::{Ledger, Person, Team};
use self::server::{Place, Server};

/// Companies that are at it at the same time.
const COMPANIES: usize = 3;
/// Senders of forms at the same time.
const SENDERS: usize = 1;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn whoever_is_cut_off_goes_on_and_nothing_happens_twice() {
    let kills = number("SAIHAKKO_KILLS").unwrap_or(25);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("SAIHAKKO_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    println!("SAIHAKKO_KILLS={kills} SAIHAKKO_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(rehearse(kills, Chance::new(seed)));
}

async fn rehearse(kills: u64, mut chance: Chance) {
    let begun = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path(), &mut chance);
    let wanted = 10 + usize::try_from(kills).unwrap();
    let ledger = ledger::write(&dir.path().join("ledger"), wanted, 5 + wanted / 2);
    import(&place, &ledger).await;
    println!("imported after {:.1} s", begun.elapsed().as_secs_f64());

    let (started, starts) = watch::channel(0);
    let driver = Arc::new(Driver::new(&place, place.root(), starts));
    let mut server = Server::start(&place);
    server.ready(&place).await;
    let mut players = send_in(&driver, &ledger, &place, &mut chance);
    let reloading = driver.clone();
    let reloader = tokio::spawn(async move { reloading.reload_after_every_start().await });

    for kill in 1..=kills {
        server.kill_sometime(&place, &mut chance).await;
        server = Server::start(&place);
        // Sometimes it is killed before it ever answered.
        if !chance.one_in(5) {
            server.ready(&place).await;
            started.send(kill).unwrap();
        }
        while let Some(ended) = players.try_join_next() {
            went_well(&ended, &place);
        }
    }
    server.ready(&place).await;
    started.send(kills + 1).unwrap();
    driver.is_over.store(true, Ordering::Relaxed);
    println!("killed {kills} times after {:.1} s", begun.elapsed().as_secs_f64());
    while let Some(ended) = players.join_next().await {
        went_well(&ended, &place);
    }
    drop(started);
    reloader.await.unwrap();
    let db = aftermath::open(&place).await;
    aftermath::settle(&db).await;
    server.stop(&place).await;

    aftermath::check_database(&db, &driver).await;
    aftermath::check_notices(&db, &driver).await;
    let mails = aftermath::check_mails(&db, &place).await;
    aftermath::check_histories(&place).await;
    db.close().await;
    let digits = driver.digits.lock().unwrap().clone();
    let files = aftermath::check_secrecy(&place.data, &digits);
    tell(&driver, mails, files, begun.elapsed());
}

/// A player who met something unexpected has said what; the server may have said why.
fn went_well(ended: &Result<(), JoinError>, place: &Place) {
    assert!(ended.is_ok(), "a player failed; the server's last words:\n{}", place.last_words());
}

async fn import(place: &Place, ledger: &Ledger) {
    let mut command = place.command(&["import"]);
    let output = command.args(&ledger.files).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the ledger was not imported: {said}{why}");
}

/// Sends the people in, a few at a time; whoever has begun when the killing is over still finishes.
fn send_in(
    driver: &Arc<Driver>,
    ledger: &Ledger,
    place: &Place,
    chance: &mut Chance,
) -> JoinSet<()> {
    let mut players = JoinSet::new();
    let teams: Arc<Mutex<Vec<Team>>> = Arc::new(Mutex::new(ledger.teams.clone()));
    for _ in 0..COMPANIES {
        let (driver, teams, mut chance) = (driver.clone(), teams.clone(), chance.fork());
        players.spawn(async move {
            while let Some(team) = next(&driver, &teams) {
                online::play(driver.clone(), team, chance.fork()).await;
            }
        });
    }
    let senders: Arc<Mutex<Vec<Person>>> = Arc::new(Mutex::new(ledger.senders.clone()));
    let station = paper::station_key(&place.data);
    for _ in 0..SENDERS {
        let (driver, senders, station) = (driver.clone(), senders.clone(), station.clone());
        players.spawn(async move {
            while let Some(sender) = next(&driver, &senders) {
                paper::play(driver.clone(), sender, station.clone()).await;
            }
        });
    }
    players
}

fn next<T>(driver: &Driver, queue: &Mutex<Vec<T>>) -> Option<T> {
    if driver.is_over.load(Ordering::Relaxed) {
        return None;
    }
    let next = queue.lock().unwrap().pop();
    assert!(next.is_some(), "the ledger has too few people for so many kills");
    next
}

fn tell(driver: &Driver, mails: usize, files: usize, took: Duration) {
    let finished = driver.finished.lock().unwrap();
    let count = |name| finished.iter().filter(|(workflow, _)| *workflow == name).count();
    let (own, colleague, paper) = (count("self_service"), count("delegated"), count("paper"));
    assert!(own > 0 && colleague > 0 && paper > 0, "a path was never walked to its end");
    let counts = &driver.counts;
    let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    assert!(read(&counts.lost) > 0, "no call was ever cut off");
    println!(
        "cases finished: {own} self-service, {colleague} delegated, {paper} paper; \
         {} replies lost, {} found nobody, {} displays compared, {} claims settled by looking, {} cards again, \
         {} sign-ins again, {} double clicks; {mails} mails, {files} files searched; {:.1} s",
        read(&counts.lost),
        read(&counts.down),
        read(&counts.compared),
        read(&counts.settled_by_looking),
        read(&counts.cards_again),
        read(&counts.signed_in_again),
        read(&counts.double_clicks),
        took.as_secs_f64()
    );
}
