//! A node in operation: reload, stop, metrics, and a line in the log for each transaction, however it ended.

use std::net::TcpStream;

use crate::support::client::Client;
use crate::support::gateway::{Gateway, Setup};
use crate::support::programs::run;
use crate::support::sink::Sink;
use crate::support::{await_some_or, message, unused_address};

fn size_of(client: &mut Client) -> String {
    let reply = client.command("EHLO client.example.net").expect_code(250);
    reply
        .text
        .lines()
        .find_map(|line| line.strip_prefix("SIZE "))
        .unwrap()
        .to_owned()
}

fn greeted(gateway: &Gateway) -> Client {
    let mut client = Client::dial(gateway.address());
    client.reply().expect_code(220);
    client
}

#[test]
fn a_reload_is_for_new_sessions() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("message_size_max = \"1MiB\"")
        .route(sink.nexthop(), "")
        .start();
    let mut old = greeted(&gateway);
    assert_eq!(size_of(&mut old), "1048576");
    gateway.edit("\"1MiB\"", "\"128KiB\"");
    gateway.signal("HUP");
    let event = gateway.await_event("reloaded", |_| true);
    assert_eq!(
        (&event["listeners"], &event["routes"], &event["domains"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(size_of(&mut greeted(&gateway)), "131072");
    let mid = [
        &message("between the limits")[..],
        "0123456789 0123456789\r\n".repeat(10_000).as_bytes(),
    ]
    .concat();
    old.begin(&["bob@example.com"]);
    old.data(&mid).expect(250, "2.6.0");
    let mut new = Client::envelope(gateway.address(), &["bob@example.com"]);
    new.data(&mid).expect(552, "5.3.4");
    // And by command.
    gateway.edit("\"128KiB\"", "\"256KiB\"");
    let output = gateway.command(&["reload"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "reloaded");
    assert_eq!(size_of(&mut greeted(&gateway)), "262144");
    assert_eq!(gateway.metric("gatepost_reloads_total{result=\"ok\"}"), 2.0);
}

#[test]
fn a_bad_file_changes_nothing() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("message_size_max = \"1MiB\"")
        .route(sink.nexthop(), "")
        .start();
    gateway.edit(
        "message_size_max = \"1MiB\"",
        "message_size_max = \"huge\"\nmesage_limit = 3",
    );
    let output = gateway.command(&["reload"]);
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(1), "{told}");
    // Every error, with its place.
    for part in ["gatepost.toml:", "huge", "mesage_limit", "stays in force"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    let event = gateway.await_event("reload-failed", |_| true);
    assert!(event["errors"].as_array().unwrap().len() >= 2, "{event:#}");
    assert_eq!(size_of(&mut greeted(&gateway)), "1048576");
    gateway.signal("HUP");
    await_some_or(
        || format!("{:#?}", gateway.log()),
        || (gateway.events("reload-failed").len() == 2).then_some(()),
    );
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.data(&message("as before")).expect(250, "2.6.0");
}

#[test]
fn listeners_come_and_go() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let second = "\n[[listener]]\nname = \"second\"\nbind = [\"127.0.0.2:0\"]\n";
    gateway.edit("[[route]]", &format!("{second}[[route]]"));
    assert!(gateway.command(&["reload"]).status.success());
    let address =
        gateway.await_event("listening", |event| event["listener"] == "second")["address"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
    let mut client = Client::envelope(address, &["bob@example.com"]);
    client.data(&message("to the second")).expect(250, "2.6.0");
    gateway.edit(second, "");
    assert!(gateway.command(&["reload"]).status.success());
    await_some_or(
        || format!("{address} still takes connections"),
        || TcpStream::connect(address).is_err().then_some(()),
    );
    // Its sessions go on to their end.
    client.begin(&["bob@example.com"]);
    client.data(&message("still there")).expect(250, "2.6.0");
    client.quit();
    assert_eq!(gateway.decisions(2)[1]["listener"], "second");
    assert!(gateway.is_alive());
}

#[test]
fn a_route_can_be_moved_while_mail_flows() {
    let (first, second) = (Sink::smtp(), Sink::smtp());
    let gateway = Setup::new().route(first.nexthop(), "").start();
    let mut running = Client::envelope(gateway.address(), &["bob@example.com"]);
    gateway.edit(first.nexthop(), second.nexthop());
    assert!(gateway.command(&["reload"]).status.success());
    Client::envelope(gateway.address(), &["bob@example.com"])
        .data(&message("new"))
        .expect(250, "2.6.0");
    running.data(&message("old")).expect(250, "2.6.0");
    assert_eq!((first.received().len(), second.received().len()), (1, 1));
}

#[test]
fn a_stop_lets_transactions_finish() {
    let sink = Sink::smtp();
    let mut gateway = Setup::new()
        .listener("stop_deadline = \"60s\"")
        .route(sink.nexthop(), "")
        .start();
    let mut busy = Client::envelope(gateway.address(), &["bob@example.com"]);
    busy.command("DATA").expect_code(354);
    busy.send(b"Subject: in progress\r\n\r\nthe first half\r\n");
    let mut idle = Client::greet(gateway.address());
    let address = gateway.address();
    gateway.signal("TERM");
    idle.reply().expect(421, "4.3.2");
    assert_eq!(idle.rest(), "");
    await_some_or(
        || "connections are still taken".to_owned(),
        || TcpStream::connect(address).is_err().then_some(()),
    );
    busy.send(b"the second half\r\n.\r\n");
    busy.reply().expect(250, "2.6.0");
    busy.reply().expect(421, "4.3.2");
    assert!(gateway.await_end().success());
    assert_eq!(sink.received().len(), 1);
    assert_eq!(gateway.events("stopping").len(), 1);
    assert_eq!(gateway.events("stopped")[0]["sessions_cut"], 0);
    assert_eq!(
        gateway.decision()["recipients"][0]["disposition"],
        "relayed"
    );
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let sink = Sink::smtp();
    let mut gateway = Setup::new()
        .listener("stop_deadline = \"1s\"")
        .route(sink.nexthop(), "")
        .start();
    let mut stuck = Client::envelope(gateway.address(), &["bob@example.com"]);
    stuck.command("DATA").expect_code(354);
    stuck.send(b"Subject: never ends\r\n");
    gateway.signal("TERM");
    stuck.reply().expect(421, "4.3.2");
    assert!(gateway.await_end().success());
    assert_eq!(gateway.events("stopped")[0]["sessions_cut"], 1);
    assert_eq!(gateway.decision()["ended_by"], "stop");
    assert_eq!(sink.received(), []);
}

#[test]
fn two_nodes_do_not_share_a_folder() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let config = gateway.config().display().to_string();
    let said = run(
        env!("CARGO_BIN_EXE_gatepost"),
        &["serve", "--config", &config],
        b"",
    );
    said.expect_refusal(&["another gatepost with this data_dir is running"]);
    assert!(gateway.is_alive());
    assert!(gateway.command(&["reload"]).status.success());
}

#[test]
fn metrics_are_served_over_http() {
    let sink = Sink::smtp();
    let admin = unused_address();
    let gateway = Setup::new()
        .route(sink.nexthop(), "")
        .more(&format!("[admin]\nbind = [\"{admin}\"]"))
        .start();
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.data(&message("counted")).expect(250, "2.6.0");
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client
        .command("RCPT TO:<bob@elsewhere.example>")
        .expect(550, "5.7.1");
    client.quit();
    Client::greet(gateway.address()).quit();
    gateway.decisions(2);
    gateway.await_event("session-ended", |_| true);
    let curl = |path: &str| {
        run(
            "/usr/bin/curl",
            &["--silent", "--fail", &format!("http://{admin}{path}")],
            b"",
        )
        .expect_success()
    };
    assert_eq!(curl("/health"), "ok\n");
    let wanted = [
        "gatepost_transactions_total{listener=\"main\",outcome=\"relayed\"} 1",
        "gatepost_transactions_total{listener=\"main\",outcome=\"refused\"} 1",
        "gatepost_recipients_total{disposition=\"relayed\"} 1",
        "gatepost_recipients_total{disposition=\"refused\"} 1",
        "gatepost_refusals_total{kind=\"relay\"} 1",
        "gatepost_sessions_without_transaction_total{listener=\"main\",reason=\"quit\"} 1",
        "gatepost_transaction_seconds_count{listener=\"main\"} 2",
        "gatepost_engine_seconds_count{engine=\"attachment\"} 1",
        "gatepost_connections{listener=\"main\"} 0",
        "gatepost_message_memory_bytes 0",
    ];
    let all = || {
        let metrics = curl("/metrics");
        wanted
            .iter()
            .all(|line| metrics.lines().any(|it| it == *line))
            .then_some(())
    };
    await_some_or(|| curl("/metrics"), all);
    // What changes something is not served here.
    let reload = run(
        "/usr/bin/curl",
        &[
            "--silent",
            "--fail",
            "--request",
            "POST",
            &format!("http://{admin}/api/v1/reload"),
        ],
        b"",
    );
    assert_ne!(reload.code, 0, "{}", reload.text);
    assert_eq!(gateway.events("reloaded").len(), 0);
}

#[test]
fn one_line_for_each_transaction() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::greet(gateway.address());
    let mut begin = |then: &str| {
        client.begin(&["bob@example.com"]);
        client.command(then).expect_code(250);
    };
    begin("RSET");
    begin("EHLO again.example.net");
    client.begin(&["bob@example.com"]);
    client.data(&message("a message")).expect(250, "2.6.0");
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client.command("QUIT").expect_code(221);
    drop(client);
    let gone = Client::envelope(gateway.address(), &["bob@example.com"]);
    drop(gone);
    let decisions = gateway.decisions(5);
    let ended: Vec<_> = decisions
        .iter()
        .map(|decision| decision["ended_by"].as_str().unwrap())
        .collect();
    assert_eq!(ended, ["rset", "rset", "reply", "quit", "disconnect"]);
    let stages: Vec<_> = decisions
        .iter()
        .map(|decision| decision["stage"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["rcpt", "rcpt", "message", "mail", "rcpt"]);
    let mut references: Vec<_> = decisions
        .iter()
        .map(|decision| decision["reference"].as_str().unwrap())
        .collect();
    references.sort_unstable();
    references.dedup();
    assert_eq!(
        references.len(),
        5,
        "every transaction has a reference of its own"
    );
    assert_eq!(
        gateway.events("session-ended").len(),
        0,
        "a session with transactions needs no line of its own"
    );
}
