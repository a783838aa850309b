//! Serves the operator's pages over a small world, to be looked at: `https://127.0.0.1:8443/`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "shares its world with the tests, and stops where it fails"
)]

#[path = "../tests/pages/tls.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod tls;
#[path = "../tests/pages/world.rs"]
mod world;

use saihakko::web::serve::{Front, Limits, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = world::World::new().await;
    world.completed().await;
    world.expired().await;
    world.on_paper().await;
    world.locked().await;
    world.cut_off("user-7");
    world.completed().await;
    world.fresh_on_paper().await;
    let site = world.site(&["127.0.0.1:8443"]);
    let router = saihakko::web::start::router(site)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 8443)).await?;
    let (sender, stop) = tokio::sync::watch::channel(false);
    let front = Front::Tls(Box::new(tls::authority().plain()));
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        let _ = sender.send(true);
    });
    serve(listener, front, router, Limits::default(), stop).await?;
    Ok(())
}
