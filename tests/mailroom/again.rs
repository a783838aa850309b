//! What failed is read again, and nothing else is.

use std::sync::Arc;

use saihakko::backoffice::mailroom::Tally;

use crate::house::{House, stories};
use crate::room::{of_kind, page, plain, scan};

stories!(
    only_what_failed_is_read_again,
    a_page_that_died_is_read_again_and_joins_its_form,
    an_upload_that_failed_is_read_again,
    a_scan_that_failed_is_read_when_it_is_scanned_again,
    a_file_is_given_up_by_somebody,
);

async fn only_what_failed_is_read_again(house: Arc<House>) {
    let (good, bad) = (house.received(1).await, house.received(1).await);
    house.make_reader(true);
    house.drop_file("good.pdf", &plain(&[page(Some(good.number), "1/1")]));
    house.drop_file("bad.pdf", &scan(&[(page(Some(bad.number), "1/1"), true)]));
    house.settle_down().await;
    assert_eq!(house.state(good.case).await, "Opened");
    assert_eq!(house.state(bad.case).await, "Received");
    assert_eq!(house.sheets("bad.pdf").await, ["1 lost"]);
    let failed = house.names("failed");
    assert!(failed.len() == 2 && failed[1].ends_with("-bad.pdf.txt"), "{failed:?}");
    let said = std::fs::read_to_string(house.folder().join("failed").join(&failed[1])).unwrap();
    assert!(said.contains("読み取れませんでした") && said.contains("could not be read"), "{said}");
    // Still sick: it fails again, and lies where it lay.
    assert_eq!(house.app.read_files_again(None).await.unwrap(), 1);
    house.settle_down().await;
    assert_eq!(house.names("failed"), failed);
    house.make_reader(false);
    assert_eq!(house.app.read_files_again(None).await.unwrap(), 1, "the good one is left alone");
    house.settle_down().await;
    assert_eq!(house.state(bad.case).await, "Opened");
    assert_eq!(house.names("failed"), [""; 0]);
    assert_eq!(house.names("done").len(), 2);
    assert_eq!(house.count("SELECT COUNT(*) FROM arrivals WHERE state <> 'done'").await, 0);
    let bytes = "SELECT COUNT(*) FROM arrivals WHERE LENGTH(picture) > 0";
    assert_eq!(house.count(bytes).await, 0, "what lies in an envelope is not kept twice");
    assert_eq!(house.app.read_files_again(None).await.unwrap(), 0);
}

async fn a_page_that_died_is_read_again_and_joins_its_form(house: Arc<House>) {
    let form = house.received(2).await;
    house.make_reader(true);
    let pages = [
        (page(Some(form.number), "1/2"), false),
        (page(Some(form.number), "2/2"), true),
        (of_kind("blank"), false),
    ];
    house.drop_file("two.pdf", &scan(&pages));
    house.settle_down().await;
    assert_eq!(house.sheets("two.pdf").await, ["1 case counting", "2 lost", "3 blank"]);
    assert_eq!(house.state(form.case).await, "Received");
    let tally = Tally::of(&house.app.files().await.unwrap());
    assert_eq!((tally.failed, tally.pages), (1, 3));
    assert!(tally.places.contains(&("lost", 1)) && tally.places.contains(&("case", 1)));
    house.make_reader(false);
    let only = house.app.files().await.unwrap()[0].id;
    assert_eq!(house.app.read_files_again(Some(only)).await.unwrap(), 1);
    house.settle_down().await;
    assert_eq!(house.sheets("two.pdf").await, ["1–2 case read", "3 blank"]);
    assert_eq!(house.state(form.case).await, "Opened");
    assert_eq!(house.count("SELECT COUNT(*) FROM pages").await, 1, "one file, one row");
    assert_eq!(house.count("SELECT page_count FROM pages").await, 2);
}

async fn an_upload_that_failed_is_read_again(house: Arc<House>) {
    let form = house.received(1).await;
    let by = house.mail_room().await;
    house.make_reader(true);
    let file = scan(&[(page(Some(form.number), "1/1"), true)]);
    let result = house.app.take_in(&by, "uketsuke", "hand.pdf", &file).await.unwrap();
    assert_eq!((result.state, result.is_readable, result.pages), ("failed", true, 1));
    // Chosen once more while the reader is well: it is read, though these bytes are known.
    house.make_reader(false);
    let again = house.app.take_in(&by, "uketsuke", "hand.pdf", &file).await.unwrap();
    assert_eq!((again.state, again.placed[0].what.as_str()), ("done", "read"));
    house.drain().await;
    assert_eq!(house.state(form.case).await, "Opened");
    // And the first one, read again, is a duplicate now.
    house.app.read_files_again(Some(result.id)).await.unwrap();
    house.settle_down().await;
    let first = house.app.file_result(result.id).await.unwrap();
    assert_eq!((first.state, first.placed[0].place.as_str()), ("done", "duplicate"));
    assert_eq!(house.names("done"), [""; 0], "an upload lies in no folder");
}

async fn a_scan_that_failed_is_read_when_it_is_scanned_again(house: Arc<House>) {
    let form = house.received(1).await;
    let by = house.mail_room().await;
    house.make_reader(true);
    let file = scan(&[(page(Some(form.number), "1/1"), true)]);
    house.app.scan(&by, form.number, std::slice::from_ref(&file)).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(form.case).await, "Unidentified");
    house.make_reader(false);
    house.app.scan(&by, form.number, std::slice::from_ref(&file)).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(form.case).await, "Opened");
    assert_eq!(house.entries("submission", "ReadAgain").await, 1);
    // Scanned a third time, nothing happens.
    house.app.scan(&by, form.number, &[file]).await.unwrap();
    house.drain().await;
    assert_eq!(house.entries("submission", "ReadAgain").await, 1);
    assert_eq!(house.count("SELECT COUNT(*) FROM pages").await, 1);
}

async fn a_file_is_given_up_by_somebody(house: Arc<House>) {
    house.make_reader(true);
    house.drop_file("torn.pdf", &scan(&[(of_kind("other"), true)]));
    house.settle_down().await;
    let id = house.app.files().await.unwrap()[0].id;
    house.app.set_file_aside("uketsuke", id).await.unwrap();
    house.app.set_file_aside("uketsuke", id).await.unwrap_err();
    house.settle_down().await;
    let file = house.app.file_result(id).await.unwrap();
    assert!(file.is_aside && !file.is_readable && file.pages == 1, "{file:?}");
    assert_eq!(house.text("SELECT aside_by FROM arrivals").await, "uketsuke");
    assert_eq!(house.names("failed").len(), 2, "the file stays where it failed");
    let kept = "SELECT COUNT(*) FROM arrivals WHERE LENGTH(picture) > 0";
    assert_eq!(house.count(kept).await, 1, "and its bytes stay sealed");
}
