//! Files that scanners drop while the server is killed again and again: each is taken in once.

use std::path::Path;
use std::time::Duration;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use tokio::time::{Instant, sleep};

use super::chance::Chance;
use super::server::{Place, Server};
use super::{aftermath, number};

/// Files, dropped one after the other.
const FILES: u32 = 30;
/// How long what was begun may take once nobody is killed any more.
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_file_of_the_folder_is_taken_once_whatever_dies() {
    let kills = number("SAIHAKKO_KILLS").unwrap_or(25).min(60);
    let mut chance = Chance::new(number("SAIHAKKO_SEED").unwrap_or(7));
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path(), &mut chance);
    let mut server = Server::start(&place);
    server.ready(&place).await;
    let mut dropped = 0;
    for _ in 0..kills {
        for _ in 0..2 {
            if dropped < FILES {
                drop_scan(&place.scans(), dropped);
                dropped += 1;
            }
        }
        server.kill_sometime(&place, &mut chance).await;
        server = Server::start(&place);
    }
    while dropped < FILES {
        drop_scan(&place.scans(), dropped);
        dropped += 1;
    }
    server.ready(&place).await;
    let ends = Instant::now() + PATIENCE;
    while names(&place.scans().join("done")) < FILES as usize {
        assert!(Instant::now() < ends, "not all files were cleared away:\n{}", place.last_words());
        sleep(Duration::from_millis(200)).await;
    }
    server.stop(&place).await;
    let db = aftermath::open(&place).await;
    let count =
        async |sql: &'static str| -> i64 { sqlx::query_scalar(sql).fetch_one(&db).await.unwrap() };
    let files = i64::from(FILES);
    assert_eq!(count("SELECT COUNT(*) FROM arrivals").await, files, "taken more than once");
    assert_eq!(count("SELECT COUNT(DISTINCT digest) FROM arrivals").await, files);
    assert_eq!(count("SELECT COUNT(*) FROM arrivals WHERE state <> 'done'").await, 0);
    assert_eq!(count("SELECT COUNT(*) FROM sheets WHERE place = 'blank'").await, files);
    assert_eq!(count("SELECT COUNT(*) FROM sheets").await, files);
    assert_eq!(names(&place.scans()), 0, "the folder is empty");
    db.close().await;
}

/// A blank page, each of another size.
fn drop_scan(folder: &Path, index: u32) {
    let page = GrayImage::from_pixel(64 + index, 80, Luma([255]));
    // Written under a name of its own first, as good scanners do.
    let path = folder.join(format!("scan{:02}.png", index % 4 + 10 * (index / 4)));
    let half = path.with_extension("part");
    DynamicImage::from(page).save_with_format(&half, ImageFormat::Png).unwrap();
    std::fs::rename(half, path).unwrap();
}

fn names(folder: &Path) -> usize {
    let Ok(listed) = std::fs::read_dir(folder) else { return 0 };
    listed.filter(|entry| entry.as_ref().is_ok_and(|e| e.file_type().unwrap().is_file())).count()
}
