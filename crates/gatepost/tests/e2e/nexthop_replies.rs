//! A nexthop's reply counts for what it answers, for whom it answers, and in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::gateway::Setup;
use crate::support::message;
use crate::support::sink::{Act, Manner, Sink};

/// Holds a script up until the test lets it go, or for a bounded time.
#[derive(Clone, Default)]
struct Gate {
    open: Arc<AtomicBool>,
    gave_up: Arc<AtomicBool>,
}

impl Gate {
    fn wait(&self) {
        let begun = Instant::now();
        while !self.open.load(Ordering::Relaxed) {
            if begun.elapsed() > Duration::from_secs(20) {
                self.gave_up.store(true, Ordering::Relaxed);
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }
}

fn held_at(line: &'static str, gate: &Gate, then: Act) -> Sink {
    let gate = gate.clone();
    Manner::smtp()
        .script(move |said| {
            if !said.starts_with(line) {
                return Act::Usual;
            }
            gate.wait();
            then.clone()
        })
        .start()
}

#[test]
fn a_late_reply_is_not_taken_for_the_next_recipients() {
    let gate = Gate::default();
    let late = Act::Say("550 5.1.1 nobody of that name");
    let sink = held_at("RCPT TO:<late@", &gate, late);
    let gateway = Setup::new()
        .route(sink.nexthop(), "nexthop_timeouts = { command = \"1s\" }")
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client.command("RCPT TO:<bob@example.com>").expect_code(250);
    client
        .command("RCPT TO:<late@example.com>")
        .expect_code(451);
    gate.open();
    client
        .command("RCPT TO:<carol@example.com>")
        .expect_code(451);
    // The message still reaches the one who was accepted, over another connection, and nobody else.
    client.data(&message("late")).expect(250, "2.6.0");
    assert_eq!(sink.one().recipients, ["TO:<bob@example.com>"]);
    client.quit();
}

#[test]
fn a_promise_is_told_before_the_next_command_is_looked_at() {
    let gate = Gate::default();
    let sink = held_at("RCPT TO:<slow@", &gate, Act::Usual);
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.command("DATA").expect_code(354);
    client.send(
        b"Subject: first\r\n\r\nbody\r\n.\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<slow@example.com>\r\n",
    );
    client.reply().expect(250, "2.6.0");
    assert!(!gate.gave_up.load(Ordering::Relaxed));
    gate.open();
    client.reply().expect_code(250);
    client.reply().expect_code(250);
    client.quit();
}

#[test]
fn a_250_before_the_message_is_whole_is_no_custody() {
    let gate = Gate::default();
    // The answer to DATA holds the reply that should have come after the message.
    let sink = held_at(
        "DATA",
        &gate,
        Act::Say("354 go ahead\r\n250 2.0.0 taken already"),
    );
    gate.open();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.data(&message("early")).expect_code(451);
    client.quit();
}

#[test]
fn a_client_named_by_xclient_is_held_against_the_lists() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("xclient_networks = [\"127.0.0.0/8\"]")
        .route(sink.nexthop(), "")
        .more("[block]\nclient = [\"192.0.2.66\"]")
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("XCLIENT ADDR=192.0.2.1 ADDR=nonsense")
        .expect_code(501);
    client.command("XCLIENT ADDR=192.0.2.66").expect_code(220);
    client.command("EHLO client.example").expect_code(250);
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect(550, "5.7.1");
    client.command("XCLIENT ADDR=192.0.2.1").expect_code(220);
    client.command("EHLO client.example").expect_code(250);
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client.quit();
    assert_eq!(gateway.decisions(2)[0]["client"]["ip"], "192.0.2.66");
}
