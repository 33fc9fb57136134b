//! Reports that go out, and those that do not.

use std::sync::Mutex;

use super::super::document::tests::settings;
use super::super::{PolicyKind, ReportPolicy};
use super::*;
use crate::deliver::double::{Authority, Page, WebServer};

const DAY: u64 = 20_000 * DAY_SECONDS;

struct World {
    authority: Authority,
    reports: TlsReports,
    journal: Journal,
    sent: Mutex<Vec<Outgoing>>,
}

impl World {
    fn new() -> World {
        let authority = Authority::new();
        let reports = TlsReports::new(Some(authority.path().join("tls-reports")));
        reports.switch(true).unwrap();
        for domain in ["example.net", "example.org"] {
            let policy = ReportPolicy::new(PolicyKind::NoPolicyFound, domain, Vec::new());
            reports.with(|tally| tally.note(DAY, domain, &policy, None));
        }
        World {
            authority,
            reports,
            journal: Journal::silent().unwrap(),
            sent: Mutex::default(),
        }
    }

    async fn round(&self, zone: &str, answer: Result<(), String>) {
        let resolver = Resolver::zone(zone).unwrap();
        let desk = Desk {
            settings: &settings(),
            node: "mx.example.com",
            https: &Https::new(resolver.clone(), self.authority.roots().connector()),
            resolver: &resolver,
            journal: &self.journal,
        };
        let post = async |outgoing| {
            self.sent.lock().unwrap().push(outgoing);
            answer.clone()
        };
        self.reports.report(&desk, DAY + DAY_SECONDS, post).await;
    }

    fn due(&self) -> Vec<String> {
        let due = self.reports.with(|tally| tally.due(DAY + DAY_SECONDS));
        due.unwrap().into_iter().map(|(_, domain)| domain).collect()
    }
}

#[tokio::test]
async fn a_report_goes_to_those_who_ask() {
    let world = World::new();
    let zone = "_smtp._tls.example.net TXT \"v=TLSRPTv1; rua=mailto:tls@example.net\"";
    world.round(zone, Ok(())).await;
    {
        let sent = world.sent.lock().unwrap();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].to.to_string(), "tls@example.net");
        assert_eq!(sent[0].from_domain, "example.com");
        assert!(
            sent[0]
                .content
                .starts_with(b"From: tls-reports@example.com\r\n")
        );
        let signature = Bytes::from_static(b"DKIM-Signature: x\r\n");
        let outgoing = sent[0].clone();
        let submission = outgoing.into_submission("R".to_owned(), Some(signature));
        assert_eq!(submission.envelope.reverse_path, ReversePath::Null);
        assert_eq!(submission.envelope.origin, Origin::AggregateReport);
        let message = submission.content.concat();
        assert!(message.starts_with(b"DKIM-Signature: x\r\nFrom: "));
        assert!(crate::deliver::security::is_tls_optional(&message));
    }
    assert_eq!(world.due(), Vec::<String>::new());
    world.round(zone, Ok(())).await;
    assert_eq!(world.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_could_not_be_sent_stays_due() {
    let world = World::new();
    let zone = "_smtp._tls.example.net TXT \"v=TLSRPTv1; rua=mailto:tls@example.net\"\n\
                _smtp._tls.example.org SERVFAIL";
    world.round(zone, Err("the queue is full".to_owned())).await;
    assert_eq!(world.due(), ["example.net", "example.org"]);
    world.round(zone, Ok(())).await;
    assert_eq!(world.due(), ["example.org"]);
}

#[tokio::test]
async fn a_report_is_posted() {
    let world = World::new();
    let server = WebServer::start(world.authority.issue("tls.example.net").acceptor).await;
    let port = server.address.port();
    let zone = format!(
        "tls.example.net A 127.0.0.1\n_smtp._tls.example.org SERVFAIL\n\
         _smtp._tls.example.net TXT \"v=TLSRPTv1; rua=https://tls.example.net:{port}/in\""
    );
    world.round(&zone, Ok(())).await;
    // There is no such page yet.
    assert_eq!(world.due(), ["example.net", "example.org"]);
    let page = Page {
        status: 201,
        media_type: "text/plain",
        content: Bytes::new(),
    };
    server.serve("/in", page);
    world.round(&zone, Ok(())).await;
    assert_eq!(world.due(), ["example.org"]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].1.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn the_time_of_the_day_is_waited_for() {
    let world = World::new();
    let resolver = Resolver::zone("").unwrap();
    let desk = Desk {
        settings: &settings(),
        node: "mx.example.com",
        https: &Https::new(resolver.clone(), world.authority.roots().connector()),
        resolver: &resolver,
        journal: &world.journal,
    };
    let nobody = async |_| unreachable!("nobody asks for reports");
    world.reports.round(&desk, DAY_SECONDS, nobody).await;
    assert_eq!(
        world
            .reports
            .with(|tally| tally.of(20_000, "example.net").len()),
        Some(1)
    );
    assert!(BEGIN_SECONDS.contains(&begin_second()));
    assert!(interval() < Duration::from_secs(1200));
}
