//! Lines of the decision log.

use super::recovered_in;

#[test]
fn the_count_of_the_event_is_found_among_others() {
    let lines = b"{\"event\":\"started\"}\n{\"event\":\"queue-recovered\",\"messages\":12,\"damaged\":0}\nno JSON\n";
    assert_eq!(recovered_in(lines), Some(12));
    assert_eq!(
        recovered_in(b"{\"event\":\"started\",\"messages\":3}\n"),
        None
    );
    assert_eq!(recovered_in(b""), None);
}
