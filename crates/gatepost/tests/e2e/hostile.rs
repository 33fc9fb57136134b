//! What bad input gets: bounded time and memory, one event, and nothing else is disturbed.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::certificates::Certificate;
use crate::support::client::Client;
use crate::support::gateway::{Gateway, Setup};
use crate::support::programs::python;
use crate::support::sink::Sink;
use crate::support::{await_some_or, head, message, message_with};

/// Resident memory that no test may bring the gateway to: a debug build with its stack of engines takes a tenth of it.
const MEMORY_KIB_MAX: u64 = 200 * 1024;

/// The events about clients.
fn events(gateway: &Gateway) -> Vec<Value> {
    let about_clients = |event: &Value| {
        ["decided", "session-ended", "connection-refused"]
            .contains(&event["event"].as_str().unwrap())
    };
    gateway.log().into_iter().filter(about_clients).collect()
}

/// The only event so far; afterwards the gateway works as before, in little memory.
fn one_event(gateway: &Gateway) -> Value {
    let all = await_some_or(
        || format!("no event; log {:#?}", gateway.log()),
        || Some(events(gateway)).filter(|all| !all.is_empty()),
    );
    check_health(gateway);
    let others = events(gateway)
        .into_iter()
        .filter(|event| event["ehlo"] != "healthy.example.net")
        .count();
    assert_eq!(others, 1, "{:#?}", events(gateway));
    all[0].clone()
}

fn check_health(gateway: &Gateway) {
    let mut client = Client::dial(gateway.address());
    client.reply().expect_code(220);
    client.command("EHLO healthy.example.net").expect_code(250);
    client.begin(&["bob@example.com"]);
    client.data(&message("healthy")).expect(250, "2.6.0");
    client.quit();
    let (_, peak) = gateway.memory_kib();
    assert!(peak < MEMORY_KIB_MAX, "{peak} KiB");
}

fn ready() -> (Sink, Gateway) {
    ready_with("")
}

fn ready_with(listener: &str) -> (Sink, Gateway) {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener(listener)
        .route(sink.nexthop(), "")
        .start();
    (sink, gateway)
}

/// Bytes that look like nothing, the same each time.
fn garbage(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn garbage_in_place_of_commands() {
    let (_sink, gateway) = ready();
    let mut client = Client::dial(gateway.address());
    client.try_send(&garbage(4 * 1024 * 1024));
    let said = client.rest();
    assert!(
        said.contains("\r\n421 ") || said.contains("\r\n5"),
        "{said}"
    );
    let event = one_event(&gateway);
    assert_eq!(event["event"], "session-ended", "{event:#}");
}

#[test]
fn malformed_commands_get_5xx_until_the_limit() {
    let (_sink, gateway) = ready_with("bad_commands_max = 12");
    let mut client = Client::greet(gateway.address());
    let bad = [
        "FOO",
        "MAIL",
        "MAIL FROM:",
        "MAIL FROM:<ann",
        "MAIL FROM:<a@b> SIZE=x",
        "RCPT TO:<bob@example.com>",
        "DATA",
        "EHLO",
        "MAIL FROM:<a\0b@example.net>",
        "MAIL FROM:<\u{e4}@example.net>",
        "BDAT x",
    ];
    for line in bad {
        let reply = client.command(line);
        assert!((500..=559).contains(&reply.code), "{line}: {reply:?}");
        assert!(reply.status().starts_with("5."), "{line}: {reply:?}");
    }
    let rest = (0..5).find_map(|_| {
        let reply = client.command("FOO");
        (reply.code == 421).then_some(reply)
    });
    rest.unwrap().expect(421, "4.7.0");
    assert_eq!(client.rest(), "");
    let event = one_event(&gateway);
    assert_eq!(event["reason"], "too-many-errors", "{event:#}");
}

#[test]
fn an_endless_command_line() {
    let (_sink, gateway) = ready();
    let mut client = Client::greet(gateway.address());
    let line = vec![b'x'; 1024 * 1024];
    for _ in 0..64 {
        if !client.try_send(&line) {
            break;
        }
    }
    client.rest();
    let event = one_event(&gateway);
    assert_eq!(event["event"], "session-ended", "{event:#}");
}

#[test]
fn an_endless_header_section_and_an_endless_line_of_data() {
    let (sink, gateway) = ready();
    for (piece, status) in [
        (&b"X-More: and more\r\n"[..], "5.3.4"),
        (b"xxxxxxxxxxxxxxxx", "5.6.0"),
    ] {
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        client.command("DATA").expect_code(354);
        let block = piece.repeat(64 * 1024);
        for _ in 0..40 {
            client.send(&block);
        }
        client.send(b"\r\n.\r\n");
        let reply = client.reply();
        assert_eq!((reply.code / 100, reply.status()), (5, status), "{reply:?}");
        client.quit();
    }
    assert_eq!(gateway.decisions(2)[0]["verdict"]["outcome"], "refuse");
    assert_eq!(sink.received(), []);
    check_health(&gateway);
}

#[test]
fn ten_thousand_recipients() {
    let (_sink, gateway) = ready();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let mut codes = std::collections::BTreeMap::new();
    for block in 0..100 {
        let line = |number| format!("RCPT TO:<r{block}x{number}@example.com>\r\n");
        client.send((0..100).map(line).collect::<String>().as_bytes());
        for _ in 0..100 {
            *codes.entry(client.reply().code).or_insert(0) += 1;
        }
    }
    assert_eq!(codes, [(250, 1000), (452, 9000)].into());
    client.quit();
    let event = one_event(&gateway);
    assert_eq!(event["event"], "decided");
    assert_eq!(event["recipients"].as_array().unwrap().len(), 1000);
}

#[test]
fn deep_mime_and_a_zip_bomb() {
    let (sink, gateway) = ready();
    let mut deep = b"Subject: deep\r\nMIME-Version: 1.0\r\n".to_vec();
    for level in 0..1000 {
        deep.extend(
            format!("Content-Type: multipart/mixed; boundary=\"b{level}\"\r\n\r\n--b{level}\r\n")
                .into_bytes(),
        );
    }
    deep.extend_from_slice(b"Content-Type: text/plain\r\n\r\nthe bottom\r\n");
    // Zips in a zip, 400 MB of nothing in all.
    let bomb = "
import io, sys, zipfile
def zipped(names, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()
inner = zipped(['zeros.txt'], bytes(40_000_000))
sys.stdout.write(zipped([f'{n}.zip' for n in range(10)], inner).hex())
";
    let hex = python(bomb, &[], b"").expect_success();
    let zip: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let zip_bomb = message_with("bomb.zip", "application/zip", &zip);
    for (name, sent) in [("deep", deep), ("bomb", zip_bomb)] {
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        let reply = client.data(&sent);
        client.quit();
        match reply.code {
            250 => drop(head(&sink.take()[0].content, &sent)),
            550 => assert!(!reply.reference().is_empty(), "{reply:?}"),
            _ => panic!("{name}: {reply:?}"),
        }
    }
    gateway.decisions(2);
    check_health(&gateway);
}

#[test]
fn half_closed_sockets() {
    let (sink, gateway) = ready();
    // As nc does: everything at once, then no more.
    let mut whole = Client::dial(gateway.address());
    whole.reply().expect_code(220);
    let text = "EHLO nc.example.net\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nSubject: nc\r\n\r\nhello\r\n.\r\nQUIT\r\n";
    whole.send(text.as_bytes());
    whole.close_write();
    let said = whole.rest();
    assert!(
        said.contains("relayed") && said.contains("\r\n221 "),
        "{said}"
    );
    assert_eq!(sink.take().len(), 1);
    // In the middle of a message: it is no message.
    let mut half = Client::envelope(gateway.address(), &["bob@example.com"]);
    half.command("DATA").expect_code(354);
    half.send(b"Subject: half\r\n\r\nhello\r\n.");
    half.close_write();
    half.rest();
    let decision = &gateway.decisions(2)[1];
    assert_eq!(decision["ended_by"], "disconnect", "{decision:#}");
    assert_eq!(sink.received(), []);
    // Before anything.
    let mut nothing = Client::dial(gateway.address());
    nothing.close_write();
    nothing.rest();
    let ended = gateway.await_event("session-ended", |_| true);
    assert_eq!(ended["reason"], "disconnect", "{ended:#}");
    check_health(&gateway);
    let all = || Some(events(&gateway).len()).filter(|count| *count == 4);
    await_some_or(|| format!("{:#?}", events(&gateway)), all);
}

#[test]
fn garbage_in_place_of_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make(folder.path(), "mx.gatepost.test");
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener(&format!("tls = {{ certificates = [{}] }}\ntimeouts = {{ handshake = \"1s\" }}", certificate.entry()))
        .route(sink.nexthop(), "")
        .more(&format!(
            "[[listener]]\nname = \"implicit\"\nbind = [\"127.0.0.2:0\"]\ntls = {{ mode = \"implicit\", certificates = [{}] }}\n\
             timeouts = {{ handshake = \"1s\" }}\n",
            certificate.entry()
        ))
        .start();
    let client_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    let kinds: [(&str, Vec<u8>); 4] = [
        ("garbage", garbage(4096)),
        ("a cut client hello", client_hello),
        ("plain SMTP", b"EHLO me\r\n".to_vec()),
        ("silence", Vec::new()),
    ];
    for (count, (name, bytes)) in kinds.iter().enumerate() {
        let mut by_command = Client::greet(gateway.address());
        by_command.command("STARTTLS").expect(220, "2.0.0");
        let mut at_once = Client::dial(gateway.listener("implicit"));
        for client in [&mut by_command, &mut at_once] {
            client.try_send(bytes);
            client.rest();
        }
        let failed = || Some(events(&gateway)).filter(|events| events.len() == 2 * (count + 1));
        let failed = await_some_or(|| format!("{name}: {:#?}", events(&gateway)), failed);
        assert!(
            failed.iter().all(|event| event["reason"] == "tls-failed"),
            "{name}: {failed:#?}"
        );
    }
    check_health(&gateway);
}

#[test]
fn tls_on_a_plain_port_and_http() {
    let (_sink, gateway) = ready();
    for (count, bytes) in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/1.1\r\nHost: mx\r\n\r\n",
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = Client::dial(gateway.address());
        client.reply().expect_code(220);
        client.try_send(bytes);
        client.close_write();
        client.rest();
        await_some_or(
            || format!("{:#?}", events(&gateway)),
            || (events(&gateway).len() == count + 1).then_some(()),
        );
    }
    check_health(&gateway);
}

#[test]
fn clients_that_take_their_time() {
    let (_sink, gateway) = ready_with(
        "timeouts = { command = \"1s\", data = \"1s\" }\nbytes_per_second_min = \"1MiB\"",
    );
    let mut idle = Client::greet(gateway.address());
    idle.reply().expect(421, "4.4.2");
    assert_eq!(idle.rest(), "");
    let event = one_event(&gateway);
    assert_eq!(
        (&event["event"], &event["reason"]),
        (&"session-ended".into(), &"timeout".into()),
        "{event:#}"
    );
    // Silent in the middle of a message.
    let mut silent = Client::envelope(gateway.address(), &["bob@example.com"]);
    silent.command("DATA").expect_code(354);
    silent.send(b"Subject: and then\r\n");
    silent.reply().expect(421, "4.4.2");
    // Never silent, but slower than the floor.
    let mut slow = Client::envelope(gateway.address(), &["bob@example.com"]);
    slow.command("DATA").expect_code(354);
    while slow.try_send(b"X-Slow: very\r\n") {
        sleep(Duration::from_millis(50));
        if events(&gateway)
            .iter()
            .filter(|event| event["ended_by"] == "timeout")
            .count()
            == 2
        {
            break;
        }
    }
    let timeouts = || {
        Some(
            events(&gateway)
                .iter()
                .filter(|event| event["ended_by"] == "timeout")
                .count(),
        )
        .filter(|count| *count == 2)
    };
    await_some_or(|| format!("{:#?}", events(&gateway)), timeouts);
    check_health(&gateway);
}

#[test]
fn early_talkers() {
    let (_sink, gateway) = ready_with("greeting_delay = \"1s\"");
    let mut early = Client::dial(gateway.address());
    early.send(b"EHLO impatient.example.net\r\nMAIL FROM:<ann@example.net>\r\n");
    early.reply().expect(554, "5.5.1");
    assert_eq!(early.rest(), "");
    let event = one_event(&gateway);
    assert_eq!(
        (&event["event"], &event["reason"]),
        (&"session-ended".into(), &"early-talker".into()),
        "{event:#}"
    );
}

/// A client behind the proxy, in the given network.
fn from_network(gateway: &Gateway, network: &str) -> Client {
    let mut client = Client::dial(gateway.address());
    client.send(format!("PROXY TCP4 {network}.7 127.0.0.1 1000 25\r\n").as_bytes());
    client
}

#[test]
fn too_many_connections() {
    let (_sink, gateway) = ready_with(
        "connections_max = 3\nconnections_per_network_max = 2\nproxy_networks = [\"127.0.0.0/8\"]",
    );
    let mut one = from_network(&gateway, "192.0.2");
    one.reply().expect_code(220);
    let mut two = from_network(&gateway, "192.0.2");
    two.reply().expect_code(220);
    let mut of_network = from_network(&gateway, "192.0.2");
    let reply = of_network.reply().expect(421, "4.7.0");
    assert!(reply.text.contains("from your network"), "{reply:?}");
    assert_eq!(of_network.rest(), "");
    let mut three = from_network(&gateway, "198.51.100");
    three.reply().expect_code(220);
    from_network(&gateway, "203.0.113")
        .reply()
        .expect(421, "4.7.0");
    let reasons = || {
        let refused = gateway.events("connection-refused");
        let reasons: Vec<_> = refused
            .iter()
            .map(|event| (event["reason"].clone(), event["limit"].clone()))
            .collect();
        Some(reasons).filter(|reasons| reasons.len() == 2)
    };
    let reasons = await_some_or(|| format!("{:#?}", gateway.log()), reasons);
    assert_eq!(
        reasons,
        [("network".into(), 2.into()), ("listener".into(), 3.into())]
    );
    // Whoever goes makes room.
    two.quit();
    let room = || {
        let reply = from_network(&gateway, "192.0.2").reply();
        (reply.code == 220).then_some(())
    };
    await_some_or(|| format!("{:#?}", gateway.log()), room);
    one.quit();
    three.quit();
}

#[test]
fn many_clients_at_once() {
    let (sink, gateway) = ready_with("connections_per_network_max = 1000");
    let address = gateway.address();
    let idle: Vec<Client> = (0..200).map(|_| Client::greet(address)).collect();
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            std::thread::spawn(move || {
                for number in 0..25 {
                    let mut client = Client::envelope(address, &["bob@example.com"]);
                    client
                        .data(&message(&format!("{sender} {number}")))
                        .expect(250, "2.6.0");
                    client.quit();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().unwrap();
    }
    assert_eq!(sink.received().len(), 200);
    for client in idle {
        client.quit();
    }
    gateway.decisions(200);
    let all = || Some(events(&gateway).len()).filter(|count| *count == 400);
    await_some_or(|| format!("{} events", events(&gateway).len()), all);
    check_health(&gateway);
}

#[test]
fn large_messages_share_the_memory() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .node("memory_max = \"16MiB\"")
        .route(sink.nexthop(), "")
        .start();
    let address = gateway.address();
    let line = "The quick brown fox jumps over the lazy dog.\r\n".repeat(200_000);
    let senders: Vec<_> = (0..6)
        .map(|sender| {
            let sent = [&message(&format!("large {sender}"))[..], line.as_bytes()].concat();
            std::thread::spawn(move || {
                let recipient = format!("r{sender}@example.com");
                let mut client = Client::envelope(address, &[&recipient]);
                client.data(&sent).expect(250, "2.6.0");
                (recipient, sent)
            })
        })
        .collect();
    for sender in senders {
        let (recipient, sent) = sender.join().unwrap();
        head(&sink.take_for(&recipient).unwrap().content, &sent);
    }
    gateway.decisions(6);
    assert_eq!(gateway.metric("gatepost_message_memory_bytes"), 0.0);
    check_health(&gateway);
}
