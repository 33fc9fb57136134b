//! What the peer's replies make of a transaction. Each reply has been matched with its command.

use super::{Framing, Recipient, State};
use crate::client::pipeline::Expected;
use crate::client::{Event, Failure, Session, Stage};
use crate::dot;
use crate::reply::Reply;

/// A reply by its first digit, 3xx apart: to these commands only DATA has one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Refused,
    Misplaced,
}

fn outcome(reply: &Reply) -> Outcome {
    match reply.code() {
        200..=299 => Outcome::Accepted,
        300..=399 => Outcome::Misplaced,
        _ => Outcome::Refused,
    }
}

impl Session {
    pub(in crate::client) fn on_transaction_reply(&mut self, expected: Expected, reply: Reply) {
        match (expected, outcome(&reply)) {
            (Expected::Data, _) => self.on_data(reply),
            (Expected::DataWithoutMail, Outcome::Misplaced)
                if reply.code() == 354 && !self.is_lmtp() =>
            {
                self.send_empty_content(Expected::EmptyContentGivenUp);
            }
            (Expected::DataGivenUp, Outcome::Misplaced) => self.fail(Failure::Abandoned),
            (_, Outcome::Misplaced) => self.fail_unexpected(expected.stage(), reply),
            (Expected::Mail, outcome) => self.on_mail(outcome == Outcome::Accepted, reply),
            (Expected::Rcpt(index), outcome) => {
                self.on_rcpt(index, outcome == Outcome::Accepted, reply);
            }
            (Expected::Chunk, Outcome::Refused) => self.on_chunk_refused(reply),
            (Expected::Final, outcome) => self.on_final(outcome == Outcome::Accepted, reply),
            (Expected::EmptyContent, _) => self.end_without_recipients(),
            (Expected::Reset, Outcome::Accepted) => self.events.push_back(Event::Reset(reply)),
            // RFC 5321 section 4.1.1.5: RSET cannot be refused.
            (Expected::Reset | Expected::OwnReset, Outcome::Refused) => {
                self.fail(Failure::Refused {
                    stage: Stage::Reset,
                    reply,
                });
            }
            _ => {}
        }
    }

    /// Once every recipient is answered and DATA wanted: sends nothing if there is no recipient,
    /// and begins with BDAT if there is.
    pub(super) fn settle_envelope(&mut self) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        let settled = transaction.mail_accepted && transaction.unanswered == 0;
        if !settled || transaction.state != State::DataWanted {
            return;
        }
        let chunks = matches!(transaction.framing, Framing::Chunks(_));
        if transaction.accepted == 0 {
            // If DATA is on its way already, its reply decides.
            if chunks || self.pipeline.withdraw_data() {
                self.end_without_recipients();
            }
        } else if chunks {
            transaction.state = State::Content;
            self.events
                .push_back(Event::Data(Reply::new(354, None, "CHUNKING is offered")));
        }
    }

    fn on_mail(&mut self, accepted: bool, reply: Reply) {
        if accepted {
            if let Some(transaction) = &mut self.transaction {
                transaction.mail_accepted = true;
            }
        } else {
            self.transaction = None;
            self.pipeline.give_up(Expected::DataWithoutMail);
        }
        self.events.push_back(Event::Mail(reply));
        self.settle_envelope();
    }

    fn on_rcpt(&mut self, index: usize, accepted: bool, reply: Reply) {
        if let Some(transaction) = &mut self.transaction {
            transaction.unanswered -= 1;
            transaction.accepted += usize::from(accepted);
            if let Some(recipient) = transaction.recipients.get_mut(index) {
                *recipient = if accepted {
                    Recipient::Accepted
                } else {
                    Recipient::Refused
                };
            }
        }
        self.events.push_back(Event::Rcpt(index, reply));
        self.settle_envelope();
    }

    fn on_data(&mut self, reply: Reply) {
        let lmtp = self.is_lmtp();
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        match (reply.code(), transaction.accepted) {
            // RFC 2033 section 4.2: with LMTP an accepted DATA without a recipient has no way out, as
            // its content would get no reply.
            (354, 0) if lmtp => self.fail_unexpected(Stage::Data, reply),
            (354, 0) => {
                transaction.state = State::Sent;
                self.send_empty_content(Expected::EmptyContent);
            }
            (354, _) => {
                transaction.state = State::Content;
                self.events.push_back(Event::Data(reply));
            }
            (400.., 0) => self.end_without_recipients(),
            (400.., _) => {
                self.transaction = None;
                self.reset_needed = true;
                self.events.push_back(Event::Data(reply));
            }
            _ => self.fail_unexpected(Stage::Data, reply),
        }
    }

    /// RFC 2920 section 3.1: a server that takes DATA although it took no recipient gets the dot alone.
    /// Whatever it thinks of nothing for nobody, the transaction is over then.
    fn send_empty_content(&mut self, expected: Expected) {
        self.output.extend_from_slice(dot::END);
        self.pipeline.expect(expected);
    }

    fn end_without_recipients(&mut self) {
        self.transaction = None;
        self.reset_needed = true;
        self.events.push_back(Event::NoRecipients);
    }

    /// RFC 3030 section 2: after a chunk is refused the others are too, and RSET has to follow.
    fn on_chunk_refused(&mut self, reply: Reply) {
        let content_was_sent = self.pipeline.awaits_final();
        self.pipeline.give_up(Expected::DataGivenUp);
        self.reset_needed = true;
        let Some(transaction) = self.transaction.take() else {
            return;
        };
        if !self.is_lmtp() {
            return self.events.push_back(Event::Final(reply));
        }
        let accepted = transaction
            .recipients
            .iter()
            .enumerate()
            .filter(|(_, state)| **state == Recipient::Accepted);
        for (index, _) in accepted {
            self.events
                .push_back(Event::FinalRecipient(index, reply.clone()));
        }
        if content_was_sent {
            // Neither RFC 2033 nor RFC 3030 says how many replies BDAT LAST gets now.
            self.fail(Failure::Abandoned);
        }
    }

    fn on_final(&mut self, accepted: bool, reply: Reply) {
        let lmtp = self.is_lmtp();
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        let chunks = matches!(transaction.framing, Framing::Chunks(_));
        // RFC 3030 section 2: a refused BDAT leaves the transaction in an undefined state.
        self.reset_needed |= chunks && !accepted;
        if !lmtp {
            self.transaction = None;
            return self.events.push_back(Event::Final(reply));
        }
        let accepted_after = |from: usize| {
            let states = transaction.recipients.iter().enumerate().skip(from);
            states
                .map(|(index, state)| (index, *state))
                .find(|(_, state)| *state == Recipient::Accepted)
        };
        let Some((index, _)) = accepted_after(transaction.next_final) else {
            return;
        };
        let more = accepted_after(index + 1).is_some();
        transaction.next_final = index + 1;
        self.events.push_back(Event::FinalRecipient(index, reply));
        if more {
            self.pipeline.expect_again(Expected::Final);
        } else {
            self.transaction = None;
        }
    }
}
