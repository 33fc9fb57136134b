use proptest::prelude::*;

use super::*;

fn read(record: &str) -> Vec<String> {
    let found = destinations(&[record.to_owned()]);
    let shown = found.into_iter().map(|destination| match destination {
        Destination::Mailto(mailbox) => format!("mailto:{mailbox}"),
        Destination::Https(Resource { host, port, path }) => format!("{host} {port} {path}"),
    });
    shown.collect()
}

#[test]
fn where_reports_go() {
    for (record, expected) in [
        (
            "v=TLSRPTv1;rua=mailto:reports@example.com",
            &["mailto:reports@example.com"][..],
        ),
        (
            "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt , mailto:a%21b@example.com; x=y;",
            &[
                "reporting.example.com 443 /v1/tlsrpt",
                "mailto:a!b@example.com",
            ],
        ),
        (
            "v=TLSRPTv1; rua=HTTPS://Example.com:8443?a=b#c",
            &["example.com 8443 /?a=b"],
        ),
        (
            "v=TLSRPTv1; rua=mailto:a@example.com?subject=x",
            &["mailto:a@example.com"],
        ),
        (
            "v=TLSRPTv1; rua=ftp://example.com,mailto:a@example.com",
            &["mailto:a@example.com"],
        ),
        ("v=TLSRPTv1; rua=http://example.com/", &[]),
        ("v=TLSRPTv1; rua=https://user@example.com/", &[]),
        ("v=TLSRPTv1; rua=https://192.0.2.1/", &[]),
        ("v=TLSRPTv1; rua=https://[2001:db8::1]/", &[]),
        ("v=TLSRPTv1; rua=https://example.com:0/", &[]),
        ("v=TLSRPTv1; rua=https:///x", &[]),
        ("v=TLSRPTv1; rua=mailto:nobody", &[]),
        ("v=TLSRPTv1; rua=mailto:a%0D%0Ab@example.com", &[]),
        ("v=TLSRPTv1; rua=mailto:a%4@example.com", &[]),
        ("v=TLSRPTv1", &[]),
        ("v=TLSRPTv2; rua=mailto:a@example.com", &[]),
        ("rua=mailto:a@example.com", &[]),
    ] {
        assert_eq!(read(record), expected, "{record}");
    }
}

#[test]
fn two_records_are_none_and_too_many_places_are_cut() {
    let record = "v=TLSRPTv1; rua=mailto:a@example.com".to_owned();
    assert_eq!(destinations(&[record.clone(), record.clone()]), []);
    assert_eq!(destinations(&["v=spf1".to_owned(), record]).len(), 1);
    let many = vec!["mailto:a@example.com"; 50].join(",");
    assert_eq!(
        read(&format!("v=TLSRPTv1; rua={many}")).len(),
        DESTINATIONS_MAX
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(v=TLSRPTv1; ?rua=)?(mailto:|https://)?[ -~é%]{0,60}") {
        for destination in destinations(&[text]) {
            if let Destination::Https(resource) = destination {
                prop_assert!(resource.path.starts_with('/'));
                prop_assert!(resource.path.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
