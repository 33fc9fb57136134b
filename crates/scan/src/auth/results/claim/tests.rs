use proptest::prelude::*;

use super::*;
use crate::auth::results::Results;

const OWN: &str = "mx.example.net";

#[test]
fn forged_claims_are_seen_in_every_form() {
    let forged = [
        " mx.example.net; dmarc=pass",
        "mx.example.net;dmarc=pass",
        " MX.Example.NET; none",
        "\r\n\tmx.example.net\r\n\t; none",
        " (a (nested \\) comment)) mx.example.net 1; none",
        " mx.example.net(comment); none",
        " mx.example.net 1; none",
        " mx.example.net/1; none",
        " mx.example.net, other; none",
        " \"mx.example.net\"; none",
        " \"mx.\\example\".net; none",
        " \" mx.example.net \"; none",
        " \"mx.example.net 1\"; none",
        " mx.example.net.; none",
        " mx.example.net\0; none",
        " \x0bmx.example.net; none",
        // Characters that IDNA, or a comparison of Unicode, takes for those of the name.
        " \u{ff4d}x.example.net; none",
        " mx\u{3002}example\u{3002}net; none",
        // Comments that only one of two readers sees the end of.
        " ((a) mx.example.net; dmarc=pass) other; none",
        " (a (b) mx.example.net; dmarc=pass",
        // Nobody's.
        "",
        " ; dmarc=pass",
        " (mx.example.net; dmarc=pass",
        " \"mx.example.net; dmarc=pass",
        " =?us-ascii?b?bXguZXhhbXBsZS5uZXQ=?=; dmarc=pass",
    ];
    for body in forged {
        assert!(claims_to_be(body.as_bytes(), OWN), "{body:?}");
    }
}

#[test]
fn what_others_found_stays() {
    let others = [
        " mx.example.com; dmarc=pass",
        " (mx.example.net) other; mx.example.net",
        " amx.example.net; none",
        " mx.example.net.example.com; none",
        " mx.example.network; none",
        " example.net; none",
        " mx-example.net; none",
        // As Exchange writes them, without a name.
        " spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=mx.example.net;dmarc=pass",
        " \"other\" (\"mx.example.net\"); none",
        " other \"mx.example.net\"; none",
    ];
    for body in others {
        assert!(!claims_to_be(body.as_bytes(), OWN), "{body:?}");
    }
}

#[test]
fn a_name_of_any_kind_is_compared() {
    for own in [
        "gate 1",
        "Gate/1",
        "m\u{fc}nchen.example",
        "xn--mnchen-3ya.example",
        "gate.",
    ] {
        let body = format!(" \"{own}\"; none");
        assert!(claims_to_be(body.as_bytes(), own), "{own}");
    }
    assert!(claims_to_be(
        " m\u{dc}NCHEN.example; none".as_bytes(),
        "xn--mnchen-3ya.example"
    ));
    // What is no UTF-8 is nobody's name, and no panic.
    assert!(!claims_to_be(b" mx\xff.example.net; none", OWN));
}

/// Where the name stands behind more than an honest server writes, it is taken for ours; and nothing of it is kept meanwhile.
#[test]
fn what_is_very_long_is_not_read_to_its_end() {
    let comment = format!(
        " ({}) mx.example.net; none",
        "a".repeat(BEGINNING_BYTES_MAX)
    );
    assert!(claims_to_be(comment.as_bytes(), OWN));
    let name = format!(" {}", "a".repeat(2 * BEGINNING_BYTES_MAX));
    assert!(claims_to_be(name.as_bytes(), OWN));
    let deep = "(".repeat(BEGINNING_BYTES_MAX * 4);
    assert!(claims_to_be(deep.as_bytes(), OWN));
    let words = format!(" other; {}", "a ".repeat(BEGINNING_BYTES_MAX));
    assert!(!claims_to_be(words.as_bytes(), OWN));
}

proptest! {
    /// Whatever a strict reader takes for ours is ours here, too.
    #[test]
    fn nothing_that_a_strict_reader_believes_is_left(
        before in "[ \\t]{0,2}(\\([a-z \\\\()]{0,9}\\))?[ \\t]{0,2}",
        name in "(?i)(mx\\.example\\.net|\"mx\\.example\\.net\"|mx\\.\"example\"\\.net)",
        after in "[ \\t]{0,2}[;=(a-z0-9 ]{0,9}",
    ) {
        let body = format!("{before}{name}{after}");
        if Results::parse(&body).is_some_and(|results| results.authserv_id == OWN) {
            prop_assert!(claims_to_be(body.as_bytes(), OWN), "{:?}", body);
        }
    }

    #[test]
    fn any_field_is_judged(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        claims_to_be(&body, OWN);
    }
}
