//! Recipients that say which message they are of, and what smtp-source writes.

use super::*;

#[test]
fn a_recipient_names_its_message() {
    let one = message_to("RCPT TO:<12p3@one.test>").unwrap();
    assert!(is_ours(one));
    for other in ["<13p3@one.test>", "<12p4@one.test>", "<3p12@one.test>"] {
        assert_ne!(message_to(other), Some(one), "{other}");
    }
    for other in ["<r1@one.test>", "12p3@one.test", "<p3@one.test>", "<12p3>"] {
        assert_eq!(message_to(other), None, "{other}");
    }
    assert!(!is_ours(4711));
}

#[test]
fn what_is_cut_short_or_changed_is_harmed() {
    let lines: String = (0..25).map(|at| format!("{at:X<78}\r\n")).collect();
    let whole = format!("From: <a@example.org>\r\n\r\n{lines}");
    assert!(is_unharmed(whole.as_bytes()));
    assert!(!is_unharmed(whole.replacen("XX", "XY", 1).as_bytes()));
    assert!(!is_unharmed(&whole.as_bytes()[..whole.len() - 80]));
    assert!(!is_unharmed(lines.as_bytes()));
}
