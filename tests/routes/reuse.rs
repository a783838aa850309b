//! One impression on two forms: whoever has either on the desk is told, sees both, and leaves a trace.

use axum::http::StatusCode;
use engine::CaseId;
use forms::Request;
use saihakko::backoffice::Draft;
use saihakko::store::impressions;

use crate::answer::Visitor;
use crate::desk::{comes_stamped, drafted, get, own_seal, post};
use crate::house::House;

const TOLD: &str = "インクのむらまで一致する印影が、ほかの届出書にもあります";

/// How often a case's history says that somebody looked at its seal.
async fn looks(house: &House, case: CaseId) -> usize {
    let mut tx = house.app.tools.db.read().await.unwrap();
    let entries = engine::history::entries(&mut tx, case).await.unwrap();
    entries.iter().filter(|entry| entry.command == "ViewSeal").count()
}

async fn desk(house: &House, who: &Visitor, case: CaseId) -> String {
    let answer = get(house, who, &format!("/desk/{case}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.main().to_owned()
}

#[tokio::test]
async fn an_impression_that_was_copied_is_shown_beside_the_one_it_was_copied_from() {
    let house = House::new().await;
    let clerk = house.member("clerk1").await;
    let first_draft = drafted(&house, Request::RetrievalReissue, vec![]).await;
    let first = comes_stamped(&house, &first_draft, |sheet, area| {
        sheet.stamp(&own_seal(), area.centre(), 4.0, 7);
    })
    .await;
    let page = desk(&house, &clerk, first).await;
    assert!(
        !page.contains("通と比較") && !page.contains(TOLD),
        "there is nothing to compare: {page}"
    );

    // Somebody who has a picture of the first form prints its seal onto another one.
    let mut tx = house.app.tools.db.read().await.unwrap();
    let row = saihakko::store::submissions::find(&mut tx, stored(&first_draft)).await.unwrap();
    drop(tx);
    let receipt = row.unwrap().receipt;
    let own = house.app.read_desk(first).await.unwrap();
    let by = house.app.at_work("clerk1", workflows::terms::Role::Clerk).await.unwrap();
    let seal = house.app.stamped_seal(&by, &own, None).await.unwrap();
    let picture = image::load_from_memory(&seal).unwrap().into_rgb8();
    let second_draft = drafted(&house, Request::LoginReset, vec![]).await;
    let second = comes_stamped(&house, &second_draft, |sheet, area| {
        let [x, y] = area.centre();
        sheet.copy_seal(&picture, [x + 1.5, y - 1.0], 2.0, 5);
    })
    .await;
    let page = desk(&house, &clerk, second).await;
    assert!(page.contains(TOLD) && page.contains(&receipt), "{page}");
    assert!(page.contains(&format!("href=\"/desk/{first}\"")), "it leads to the other form");
    assert!(!page.contains("通と比較"), "{page}");
    // The first one may be the copy: it is told there, too.
    let page = desk(&house, &clerk, first).await;
    assert!(page.contains(TOLD) && page.contains(&format!("href=\"/desk/{second}\"")), "{page}");

    // Both pictures are shown as they were scanned, and both histories say who looked.
    let before = (looks(&house, first).await, looks(&house, second).await);
    let of_first = format!("/desk/{second}/seal/stamped-{}", stored(&first_draft));
    for path in [&format!("/desk/{second}/seal/stamped"), &of_first] {
        let shown = get(&house, &clerk, path).await;
        assert_eq!((shown.status, shown.header("content-type")), (StatusCode::OK, "image/png"));
    }
    assert_eq!(
        (looks(&house, first).await, looks(&house, second).await),
        (before.0 + 1, before.1 + 2)
    );

    // Found from both sides, as when two are read at once, it is told once, with what is most alike.
    let mut tx = house.app.tools.db.write().await.unwrap();
    let both_ways = [(stored(&second_draft), 61)];
    impressions::keep(&mut tx, stored(&first_draft), 1, &both_ways).await.unwrap();
    tx.commit().await.unwrap();
    let twins = house.app.read_desk(first).await.unwrap().reuses;
    assert!(twins.len() == 1 && twins[0].sameness > 61, "{twins:?}");

    // What a mask hides on the other form stays hidden here.
    assert!(red(&get(&house, &clerk, &of_first).await.bytes) > 1_000);
    let masked =
        post(&house, &clerk, &format!("/masks/{first}/0"), "key=0a&x=0&y=0&w=100&h=60").await;
    assert_eq!(masked.status, StatusCode::SEE_OTHER, "{}", masked.main());
    assert_eq!(red(&get(&house, &clerk, &of_first).await.bytes), 0);

    // Stamped anew, the third form has an impression of its own; and nothing but a twin is shown.
    let third_draft = drafted(&house, Request::IdInquiry, vec![]).await;
    let third = comes_stamped(&house, &third_draft, |sheet, area| {
        let [x, y] = area.centre();
        sheet.stamp(&own_seal(), [x - 1.0, y + 2.0], -3.0, 99);
    })
    .await;
    let page = desk(&house, &clerk, third).await;
    assert!(page.contains("ほかの届出書2通と比較") && !page.contains(TOLD), "{page}");
    for other in [stored(&first_draft).to_string(), "1".to_owned(), "x".to_owned()] {
        let path = format!("/desk/{third}/seal/stamped-{other}");
        assert_eq!(get(&house, &clerk, &path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// How many pixels of a picture have the colour of seal ink.
fn red(picture: &[u8]) -> usize {
    let picture = image::load_from_memory(picture).unwrap().into_rgb8();
    picture.pixels().filter(|pixel| pixel.0[0] > pixel.0[1].saturating_add(60)).count()
}

fn stored(draft: &Draft) -> i64 {
    draft.number.to_string().parse().unwrap()
}
