//! The engines against the real daemons, from their Debian packages.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "support/daemons.rs"]
mod daemons;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use daemons::{CIcap, Clamd, EICAR, GTUBE, Rspamd, Spamd};
use scan::address::Address;
use scan::clamav::{Clamav, ClamavSettings};
use scan::engine::{Armed, DaemonSettings, Engine, Health};
use scan::finding::{Finding, UnavailableCause, VirusClass};
use scan::icap::{Icap, IcapSettings};
use scan::message::Message;
use scan::rspamd::{Rspamd as RspamdEngine, RspamdSettings};
use scan::spamassassin::{Spamassassin, SpamassassinReport, SpamassassinSettings};
use scan::specimen::Specimen;

const CLEAN: &str = "From: Ann <ann@example.net>\r\nTo: Bob <bob@example.com>\r\nSubject: The minutes of Monday\r\n\
    Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <m1@example.net>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=us-ascii\r\n\r\nHello Bob,\r\n\r\nhere are the minutes that you asked for.\r\n\r\nAnn\r\n";

fn specimen(message: impl Into<Bytes>) -> Arc<Specimen> {
    Arc::new(Specimen {
        reference: "K7QX-3M9D-2F".to_owned(),
        message: Message::new(message.into()),
        client_ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25)),
        client_name: Some("mail.example.net".to_owned()),
        helo: "mail.example.net".to_owned(),
        reverse_path: smtp::ReversePath::Mailbox("ann@example.net".parse().unwrap()),
        recipients: ["bob@example.com", "carol@example.com"].map(|to| smtp::ForwardPath::Mailbox(to.parse().unwrap())).into(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.example.com".to_owned(),
        received: b"Received: from mail.example.net (mail.example.net [192.0.2.25])\r\n\tby mx.example.com with ESMTP \
            id K7QX-3M9D-2F; Mon, 23 Nov 2026 10:00:01 +0000\r\n"
            .to_vec(),
    })
}

/// A message with an attachment, in base64.
fn with_attachment(content: &[u8]) -> String {
    let encoded = base64(content);
    CLEAN.replace(
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        &format!(
            "Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n\
             Content-Disposition: attachment; filename=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n\
             --b1\r\nContent-Type: text/plain\r\n\r\n"
        ),
    ) + "--b1--\r\n"
}

fn base64(content: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in content.chunks(3) {
        let bits = group
            .iter()
            .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - group.len()));
        for position in 0..4 {
            let index = (bits >> (18 - 6 * position)) & 63;
            text.push(if position > group.len() {
                '='
            } else {
                char::from(ALPHABET[index as usize])
            });
        }
    }
    text
}

fn gtube() -> String {
    CLEAN.replace("Hello Bob,", GTUBE)
}

fn settings(name: &str, address: &impl ToString) -> DaemonSettings {
    DaemonSettings::new(name, address.to_string().parse::<Address>().unwrap())
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn clamav(address: &impl ToString) -> Clamav {
    Clamav::new(ClamavSettings {
        daemon: settings("clamav", address),
    })
}

async fn assert_finds_eicar(engine: &dyn Engine, verb: &str) {
    for _ in 0..3 {
        let clean = engine.examine(specimen(CLEAN)).await.unwrap();
        assert_eq!(
            (clean.virus, clean.virus_name),
            (Some(VirusClass::Unknown), None),
            "{}",
            clean.reason
        );
        let infected = engine
            .examine(specimen(with_attachment(EICAR.as_bytes())))
            .await
            .unwrap();
        assert_eq!(infected.virus, Some(VirusClass::Virus));
        assert_eq!(infected.virus_name.as_deref(), Some(Clamd::EICAR_NAME));
        assert_eq!(
            infected.reason,
            format!("{verb} found {}", Clamd::EICAR_NAME)
        );
    }
}

#[tokio::test]
async fn clamd_finds_eicar_over_tcp_and_unix_socket() {
    let dir = temporary();
    let clamd = Clamd::start(dir.path());
    for address in [
        clamd.address().to_string(),
        format!("unix:{}", clamd.socket().display()),
    ] {
        let engine = clamav(&address);
        let banner = engine.probe().await.unwrap();
        assert!(banner.starts_with("ClamAV "), "{banner}");
        assert_finds_eicar(&engine, "clamd").await;
        let empty = engine.examine(specimen("")).await.unwrap();
        assert_eq!(empty.virus, Some(VirusClass::Unknown));
    }
}

#[tokio::test]
async fn clamd_refuses_what_exceeds_its_stream_length() {
    let dir = temporary();
    let clamd = Clamd::start(dir.path());
    let engine = clamav(&clamd.address());
    let large = Bytes::from(vec![b'a'; 12 * 1024 * 1024]);
    for _ in 0..3 {
        let why = engine.examine(specimen(large.clone())).await.unwrap_err();
        assert_eq!(why.cause, UnavailableCause::TooLarge, "{}", why.detail);
    }
    assert_eq!(engine.health(), Health::Up);
    assert_finds_eicar(&engine, "clamd").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clamd_takes_many_messages_at_once() {
    let dir = temporary();
    let clamd = Clamd::start(dir.path());
    let mut daemon = settings("clamav", &clamd.address());
    daemon.connections_max = 4;
    let engine = Arc::new(Clamav::new(ClamavSettings { daemon }));
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..60 {
        let engine = Arc::clone(&engine);
        let infected = index % 3 == 0;
        let message = if infected {
            with_attachment(EICAR.as_bytes())
        } else {
            CLEAN.to_owned()
        };
        tasks.spawn(async move { (infected, engine.examine(specimen(message)).await.unwrap()) });
    }
    while let Some(joined) = tasks.join_next().await {
        let (infected, finding) = joined.unwrap();
        assert_eq!(finding.virus_name.is_some(), infected, "{}", finding.reason);
    }
}

/// An observer that sends what it sees, for the test to look at.
fn observed(daemon: &mut DaemonSettings) -> Receiver<Health> {
    let (sender, receiver) = channel();
    let sender = Mutex::new(sender);
    daemon.observer = Some(Arc::new(move |_: &str, health: &Health| {
        let _ = sender.lock().unwrap().send(health.clone());
    }));
    receiver
}

#[tokio::test]
async fn clamd_dies_and_comes_back() {
    let dir = temporary();
    let mut clamd = Clamd::start(dir.path());
    let mut daemon = settings("clamav", &clamd.address());
    let changes = observed(&mut daemon);
    let engine = Clamav::new(ClamavSettings { daemon });
    assert_finds_eicar(&engine, "clamd").await;
    clamd.stop();
    let why = engine.examine(specimen(CLEAN)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::Connect, "{}", why.detail);
    let why = engine.examine(specimen(CLEAN)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::BackOff, "{}", why.detail);
    assert!(matches!(changes.try_recv(), Ok(Health::Down(_))));
    let _clamd = Clamd::start_at(dir.path(), clamd.address());
    let found = until_it_answers(&engine).await;
    assert_eq!(found.virus, Some(VirusClass::Unknown));
    assert_eq!(changes.try_recv(), Ok(Health::Up));
    assert_finds_eicar(&engine, "clamd").await;
}

/// Asks again and again, as messages that come in would, until the back-off lets one through.
async fn until_it_answers(engine: &dyn Engine) -> Finding {
    let since = Instant::now();
    loop {
        match engine.examine(specimen(CLEAN)).await {
            Ok(finding) => return finding,
            Err(why) => assert!(since.elapsed() < Duration::from_secs(60), "{}", why.detail),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn c_icap_finds_eicar() {
    let dir = temporary();
    let mut daemon = CIcap::start(dir.path());
    let icap = |service: &str| {
        Icap::new(IcapSettings {
            daemon: settings("icap", &daemon.address()),
            service: service.to_owned(),
        })
    };
    let engine = icap(CIcap::SERVICE);
    let banner = engine.probe().await.unwrap();
    assert!(banner.contains("Antivirus service"), "{banner}");
    assert_finds_eicar(&engine, "ICAP service avscan").await;
    let empty = engine.examine(specimen("")).await.unwrap();
    assert_eq!(empty.virus, Some(VirusClass::Unknown));
    let why = icap("nothing").examine(specimen(CLEAN)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::Refused, "{}", why.detail);
    daemon.stop();
    let why = engine.examine(specimen(CLEAN)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::Connect, "{}", why.detail);
}

#[tokio::test]
async fn spamd_scores_gtube() {
    let dir = temporary();
    let mut spamd = Spamd::start(dir.path());
    for report in [SpamassassinReport::Symbols, SpamassassinReport::Report] {
        let engine = Spamassassin::new(SpamassassinSettings {
            report,
            user: Some("bob".to_owned()),
            ..SpamassassinSettings::new(settings("spamassassin", &spamd.address()))
        });
        assert_eq!(engine.probe().await.unwrap(), "SPAMD/1.5 0 PONG");
        let clean = engine.examine(specimen(CLEAN)).await.unwrap();
        let score = clean.score.unwrap();
        assert_eq!(score.required, Some(5.0));
        assert!(score.value < 5.0, "{}", clean.reason);
        let spam = engine.examine(specimen(gtube())).await.unwrap();
        assert!(spam.score.unwrap().value >= 1000.0, "{}", spam.reason);
        let symbol = spam
            .symbols
            .iter()
            .find(|symbol| symbol.name == "GTUBE")
            .unwrap();
        let expected = (report == SpamassassinReport::Report).then_some(1000.0);
        assert_eq!(symbol.score, expected);
        assert!(
            spam.reason.contains(" of 5.0 (") && spam.reason.contains("GTUBE"),
            "{}",
            spam.reason
        );
    }
    let engine = Spamassassin::new(SpamassassinSettings::new(settings(
        "spamassassin",
        &spamd.address(),
    )));
    let large = engine
        .examine(specimen(vec![b'a'; 600 * 1024]))
        .await
        .unwrap();
    assert!(
        large.score.is_none() && large.reason.starts_with("not examined"),
        "{}",
        large.reason
    );
    spamd.stop();
    let why = engine.examine(specimen(CLEAN)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::Connect, "{}", why.detail);
}

#[tokio::test]
async fn rspamd_rejects_gtube() {
    let dir = temporary();
    let mut rspamd = Rspamd::start(dir.path());
    let engine = RspamdEngine::new(RspamdSettings {
        daemon: settings("rspamd", &rspamd.address()),
        password: None,
    });
    let banner = engine.probe().await.unwrap();
    assert!(banner.starts_with("rspamd/"), "{banner}");
    for _ in 0..2 {
        let clean = engine.examine(specimen(CLEAN)).await.unwrap();
        assert_eq!(
            clean.action.as_deref(),
            Some("no action"),
            "{}",
            clean.reason
        );
        assert!(clean.score.unwrap().required.is_some());
        let spam = engine.examine(specimen(gtube())).await.unwrap();
        assert_eq!(spam.action.as_deref(), Some("reject"), "{}", spam.reason);
        assert!(
            spam.symbols.iter().any(|symbol| symbol.name == "GTUBE"),
            "{:?}",
            spam.symbols
        );
    }
    rspamd.stop();
    let why = engine.examine(specimen(CLEAN)).await.unwrap_err();
    assert_eq!(why.cause, UnavailableCause::Connect, "{}", why.detail);
}

#[tokio::test]
async fn all_daemons_make_one_wave() {
    let dir = temporary();
    let (icap, spamd, rspamd) = start_all(dir.path());
    let engines: [Arc<dyn Engine>; 3] = [
        Arc::new(Icap::new(IcapSettings {
            daemon: settings("icap", &icap.address()),
            service: CIcap::SERVICE.to_owned(),
        })),
        Arc::new(Spamassassin::new(SpamassassinSettings::new(settings(
            "spamassassin",
            &spamd.address(),
        )))),
        Arc::new(RspamdEngine::new(RspamdSettings {
            daemon: settings("rspamd", &rspamd.address()),
            password: None,
        })),
    ];
    let armed = engines.map(Armed::new);
    let findings = scan::wave::scan(
        &armed,
        specimen(gtube()),
        Duration::from_secs(30),
        &mut |_| false,
    )
    .await;
    let names: Vec<&str> = findings
        .iter()
        .map(|finding| finding.engine.as_str())
        .collect();
    assert_eq!(names, ["icap", "spamassassin", "rspamd"]);
    for finding in &findings {
        assert_eq!(finding.unavailable, None, "{}", finding.engine);
        assert!(finding.milliseconds > 0.0);
    }
}

fn start_all(dir: &Path) -> (CIcap, Spamd, Rspamd) {
    (CIcap::start(dir), Spamd::start(dir), Rspamd::start(dir))
}
