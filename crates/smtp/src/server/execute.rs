//! What each command does once its line is complete: check of order, of arguments, of limits, then
//! an effect of its own or a request to the caller.

use super::auth::Exchange;
use super::line::Line;
use super::order::{Permission, State, permission};
use super::replies::{self, Fixed};
use super::{Asked, AuthOffer, Session, Stage, Step};
use crate::command::{self, CommandLine, Verb};
use crate::limits::{AUTH_FAILURES_MAX, EMPTY_TRANSACTIONS_MAX, IDLE_COMMANDS_MAX};
use crate::server::request::{CloseReason, Ehlo, Request};

/// The first byte of a TLS record that carries a handshake (RFC 8446 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

impl Session {
    pub(super) fn read_line<'a>(&mut self, input: &mut &'a [u8]) -> Option<Step<'a>> {
        if self.untouched && self.line.is_empty() && input.first() == Some(&TLS_HANDSHAKE) {
            return self.give_up(replies::FOREIGN_PROTOCOL, CloseReason::ForeignProtocol);
        }
        let line = match self.line.next(input) {
            Line::More => return Some(Step::Read),
            Line::Endless => return self.give_up(replies::ENDLESS_LINE, CloseReason::TooMuchData),
            Line::TooLong if matches!(self.stage, Stage::Auth(_)) => {
                self.stage = Stage::Command;
                return self.refuse_command(Verb::Auth, replies::AUTH_LINE_TOO_LONG);
            }
            Line::TooLong => return self.refuse_command(Verb::Unknown, replies::LINE_TOO_LONG),
            Line::Complete(line) => line,
        };
        if let Stage::Auth(exchange) = &mut self.stage {
            let exchange = std::mem::replace(&mut **exchange, Exchange::Plain);
            self.stage = Stage::Command;
            return self.continue_auth(exchange, &line);
        }
        if std::mem::take(&mut self.untouched) && command::is_http_request(&line) {
            return self.give_up(replies::FOREIGN_PROTOCOL, CloseReason::ForeignProtocol);
        }
        match CommandLine::parse(&line) {
            Ok(CommandLine { verb, argument }) => self.execute(verb, argument, input),
            Err(error) => self.refuse_command(Verb::Unknown, replies::of_error(error)),
        }
    }

    fn execute<'a>(
        &mut self,
        verb: Verb,
        argument: &str,
        input: &mut &'a [u8],
    ) -> Option<Step<'a>> {
        if verb == Verb::Bdat && !self.settings.chunking {
            return self.refuse_command(verb, replies::NOT_OFFERED);
        }
        let refused = match permission(self.state, verb) {
            Permission::Proceed => None,
            Permission::Refuse(reply) => Some((reply, true)),
            Permission::RefuseInSequence(reply) => Some((reply, !self.follows_refusal())),
        };
        if let Some((reply, counts)) = refused {
            if verb == Verb::Bdat {
                return self.misplaced_bdat(argument, reply, counts);
            }
            if counts {
                return self.refuse_command(verb, reply);
            }
            self.last_refused = Some((verb, reply.code));
            self.say(reply);
            return None;
        }
        if is_idle(verb) {
            self.counts.idle_commands += 1;
            if self.counts.idle_commands > IDLE_COMMANDS_MAX {
                return self.give_up(replies::TOO_MANY_COMMANDS, CloseReason::TooManyCommands);
            }
        }
        match verb {
            Verb::Ehlo | Verb::Helo => self.ehlo(verb, argument),
            Verb::Mail => self.mail(argument),
            Verb::Rcpt => self.rcpt(argument),
            Verb::Data => self.alone(verb, argument, Session::data),
            Verb::Bdat => self.bdat(argument),
            Verb::Rset => self.alone(verb, argument, Session::rset),
            Verb::Noop => self.reply_only(replies::OK),
            Verb::Help => self.reply_only(replies::HELP),
            Verb::Vrfy => self.vrfy(argument),
            Verb::Expn => self.refuse_command(verb, replies::NOT_OFFERED),
            Verb::Quit => self.alone(verb, argument, Session::quit),
            Verb::StartTls => self.starttls(argument, input),
            Verb::Auth => self.auth(argument),
            Verb::Xclient => self.xclient(argument),
            Verb::Unknown => self.refuse_command(verb, replies::UNKNOWN_COMMAND),
        }
    }

    fn ehlo<'a>(&mut self, verb: Verb, argument: &str) -> Option<Step<'a>> {
        let name = match command::hello(argument) {
            Ok(name) => name.to_owned(),
            Err(error) => return self.refuse_command(verb, replies::of_error(error)),
        };
        let extended = verb == Verb::Ehlo;
        self.asked = Asked::Ehlo { extended };
        Some(Step::Request(Request::Ehlo(Ehlo { name, extended })))
    }

    fn mail<'a>(&mut self, argument: &str) -> Option<Step<'a>> {
        self.counts.mail_refused = true;
        if self.counts.transactions >= self.settings.transactions_max {
            return self.give_up(replies::TOO_MANY_TRANSACTIONS, CloseReason::TooManyCommands);
        }
        let (path, parameters) = match command::mail(argument, self.settings.offered(self.tls)) {
            Ok(mail) => mail,
            Err(error) => return self.refuse_command(Verb::Mail, replies::of_error(error)),
        };
        // RFC 1870 6.1.
        if parameters.size > Some(self.settings.message_size_max) {
            self.last_refused = Some((Verb::Mail, replies::SIZE_TOO_LARGE.code));
            self.say(replies::SIZE_TOO_LARGE);
            return None;
        }
        self.asked = Asked::Mail {
            smtputf8: parameters.smtputf8,
            prdr: parameters.prdr,
        };
        Some(Step::Request(Request::Mail(path, parameters)))
    }

    fn rcpt<'a>(&mut self, argument: &str) -> Option<Step<'a>> {
        let smtputf8 = self.transaction.smtputf8;
        let (path, parameters) =
            match command::rcpt(argument, self.settings.offered(self.tls), smtputf8) {
                Ok(rcpt) => rcpt,
                Err(error) => {
                    self.count_refused_recipient();
                    return self.refuse_command(Verb::Rcpt, replies::of_error(error));
                }
            };
        // RFC 5321 4.5.3.1.10: the client sends the rest in another transaction.
        if self.recipients() >= self.settings.recipients_max {
            self.last_refused = Some((Verb::Rcpt, replies::TOO_MANY_RECIPIENTS.code));
            self.say(replies::TOO_MANY_RECIPIENTS);
            return None;
        }
        self.asked = Asked::Rcpt;
        Some(Step::Request(Request::Rcpt(path, parameters)))
    }

    fn data<'a>(&mut self) -> Option<Step<'a>> {
        self.asked = Asked::Data;
        Some(Step::Request(Request::Data))
    }

    /// RFC 5321 4.1.1.5. With no transaction in progress it is a NOOP.
    fn rset<'a>(&mut self) -> Option<Step<'a>> {
        self.counts.mail_refused = false;
        if self.abort_transaction(State::Ready) {
            return None;
        }
        self.reply_only(replies::OK)
    }

    /// Ends the transaction in progress, if there is one, without mail data. Whether that was once
    /// too often and the session is closed.
    pub(super) fn abort_transaction(&mut self, state: State) -> bool {
        if !self.in_transaction() {
            return false;
        }
        self.end_transaction(state);
        self.reset_due = true;
        self.counts.empty_transactions += 1;
        if self.counts.empty_transactions > EMPTY_TRANSACTIONS_MAX {
            self.say(replies::TOO_MANY_COMMANDS);
            self.close(CloseReason::TooManyCommands);
            return true;
        }
        false
    }

    fn vrfy<'a>(&mut self, argument: &str) -> Option<Step<'a>> {
        match command::vrfy(argument, self.settings.offered(self.tls)) {
            Ok(text) => {
                self.asked = Asked::Vrfy;
                Some(Step::Request(Request::Vrfy(text.to_owned())))
            }
            Err(error) => self.refuse_command(Verb::Vrfy, replies::of_error(error)),
        }
    }

    fn quit<'a>(&mut self) -> Option<Step<'a>> {
        self.give_up(replies::QUIT, CloseReason::Quit)
    }

    fn starttls<'a>(&mut self, argument: &str, input: &mut &'a [u8]) -> Option<Step<'a>> {
        if !self.settings.starttls {
            return self.refuse_command(Verb::StartTls, replies::NOT_OFFERED);
        }
        if self.tls {
            return self.refuse_command(Verb::StartTls, replies::TLS_ALREADY);
        }
        if let Err(error) = command::none(argument) {
            return self.refuse_command(Verb::StartTls, replies::of_error(error));
        }
        // RFC 3207 4.2 and CVE-2011-0411: nothing that came in clear is kept past this line.
        *input = &[];
        self.say(replies::START_TLS);
        self.stage = Stage::TlsHandshake;
        Some(Step::StartTls)
    }

    fn auth<'a>(&mut self, argument: &str) -> Option<Step<'a>> {
        let refusal = if self.settings.auth == AuthOffer::Never {
            Some(replies::NOT_OFFERED)
        } else if self.authenticated {
            Some(replies::AUTH_ALREADY)
        } else if !self.offers_auth() {
            Some(replies::AUTH_NEEDS_TLS)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.refuse_command(Verb::Auth, refusal);
        }
        if self.counts.auth_failures >= AUTH_FAILURES_MAX {
            return self.give_up(
                replies::TOO_MANY_AUTH_FAILURES,
                CloseReason::TooManyAuthFailures,
            );
        }
        match command::auth(argument) {
            Ok(argument) => self.begin_auth(argument),
            Err(error) => self.refuse_command(Verb::Auth, replies::of_error(error)),
        }
    }

    fn xclient<'a>(&mut self, argument: &str) -> Option<Step<'a>> {
        if !self.trust.xclient {
            return self.refuse_command(Verb::Xclient, replies::XCLIENT_UNTRUSTED);
        }
        match command::xclient(argument) {
            Ok(attributes) => {
                self.asked = Asked::Xclient;
                Some(Step::Request(Request::Xclient(attributes)))
            }
            Err(error) => self.refuse_command(Verb::Xclient, replies::of_error(error)),
        }
    }

    /// A command that takes no argument.
    fn alone<'a>(
        &mut self,
        verb: Verb,
        argument: &str,
        execute: impl FnOnce(&mut Session) -> Option<Step<'a>>,
    ) -> Option<Step<'a>> {
        match command::none(argument) {
            Ok(()) => execute(self),
            Err(error) => self.refuse_command(verb, replies::of_error(error)),
        }
    }

    fn reply_only<'a>(&mut self, reply: Fixed) -> Option<Step<'a>> {
        self.say(reply);
        None
    }

    /// Refuses a command that is the client's mistake.
    pub(super) fn refuse_command<'a>(&mut self, verb: Verb, reply: Fixed) -> Option<Step<'a>> {
        self.last_refused = Some((verb, reply.code));
        if !self.count_bad_command() {
            self.say(reply);
        }
        None
    }

    /// Counts a mistake. Whether it was one too many: then 421 is said and the session is over.
    pub(super) fn count_bad_command(&mut self) -> bool {
        self.counts.bad_commands = self.counts.bad_commands.saturating_add(1);
        let lately = self.counts.bad_commands_lately.saturating_add(1);
        self.counts.bad_commands_lately = lately;
        if lately <= self.settings.bad_commands_max {
            return false;
        }
        self.say(replies::TOO_MANY_ERRORS);
        self.close(CloseReason::TooManyErrors);
        true
    }

    pub(super) fn count_refused_recipient(&mut self) {
        let refused = self.transaction.refused_recipients;
        self.transaction.refused_recipients = refused.saturating_add(1);
    }

    /// The last word of a session.
    pub(super) fn give_up<'a>(&mut self, reply: Fixed, reason: CloseReason) -> Option<Step<'a>> {
        self.say(reply);
        self.close(reason);
        None
    }

    /// Whether a command that is out of order may merely have been pipelined behind one that was
    /// refused.
    fn follows_refusal(&self) -> bool {
        match self.state {
            State::Ready => self.counts.mail_refused,
            State::Mail => self.transaction.refused_recipients > 0,
            State::BdatFailed => true,
            _ => false,
        }
    }
}

/// Commands that lead to no message by themselves.
fn is_idle(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Ehlo | Verb::Helo | Verb::Rset | Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help
    )
}
