//! Each fault has its status, and permanent only is what a domain says of itself.

use super::*;

fn status(step: Step, cause: Cause) -> String {
    let fault = Fault::new("smtp:192.0.2.1:25", step, cause);
    assert_eq!(fault.status().class, Class::Transient);
    fault.status().to_string()
}

#[test]
fn statuses() {
    assert_eq!(
        status(
            Step::Connect,
            Cause::Io(io::ErrorKind::ConnectionRefused.into())
        ),
        "4.4.1"
    );
    assert_eq!(status(Step::Banner, Cause::Timeout(300)), "4.4.1");
    assert_eq!(
        status(Step::Resolve, Cause::Dns("no such name".into())),
        "4.4.3"
    );
    assert_eq!(status(Step::Rcpt, Cause::Closed), "4.4.2");
    assert_eq!(
        status(Step::Rcpt, Cause::BackOff("refused".into())),
        "4.4.1"
    );
    assert_eq!(status(Step::Tls, Cause::Tls("expired".into())), "4.7.5");
    assert_eq!(status(Step::Hello, Cause::NoStartTls), "4.7.5");
    let handshake = Cause::Handshake {
        kind: TlsFault::Expired,
        detail: "expired".into(),
    };
    assert_eq!(status(Step::Tls, handshake), "4.7.5");
    assert_eq!(
        status(Step::Resolve, Cause::TlsPolicy("not in it".into())),
        "4.7.0"
    );
    let vain = Fault::new("n", Step::Tls, Cause::RequireTls("not offered".into()));
    assert_eq!(vain.status(), Status::REQUIRETLS_NEEDED);
    assert_eq!(
        status(Step::Mail, Cause::Protocol("gibberish".into())),
        "4.5.0"
    );
    assert_eq!(
        status(
            Step::Content,
            Cause::Store(io::ErrorKind::StorageFull.into())
        ),
        "4.3.0"
    );
}

#[test]
fn only_a_missing_final_reply_may_cause_a_repetition() {
    assert!(Fault::new("n", Step::Final, Cause::Closed).reply_lost());
    assert!(Fault::new("n", Step::Final, Cause::Timeout(600)).reply_lost());
    assert!(!Fault::new("n", Step::Content, Cause::Closed).reply_lost());
    // Whoever says what can't be understood has the message, or has not.
    assert!(Fault::new("n", Step::Final, Cause::Protocol("x".into())).reply_lost());
    assert!(!Fault::new("n", Step::Data, Cause::Protocol("x".into())).reply_lost());
    assert!(!Fault::new("n", Step::Final, Cause::Refused("421 busy".into())).reply_lost());
}

#[test]
fn the_text_names_nexthop_step_and_cause() {
    let fault = Fault::new("smtp:192.0.2.1:25", Step::Banner, Cause::Timeout(60));
    assert_eq!(
        fault.to_string(),
        "nexthop smtp:192.0.2.1:25, waiting for its banner: no answer within 60 s"
    );
    let happened = fault.what_happened().to_string();
    assert_eq!(happened, "waiting for its banner: no answer within 60 s");
    let later = Fault::new("smtp:192.0.2.1:25", Step::Connect, Cause::BackOff(happened));
    assert_eq!(
        later.to_string(),
        "nexthop smtp:192.0.2.1:25, left alone for a while after waiting for its banner: no answer within 60 s"
    );
}

#[test]
fn only_what_a_domain_says_of_itself_is_permanent() {
    for (why, expected) in [
        (Undeliverable::NoSuchDomain, "5.1.2"),
        (Undeliverable::NullMx, "5.1.10"),
        (Undeliverable::NoHost("none".into()), "5.4.4"),
        (Undeliverable::Loop("ours".into()), "5.4.6"),
    ] {
        let fault = Fault::new("example.com", Step::Resolve, Cause::Undeliverable(why));
        assert!(fault.is_permanent());
        assert_eq!(fault.status().to_string(), expected);
    }
    assert_eq!(
        status(Step::Connect, Cause::Unroutable("no way".into())),
        "4.4.4"
    );
    let fault = Fault::new(
        "example.com",
        Step::Resolve,
        Cause::Undeliverable(Undeliverable::NullMx),
    );
    assert_eq!(
        fault.to_string(),
        "nexthop example.com, the domain takes no messages (null MX)"
    );
}

#[test]
fn the_servers_own_status_is_more_exact() {
    let said = |code, status, step| Fault {
        reply: Some(Reply::new(code, status, "not now")),
        ..Fault::new("n", step, Cause::Refused("not now".into()))
    };
    let busy = said(421, Status::transient(3, 2), Step::Banner);
    assert_eq!(busy.status().to_string(), "4.3.2");
    // Whoever does not want to talk to us at all may still take the message later, or another server of the plan does.
    let unwanted = said(554, Status::permanent(7, 1), Step::Banner);
    assert_eq!(unwanted.status().to_string(), "4.4.1");
    assert!(!unwanted.is_permanent());
    let bare = Fault::new("n", Step::Tls, Cause::Refused("454 not now".into()));
    assert_eq!(bare.status().to_string(), "4.7.5");
}
