//! SMTP smuggling: nothing but `<CRLF>.<CRLF>` ends a message, on the way in and on the way out, so that no second message can
//! be hidden in a first one (RFC 5321 4.1.1.4, 2.3.8).

use crate::support::client::{Client, lossy};
use crate::support::gateway::Setup;
use crate::support::head;
use crate::support::sink::{Received, Sink};

/// What others have taken, or sent on, as the end of data.
const ENDS: [&[u8]; 16] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n\r.\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\r\n",
    b"\r\n.\n\r\n",
    b"\r\n..\n",
];

const SMUGGLED: &[u8] = b"MAIL FROM:<smuggled@evil.example>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n";

/// The nexthop got one transaction at most, every line of which ends with CRLF and nothing else.
fn check(received: &[Received], commands: &[String], end: &[u8]) {
    assert!(
        received.len() <= 1,
        "{end:?} made {} messages",
        received.len()
    );
    assert!(
        commands.iter().all(|line| !line.contains("smuggled")),
        "{end:?}: {commands:?}"
    );
    for message in received {
        assert_eq!(message.recipients, ["TO:<bob@example.com>"], "{end:?}");
        let wire = &message.wire;
        for (at, byte) in wire.iter().enumerate() {
            let is_pair = match byte {
                b'\r' => wire.get(at + 1) == Some(&b'\n'),
                b'\n' => at > 0 && wire[at - 1] == b'\r',
                _ => true,
            };
            assert!(is_pair, "{end:?}: a bare newline went out: {}", lossy(wire));
        }
        // A dot at the start of a line is doubled unless it is the last line.
        let body = &wire[..wire.len() - 3];
        for line in lossy(body).split("\r\n") {
            assert!(
                !line.starts_with('.') || line.starts_with(".."),
                "{end:?}: {line:?}"
            );
        }
    }
}

fn payload(end: &[u8]) -> Vec<u8> {
    [b"Subject: outer\r\n\r\nouter", end, SMUGGLED, b".\r\n"].concat()
}

#[test]
fn refused_where_bare_newlines_are_refused() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    for end in ENDS {
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        client.command("DATA").expect_code(354);
        client.send(&payload(end));
        let reply = client.reply();
        let has_bare = end.iter().enumerate().any(|(at, byte)| match byte {
            b'\r' => end.get(at + 1) != Some(&b'\n'),
            b'\n' => at == 0 || end[at - 1] != b'\r',
            _ => false,
        });
        if has_bare {
            let reply = reply.expect(550, "5.5.2");
            assert!(reply.text.contains("CR or LF"), "{reply:?}");
        } else {
            reply.expect(250, "2.6.0");
        }
        // It was all one message: what comes next is a command again.
        client.command("NOOP").expect_code(250);
        client.quit();
        check(&sink.take(), &sink.commands(), end);
    }
    for decision in gateway.decisions(ENDS.len()) {
        assert_eq!(decision["reverse_path"], "ann@example.net", "{decision:#}");
    }
}

#[test]
fn one_message_where_bare_newlines_are_normalised() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("bare_newline = \"normalise\"")
        .route(sink.nexthop(), "")
        .start();
    for end in ENDS {
        let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
        client.command("DATA").expect_code(354);
        client.send(&payload(end));
        client.reply().expect(250, "2.6.0");
        client.command("NOOP").expect_code(250);
        client.quit();
        let received = sink.take();
        assert_eq!(received.len(), 1, "{end:?}");
        assert!(
            lossy(&received[0].content).contains("MAIL FROM:<smuggled@evil.example>"),
            "{end:?}"
        );
        check(&received, &sink.commands(), end);
    }
    gateway.decisions(ENDS.len());
}

#[test]
fn by_bdat_which_needs_no_dot() {
    let sink = Sink::smtp();
    for normalise in [false, true] {
        let keys = if normalise {
            "bare_newline = \"normalise\""
        } else {
            ""
        };
        let gateway = Setup::new()
            .listener(keys)
            .route(sink.nexthop(), "")
            .start();
        for end in ENDS.into_iter().chain([&b"\r\n.\r\n"[..]]) {
            let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
            let chunk = payload(end);
            client.send(&[format!("BDAT {} LAST\r\n", chunk.len()).as_bytes(), &chunk].concat());
            let code = client.reply().code;
            assert!(
                code == 250 || (code == 550 && !normalise),
                "{end:?}: {code}"
            );
            client.quit();
            check(&sink.take(), &sink.commands(), end);
        }
    }
}

#[test]
fn pipelined_commands_do_not_end_with_less() {
    let sink = Sink::smtp();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::greet(gateway.address());
    client.send(b"MAIL FROM:<ann@example.net>\nRCPT TO:<bob@example.com>\nDATA\r\n");
    let reply = client.reply();
    assert_eq!(reply.code / 100, 5, "{reply:?}");
    client.command("NOOP").expect_code(250);
    client.quit();
    assert_eq!(sink.commands(), Vec::<String>::new());
}

#[test]
fn normalised_newlines_become_crlf_and_nothing_else() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("bare_newline = \"normalise\"")
        .route(sink.nexthop(), "")
        .start();
    let sent = b"Subject: bare\nX-Gatepost-Verdict: forged\rX-More: one\r\n\nbody\r\r\n\n\r.\n..x\r\nend\r\n";
    let expected = b"Subject: bare\r\nX-More: one\r\n\r\nbody\r\n\r\n\r\n\r\n.\r\n..x\r\nend\r\n";
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    client.send(&[format!("BDAT {} LAST\r\n", sent.len()).as_bytes(), sent].concat());
    client.reply().expect(250, "2.6.0");
    client.quit();
    head(&sink.one().content, expected);
}
