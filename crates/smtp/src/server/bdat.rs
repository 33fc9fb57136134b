//! Chunks of mail data (RFC 3030 2): counted, not dotted.
//!
//! A chunk that is refused is read all the same, since its bytes must not be taken for commands;
//! its reply comes behind it. A transaction in which a chunk was refused is over: what still
//! belongs to it is refused with 503 until RSET or EHLO.

use super::data::Piece;
use super::order::State;
use super::{Asked, Session, Stage, Step, replies};
use crate::command::{self, Chunk, Verb};
use crate::limits::EXCESS_BYTES_MAX;
use crate::reply::Reply;
use crate::server::request::{CloseReason, Defect, Request};

impl Session {
    /// BDAT where it may come.
    pub(super) fn bdat<'a>(&mut self, argument: &str) -> Option<Step<'a>> {
        let Chunk { size, last } = match command::bdat(argument) {
            Ok(chunk) => chunk,
            Err(error) => {
                // How much follows cannot be known, so the message cannot be whole.
                self.state = State::BdatFailed;
                return self.refuse_command(Verb::Bdat, replies::of_error(error));
            }
        };
        if self.state == State::Bdat {
            self.begin_chunk(size, last);
            return None;
        }
        self.asked = Asked::Bdat { size, last };
        Some(Step::Request(Request::Data))
    }

    /// BDAT where it must not come: the chunk is there nevertheless.
    pub(super) fn misplaced_bdat<'a>(
        &mut self,
        argument: &str,
        refusal: replies::Fixed,
        counts: bool,
    ) -> Option<Step<'a>> {
        let Ok(chunk) = command::bdat(argument) else {
            return self.refuse_command(Verb::Bdat, replies::BAD_ARGUMENT);
        };
        if counts && self.count_bad_command() {
            return None;
        }
        self.last_refused = Some((Verb::Bdat, refusal.code));
        self.refuse_chunk(chunk.size, refusal.to_reply());
        None
    }

    pub(super) fn begin_chunk(&mut self, size: u64, last: bool) {
        self.state = State::Bdat;
        // No use in keeping the beginning of what is known to exceed the limit.
        if size
            > self
                .settings
                .message_size_max
                .saturating_sub(self.decoder.bytes())
        {
            self.decoder.refuse(Defect::TooLarge);
        }
        self.stage = Stage::Chunk {
            remaining: size,
            size,
            last,
        };
    }

    pub(super) fn refuse_chunk(&mut self, size: u64, reply: Reply) {
        self.stage = Stage::RefusedChunk {
            remaining: size,
            reply: Box::new(reply),
        };
    }

    pub(super) fn read_chunk<'a>(&mut self, input: &mut &'a [u8]) -> Option<Step<'a>> {
        let Stage::Chunk {
            remaining,
            size,
            last,
        } = self.stage
        else {
            return None;
        };
        let bounds = self.settings.bounds();
        let (mut chunk, _) = split(input, remaining);
        let available = chunk.len();
        let piece = self.decoder.next(&mut chunk, bounds);
        let used = available - chunk.len();
        *input = input.get(used..).unwrap_or_default();
        let remaining = remaining - used as u64;
        self.stage = Stage::Chunk {
            remaining,
            size,
            last,
        };
        match piece {
            Piece::Content(content) => Some(Step::Content(content)),
            Piece::TooMuch => self.too_much_data(),
            Piece::More | Piece::End if remaining > 0 => Some(Step::Read),
            Piece::More | Piece::End => self.end_chunk(size, last),
        }
    }

    fn end_chunk<'a>(&mut self, size: u64, last: bool) -> Option<Step<'a>> {
        let due = if last {
            self.decoder.finish(self.settings.bounds())
        } else {
            None
        };
        if last || self.decoder.defect().is_some() {
            self.stage = Stage::ContentEnd { last };
        } else {
            self.stage = Stage::Command;
            let text = format!("{size} octets received");
            self.relay(&Reply::new(250, crate::status::Status::OK, text));
        }
        due.map(Step::Content)
    }

    pub(super) fn skip_chunk<'a>(&mut self, input: &mut &'a [u8]) -> Option<Step<'a>> {
        let Stage::RefusedChunk { remaining, reply } = &mut self.stage else {
            return None;
        };
        if *remaining > EXCESS_BYTES_MAX {
            // It would never be read to its end: do not even begin.
            self.say(replies::TOO_MUCH_DATA);
            self.close(CloseReason::TooMuchData);
            return None;
        }
        let (chunk, rest) = split(input, *remaining);
        *remaining -= chunk.len() as u64;
        *input = rest;
        if *remaining > 0 {
            return Some(Step::Read);
        }
        let reply = reply.clone();
        self.relay(&reply);
        self.stage = Stage::Command;
        None
    }
}

/// The part of the input that belongs to a chunk, and what follows.
fn split(input: &[u8], chunk_bytes: u64) -> (&[u8], &[u8]) {
    let chunk_bytes = usize::try_from(chunk_bytes).unwrap_or(usize::MAX);
    input.split_at(chunk_bytes.min(input.len()))
}
