use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clamav::{Clamav, ClamavSettings};
use crate::double::{Act, Double, examine, say};
use crate::engine::Engine;

const END: &[u8] = b"body\r\n\0\0\0\0";

fn clamav(daemon: DaemonSettings) -> Clamav {
    Clamav::new(ClamavSettings { daemon })
}

fn dialog(reply: &str) -> Vec<Act> {
    vec![Act::Await(END), say(reply)]
}

const CLEAN: &str = "1: stream: OK\0";

/// Settings of a daemon that nobody has started.
async fn nobody() -> DaemonSettings {
    let double = Double::start(vec![vec![]]).await;
    let settings = double.settings();
    drop(double);
    // The task that held the listener ends when it is next polled.
    while crate::wire::dial(&settings.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    settings
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    let double = Double::start(vec![dialog(CLEAN)]).await;
    let engine = clamav(double.settings());
    for _ in 0..3 {
        examine(&engine).await.unwrap();
    }
    assert_eq!(double.heard().len(), 3);
    assert_eq!(engine.health(), Health::Up);
}

#[tokio::test]
async fn a_connection_that_closes_on_the_next_question_is_replaced_once() {
    let closing = [dialog(CLEAN), vec![Act::Await(END)]].concat();
    let double = Double::start(vec![closing.clone(), dialog(CLEAN)]).await;
    let engine = clamav(double.settings());
    examine(&engine).await.unwrap();
    examine(&engine).await.unwrap();
    assert_eq!(double.heard().len(), 2);

    let double = Double::start(vec![closing, vec![Act::Await(END)]]).await;
    let engine = clamav(double.settings());
    examine(&engine).await.unwrap();
    assert_eq!(
        examine(&engine).await.unwrap_err().cause,
        UnavailableCause::Connect
    );
    assert_eq!(double.heard().len(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_in_its_reply_is_not_asked_again() {
    let double = Double::start(vec![
        [dialog(CLEAN), dialog("2: str")].concat(),
        dialog(CLEAN),
    ])
    .await;
    let engine = clamav(double.settings());
    examine(&engine).await.unwrap();
    assert_eq!(
        examine(&engine).await.unwrap_err().cause,
        UnavailableCause::Connect
    );
    assert_eq!(double.heard().len(), 1);
}

#[tokio::test]
async fn a_connection_of_a_cancelled_examination_is_not_used_again() {
    let double = Double::start(vec![vec![Act::Await(END), Act::Hang], dialog(CLEAN)]).await;
    let engine = clamav(double.settings());
    timeout(Duration::from_millis(100), examine(&engine))
        .await
        .unwrap_err();
    examine(&engine).await.unwrap();
    assert_eq!(double.heard().len(), 2);
}

#[tokio::test]
async fn no_more_connections_are_opened_than_allowed() {
    let replies: Vec<Act> = (1..=20)
        .flat_map(|number| dialog(&format!("{number}: stream: OK\0")))
        .collect();
    let double = Double::start(vec![replies]).await;
    let mut daemon = double.settings();
    daemon.connections_max = 2;
    let engine = clamav(daemon);
    let findings = futures_util::future::join_all((0..20).map(|_| examine(&engine))).await;
    assert!(findings.iter().all(Result::is_ok), "{findings:?}");
    assert!(double.heard().len() <= 2, "{}", double.heard().len());
}

#[tokio::test]
async fn a_daemon_that_is_away_is_left_alone_and_its_observer_told_once() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut daemon = nobody().await;
    let list = Arc::clone(&seen);
    daemon.observer = Some(Arc::new(move |name: &str, health: &Health| {
        locked(&list).push((name.to_owned(), matches!(health, Health::Up)));
    }));
    let engine = clamav(daemon);
    assert_eq!(
        examine(&engine).await.unwrap_err().cause,
        UnavailableCause::Connect
    );
    let why = examine(&engine).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::BackOff);
    assert!(
        why.detail.contains("cannot connect to 127.0.0.1:"),
        "{}",
        why.detail
    );
    assert!(matches!(engine.health(), Health::Down(_)));
    assert_eq!(
        engine.probe().await.unwrap_err().cause,
        UnavailableCause::Connect,
        "a probe asks all the same"
    );
    assert_eq!(*locked(&seen), [("engine".to_owned(), false)]);
}

#[tokio::test]
async fn a_daemon_that_hangs_is_left_alone_after_three_messages() {
    let double = Double::start(vec![vec![Act::Hang]]).await;
    let engine = clamav(double.settings());
    for _ in 0..3 {
        assert_eq!(engine.health(), Health::Up);
        engine.timed_out();
    }
    assert_eq!(
        examine(&engine).await.unwrap_err().cause,
        UnavailableCause::BackOff
    );
}
