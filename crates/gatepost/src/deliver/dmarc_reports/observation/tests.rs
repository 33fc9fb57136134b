//! What a report says of a message, whatever became of it.

use scan::auth::facts::{DkimFact, PublicSuffix, SpfFact};
use scan::finding::PolicyFailure;
use scan::message::Message;

use super::*;

pub(in crate::deliver::dmarc_reports) fn record(uris: &[&str]) -> DmarcRecord {
    DmarcRecord {
        domain: "example.org".to_owned(),
        policy: DmarcPolicy::Reject,
        subdomain_policy: None,
        nonexistent_policy: Some(DmarcPolicy::Quarantine),
        strict_dkim: true,
        strict_spf: false,
        testing: false,
        failure_options: "1".to_owned(),
        public_suffix: PublicSuffix::Unsaid,
        report_uris: uris.iter().map(|&uri| uri.to_owned()).collect(),
    }
}

pub(in crate::deliver::dmarc_reports) fn published(uris: &[&str]) -> Arc<Published> {
    Arc::new(Published {
        record: record(uris),
        organizational_domain: "example.org".to_owned(),
    })
}

fn specimen() -> Specimen {
    Specimen {
        reference: String::new(),
        message: Message::new(bytes::Bytes::new()),
        client_ip: "::ffff:192.0.2.1".parse().unwrap(),
        client_name: None,
        helo: "mx.example.org".to_owned(),
        reverse_path: smtp::ReversePath::Mailbox("ann@Bounce.example.org".parse().unwrap()),
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.gate.example".to_owned(),
        received: Vec::new(),
    }
}

fn finding(
    result: DmarcResult,
    asked: DmarcPolicy,
    record: DmarcRecord,
    excused_by: Option<Excuse>,
) -> Finding {
    let passes = result == DmarcResult::Pass;
    let dkim = |domain: &str| DkimFact {
        result: DkimResult::Pass,
        domain: domain.to_owned(),
        selector: "s1".to_owned(),
        algorithm: "rsa-sha256".to_owned(),
        value_start: String::new(),
        key_bits: None,
        testing: false,
        problem: None,
    };
    let spf = SpfFact {
        result: SpfResult::Softfail,
        domain: "bounce.example.org".to_owned(),
        term: None,
        explanation: None,
        problem: None,
    };
    let dmarc = DmarcFact {
        result,
        from_domain: "mail.example.org".to_owned(),
        organizational_domain: "example.org".to_owned(),
        published: Some(record),
        policy: asked,
        dkim_aligned: passes.then(|| "example.org".to_owned()),
        spf_aligned: None,
        problem: None,
    };
    Finding {
        policy: (!passes).then(|| PolicyFailure {
            domain: "mail.example.org".to_owned(),
            what_failed: String::new(),
            asked,
            excused_by,
        }),
        authentication: Some(Arc::new(Authentication {
            dkim: ["a", "b", "c", "d", "example.org"].map(dkim).to_vec(),
            spf_mail: Some(spf),
            dmarc: Some(dmarc),
            ..Authentication::default()
        })),
        ..Finding::new("auth")
    }
}

#[test]
fn a_row_tells_who_sent_and_what_was_found() {
    let record = record(&["mailto:a@example.org"]);
    let finding = finding(DmarcResult::Pass, DmarcPolicy::Reject, record.clone(), None);
    let observation = observed(&[finding], &specimen(), false, DmarcAction::Refuse).unwrap();
    assert_eq!(observation.published.record, record);
    let row = observation.row;
    assert_eq!(row.source_ip.to_string(), "192.0.2.1");
    assert_eq!((row.disposition, row.overridden), (Disposition::Pass, None));
    assert_eq!((row.dkim_aligned, row.spf_aligned), (true, false));
    assert_eq!(
        (row.header_from.as_str(), row.envelope_from.as_str()),
        ("mail.example.org", "bounce.example.org")
    );
    let signers: Vec<&str> = row
        .dkim
        .iter()
        .map(|(domain, _, _)| domain.as_str())
        .collect();
    assert_eq!(signers, ["example.org", "a", "b", "c"]);
    assert_eq!(
        row.spf,
        Some(("bounce.example.org".to_owned(), SpfResult::Softfail))
    );
}

#[test]
fn the_disposition_is_what_happened() {
    use DmarcAction::{Likely, Note, Refuse};
    use DmarcPolicy::{None as Nothing, Quarantine, Reject};
    let (forwarder, list) = (Some(Excuse::Forwarder), Some(Excuse::List("l".to_owned())));
    let cases = [
        (Reject, None, true, Refuse, Disposition::Reject, None),
        (
            Reject,
            None,
            false,
            Refuse,
            Disposition::None,
            Some(Override::LocalPolicy),
        ),
        (
            Reject,
            None,
            false,
            Likely,
            Disposition::Quarantine,
            Some(Override::LocalPolicy),
        ),
        (
            Reject,
            None,
            false,
            Note,
            Disposition::None,
            Some(Override::LocalPolicy),
        ),
        (
            Quarantine,
            None,
            false,
            Refuse,
            Disposition::Quarantine,
            None,
        ),
        (
            Quarantine,
            None,
            true,
            Refuse,
            Disposition::Quarantine,
            None,
        ),
        (
            Quarantine,
            None,
            false,
            Note,
            Disposition::None,
            Some(Override::LocalPolicy),
        ),
        (Nothing, None, true, Refuse, Disposition::None, None),
        (
            Reject,
            forwarder,
            false,
            Refuse,
            Disposition::None,
            Some(Override::TrustedForwarder),
        ),
        (
            Reject,
            list,
            false,
            Refuse,
            Disposition::None,
            Some(Override::MailingList),
        ),
    ];
    for (asked, excuse, is_refused, action, disposition, overridden) in cases {
        let finding = finding(
            DmarcResult::Fail,
            asked,
            record(&["mailto:a@example.org"]),
            excuse.clone(),
        );
        let row = observed(&[finding], &specimen(), is_refused, action)
            .unwrap()
            .row;
        assert_eq!(
            (row.disposition, row.overridden),
            (disposition, overridden),
            "{asked:?} {excuse:?} {is_refused} {action:?}"
        );
    }
    let test = DmarcRecord {
        testing: true,
        ..record(&["mailto:a@example.org"])
    };
    let finding = finding(DmarcResult::Fail, Quarantine, test, None);
    let row = observed(&[finding], &specimen(), false, Refuse)
        .unwrap()
        .row;
    assert_eq!(row.overridden, Some(Override::PolicyTestMode));
}

#[test]
fn who_asks_for_nothing_is_told_nothing() {
    let silent = finding(DmarcResult::Fail, DmarcPolicy::Reject, record(&[]), None);
    assert_eq!(
        observed(&[silent], &specimen(), true, DmarcAction::Refuse),
        None
    );
    let unknown = finding(
        DmarcResult::Temperror,
        DmarcPolicy::Reject,
        record(&["mailto:a@example.org"]),
        None,
    );
    assert_eq!(
        observed(&[unknown], &specimen(), false, DmarcAction::Refuse),
        None
    );
    assert_eq!(
        observed(
            &[Finding::new("clamav")],
            &specimen(),
            false,
            DmarcAction::Refuse
        ),
        None
    );
}
