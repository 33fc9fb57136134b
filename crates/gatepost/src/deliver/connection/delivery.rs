//! One transaction with all its recipients at once: MAIL, each RCPT and DATA in one write where the peer takes it (RFC 2920),
//! then the content, then the reply or, for LMTP (RFC 2033 4.2), the replies.
//!
//! What a reply means for a recipient is not decided here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smtp::client::{Event, Protocol, Unsupported};
use smtp::{ForwardPath, MailParameters, RcptParameters, Reply, ReversePath};
use tokio::time::Instant;

use super::{Cause, Connection, Fault, Step};
use crate::config::NexthopTimeouts;

/// Nobody is held to a rate before this: connections begin slowly.
const FLOOR_GRACE: Duration = Duration::from_secs(60);

/// A message that goes out of the queue.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The reverse-path.
    pub reverse_path: &'a ReversePath,
    /// What came with MAIL.
    pub mail: &'a MailParameters,
    /// The message as it goes out.
    pub content: &'a Bytes,
    /// Whether it holds any byte beyond ASCII.
    pub eight_bit: bool,
}

/// What became of one recipient in a transaction.
#[derive(Clone, Debug)]
pub enum Answered {
    /// The peer's word: at this step, to the transaction or to the recipient.
    Reply(Step, Reply),
    /// The recipient needs what the peer lacks; it was not named.
    Unsupported(Unsupported),
    /// The peer takes no more recipients in one transaction (RFC 9422 4.2); it was not named.
    Unnamed,
    /// The connection failed before the peer's word came.
    Lost(Arc<Fault>),
}

impl Connection {
    /// Sends a message to its recipients: one answer for each, in their order.
    ///
    /// # Errors
    /// The peer lacks what the message needs. Nothing was sent.
    pub async fn deliver(
        &mut self,
        outgoing: Outgoing<'_>,
        recipients: &[(&ForwardPath, &RcptParameters)],
    ) -> Result<Vec<Answered>, Unsupported> {
        let mut envelope = self.begin_all(outgoing, recipients)?;
        if let Err(fault) = self.converse(outgoing, &mut envelope).await {
            let fault = Arc::new(fault);
            for answer in &mut envelope.answers {
                answer.get_or_insert_with(|| Answered::Lost(Arc::clone(&fault)));
            }
        }
        let answers = envelope.answers.into_iter();
        Ok(answers
            .map(|answer| answer.unwrap_or(Answered::Unnamed))
            .collect())
    }

    /// Queues the commands of the envelope, and DATA.
    fn begin_all(
        &mut self,
        outgoing: Outgoing<'_>,
        recipients: &[(&ForwardPath, &RcptParameters)],
    ) -> Result<Envelope, Unsupported> {
        self.takes(outgoing.mail, outgoing.eight_bit)?;
        let session = &mut self.wire.session;
        let mut mail = outgoing.mail.clone();
        // RFC 1870 6.1: what is declared is what will be sent, our own fields included.
        mail.size = u64::try_from(outgoing.content.len()).ok();
        if !session.capabilities().eight_bit_mime {
            mail.body = None;
        }
        session.mail(outgoing.reverse_path, &mail)?;
        self.transactions += 1;
        let most = session.capabilities().rcpt_max;
        let most = most.map_or(usize::MAX, |most| most as usize).max(1);
        let mut envelope = Envelope {
            answers: vec![None; recipients.len()],
            named: Vec::with_capacity(recipients.len()),
        };
        for (place, (forward_path, parameters)) in recipients.iter().enumerate() {
            if envelope.named.len() >= most {
                break;
            }
            match session.rcpt(forward_path, parameters) {
                Ok(()) => envelope.named.push(place),
                Err(unsupported) => {
                    envelope.answer(place, Answered::Unsupported(unsupported));
                }
            }
        }
        if !envelope.named.is_empty() {
            session.data();
        }
        Ok(envelope)
    }

    /// Reads the answers, and sends the content once it is asked for.
    async fn converse(
        &mut self,
        outgoing: Outgoing<'_>,
        envelope: &mut Envelope,
    ) -> Result<(), Fault> {
        let timeouts = self.manner.timeouts;
        let mut step = Step::Mail;
        // Each step has its own time, and all together have one: nobody holds us with thousands of answers just in time.
        let mut deadline = Deadline::new(timeouts.envelope);
        if envelope.named.is_empty() {
            self.reset().await;
            return Ok(());
        }
        loop {
            let limit = match step {
                Step::Data => timeouts.data,
                Step::Final => timeouts.end,
                _ => timeouts.command,
            };
            let event = self.wire.event(step, deadline.limit(limit)).await;
            match event.map_err(|fault| deadline.told(fault))? {
                Event::Mail(reply) if reply.is_positive() => step = Step::Rcpt,
                Event::Mail(reply) => {
                    envelope.answer_rest(Step::Mail, &reply);
                    // The replies to what was sent along with MAIL are still to come.
                    self.reset().await;
                    return Ok(());
                }
                Event::Rcpt(index, reply) => {
                    let last = index + 1 == envelope.named.len();
                    if !reply.is_positive() {
                        envelope.answer_named(index, Answered::Reply(Step::Rcpt, reply));
                    }
                    if last {
                        step = Step::Data;
                    }
                }
                Event::NoRecipients => return Ok(()),
                Event::Data(reply) if reply.code() == 354 => {
                    let content = std::iter::once(&outgoing.content[..]);
                    if let Err(fault) = self.send_content(content).await {
                        let reply = fault.refusal_of_content().cloned().ok_or(fault)?;
                        envelope.answer_rest(Step::Content, &reply);
                        return Ok(());
                    }
                    step = Step::Final;
                    deadline = Deadline::new(timeouts.end.saturating_add(timeouts.envelope));
                }
                Event::Data(reply) if !reply.is_positive() => {
                    envelope.answer_rest(Step::Data, &reply);
                    return Ok(());
                }
                Event::Final(reply) => {
                    envelope.answer_rest(Step::Final, &reply);
                    return Ok(());
                }
                Event::FinalRecipient(index, reply) => {
                    envelope.answer_named(index, Answered::Reply(Step::Final, reply));
                    if envelope.is_answered() {
                        return Ok(());
                    }
                }
                other => return Err(self.wire.unexpected(step, &other)),
            }
        }
    }

    /// Sends content in pieces, and its end.
    pub(super) async fn send_content<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Fault> {
        let timeouts = self.manner.timeouts;
        let mut pace = Pace::new(&timeouts);
        for chunk in slices.flat_map(|slice| slice.chunks(super::CONTENT_CHUNK_BYTES)) {
            self.wire.session.content(chunk);
            let waiting = self.wire.session.output().len();
            if waiting >= super::CONTENT_CHUNK_BYTES {
                let deadline = pace.deadline(waiting);
                let limit = deadline.limit(timeouts.block);
                if let Err(fault) = self.wire.flush(Step::Content, limit).await {
                    return Err(deadline.told(self.wire.said_before(fault).await));
                }
            }
        }
        self.wire.nothing_early()?;
        self.wire.session.end();
        Ok(())
    }

    /// The reply to the content, or for LMTP one for each recipient that was accepted, as far as they came.
    pub(super) async fn final_replies(&mut self, accepted: usize) -> Transferred {
        let expected = match self.manner.protocol {
            Protocol::Smtp => 1,
            Protocol::Lmtp => accepted,
        };
        let mut replies = Vec::with_capacity(expected);
        while replies.len() < expected {
            let event = self.wire.event(Step::Final, self.manner.timeouts.end).await;
            let fault = match event {
                Ok(Event::Final(reply) | Event::FinalRecipient(_, reply)) => {
                    replies.push(reply);
                    continue;
                }
                Ok(other) => self.wire.unexpected(Step::Final, &other),
                Err(fault) => fault,
            };
            return Transferred {
                replies,
                lost: Some(fault),
            };
        }
        Transferred {
            replies,
            lost: None,
        }
    }
}

/// An end that several steps have in common.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    whole: Duration,
}

impl Deadline {
    fn new(whole: Duration) -> Deadline {
        Deadline {
            at: Instant::now() + whole,
            whole,
        }
    }

    /// How long a step may take that has this time of its own.
    fn limit(self, own: Duration) -> Duration {
        own.min(self.at.saturating_duration_since(Instant::now()))
    }

    /// A step that ran into it is told with the time that was used up in fact.
    fn told(self, mut fault: Fault) -> Fault {
        if let Cause::Timeout(seconds) = &mut fault.cause
            && Instant::now() >= self.at
        {
            *seconds = self.whole.as_secs();
        }
        fault
    }
}

/// How fast the content goes.
struct Pace {
    since: Instant,
    bytes: u64,
    floor: u64,
    grace: Duration,
}

impl Pace {
    fn new(timeouts: &NexthopTimeouts) -> Pace {
        Pace {
            since: Instant::now(),
            bytes: 0,
            floor: timeouts.bytes_per_second_min,
            grace: FLOOR_GRACE.min(timeouts.block),
        }
    }

    /// By when the peer must have taken so many more bytes.
    fn deadline(&mut self, more: usize) -> Deadline {
        self.bytes = self.bytes.saturating_add(more as u64);
        // No floor is a year, which is as good as none.
        let seconds = self.bytes.checked_div(self.floor).unwrap_or(31_536_000);
        let whole = self.grace + Duration::from_secs(seconds);
        Deadline {
            at: self.since + whole,
            whole,
        }
    }
}

/// The replies to a message.
pub struct Transferred {
    /// One, or for LMTP one for each accepted recipient in their order.
    pub replies: Vec<Reply>,
    /// Why those that are missing did not come.
    pub lost: Option<Fault>,
}

/// The recipients of a transaction in progress.
struct Envelope {
    /// What became of each, as far as it is known.
    answers: Vec<Option<Answered>>,
    /// The places of those that were named with RCPT.
    named: Vec<usize>,
}

impl Envelope {
    fn answer(&mut self, place: usize, answer: Answered) {
        if let Some(slot) = self.answers.get_mut(place) {
            slot.get_or_insert(answer);
        }
    }

    fn answer_named(&mut self, index: usize, answer: Answered) {
        if let Some(&place) = self.named.get(index) {
            self.answer(place, answer);
        }
    }

    /// One reply for all that were named and have none yet.
    fn answer_rest(&mut self, step: Step, reply: &Reply) {
        for index in 0..self.named.len() {
            self.answer_named(index, Answered::Reply(step, reply.clone()));
        }
    }

    fn is_answered(&self) -> bool {
        let answer = |place: &usize| self.answers.get(*place).is_some_and(Option::is_some);
        self.named.iter().all(answer)
    }
}

#[cfg(test)]
mod tests;
