use std::io::Read;

use super::super::Failure;
use super::*;

pub(crate) fn settings() -> DailyReportSettings {
    DailyReportSettings {
        enabled: true,
        organization: "Example Hosting".to_owned(),
        contact: "postmaster@example.com".parse().unwrap(),
        from: "tls-reports@example.com".parse().unwrap(),
    }
}

pub(crate) fn reported() -> Reported {
    let failure = Failure {
        result: ResultType::CertificateHostMismatch,
        sending_ip: Some("2001:db8::1".parse().unwrap()),
        receiving_host: "mx.example.net".to_owned(),
        receiving_ip: Some("192.0.2.25".parse().unwrap()),
        reason: "not valid for \"mx.example.net\"".to_owned(),
    };
    let sts = ReportPolicy {
        kind: PolicyKind::Sts,
        strings: vec!["version: STSv1".to_owned(), "mode: testing".to_owned()],
        domain: "example.net".to_owned(),
        mx_hosts: vec!["*.example.net".to_owned()],
    };
    let counts = Counts {
        successes: 5326,
        failures: 303,
        details: [(failure, 303)].into(),
    };
    let none = ReportPolicy::new(PolicyKind::NoPolicyFound, "example.net", Vec::new());
    let few = Counts {
        successes: 2,
        ..Counts::default()
    };
    Reported {
        day: 20_000,
        domain: "example.net".to_owned(),
        policies: vec![(Arc::new(sts), counts), (none, few)],
    }
}

#[test]
fn the_document_is_as_the_rfc_has_it() {
    let document = reported().document(&settings(), "mx.example.com").unwrap();
    assert_eq!(document.id, "1728000000.example.net@mx.example.com");
    assert_eq!(
        document.file_name,
        "mx.example.com!example.net!1728000000!1728086399.json.gz"
    );
    let mut json = String::new();
    flate2::read::GzDecoder::new(document.gzip.as_slice())
        .read_to_string(&mut json)
        .unwrap();
    let expected = serde_json::json!({
        "organization-name": "Example Hosting",
        "date-range": {
            "start-datetime": "2024-10-04T00:00:00Z",
            "end-datetime": "2024-10-04T23:59:59Z"
        },
        "contact-info": "postmaster@example.com",
        "report-id": "1728000000.example.net@mx.example.com",
        "policies": [
            {
                "policy": {
                    "policy-type": "sts",
                    "policy-string": ["version: STSv1", "mode: testing"],
                    "policy-domain": "example.net",
                    "mx-host": ["*.example.net"]
                },
                "summary": {
                    "total-successful-session-count": 5326,
                    "total-failure-session-count": 303
                },
                "failure-details": [{
                    "result-type": "certificate-host-mismatch",
                    "sending-mta-ip": "2001:db8::1",
                    "receiving-mx-hostname": "mx.example.net",
                    "receiving-ip": "192.0.2.25",
                    "failed-session-count": 303,
                    "failure-reason-code": "not valid for \"mx.example.net\""
                }]
            },
            {
                "policy": {"policy-type": "no-policy-found", "policy-domain": "example.net"},
                "summary": {
                    "total-successful-session-count": 2,
                    "total-failure-session-count": 0
                }
            }
        ]
    });
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found, expected);
}
