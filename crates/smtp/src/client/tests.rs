//! What the dialogs cannot show: single writes, bounds, the pause of a driver that does not wait, and
//! any bytes at all. The dialogs are in `tests/client_dialogs`.

use proptest::prelude::*;

use super::*;
use crate::limits::{CHUNK_BYTES, PIPELINED_COMMANDS_MAX};
use crate::path::{ForwardPath, ReversePath};
use crate::{MailParameters, RcptParameters};

/// A session that is ready, and whose peer offers these keywords.
fn ready(settings: Settings, keywords: &[&str]) -> Session {
    let mut session = Session::new(Settings {
        starttls: StartTlsUse::Never,
        ..settings
    });
    session.receive(b"220 mx\r\n");
    let mut reply = String::new();
    for keyword in keywords {
        reply.push_str(&format!("250-{keyword}\r\n"));
    }
    session.receive(format!("250-mx\r\n{reply}250 HELP\r\n").as_bytes());
    assert_eq!(session.poll(), Some(Event::Ready));
    session.output().clear();
    session
}

fn begin(session: &mut Session, recipients: usize) {
    session
        .mail(&ReversePath::Null, &MailParameters::default())
        .unwrap();
    for _ in 0..recipients {
        session
            .rcpt(&ForwardPath::Postmaster, &RcptParameters::default())
            .unwrap();
    }
    session.data();
}

fn sent(session: &mut Session) -> String {
    String::from_utf8(session.take_output()).unwrap()
}

#[test]
fn a_group_is_one_write() {
    let mut session = ready(Settings::new("client.example"), &["PIPELINING"]);
    begin(&mut session, 2);
    assert_eq!(
        sent(&mut session),
        "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n"
    );
}

#[test]
fn without_pipelining_commands_are_held_back() {
    let mut session = ready(Settings::new("client.example"), &[]);
    begin(&mut session, 2);
    assert_eq!(sent(&mut session), "MAIL FROM:<>\r\n");
    assert_eq!(session.stage(), Stage::Mail);
    for next in [
        "RCPT TO:<Postmaster>\r\n",
        "RCPT TO:<Postmaster>\r\n",
        "DATA\r\n",
    ] {
        session.receive(b"250 Ok\r\n");
        assert_eq!(sent(&mut session), next);
    }
    assert_eq!(session.stage(), Stage::Data);
}

#[test]
fn the_group_is_bounded() {
    let mut session = ready(Settings::new("client.example"), &["PIPELINING"]);
    begin(&mut session, 1000);
    let mut ahead = 0;
    for _ in 0..=1000 {
        ahead += sent(&mut session).lines().count();
        assert!((1..=PIPELINED_COMMANDS_MAX).contains(&ahead), "{ahead}");
        session.receive(b"250 Ok\r\n");
        ahead -= 1;
    }
    assert_eq!((ahead, session.stage()), (1, Stage::Data));
    session.receive(b"354 go\r\n");
    let events: Vec<Event> = std::iter::from_fn(|| session.poll()).collect();
    assert_eq!(events.len(), 1002);
    assert!(matches!(events.last(), Some(Event::Data(reply)) if reply.code() == 354));
}

/// A session behind a fixup whose content is sent but for the dot.
fn paused() -> Session {
    let mut session = Session::new(Settings::new("client.example"));
    session.receive(b"220 *******\r\n");
    session.receive(b"250 mx\r\n");
    begin(&mut session, 1);
    for reply in ["250 Ok\r\n", "250 Ok\r\n", "354 go\r\n"] {
        session.receive(reply.as_bytes());
    }
    session.output().clear();
    session.content(b"last line");
    session.end();
    while session.poll() != Some(Event::Pause) {}
    session
}

#[test]
fn the_dot_waits_for_the_content_to_be_written() {
    let mut session = paused();
    for _ in 0..3 {
        session.resume();
        assert_eq!(
            session.output(),
            b"last line\r\n",
            "no dot behind what is not written"
        );
        assert_eq!(session.poll(), Some(Event::Pause));
    }
    session.output().clear();
    session.resume();
    assert_eq!(session.output(), b".\r\n");
    assert_eq!(session.poll(), None);
}

#[test]
fn a_pause_ends_with_the_connection() {
    let mut session = paused();
    session.closed();
    session.resume();
    assert_eq!(
        session.poll(),
        Some(Event::Failed(Failure::Closed(Stage::Content)))
    );
    assert_eq!(session.poll(), None);
    assert!(session.output().is_empty());
}

#[test]
fn content_is_cut_into_chunks() {
    let settings = Settings {
        chunking: true,
        ..Settings::new("client.example")
    };
    let mut session = ready(settings, &["PIPELINING", "CHUNKING"]);
    begin(&mut session, 1);
    session.receive(b"250 Ok\r\n250 Ok\r\n");
    session.output().clear();
    session.content(b"a");
    session.content(&vec![b'b'; 2 * CHUNK_BYTES]);
    session.end();
    let sent = sent(&mut session);
    let (first, rest) = sent.split_once("\r\na").unwrap();
    assert_eq!(first, format!("BDAT {CHUNK_BYTES}"));
    let (second, last) = rest[CHUNK_BYTES - 1..].split_at(CHUNK_BYTES + first.len() + 2);
    assert_eq!(second, format!("{first}\r\n{}", "b".repeat(CHUNK_BYTES)));
    assert_eq!(last, "BDAT 1 LAST\r\nb");
    session.receive(b"250 1\r\n250 2\r\n250 done\r\n");
    let last = std::iter::from_fn(|| session.poll()).last();
    assert_eq!(last, Some(Event::Final(Reply::new(250, None, "done"))));
}

#[test]
fn values_cannot_add_a_command() {
    let settings = Settings::new("client.example\r\nMAIL FROM:<evil@client.example>");
    let mut session = Session::new(settings);
    session.receive(b"220 mx\r\n");
    assert_eq!(
        sent(&mut session),
        "EHLO client.example??MAIL FROM:<evil@client.example>\r\n"
    );

    let mut session = ready(Settings::new("client.example"), &["DSN"]);
    let parameters = MailParameters {
        envid: Some("a\r\nb".into()),
        ..MailParameters::default()
    };
    session.mail(&ReversePath::Null, &parameters).unwrap();
    assert_eq!(sent(&mut session), "MAIL FROM:<> ENVID=a+0D+0Ab\r\n");
    session.receive(b"250 Ok\r\n");
    let parameters = RcptParameters {
        orcpt: Some("x\r\ny;z".into()),
        ..RcptParameters::default()
    };
    session.rcpt(&ForwardPath::Postmaster, &parameters).unwrap();
    assert_eq!(sent(&mut session), "RCPT TO:<Postmaster> ORCPT=x??y;z\r\n");
}

#[test]
fn passwords_are_not_shown() {
    let auth = ClientAuth {
        user: "user".into(),
        password: "hush".into(),
        in_clear: true,
    };
    let session = Session::new(Settings {
        auth: Some(auth),
        ..Settings::new("client.example")
    });
    let shown = format!("{session:?}");
    assert!(shown.contains("user") && !shown.contains("hush"), "{shown}");
}

#[test]
fn what_fails_is_told_once() {
    let mut session = ready(Settings::new("client.example"), &[]);
    session.receive(b"garbage\r\nmore\r\n");
    session.receive(b"250 Ok\r\n");
    session.closed();
    session.reset();
    begin(&mut session, 1);
    assert!(matches!(
        session.poll(),
        Some(Event::Failed(Failure::Protocol(_)))
    ));
    assert_eq!(session.poll(), None);
    assert!(session.output().is_empty());
    assert!(!session.is_reusable());
}

/// What peers say, right and wrong, so that sessions get far.
fn peer() -> impl Strategy<Value = Vec<u8>> {
    let said = prop_oneof![
        6 => Just(&b"250 Ok\r\n"[..]),
        3 => Just(&b"250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"[..]),
        2 => Just(&b"220 go\r\n"[..]),
        1 => Just(&b"220 ****\r\n"[..]),
        3 => Just(&b"354 go\r\n"[..]),
        1 => Just(&b"235 2.7.0 in\r\n"[..]),
        1 => Just(&b"334 \r\n"[..]),
        2 => Just(&b"550 5.1.1 no\r\n"[..]),
        1 => Just(&b"503 5.5.1 order\r\n"[..]),
        1 => Just(&b"421 bye\r\n"[..]),
        4 => Just(&b"\xff"[..]),
        1 => Just(&b"2"[..]),
    ];
    let opening = prop_oneof![
        3 => Just(&b"220 mx\r\n\xff250-mx\r\n250 HELP\r\n\xff"[..]),
        3 => Just(&b"220 mx\r\n\xff250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n\xff"[..]),
        1 => Just(&b""[..]),
    ];
    (any::<u8>(), opening, prop::collection::vec(said, 0..60))
        .prop_map(|(choice, opening, said)| [&[choice], opening, &said.concat()].concat())
}

proptest! {
    #[test]
    fn no_peer_confuses_a_session(bytes in peer()) {
        fuzzing::client(&bytes);
    }

    #[test]
    fn no_bytes_confuse_a_session(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzzing::client(&bytes);
        fuzzing::reply(&bytes);
    }
}

#[test]
fn seeds_of_the_fuzzer() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/client");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        fuzzing::client(&std::fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds >= 10, "{seeds}");
}
