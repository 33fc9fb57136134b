//! Which replies are outstanding, and which commands wait for them (PIPELINING, RFC 2920).
//!
//! Without PIPELINING there is one command at a time. With it, commands go out together up to one
//! that must end a group, whose reply is waited for. What a reply means is not known here.

use std::collections::VecDeque;

use super::Stage;
use super::sasl;
use crate::limits::PIPELINED_COMMANDS_MAX;

/// What a reply will answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Banner,
    Ehlo,
    Helo,
    StartTls,
    Auth(sasl::Step),
    Mail,
    /// With the index of the recipient.
    Rcpt(usize),
    Data,
    /// BDAT but the last.
    Chunk,
    /// The content: the final dot or BDAT LAST. With LMTP answered more than once.
    Final,
    /// The content that is none, after DATA was accepted though no recipient was.
    EmptyContent,
    /// The same, of a transaction that is over because MAIL was refused.
    EmptyContentGivenUp,
    /// RSET of the driver.
    Reset,
    /// RSET of our own.
    OwnReset,
    /// MAIL, RCPT, BDAT of a transaction that is over: any reply will do.
    GivenUp,
    /// DATA of a transaction that is over because MAIL was refused: if this is accepted, an empty
    /// content does no harm.
    DataWithoutMail,
    /// DATA of a transaction that was given up, though a recipient may have been accepted: if this is
    /// accepted, an empty content would be delivered.
    DataGivenUp,
    Quit,
}

#[derive(Debug, Default)]
pub(super) struct Pipeline {
    outstanding: VecDeque<Expected>,
    held: VecDeque<(Vec<u8>, Expected)>,
}

impl Pipeline {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a command behind all others. It is sent by `release`.
    pub(super) fn push(&mut self, line: Vec<u8>, expected: Expected) {
        self.held.push_back((line, expected));
    }

    /// Notes that something was sent already.
    pub(super) fn expect(&mut self, expected: Expected) {
        self.outstanding.push_back(expected);
    }

    /// Notes that the same content will be answered once more.
    pub(super) fn expect_again(&mut self, expected: Expected) {
        self.outstanding.push_front(expected);
    }

    /// Moves the commands that may go out now to `out`.
    pub(super) fn release(&mut self, pipelining: bool, out: &mut Vec<u8>) {
        while self.may_send(pipelining)
            && let Some((line, expected)) = self.held.pop_front()
        {
            out.extend_from_slice(&line);
            self.outstanding.push_back(expected);
        }
    }

    /// A reply has come: what does it answer? `None`: nothing.
    pub(super) fn answered(&mut self) -> Option<Expected> {
        self.outstanding.pop_front()
    }

    /// Takes back a DATA that was not sent. Returns whether there was one.
    pub(super) fn withdraw_data(&mut self) -> bool {
        let before = self.held.len();
        self.held
            .retain(|(_, expected)| *expected != Expected::Data);
        self.held.len() < before
    }

    /// The transaction is over: what was not sent of it never will be, and what is answered of it
    /// does not matter, but for DATA.
    pub(super) fn give_up(&mut self, data: Expected) {
        self.held
            .retain(|(_, expected)| !expected.is_of_transaction());
        for expected in &mut self.outstanding {
            if *expected == Expected::Data {
                *expected = data;
            } else if expected.is_of_transaction() {
                *expected = Expected::GivenUp;
            }
        }
    }

    /// Whether the answer to the content is outstanding.
    pub(super) fn awaits_final(&self) -> bool {
        self.outstanding.contains(&Expected::Final)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.outstanding.is_empty() && self.held.is_empty()
    }

    /// What the first outstanding reply answers.
    pub(super) fn stage(&self) -> Option<Stage> {
        self.outstanding.front().map(|expected| expected.stage())
    }

    fn may_send(&self, pipelining: bool) -> bool {
        match self.outstanding.back() {
            None => true,
            Some(last) => {
                pipelining && !last.ends_group() && self.outstanding.len() < PIPELINED_COMMANDS_MAX
            }
        }
    }
}

impl Expected {
    /// RFC 2920 section 3.1: these commands must be the last of a group.
    fn ends_group(self) -> bool {
        !matches!(
            self,
            Self::Mail | Self::Rcpt(_) | Self::Chunk | Self::Reset | Self::OwnReset | Self::GivenUp
        )
    }

    fn is_of_transaction(self) -> bool {
        matches!(
            self,
            Self::Mail | Self::Rcpt(_) | Self::Data | Self::Chunk | Self::Final
        )
    }

    pub(super) fn stage(self) -> Stage {
        match self {
            Self::Banner => Stage::Banner,
            Self::Ehlo | Self::Helo => Stage::Ehlo,
            Self::StartTls => Stage::StartTls,
            Self::Auth(_) => Stage::Auth,
            Self::Mail | Self::GivenUp => Stage::Mail,
            Self::Rcpt(_) => Stage::Rcpt,
            Self::Data | Self::DataWithoutMail | Self::DataGivenUp => Stage::Data,
            Self::Chunk => Stage::Content,
            Self::Final | Self::EmptyContent | Self::EmptyContentGivenUp => Stage::Final,
            Self::Reset | Self::OwnReset => Stage::Reset,
            Self::Quit => Stage::Quit,
        }
    }
}
