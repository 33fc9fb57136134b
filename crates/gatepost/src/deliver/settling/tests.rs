//! Who tells of a success is decided for each recipient by the server that took it.

use super::*;

fn delivered() -> RecipientOutcome {
    RecipientOutcome::Delivered {
        nexthop: "smtp:a:25".into(),
        reply: "250 ok".into(),
    }
}

#[test]
fn a_success_is_told_by_what_the_server_that_took_it_offers() {
    let mut untold = Untold {
        now: Some(Action::Relayed),
        by_recipient: HashMap::new(),
    };
    untold.note(0, &delivered());
    untold.note(1, &RecipientOutcome::Untried);
    // The next server tells by itself (RFC 3461 5.2.2): that does not change who tells of the first recipient.
    untold.now = None;
    untold.note(2, &delivered());
    assert_eq!(untold.of(0), Some(Action::Relayed));
    assert_eq!((untold.of(1), untold.of(2)), (None, None));
}
