//! A round with a queue: what was noted yesterday goes into the queue once, signed, to whoever asks for it.

use std::path::Path;

use net::resolver::Resolver;
use queue::{QueuedMessage, Taken, Task};
use smtp::ReversePath;

use super::*;
use crate::config::Config;
use crate::context::Services;
use crate::deliver::tls_reports::{PolicyKind, ReportPolicy};

const ZONE: &str = "
    _smtp._tls.example.net TXT \"v=TLSRPTv1; rua=mailto:tls@reports.example\"
    _smtp._tls.example.org TXT \"v=spf1 -all\"
";

/// A node in this folder that reports.
fn node(folder: &Path) -> Context {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dkim/ed25519.pem");
    let text = format!(
        "[node]\nname = \"mx.gate.example\"\ndata_dir = \"{}\"\n[queue]\nreserve = \"0\"\n\
         [[listener]]\nname = \"in\"\nbind = [\"127.0.0.1:2525\"]\n\
         [[route]]\ndomains = [\"example.com\"]\nnexthop = [\"smtp:192.0.2.1:25\"]\n\
         [tls_reports]\nenabled = true\nfrom = \"tls@gate.example\"\n\
         [[dkim]]\ndomains = [\"gate.example\"]\nselector = \"s\"\nkey = \"{key}\"\n",
        folder.display()
    );
    let config = Config::parse("gatepost.toml", &text).unwrap();
    let services = Services::new(&config).unwrap();
    let mut cx = Context::new(config, services, None).unwrap();
    cx.resolver = Resolver::zone(ZONE).unwrap();
    cx
}

/// Makes what was noted until now the results of yesterday.
fn a_day_passes(cx: &Context, folder: &Path) {
    let reports = &cx.services.tls_reports;
    reports.save().unwrap();
    reports.switch(false).unwrap();
    for entry in std::fs::read_dir(folder.join("tls-reports")).unwrap() {
        let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
        let day = yesterday.strftime("%F.jsonl").to_string();
        let path = entry.unwrap().path();
        std::fs::rename(&path, path.with_file_name(day)).unwrap();
    }
    reports.switch(true).unwrap();
}

async fn queued(queue: &Queue) -> QueuedMessage {
    let Task::Deliver(mut slot) = queue.next().await else {
        panic!("nothing is to be delivered");
    };
    let Taken::Parcel(parcel) = slot.take() else {
        panic!("the slot has no message");
    };
    queue.read(&parcel).await.unwrap()
}

#[tokio::test]
async fn what_was_noted_yesterday_is_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let cx = node(folder.path());
    let queue = cx.services.queue().unwrap();
    for domain in ["example.net", "example.org", "silent.example"] {
        let policy = ReportPolicy::new(PolicyKind::NoPolicyFound, domain, Vec::new());
        cx.services.tls_reports.note(domain, &policy, None);
    }
    // A day that is not over is not reported.
    report(&cx, 0, queue).await;
    assert_eq!(queue.stats().recipients, 0);
    a_day_passes(&cx, folder.path());
    // Nor is one before the time of the day has come.
    report(&cx, 86_400, queue).await;
    assert_eq!(queue.stats().recipients, 0);
    report(&cx, 0, queue).await;
    assert_eq!(queue.stats().recipients, 1);
    let message = queued(queue).await;
    let envelope = &message.envelope;
    assert_eq!(envelope.reverse_path, ReversePath::Null);
    assert_eq!(
        envelope.recipients[0].forward_path.to_string(),
        "tls@reports.example"
    );
    let text = String::from_utf8(message.content.to_vec()).unwrap();
    // RFC 8460 section 3: signed for the domain of its author.
    assert!(text.starts_with("DKIM-Signature: "), "{text}");
    assert!(text.contains("d=gate.example"), "{text}");
    assert!(
        text.contains("\r\nTLS-Report-Domain: example.net\r\n"),
        "{text}"
    );
    // Done for good, over a restart too.
    save(&cx).await;
    let reports = &cx.services.tls_reports;
    reports.switch(false).unwrap();
    reports.switch(true).unwrap();
    report(&cx, 0, queue).await;
    assert_eq!(queue.stats().recipients, 1);
}
