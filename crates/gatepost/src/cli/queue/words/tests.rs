//! Lines that nodes answer, and quantities in words.

use super::{counted, printable, span};

#[test]
fn times_are_told_in_their_two_largest_units() {
    let told = [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61, "1m1s"),
        (3600, "1h"),
        (3 * 3600 + 1200, "3h20m"),
        (86_399, "23h59m"),
        (4 * 86_400 + 7 * 3600 + 59, "4d7h"),
    ];
    for (seconds, words) in told {
        assert_eq!(span(seconds), words);
    }
}

#[test]
fn counts_agree_with_their_nouns() {
    assert_eq!(counted(0, "message"), "0 messages");
    assert_eq!(counted(1, "message"), "1 message");
    assert_eq!(counted(2, "message"), "2 messages");
}

#[test]
fn a_reply_cannot_write_to_the_terminal() {
    assert_eq!(printable("450 \u{1b}[2J later"), "450 \\u{1b}[2J later");
    assert_eq!(printable("grüße"), "grüße");
}
