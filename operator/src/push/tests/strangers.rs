//! Whoever may connect and is nobody's sidecar.

use super::scene::{MOST_STRANGERS, Scene};
use super::sidecar::{Connection, Stream};
use crate::identity::Verified;
use crate::push::Timing;
use pilotfish_wire::Hello;
use std::time::Duration;

const SHOP: &str = "
    pod shop/web uid-1
    pod shop/late uid-2
    deployment shop/east gpt-1 sk-east
    policy shop/chat east
";

#[tokio::test]
async fn whoever_only_holds_connections_keeps_no_sidecar_out_and_takes_none_s_place() {
    let timing = Timing {
        unasked: Duration::from_secs(3600),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish(SHOP);
    let pod = |name, uid| Verified::unproven("shop", name, uid);
    let mut served = Stream::open(&scene, &pod("web", "uid-1"), Hello::default()).await;
    served.batch().await;
    let mut strangers = Vec::new();
    for _ in 0..3 * MOST_STRANGERS {
        strangers.push(Connection::open(&scene, None).await.unwrap());
    }
    for stranger in &mut strangers[..2 * MOST_STRANGERS] {
        stranger.closed().await;
    }
    let mut late = Stream::open(&scene, &pod("late", "uid-2"), Hello::default()).await;
    late.batch().await;
    scene.publish(&SHOP.replace("gpt-1", "gpt-2"));
    served.batch().await;
    drop(strangers);
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_is_closed() {
    let timing = Timing {
        unasked: Duration::from_millis(50),
        ..Timing::default()
    };
    let scene = Scene::with(timing).await;
    scene.publish(SHOP);
    let verified = Verified::unproven("shop", "web", "uid-1");
    let mut served = Stream::open(&scene, &verified, Hello::default()).await;
    Connection::open(&scene, None).await.unwrap().closed().await;
    served.batch().await;
}
