use proptest::prelude::*;

use super::*;
use crate::limits::ENVID_BYTES_MAX;

const ALL: Offered = Offered {
    smtputf8: true,
    dsn: true,
    prdr: true,
    auth: true,
    require_tls: true,
};

const NONE: Offered = Offered {
    smtputf8: false,
    dsn: false,
    prdr: false,
    auth: false,
    require_tls: false,
};

#[test]
fn every_parameter_of_mail() {
    let text = " SIZE=1000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B314 AUTH=e+3Dm@example.com  PRDR requiretls";
    let parameters = MailParameters::parse(text, ALL).unwrap();
    assert_eq!(
        parameters,
        MailParameters {
            size: Some(1000),
            body: Some(Body::EightBitMime),
            smtputf8: true,
            ret: Some(Ret::Headers),
            envid: Some("QQ+314".into()),
            auth: Some("e=m@example.com".into()),
            prdr: true,
            require_tls: true,
        }
    );
    assert_eq!(
        parameters.to_string(),
        " SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B314 AUTH=e+3Dm@example.com PRDR REQUIRETLS"
    );
}

#[test]
fn every_parameter_of_rcpt() {
    let text = " NOTIFY=success,DELAY ORCPT=rfc822;a+2Bb@example.com";
    let parameters = RcptParameters::parse(text, ALL).unwrap();
    let notify = Notify {
        success: true,
        failure: false,
        delay: true,
    };
    assert_eq!(parameters.notify, Some(notify));
    assert_eq!(parameters.orcpt.as_deref(), Some("rfc822;a+b@example.com"));
    assert_eq!(
        parameters.to_string(),
        " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@example.com"
    );
    let utf8 = RcptParameters::parse(" ORCPT=utf-8;us\\x{E9}r@b.example", ALL).unwrap();
    assert_eq!(utf8.orcpt.as_deref(), Some("utf-8;usér@b.example"));
    assert_eq!(utf8.to_string(), " ORCPT=utf-8;us\\x{E9}r@b.example");
}

#[test]
fn errors_of_mail() {
    use ParameterError::{Repeated, Unknown, Value};
    for (text, error) in [
        ("SIZE=1", Value),
        (" SIZE", Value),
        (" SIZE=", Value),
        (" SIZE=-1", Value),
        (" SIZE=+1", Value),
        (" SIZE=111111111111111111111", Value),
        (" SIZE=1 SIZE=2", Repeated),
        (" BODY=BINARYMIME", Value),
        (" BODY", Value),
        (" SMTPUTF8=1", Value),
        (" SMTPUTF8 SMTPUTF8", Repeated),
        (" RET=NONE", Value),
        (" ENVID=a+0Ab", Value),
        (" ENVID=", Value),
        (" AUTH=", Value),
        (" PRDR PRDR", Repeated),
        (" REQUIRETLS=1", Value),
        (" REQUIRETLS REQUIRETLS", Repeated),
        (" X", Unknown),
        (" =", Unknown),
        (" NOTIFY=NEVER", Unknown),
    ] {
        assert_eq!(MailParameters::parse(text, ALL), Err(error), "{text}");
    }
    let long = format!(" ENVID={}", "a".repeat(ENVID_BYTES_MAX + 1));
    assert_eq!(MailParameters::parse(&long, ALL), Err(Value));
    let many = " X".repeat(10_000);
    assert_eq!(MailParameters::parse(&many, ALL), Err(Unknown));
    assert_eq!(
        MailParameters::parse(" SIZE=99999999999999999999", ALL)
            .unwrap()
            .size,
        Some(u64::MAX)
    );
}

#[test]
fn errors_of_rcpt() {
    use ParameterError::{Repeated, Unknown, Value};
    for (text, error) in [
        (" NOTIFY", Value),
        (" NOTIFY=", Value),
        (" NOTIFY=NEVER,SUCCESS", Value),
        (" NOTIFY=SUCCESS,SUCCESS", Value),
        (" NOTIFY=NEVER NOTIFY=NEVER", Repeated),
        (" ORCPT=rfc822", Value),
        (" ORCPT=;a@b", Value),
        (" ORCPT=rfc822;", Value),
        (" ORCPT=rfc822;a+0D@b", Value),
        (" SIZE=1", Unknown),
    ] {
        assert_eq!(RcptParameters::parse(text, ALL), Err(error), "{text}");
    }
}

#[test]
fn what_is_not_offered_is_unknown() {
    for text in [
        " SMTPUTF8",
        " RET=FULL",
        " ENVID=a",
        " AUTH=<>",
        " PRDR",
        " REQUIRETLS",
    ] {
        assert!(MailParameters::parse(text, ALL).is_ok(), "{text}");
        let refused = MailParameters::parse(text, NONE);
        assert_eq!(refused, Err(ParameterError::Unknown), "{text}");
    }
    for text in [" NOTIFY=NEVER", " ORCPT=rfc822;a@b"] {
        assert!(RcptParameters::parse(text, ALL).is_ok(), "{text}");
        let refused = RcptParameters::parse(text, NONE);
        assert_eq!(refused, Err(ParameterError::Unknown), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(size in any::<Option<u64>>(), smtputf8: bool, prdr: bool, require_tls: bool, envid in proptest::option::of("[ -~]{1,30}"), auth in proptest::option::of("[ -~]{1,60}"), body in 0..3, ret in 0..3) {
        let parameters = MailParameters {
            size,
            body: [None, Some(Body::SevenBit), Some(Body::EightBitMime)][body as usize],
            smtputf8,
            ret: [None, Some(Ret::Full), Some(Ret::Headers)][ret as usize],
            envid,
            auth,
            prdr,
            require_tls,
        };
        let text = parameters.to_string();
        prop_assert_eq!(MailParameters::parse(&text, ALL), Ok(parameters));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "( (SIZE|RET|ENVID|AUTH|ORCPT|NOTIFY)=)?[ -~é]{0,60}") {
        if let Ok(parameters) = MailParameters::parse(&text, ALL) {
            prop_assert_eq!(MailParameters::parse(&parameters.to_string(), ALL), Ok(parameters));
        }
        if let Ok(parameters) = RcptParameters::parse(&text, ALL) {
            prop_assert_eq!(RcptParameters::parse(&parameters.to_string(), ALL), Ok(parameters));
        }
    }
}
