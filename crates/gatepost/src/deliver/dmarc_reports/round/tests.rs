//! Reports that go out, and those that do not.

use std::sync::Mutex;

use super::super::observation::Observation;
use super::super::observation::tests::published;
use super::super::tally::tests::row;
use super::*;
use crate::deliver::tls_reports::document::tests::settings;

const DAY: u64 = 20_000 * DAY_SECONDS;

struct World {
    reports: DmarcReports,
    journal: Journal,
    sent: Mutex<Vec<Outgoing>>,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(uri: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let reports = DmarcReports::new(Some(folder.path().join("dmarc-reports")));
        let observation = Observation {
            published: published(&[uri]),
            row: row(1),
        };
        reports.note(&observation);
        assert!(!reports.is_on());
        reports.switch(true).unwrap();
        reports.with(|tally| tally.note(DAY, &observation));
        World {
            reports,
            journal: Journal::silent().unwrap(),
            sent: Mutex::default(),
            _folder: folder,
        }
    }

    async fn round(&self, zone: &str, answer: Result<(), String>) -> usize {
        let resolver = Resolver::zone(zone).unwrap();
        let desk = Desk {
            settings: &settings(),
            node: "mx.example.com",
            resolver: &resolver,
            journal: &self.journal,
        };
        let post = async |outgoing| {
            self.sent.lock().unwrap().push(outgoing);
            answer.clone()
        };
        self.reports.report(&desk, DAY + DAY_SECONDS, post).await;
        let due = self.reports.with(|tally| tally.due(DAY + DAY_SECONDS));
        due.unwrap().len()
    }
}

#[tokio::test]
async fn a_report_goes_out_once() {
    let world = World::new("mailto:a@example.org");
    assert_eq!(
        world.round("", Err("the queue is full".to_owned())).await,
        1
    );
    assert_eq!(world.round("", Ok(())).await, 0);
    assert_eq!(world.round("", Ok(())).await, 0);
    let sent = world.sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].to.to_string(), "a@example.org");
    assert_eq!(sent[1].from_domain, "example.com");
}

#[tokio::test]
async fn nobody_gets_a_report_who_did_not_consent() {
    let world = World::new("mailto:a@reports.example");
    let name = "example.org._report._dmarc.reports.example";
    assert_eq!(world.round(&format!("{name} SERVFAIL"), Ok(())).await, 1);
    assert_eq!(world.round("", Ok(())).await, 0);
    assert!(world.sent.lock().unwrap().is_empty());
}
