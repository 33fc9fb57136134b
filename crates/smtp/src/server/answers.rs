//! What an answer of the caller does: the reply that it becomes, and the state that follows.

use super::order::State;
use super::replies;
use super::{Asked, Session, Stage};
use crate::command::Verb;
use crate::limits::REFUSED_RECIPIENTS_MAX;
use crate::reply::{Reply, write_reply};
use crate::server::data::Decoder;
use crate::server::request::{Answer, CloseReason};

impl Session {
    /// Answers the request that [`next`](Session::next) has returned. Without one it is a mistake
    /// of the caller's and does nothing.
    pub fn answer(&mut self, answer: Answer) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        debug_assert!(asked != Asked::Nothing, "nothing was asked");
        let (reply, each) = match answer {
            Answer::Accept => (None, None),
            Answer::Reply(reply) => (Some(reply), None),
            Answer::Recipients { replies, last } => (Some(last), Some(replies)),
        };
        let accepted = reply.as_ref().is_none_or(Reply::is_positive);
        let closes = reply.as_ref().is_some_and(|reply| reply.code() == 421);
        if let (Some(reply), false) = (&reply, accepted) {
            self.last_refused = Some((verb_of(asked), reply.code()));
        }
        match asked {
            Asked::Nothing => return,
            Asked::End { last } => self.answer_end(reply, each, last),
            Asked::Bdat { size, last } => self.answer_bdat(reply, accepted, size, last),
            _ if accepted => self.accept(asked, reply),
            _ => self.decline(asked, reply),
        }
        if closes {
            self.close(CloseReason::Answered421);
        }
    }

    fn accept(&mut self, asked: Asked, reply: Option<Reply>) {
        match asked {
            Asked::Ehlo { extended } => return self.accept_ehlo(extended, reply),
            Asked::Xclient => {
                // Postfix XCLIENT_README: all begins anew with the banner, TLS excepted.
                self.end_transaction(State::Connected);
                self.authenticated = false;
                return self.banner();
            }
            Asked::Mail { smtputf8, prdr } => {
                self.end_transaction(State::Mail);
                self.transaction.smtputf8 = smtputf8;
                self.transaction.prdr = prdr;
                self.counts.transactions = self.counts.transactions.saturating_add(1);
                self.counts.mail_refused = false;
            }
            Asked::Rcpt => {
                self.state = State::Rcpt;
                self.transaction.recipients = self.transaction.recipients.saturating_add(1);
            }
            Asked::Data => {
                self.decoder = Decoder::with_dots();
                self.stage = Stage::Data;
            }
            Asked::Auth => self.authenticated = true,
            Asked::Nothing | Asked::Vrfy | Asked::Bdat { .. } | Asked::End { .. } => {}
        }
        let own = replies::of_acceptance(verb_of(asked));
        // A client would take 250 to DATA, or 354 to MAIL, for something else.
        let fits = |reply: &Reply| match asked {
            Asked::Data | Asked::Auth => reply.code() == own.code,
            _ => reply.code() / 100 == own.code / 100,
        };
        match reply {
            Some(reply) if fits(&reply) => self.relay(&reply),
            Some(reply) => {
                let status = reply.status().or(own.to_reply().status());
                self.relay(&Reply::new(own.code, status, reply.text()));
            }
            None => self.say(own),
        }
    }

    fn decline(&mut self, asked: Asked, reply: Option<Reply>) {
        let Some(reply) = reply else { return };
        match asked {
            Asked::Rcpt if reply.is_permanent() => {
                self.count_refused_recipient();
                if self.transaction.refused_recipients > REFUSED_RECIPIENTS_MAX {
                    self.say(replies::TOO_MANY_REFUSED);
                    return self.close(CloseReason::TooManyCommands);
                }
            }
            // Not counted against the client, but DATA without a recipient is to be expected.
            Asked::Rcpt => {
                let refused = &mut self.transaction.refused_recipients;
                *refused = (*refused).max(1);
            }
            Asked::Auth if reply.is_permanent() => {
                self.counts.auth_failures = self.counts.auth_failures.saturating_add(1);
            }
            _ => {}
        }
        self.relay(&reply);
    }

    /// RFC 5321 4.1.1.1 and 4.1.4: EHLO that is accepted ends a transaction.
    fn accept_ehlo(&mut self, extended: bool, reply: Option<Reply>) {
        self.counts.mail_refused = false;
        if self.abort_transaction(State::Ready) {
            return;
        }
        self.state = State::Ready;
        let greeting = match reply {
            Some(reply) => reply.text().replace('\n', " "),
            None => self.settings.hostname.clone(),
        };
        let extensions = if extended {
            self.extensions()
        } else {
            String::new()
        };
        // RFC 2034 4: no status in the answer to EHLO.
        write_reply(
            &mut self.output,
            250,
            None,
            &format!("{greeting}{extensions}"),
            false,
        );
    }

    fn answer_bdat(&mut self, reply: Option<Reply>, accepted: bool, size: u64, last: bool) {
        match reply {
            Some(reply) if !accepted => {
                self.state = State::BdatFailed;
                if reply.code() == 421 {
                    self.relay(&reply);
                } else {
                    self.refuse_chunk(size, reply);
                }
            }
            _ => {
                self.decoder = Decoder::default();
                self.begin_chunk(size, last);
            }
        }
    }

    /// The transaction is over, whatever the answer.
    fn answer_end(&mut self, reply: Option<Reply>, each: Option<Vec<Reply>>, last: bool) {
        let defect = self.decoder.defect().map(|d| d.reply(&self.settings));
        let reply = match (reply, defect) {
            (Some(reply), None) => reply,
            // What was dropped cannot be accepted, whatever the caller says.
            (Some(reply), Some(_)) if !reply.is_positive() => reply,
            (_, Some(defect)) => defect,
            (None, None) => replies::OK.to_reply(),
        };
        let reply = match reply.code() {
            300..=399 => Reply::new(250, reply.status(), reply.text()),
            _ => reply,
        };
        match each {
            Some(each) if self.transaction.prdr && self.decoder.defect().is_none() => {
                self.say_each(&each, &reply);
            }
            _ => self.relay(&reply),
        }
        if reply.is_positive() {
            self.counts.bad_commands_lately = 0;
        } else {
            self.last_refused = Some((Verb::Data, reply.code()));
        }
        self.counts.idle_commands = 0;
        self.counts.empty_transactions = 0;
        self.end_transaction(if last {
            State::Ready
        } else {
            State::BdatFailed
        });
    }

    /// PRDR (draft-hall-prdr-00): 353, one reply for each recipient, one for all.
    fn say_each(&mut self, each: &[Reply], last: &Reply) {
        if each.len() != self.recipients() {
            debug_assert!(false, "one reply for each recipient");
            return self.say(replies::INTERNAL);
        }
        self.say(replies::PRDR);
        for reply in each {
            self.relay(reply);
        }
        self.relay(last);
    }
}

/// The command that a request came from.
fn verb_of(asked: Asked) -> Verb {
    match asked {
        Asked::Nothing => Verb::Unknown,
        Asked::Ehlo { extended: true } => Verb::Ehlo,
        Asked::Ehlo { extended: false } => Verb::Helo,
        Asked::Auth => Verb::Auth,
        Asked::Xclient => Verb::Xclient,
        Asked::Mail { .. } => Verb::Mail,
        Asked::Rcpt => Verb::Rcpt,
        Asked::Data | Asked::End { .. } => Verb::Data,
        Asked::Bdat { .. } => Verb::Bdat,
        Asked::Vrfy => Verb::Vrfy,
    }
}
