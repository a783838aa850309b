//! Once, whoever dies: a node is cut off before every single step, another one goes on; and two nodes
//! that look into one folder take each file once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use saihakko::app::App;
use saihakko::backoffice::mailroom::Tally;
use saihakko::backoffice::mailroom::folder::Watch;

use crate::house::{House, stories};
use crate::room::{Form, of_kind, page, plain};

stories!(a_node_is_cut_off_before_every_step, two_nodes_take_each_file_once,);

/// A future that is dropped before its so-manyth step.
struct Cut<F> {
    inner: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

/// What a node does with what lies in its folder.
async fn node(app: App, house: Arc<House>) {
    let mut watch = Watch::of(&app).unwrap();
    watch.look(&app).await.unwrap();
    house.clock.advance(Duration::from_secs(6));
    watch.look(&app).await.unwrap();
    while app.work_on_next_file().await.unwrap() {}
    watch.look(&app).await.unwrap();
}

async fn a_node_is_cut_off_before_every_step(house: Arc<House>) {
    let mut steps = 0;
    loop {
        // Everything that may happen to a page: it completes its envelope, it is one of those that
        // came later, it opens one of its own, it is blank.
        let form = house.received(1).await;
        let late = house.received(1).await;
        let by = house.mail_room().await;
        let first = plain(&[page(Some(late.number), "1/2")]);
        house.app.take_in(&by, "uketsuke", "first.pdf", &first).await.unwrap();
        house.drain().await;
        assert_eq!(house.state(late.case).await, "Incomplete");
        let pages = [
            page(Some(form.number), "1/1"),
            of_kind("blank"),
            page(Some(late.number), "2/2"),
            of_kind("other"),
        ];
        let name = format!("pile-{steps}.pdf");
        house.drop_file(&name, &plain(&pages));
        let whole = Box::pin(node(house.app.clone(), house.clone()));
        let done = Cut { inner: whole, left: steps }.await;
        // What blocked in another thread comes to its end: a killed process may have got that far.
        tokio::time::sleep(Duration::from_millis(2)).await;
        house.settle_down().await;
        everything_happened_once(&house, &name, form, late, steps).await;
        if done.is_some() {
            break;
        }
        steps += 1;
    }
    // Looking, taking in, claiming, reading, two envelopes, a new one, finishing, moving.
    assert!(steps > 40, "only {steps} steps were cut");
    println!("cut off before each of {steps} steps");
}

async fn everything_happened_once(house: &House, name: &str, form: Form, late: Form, steps: usize) {
    let at = format!("cut before step {steps}");
    let sheets = house.sheets(name).await;
    let expected =
        ["1 case read", "2 blank", "3 case read", "4 foreign loose"].map(ToOwned::to_owned);
    assert_eq!(sheets, expected, "{at}");
    for case in [form.case, late.case] {
        assert_eq!(house.state(case).await, "Opened", "{at}");
    }
    let count = async |sql: String| house.count(&sql).await;
    let named = format!("SELECT COUNT(*) FROM arrivals WHERE name = '{name}'");
    assert_eq!(count(format!("{named} AND cleared = 'done'")).await, 1, "{at}");
    assert_eq!(count(named).await, 1, "{at}");
    let arrival = format!("(SELECT id FROM arrivals WHERE name = '{name}')");
    let pages = format!("SELECT COUNT(*) FROM pages WHERE arrival = {arrival}");
    assert_eq!(count(pages).await, 3, "once in each envelope, {at}");
    for (form, counted) in [(form, 1), (late, 2)] {
        let number = form.number.to_string().parse::<i64>().unwrap();
        let sql = format!("SELECT counted FROM submissions WHERE number = {number}");
        assert_eq!(count(sql).await, counted, "{at}");
    }
    // One envelope for the foreign page, and no empty one beside it.
    let loose = "SELECT COUNT(*) FROM submissions s WHERE s.carrier = 'scan'";
    assert_eq!(house.count(loose).await, i64::try_from(steps + 1).unwrap(), "{at}");
    let refused = "SELECT COUNT(*) FROM entries e JOIN cases c ON c.id = e.case_id \
         WHERE c.workflow = 'submission' AND e.kind = 'refused'";
    assert_eq!(house.count(refused).await, 0, "{at}");
    assert_eq!(house.names(""), [""; 0], "{at}");
    let done = house.names("done");
    assert_eq!(done.iter().filter(|file| file.ends_with(&format!("-{name}"))).count(), 1, "{at}");
}

async fn two_nodes_take_each_file_once(house: Arc<House>) {
    const FILES: usize = 24;
    let mut forms = Vec::new();
    for index in 0..FILES {
        let form = house.received(1).await;
        let device = ["", "mfp-2f/", "mfp-3f/"][index % 3];
        // Scanners use their names again: in each folder the same ones.
        let name = format!("{device}scan{:03}.pdf", index / 3);
        house.drop_file(&name, &plain(&[page(Some(form.number), "1/1"), of_kind("blank")]));
        forms.push(form);
    }
    let nodes: Vec<_> =
        (0..3).map(|_| tokio::spawn(node(house.app.clone(), house.clone()))).collect();
    for node in nodes {
        node.await.unwrap();
    }
    house.settle_down().await;
    for form in forms {
        assert_eq!(house.state(form.case).await, "Opened");
    }
    assert_eq!(house.count("SELECT COUNT(*) FROM arrivals").await, 24);
    assert_eq!(house.count("SELECT COUNT(*) FROM arrivals WHERE attempts > 2").await, 0);
    assert_eq!(house.names("done").len(), FILES);
    assert_eq!(house.names("failed"), [""; 0]);
    let tally = Tally::of(&house.app.files().await.unwrap());
    assert_eq!((tally.files, tally.open, tally.pages), (FILES, 0, 2 * FILES));
    assert_eq!(tally.places.iter().map(|(_, count)| count).sum::<usize>(), tally.pages);
}
