//! Cards from the stock and authenticators, registered and replaced.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::{BASE32, BASE32_NOPAD};
use saihakko::customer::{Declined, NewCard};
use saihakko::import::samples::card_seed;

use crate::enrolment::{NEWCOMER, enter, give_code, new_code, newcomer};
use crate::house::{House, YAMADA, refusal, stories};

stories!(
    a_card_of_the_stock_is_registered_by_two_numbers,
    an_authenticator_is_registered_by_its_number,
    wrong_numbers_of_a_new_card_lock_the_enrolment,
    a_signed_in_user_replaces_the_card,
    a_lost_card_is_replaced_with_a_code,
);

const SEED: &[u8] = b"a card out of the stock";

async fn stock(house: &House) {
    let text = format!("serial,seed\nAB-123456,{}\n", BASE32.encode(SEED));
    house.import_text("cards.csv", &text).await;
    let again = house.import_text("cards.csv", &text).await;
    assert_eq!(again.counts["cards"].same, 1);
}

async fn a_card_of_the_stock_is_registered_by_two_numbers(house: Arc<House>) {
    stock(&house).await;
    let code = newcomer(&house).await;
    let at = enter(&house, NEWCOMER, &code).await.unwrap();
    let (first, second) = (house.shown(SEED, -1), house.shown(SEED, 0));
    let register =
        |serial, first, second| house.app.register_card_by_serial(&at, serial, first, second);
    assert!(matches!(register("AB-000000", &first, &second).await, Err(Declined::Wrong)));
    assert!(matches!(register("AB-123456", &second, &first).await, Err(Declined::Wrong)));
    assert!(matches!(register("AB-123456", &first, &first).await, Err(Declined::Wrong)));
    register("ａｂ１２３４５６", &first, &second).await.unwrap();
    house
        .app
        .set_password(&at, workflows::credential::Kind::Login, "a quiet afternoon")
        .await
        .unwrap();
    let (session, _) = house.try_sign_in(NEWCOMER, "a quiet afternoon", None).await.unwrap();
    // The number that registered the card is spent.
    let spent = house.app.enter_one_time_password(&session, &second).await;
    assert!(matches!(spent, Err(Declined::Wrong)));
    house.wait(Duration::from_secs(30)).await;
    house.app.enter_one_time_password(&session, &house.shown(SEED, 0)).await.unwrap();

    // Nobody else registers it, and its seed stays as it is.
    let other = new_code();
    give_code(&house, YAMADA, &other).await;
    let yamada = enter(&house, YAMADA, &other).await.unwrap();
    let (first, second) = (house.shown(SEED, 0), house.shown(SEED, 1));
    let taken = house.app.register_card_by_serial(&yamada, "AB123456", &first, &second).await;
    assert!(matches!(taken, Err(Declined::Wrong)));
}

async fn an_authenticator_is_registered_by_its_number(house: Arc<House>) {
    let code = newcomer(&house).await;
    let at = enter(&house, NEWCOMER, &code).await.unwrap();
    let shown = house.app.begin_card_secret(&at).await.unwrap();
    let reloaded = house.app.begin_card_secret(&at).await.unwrap();
    assert_eq!(*shown.base32, *reloaded.base32, "a reload shows the same");
    // Another browser that entered the code gets one of its own, and voids the first.
    let seed = BASE32_NOPAD.decode(shown.base32.replace(' ', "").as_bytes()).unwrap();
    let wrong = house.app.confirm_card_secret(&at, "000000").await;
    assert!(matches!(wrong, Err(Declined::Wrong)));
    house.app.confirm_card_secret(&at, &house.shown(&seed, 0)).await.unwrap();
    let gone = house.app.confirm_card_secret(&at, &house.shown(&seed, 1)).await;
    assert!(matches!(gone, Err(Declined::Wrong)), "what was offered is gone");
    assert_eq!(house.count("SELECT COUNT(*) FROM card_offers").await, 0);
}

async fn wrong_numbers_of_a_new_card_lock_the_enrolment(house: Arc<House>) {
    let code = newcomer(&house).await;
    let at = enter(&house, NEWCOMER, &code).await.unwrap();
    house.app.begin_card_secret(&at).await.unwrap();
    for _ in 0..5 {
        let wrong = house.app.confirm_card_secret(&at, "12345").await;
        assert!(matches!(wrong, Err(Declined::Wrong)));
    }
    assert_eq!(refusal(house.app.confirm_card_secret(&at, "12345").await), "enrolment.Locked");
    let late =
        house.app.set_password(&at, workflows::credential::Kind::Login, "locked out now").await;
    assert_eq!(refusal(late), "credential.NotEnrolling");
}

async fn a_signed_in_user_replaces_the_card(house: Arc<House>) {
    stock(&house).await;
    let (session, cookies) = house.sign_in(YAMADA).await;
    let old = card_seed(YAMADA);
    let (first, second) = (house.shown(SEED, -1), house.shown(SEED, 0));
    let card = NewCard::Serial { serial: "AB123456", first: &first, second: &second };
    let replace = |present: String, card| {
        let (house, session, ticket) = (house.clone(), session.clone(), cookies.ticket.clone());
        async move { house.app.replace_card(&session, &ticket, &present, &card).await }
    };
    assert!(matches!(replace("123456".to_owned(), card).await, Err(Declined::Wrong)));
    replace(house.shown(&old, 0), card).await.unwrap();
    house.wait(Duration::from_mins(1)).await;
    let retired = house.app.enter_one_time_password(&session, &house.shown(&old, 0)).await;
    assert!(matches!(retired, Err(Declined::Wrong)));
    house.app.enter_one_time_password(&session, &house.shown(SEED, 0)).await.unwrap();
    // From the card to an authenticator; the session goes on.
    let shown = house.app.begin_replacement_secret(&session, &cookies.ticket).await.unwrap();
    let seed = BASE32_NOPAD.decode(shown.base32.replace(' ', "").as_bytes()).unwrap();
    house.wait(Duration::from_mins(1)).await;
    let code = house.shown(&seed, 0);
    let present = house.shown(SEED, 0);
    let card = NewCard::Secret { code: &code };
    house.app.replace_card(&session, &cookies.ticket, &present, &card).await.unwrap();
    let alive =
        format!("SELECT COUNT(*) FROM sessions WHERE id = {} AND ended_at IS NULL", session.id);
    assert_eq!(house.count(&alive).await, 1, "the session goes on");
}

async fn a_lost_card_is_replaced_with_a_code(house: Arc<House>) {
    let (session, _) = house.sign_in(YAMADA).await;
    for _ in 0..5 {
        let wrong = house.app.enter_one_time_password(&session, "000000").await;
        assert!(matches!(wrong, Err(Declined::Wrong)));
    }
    let code = new_code();
    give_code(&house, YAMADA, &code).await;
    let at = enter(&house, YAMADA, &code).await.unwrap();
    let shown = house.app.begin_card_secret(&at).await.unwrap();
    let seed = BASE32_NOPAD.decode(shown.base32.replace(' ', "").as_bytes()).unwrap();
    house.app.confirm_card_secret(&at, &house.shown(&seed, 0)).await.unwrap();
    let (session, _) = house.sign_in(YAMADA).await;
    house.wait(Duration::from_secs(30)).await;
    house.app.enter_one_time_password(&session, &house.shown(&seed, 0)).await.unwrap();
}
