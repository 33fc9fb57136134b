//! What is missing, whatever comes first.

use std::time::Instant;

use super::Ledger;

#[test]
fn a_message_is_missing_from_its_250_to_its_first_delivery() {
    let (ledger, now) = (Ledger::new(), Instant::now());
    ledger.accepted(1, &[0, 1], now);
    assert_eq!(ledger.missing(), 2);
    ledger.delivered(1, &[1], now);
    ledger.delivered(1, &[1], now);
    ledger.killed(now);
    assert_eq!(ledger.missing(), 1);
    // The sink may have it before the client has read its 250.
    ledger.delivered(2, &[0], now);
    ledger.accepted(2, &[0], now);
    assert_eq!(ledger.missing(), 1);
    let book = ledger.close();
    assert_eq!((book.waiting_at_kills, book.items.len()), (1, 3));
}
