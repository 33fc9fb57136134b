use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n\
                       mx: backupmx.example.com\nmax_age: 604800\n";

#[test]
fn the_example_of_the_rfc() {
    let policy: Policy = EXAMPLE.parse().unwrap();
    assert_eq!(policy.mode, Mode::Enforce);
    assert_eq!(policy.max_age, Duration::from_secs(604_800));
    assert_eq!(
        policy.mx,
        ["mail.example.com", "*.example.net", "backupmx.example.com"]
    );
    assert_eq!(policy.lines.len(), 6);
    assert_eq!(EXAMPLE.replace('\n', "\r\n").parse(), Ok(policy.clone()));
    assert_eq!(EXAMPLE.trim_end().parse(), Ok(policy));
}

#[test]
fn what_is_passed_over() {
    let text = "mode:testing\nx-new: any : thing\nmode: enforce\nmax_age\t:\t5 \nversion: STSv1\nmax_age: 7\n\
                version: STSv2\nmx: MX.Example.COM\n\n";
    let policy: Policy = text.parse().unwrap();
    assert_eq!(policy.mode, Mode::Testing);
    assert_eq!(policy.max_age, Duration::from_secs(5));
    assert_eq!(policy.mx, ["mx.example.com"]);
}

#[test]
fn none_needs_no_servers_and_no_year_is_longer() {
    let policy: Policy = "version: STSv1\nmode: none\nmax_age: 9999999999\n"
        .parse()
        .unwrap();
    assert_eq!(policy.mode, Mode::None);
    assert_eq!(policy.max_age, Duration::from_secs(MAX_AGE_SECONDS_MAX));
    assert!(!policy.permits("mail.example.com"));
}

#[test]
fn what_is_no_policy() {
    for (line, text) in [
        ("version: STSv1\n", ""),
        ("version: STSv1", "version: STSv2"),
        ("version: STSv1", "Version: STSv1"),
        ("mode: enforce\n", ""),
        ("mode: enforce", "mode: Enforce"),
        ("max_age: 604800\n", ""),
        ("max_age: 604800", "max_age: -1"),
        ("max_age: 604800", "max_age: 10000000000"),
        ("max_age: 604800", "max_age: +5"),
        ("mx: mail.example.com", "mx: mail example"),
        ("mx: mail.example.com", "mx: mail..example"),
        ("mx: mail.example.com", "mx: *.*.example"),
        ("mx: mail.example.com", "mx: mail.*.example"),
        ("mx: mail.example.com", "mx:"),
        ("mx: mail.example.com", "<html>"),
        ("mx: mail.example.com", "\u{0}: 1"),
    ] {
        let text = EXAMPLE.replacen(line, text, 1);
        assert!(text.parse::<Policy>().is_err(), "{text}");
    }
    assert!("".parse::<Policy>().is_err());
    let nobody = "version: STSv1\nmode: enforce\nmax_age: 5\n";
    let error = nobody.parse::<Policy>().unwrap_err();
    assert_eq!(error.to_string(), "it names no mx");
}

#[test]
fn which_servers_are_permitted() {
    let policy: Policy = EXAMPLE.parse().unwrap();
    for (host, permitted) in [
        ("mail.example.com", true),
        ("MAIL.example.COM.", true),
        ("backupmx.example.com", true),
        ("mail2.example.com", false),
        ("a.mail.example.com", false),
        ("a.example.net", true),
        ("a.b.example.net", false),
        ("example.net", false),
        ("xexample.net", false),
        ("", false),
        ("*.example.net", true),
    ] {
        assert_eq!(policy.permits(host), permitted, "{host}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "((version|mode|mx|max_age|x): ?(STSv1|enforce|none|5|\\*?[a-z.]{1,9}|[ -~é]{0,9})\r?\n){0,8}") {
        if let Ok(policy) = text.parse::<Policy>() {
            prop_assert!(!policy.mx.is_empty() || policy.mode == Mode::None);
            prop_assert_eq!(policy.lines.join("\n").parse(), Ok(policy.clone()));
            for mx in policy.mx.iter().filter(|mx| !mx.starts_with('*')) {
                prop_assert!(policy.permits(mx));
            }
        }
    }
}
