//! What was promised and what came: the one place where clients and sink write down what happened.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A message for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) message: u64,
    /// Its number among the recipients of the message.
    pub(super) recipient: u8,
}

/// What happened to an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    /// When the client read the 250.
    pub(super) accepted: Option<Instant>,
    /// When the sink took it, each time.
    pub(super) delivered: Vec<Instant>,
}

/// Everything that was written down.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) items: HashMap<Item, Fate>,
    pub(super) kills: Vec<Instant>,
    /// Items that were accepted and not delivered at a kill, over all kills.
    pub(super) waiting_at_kills: u64,
    accepted: u64,
    deliveries: u64,
    /// Accepted and not delivered, now.
    missing: u64,
}

/// The book, shared between threads.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    book: Mutex<Book>,
}

impl Ledger {
    pub(super) fn new() -> Ledger {
        Ledger::default()
    }

    /// A client got 250 for a message to these recipients.
    pub(super) fn accepted(&self, message: u64, recipients: &[u8], at: Instant) {
        let mut book = self.book();
        for &recipient in recipients {
            let fate = book.items.entry(Item { message, recipient }).or_default();
            fate.accepted = Some(at);
            let is_missing = fate.delivered.is_empty();
            book.accepted += 1;
            book.missing += u64::from(is_missing);
        }
    }

    /// The sink has it; written down before the sink says so.
    pub(super) fn delivered(&self, message: u64, recipients: &[u8], at: Instant) {
        let mut book = self.book();
        for &recipient in recipients {
            let fate = book.items.entry(Item { message, recipient }).or_default();
            let was_missing = fate.accepted.is_some() && fate.delivered.is_empty();
            fate.delivered.push(at);
            book.deliveries += 1;
            book.missing -= u64::from(was_missing);
        }
    }

    /// The server was killed.
    pub(super) fn killed(&self, at: Instant) {
        let mut book = self.book();
        book.kills.push(at);
        book.waiting_at_kills += book.missing;
    }

    pub(super) fn missing(&self) -> u64 {
        self.book().missing
    }

    pub(super) fn deliveries(&self) -> u64 {
        self.book().deliveries
    }

    /// How far it has come, in words.
    pub(super) fn progress(&self) -> String {
        let book = self.book();
        format!(
            "{} accepted, {} delivered, {} to come",
            book.accepted, book.deliveries, book.missing
        )
    }

    /// Takes the book out.
    pub(super) fn close(&self) -> Book {
        std::mem::take(&mut *self.book())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A thread that panicked leaves whole entries behind.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
