//! Lines of the decision log.

use super::has_recovery;

#[test]
fn the_event_is_found_among_others() {
    let lines =
        b"{\"event\":\"started\"}\n{\"event\":\"queue-recovered\",\"messages\":12}\nno JSON\n";
    assert!(has_recovery(lines));
    assert!(!has_recovery(
        b"{\"event\":\"started\"}\n\"queue-recovered\"\n"
    ));
    assert!(!has_recovery(b""));
}
