//! What the session can do beside plain mail: CHUNKING, PRDR, PIPELINING, SMTPUTF8, DSN parameters, odd but valid addresses,
//! XCLIENT and PROXY headers from those who are trusted.

use crate::support::client::{Client, stuffed};
use crate::support::gateway::{Gateway, NODE, Setup};
use crate::support::programs::{curl, swaks};
use crate::support::sink::{Act, Manner, Sink};
use crate::support::{head, message};

fn gateway_to(sink: &Sink) -> Gateway {
    Setup::new().route(sink.nexthop(), "").start()
}

#[test]
fn ehlo_tells_what_there_is() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::dial(gateway.address());
    assert_eq!(
        client.reply().expect_code(220).text,
        format!("{NODE} ESMTP Gatepost")
    );
    let reply = client.command("EHLO client.example.net").expect_code(250);
    let keywords: Vec<&str> = reply.text.lines().skip(1).collect();
    let expected = [
        "PIPELINING",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "SMTPUTF8",
        "CHUNKING",
        "DSN",
        "PRDR",
        "SIZE 52428800",
        "LIMITS RCPTMAX=1000 MAILMAX=10000",
    ];
    assert_eq!(keywords, expected);
    client.quit();
}

#[test]
fn chunks_make_a_message() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    let sent = [
        &message("in chunks")[..],
        b".\r\n..\r\nno dot ends it\r\n.\r\nthe end\r\n",
    ]
    .concat();
    for (number, chunk) in sent.chunks(7).enumerate() {
        client.send(format!("BDAT {}\r\n", chunk.len()).as_bytes());
        client.send(chunk);
        let reply = client.reply().expect_code(250);
        assert!(
            reply.text.contains(&format!("{} octets", chunk.len())),
            "chunk {number}: {reply:?}"
        );
    }
    client.command("BDAT 0 LAST").expect(250, "2.6.0");
    head(&sink.one().content, &sent);
}

#[test]
fn a_last_line_without_its_end_gets_one() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::envelope(gateway.address(), &["bob@example.com"]);
    let sent = [&message("no last CRLF")[..], b"the last line\0 has no end"].concat();
    client.send(&[format!("BDAT {} LAST\r\n", sent.len()).as_bytes(), &sent].concat());
    client.reply().expect(250, "2.6.0");
    // The nexthop is spoken to with DATA, whose last line has an end (RFC 5321 4.1.1.4).
    head(&sink.one().content, &[&sent[..], b"\r\n"].concat());
    assert_eq!(gateway.decision()["sizes"]["bytes"], sent.len());
}

#[test]
fn one_packet_holds_two_transactions() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::dial(gateway.address());
    client.reply().expect_code(220);
    client
        .command("EHLO pipelining.example.net")
        .expect_code(250);
    let (first, second) = (message("first"), message("second"));
    let mut packet = b"MAIL FROM:<ann@example.net>\r\nRCPT TO:<bob@example.com>\r\nRCPT TO:<eve@elsewhere.example>\r\nDATA\r\n".to_vec();
    packet.extend(stuffed(&first));
    packet.extend(b".\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n");
    packet.extend(stuffed(&second));
    packet.extend(b".\r\nNOOP\r\nQUIT\r\n");
    client.send(&packet);
    let codes: Vec<u16> = std::iter::from_fn(|| client.try_reply())
        .map(|reply| reply.code)
        .collect();
    assert_eq!(
        codes,
        [250, 250, 550, 354, 250, 250, 250, 354, 250, 250, 221]
    );
    let received = sink.received();
    head(&received[0].content, &first);
    head(&received[1].content, &second);
    assert!(received[1].mail.starts_with("FROM:<>"), "{received:?}");
    assert_eq!(gateway.decisions(2)[1]["reverse_path"], "<>");
}

#[test]
fn prdr_answers_for_each_recipient() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route_for("one.example", sink.nexthop(), "")
        .route_for("two.example", sink.nexthop(), "language = \"de\"")
        .more("[allow]\nrecipient = [\"spam@one.example\"]")
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net> PRDR")
        .expect_code(250);
    for recipient in ["bob@one.example", "carol@two.example", "spam@one.example"] {
        client
            .command(&format!("RCPT TO:<{recipient}>"))
            .expect_code(250);
    }
    let sent = [
        &message("PRDR")[..],
        crate::support::daemons::GTUBE.as_bytes(),
        b"\r\n",
    ]
    .concat();
    client.command("DATA").expect_code(354);
    client.send(&[stuffed(&sent), b".\r\n".to_vec()].concat());
    client.reply().expect_code(353);
    let one = client.reply().expect(550, "5.7.1");
    let two = client.reply().expect(550, "5.7.1");
    client.reply().expect(250, "2.6.0");
    client.reply().expect_code(250);
    assert!(one.text.contains("looks like spam"), "{one:?}");
    assert!(two.text.contains("sieht wie Spam aus"), "{two:?}");
    let received = sink.one();
    assert_eq!(received.recipients, ["TO:<spam@one.example>"]);
    head(&received.content, &sent);
    let decision = gateway.decision();
    assert_eq!(decision["mail_parameters"]["prdr"], true);
    let dispositions: Vec<_> = (0..3)
        .map(|i| decision["recipients"][i]["disposition"].as_str().unwrap())
        .collect();
    assert_eq!(dispositions, ["refused", "refused", "relayed"]);
}

#[test]
fn internationalised_addresses_go_on() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .route_for("bücher.example", sink.nexthop(), "")
        .start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<jürgen@bücher.example> SMTPUTF8 BODY=8BITMIME")
        .expect_code(250);
    client
        .command("RCPT TO:<grüße@bücher.example>")
        .expect_code(250);
    client
        .command("RCPT TO:<plain@xn--bcher-kva.example>")
        .expect_code(250);
    client.data(&message("UTF-8 address")).expect(250, "2.6.0");
    let received = sink.one();
    assert!(
        received.mail.contains("<jürgen@bücher.example>") && received.mail.contains("SMTPUTF8"),
        "{}",
        received.mail
    );
    assert_eq!(
        received.recipients,
        [
            "TO:<grüße@bücher.example>",
            "TO:<plain@xn--bcher-kva.example>"
        ]
    );
    let head = head(&received.content, &message("UTF-8 address"));
    assert!(head.contains(" with UTF8SMTP"), "{head}");
    // Without SMTPUTF8 such an address is no address (RFC 6531 3.3).
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    client
        .command("RCPT TO:<grüße@bücher.example>")
        .expect(553, "5.6.7");
    client.quit();
}

#[test]
fn a_nexthop_without_smtputf8_is_not_given_what_it_cannot_take() {
    let sink = Manner::smtp()
        .script(|line| {
            if line.starts_with("EHLO") {
                Act::Say("250-sink\r\n250 SIZE 100000")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<jürgen@example.net> SMTPUTF8")
        .expect_code(250);
    let reply = client
        .command("RCPT TO:<bob@example.com>")
        .expect(553, "5.6.7");
    client.command("RSET").expect_code(250);
    assert_eq!(gateway.decision()["reference"], reply.reference());
    client
        .command("MAIL FROM:<ann@example.net> SIZE=200000")
        .expect_code(250);
    client
        .command("RCPT TO:<bob@example.com>")
        .expect(552, "5.3.4");
    client.quit();
    assert_eq!(sink.count("RCPT"), 0, "{:?}", sink.commands());
}

#[test]
fn quoted_local_parts_literals_and_postmaster() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .node("postmaster = \"root@example.com\"")
        .route(sink.nexthop(), "")
        .route_for("[192.0.2.25]", sink.nexthop(), "")
        .route_for("[IPv6:2001:db8::25]", sink.nexthop(), "")
        .route_for("*.wild.example", sink.nexthop(), "")
        .start();
    let mut client = Client::greet(gateway.address());
    let cases = [
        (
            "<\"a b\\\"c@d\"@example.com>",
            "TO:<\"a b\\\"c@d\"@example.com>",
        ),
        ("<\"bob\"@EXAMPLE.com>", "TO:<bob@EXAMPLE.com>"),
        (
            "<@relay.example,@other.example:bob@example.com>",
            "TO:<bob@example.com>",
        ),
        ("<bob@[192.0.2.25]>", "TO:<bob@[192.0.2.25]>"),
        (
            "<bob@[IPv6:2001:db8:0:0:0:0:0:25]>",
            "TO:<bob@[IPv6:2001:db8::25]>",
        ),
        (
            "<bob@deep.under.wild.example>",
            "TO:<bob@deep.under.wild.example>",
        ),
        ("<Postmaster>", "TO:<root@example.com>"),
        ("<postmaster@example.com>", "TO:<postmaster@example.com>"),
    ];
    for (given, expected) in cases {
        client.command("MAIL FROM:<>").expect_code(250);
        client.command(&format!("RCPT TO:{given}")).expect_code(250);
        client.data(&message("odd address")).expect(250, "2.6.0");
        assert_eq!(sink.take().pop().unwrap().recipients, [expected]);
    }
    client.command("MAIL FROM:<>").expect_code(250);
    for unknown in [
        "<bob@[192.0.2.26]>",
        "<bob@wild.example>",
        "<bob@sub.example.com>",
        "<\"bob@example.com\"@evil.example>",
        "<bob%example.com@evil.example>",
    ] {
        client
            .command(&format!("RCPT TO:{unknown}"))
            .expect(550, "5.7.1");
    }
    client.quit();
}

#[test]
fn dsn_parameters_go_on() {
    let sink = Manner::smtp()
        .script(|line| {
            if line.starts_with("EHLO") {
                Act::Say("250-sink\r\n250-DSN\r\n250 PIPELINING")
            } else {
                Act::Usual
            }
        })
        .start();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net> RET=HDRS ENVID=QQ+2B1")
        .expect_code(250);
    client
        .command("RCPT TO:<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob+2Bx@example.com")
        .expect_code(250);
    client.data(&message("DSN")).expect(250, "2.6.0");
    let received = sink.one();
    assert!(
        received.mail.contains("RET=HDRS") && received.mail.contains("ENVID=QQ+2B1"),
        "{received:?}"
    );
    let to = &received.recipients[0];
    assert!(
        to.contains("NOTIFY=SUCCESS,DELAY") && to.contains("ORCPT=rfc822;bob+2Bx@example.com"),
        "{to}"
    );
    assert_eq!(gateway.decision()["mail_parameters"]["envid"], "QQ+1");
}

#[test]
fn a_trusted_peer_speaks_for_its_client() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("xclient_networks = [\"127.0.0.0/8\"]")
        .route(sink.nexthop(), "")
        .start();
    let address = gateway.address().to_string();
    let arguments = [
        "--server",
        &address,
        "--from",
        "ann@example.net",
        "--to",
        "bob@example.com",
    ];
    let xclient = [
        "--xclient-addr",
        "192.0.2.77",
        "--xclient-helo",
        "real.example.net",
        "--xclient-name",
        "[UNAVAILABLE]",
    ];
    swaks(&[&arguments[..], &xclient].concat(), &message("XCLIENT")).expect_success();
    let head = head(&sink.one().content, &message("XCLIENT"));
    assert!(head.contains("(unknown [192.0.2.77])"), "{head}");
    let client = &gateway.decision()["client"];
    assert_eq!(
        (&client["ip"], &client["proxied_by"]),
        (&"192.0.2.77".into(), &"127.0.0.1".into())
    );
}

#[test]
fn xclient_of_others_is_refused() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    let reply = client.command("XCLIENT ADDR=192.0.2.77");
    assert_eq!(reply.code / 100, 5, "{reply:?}");
    client.quit();
}

/// PROXY version 2: the signature, PROXY over TCP4, 12 bytes of addresses.
fn proxy2(source: [u8; 4], port: u16) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    header.extend(source);
    header.extend([127, 0, 0, 1]);
    header.extend(port.to_be_bytes());
    header.extend(25_u16.to_be_bytes());
    header
}

#[test]
fn proxy_headers_name_the_client() {
    let sink = Sink::smtp();
    let gateway = Setup::new()
        .listener("proxy_networks = [\"127.0.0.0/8\"]")
        .route(sink.nexthop(), "")
        .more("[block]\nclient = [\"203.0.113.0/24\"]")
        .start();
    // Version 1, by curl.
    let url = format!("smtp://{}/curl.example.net", gateway.address());
    let arguments = [
        "--haproxy-protocol",
        "--url",
        &url,
        "--mail-from",
        "ann@example.net",
        "--mail-rcpt",
        "bob@example.com",
    ];
    curl(&arguments, &message("PROXY 1")).expect_success();
    head(&sink.take()[0].content, &message("PROXY 1"));
    // Version 2, and the header together with the rest.
    let mut client = Client::dial(gateway.address());
    client.send(&proxy2([192, 0, 2, 99], 4711));
    client.reply().expect_code(220);
    client.command("EHLO client.example.net").expect_code(250);
    client.begin(&["bob@example.com"]);
    client.data(&message("PROXY 2")).expect(250, "2.6.0");
    assert!(head(&sink.one().content, &message("PROXY 2")).contains("[192.0.2.99]"));
    client.quit();
    let decision = &gateway.decisions(2)[1];
    assert_eq!(
        (
            &decision["client"]["port"],
            &decision["client"]["proxied_by"]
        ),
        (&4711.into(), &"127.0.0.1".into())
    );
    // The lists are asked for the client behind the proxy.
    let mut blocked = Client::dial(gateway.address());
    blocked.send(b"PROXY TCP4 203.0.113.5 127.0.0.1 1000 25\r\n");
    blocked.reply().expect(554, "5.7.1");
    assert_eq!(blocked.rest(), "");
    // Without a header there is no session.
    let mut without = Client::dial(gateway.address());
    without.send(b"EHLO me\r\n");
    assert_eq!(without.rest(), "");
    let refused = gateway.await_event("connection-refused", |event| event["reason"] == "proxy");
    assert!(
        refused["detail"].as_str().unwrap().contains("PROXY header"),
        "{refused}"
    );
    assert_eq!(gateway.events("connection-refused").len(), 1);
}

#[test]
fn helo_has_no_extensions() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::dial(gateway.address());
    client.reply().expect_code(220);
    assert_eq!(
        client
            .command("HELO old.example.net")
            .expect_code(250)
            .text
            .lines()
            .count(),
        1
    );
    client.begin(&["bob@example.com"]);
    client.data(&message("HELO")).expect(250, "2.6.0");
    assert!(head(&sink.one().content, &message("HELO")).contains(" with SMTP\r\n"));
    client.quit();
    assert_eq!(gateway.decision()["protocol"], "SMTP");
}

#[test]
fn the_nexthop_connection_is_used_again() {
    let sink = Sink::smtp();
    let gateway = gateway_to(&sink);
    let mut client = Client::greet(gateway.address());
    for number in 0..5 {
        client.begin(&["bob@example.com"]);
        client
            .data(&message(&format!("number {number}")))
            .expect(250, "2.6.0");
    }
    // An abandoned transaction gives its connection back too.
    client.begin(&["bob@example.com"]);
    client.command("RSET").expect_code(250);
    client.begin(&["bob@example.com"]);
    client.data(&message("after RSET")).expect(250, "2.6.0");
    client.quit();
    assert_eq!(sink.received().len(), 6);
    assert!(sink.connections() <= 2, "{}", sink.connections());
    assert_eq!(gateway.decisions(7)[5]["ended_by"], "rset");
}

#[test]
fn postmaster_without_a_domain_is_taken_even_if_its_mailbox_has_no_route() {
    let sink = Sink::smtp();
    // The node's own name, whose postmaster is the default one, is no domain that a route has.
    let gateway = Setup::new().route(sink.nexthop(), "").start();
    let mut client = Client::greet(gateway.address());
    client.command("MAIL FROM:<>").expect_code(250);
    client.command("RCPT TO:<Postmaster>").expect(250, "2.1.5");
    client
        .data(&message("to the postmaster"))
        .expect(250, "2.6.0");
    assert_eq!(sink.one().recipients, ["TO:<postmaster@example.com>"]);
    client.quit();
    // What explains and what decides go by the same rule.
    let said = gateway.command(&["explain", "Postmaster"]);
    assert!(said.status.success(), "{said:?}");
}
