//! Every page of every file has one place, and the counts add up.

use std::sync::Arc;
use std::time::Duration;

use saihakko::backoffice::mailroom::Tally;
use saihakko::backoffice::mailroom::folder::Watch;

use crate::house::{House, stories};
use crate::room::{of_kind, page, plain};

stories!(
    a_file_is_taken_in_once_it_rests,
    every_page_has_its_place,
    pages_may_come_before_their_envelope_is_counted,
    what_is_no_scan_is_left_or_set_apart,
);

async fn a_file_is_taken_in_once_it_rests(house: Arc<House>) {
    let form = house.received(1).await;
    let whole = plain(&[page(Some(form.number), "1/1")]);
    let mut watch = Watch::of(&house.app).unwrap();
    // It grows: each look sees another file.
    for part in [0, 100, 200, whole.len()] {
        house.drop_file("slow.pdf", &whole[..part]);
        assert_eq!(watch.look(&house.app).await.unwrap(), 0, "taken at {part} bytes");
        house.clock.advance(Duration::from_secs(4));
    }
    assert_eq!(watch.look(&house.app).await.unwrap(), 0, "four seconds are no rest");
    house.clock.advance(Duration::from_secs(2));
    assert_eq!(watch.look(&house.app).await.unwrap(), 1);
    assert_eq!(watch.look(&house.app).await.unwrap(), 0, "taken twice");
    assert_eq!(house.names(""), ["slow.pdf"], "it lies there until it is known what became of it");
    while house.app.work_on_next_file().await.unwrap() {}
    watch.look(&house.app).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(form.case).await, "Opened");
    let done = house.names("done");
    assert!(done.len() == 1 && done[0].ends_with("-slow.pdf"), "{done:?}");
    // Nobody of the staff did it: the machine is what the history names.
    let by = "SELECT e.actor || ' ' || e.place FROM entries e WHERE e.command = 'Scan'";
    assert_eq!(house.text(by).await, "engine folder");
}

async fn every_page_has_its_place(house: Arc<House>) {
    let (one, two) = (house.received(1).await, house.received(2).await);
    let strange = forms::SubmissionNumber::from_random([7; 8]);
    let pages = [
        page(Some(one.number), "1/1"),
        page(Some(two.number), "1/2"),
        of_kind("blank"),
        page(Some(one.number), "1/1"),
        of_kind("cover"),
        page(Some(strange), "1/1"),
        of_kind("other"),
        page(None, "1/2"),
        page(None, "1/2"),
        page(Some(two.number), "2/2"),
    ];
    house.drop_file("mfp-2f/pile.pdf", &plain(&pages));
    house.settle_down().await;
    let sheets = house.sheets("pile.pdf").await;
    assert_eq!(
        sheets,
        [
            "1 case read",
            "2, 10 case read",
            "3 blank",
            "4 duplicate twice",
            "5 cover",
            "6 unidentified loose",
            "7 foreign loose",
            "8 unidentified loose",
            "9 unidentified loose",
        ]
    );
    assert_eq!(house.state(one.case).await, "Opened");
    assert_eq!(house.state(two.case).await, "Opened");
    // The same file again, under another name: nothing of it is new.
    house.drop_file("copy.pdf", &plain(&pages));
    house.settle_down().await;
    let again = house.sheets("copy.pdf").await;
    let news = |line: &&String| !line.contains("duplicate") && !line.contains("blank");
    let news: Vec<&String> = again.iter().filter(news).collect();
    assert_eq!(news, ["5 cover"], "{again:?}");
    let files = house.app.files().await.unwrap();
    let tally = Tally::of(&files);
    assert_eq!((tally.files, tally.failed, tally.pages), (2, 0, 20));
    assert_eq!(tally.places.iter().map(|(_, count)| count).sum::<usize>(), 20);
    assert_eq!(files[1].device, "mfp-2f");
    // Downloaded forms of two people are two envelopes.
    let loose = "SELECT COUNT(*) FROM submissions WHERE carrier = 'scan'";
    assert_eq!(house.count(loose).await, 3);
}

async fn pages_may_come_before_their_envelope_is_counted(house: Arc<House>) {
    let form = house.form().await;
    house.drop_file("early.pdf", &plain(&[page(Some(form.number), "1/2")]));
    house.drop_file("late.pdf", &plain(&[page(Some(form.number), "2/2")]));
    house.settle_down().await;
    assert_eq!(house.sheets("early.pdf").await, ["1 case unregistered"]);
    let by = house.mail_room().await;
    house.app.receive(&by, form.number, "普通郵便", 2).await.unwrap();
    house.drain().await;
    assert_eq!(house.state(form.case).await, "Opened", "it waits for pages that lie there");
    assert_eq!(house.sheets("late.pdf").await, ["1 case read"]);
}

async fn what_is_no_scan_is_left_or_set_apart(house: Arc<House>) {
    for name in ["a.pdf.part", ".hidden.pdf", "~b.pdf"] {
        house.drop_file(name, b"half of something");
    }
    house.drop_file("empty.pdf", b"");
    house.drop_file("nonsense.pdf", b"no line of this is an answer");
    house.settle_down().await;
    assert_eq!(house.names("").len(), 4, "an empty file may still be filled");
    house.clock.advance(Duration::from_mins(2));
    let mut watch = Watch::of(&house.app).unwrap();
    watch.look(&house.app).await.unwrap();
    house.clock.advance(Duration::from_mins(2));
    watch.look(&house.app).await.unwrap();
    assert_eq!(house.names(""), [".hidden.pdf", "a.pdf.part", "~b.pdf"]);
    let failed = house.names("failed");
    assert_eq!(failed.len(), 4, "{failed:?}");
    let reason = failed.iter().find(|name| name.ends_with("-empty.pdf.txt")).unwrap();
    let reason = std::fs::read_to_string(house.folder().join("failed").join(reason)).unwrap();
    assert!(reason.contains("中身がありません") && reason.contains("nothing in the file"));
    assert_eq!(house.sheets("nonsense.pdf").await, ["1 lost"]);
    assert_eq!(house.count("SELECT COUNT(*) FROM submissions").await, 0);
}
