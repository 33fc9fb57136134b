//! What can go wrong on the way to a nexthop, and the one table that maps it to an enhanced status code (RFC 3463).
//!
//! A refusal by the nexthop is not a fault: it is its reply, and is passed on.

use std::fmt;
use std::io;

use net::tls::TlsFault;
use smtp::client::Stage;
use smtp::{Class, Reply, Status};

/// The step that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Resolving the nexthop's name.
    Resolve,
    /// Making the connection.
    Connect,
    /// Waiting for the banner.
    Banner,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS and the handshake.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA or the first BDAT.
    Data,
    /// Sending the content.
    Content,
    /// Waiting for the reply to the end of data.
    Final,
}

impl Step {
    /// The step of a session that is not open yet.
    pub(super) fn of_opening(stage: Stage) -> Step {
        match stage {
            Stage::Banner => Step::Banner,
            Stage::StartTls => Step::Tls,
            Stage::Auth => Step::Auth,
            _ => Step::Hello,
        }
    }

    /// What was under way, in words.
    pub fn words(self) -> &'static str {
        match self {
            Step::Resolve => "resolving its name",
            Step::Connect => "connecting",
            Step::Banner => "waiting for its banner",
            Step::Hello => "EHLO",
            Step::Tls => "STARTTLS",
            Step::Auth => "AUTH",
            Step::Mail => "MAIL",
            Step::Rcpt => "RCPT",
            Step::Data => "DATA",
            Step::Content => "sending the content",
            Step::Final => "waiting for the reply to the end of data",
        }
    }
}

/// A nexthop that could not be used.
#[derive(Debug)]
pub struct Fault {
    /// The nexthop, as configured, with the address tried.
    pub nexthop: String,
    /// The step that failed.
    pub step: Step,
    /// What happened.
    pub cause: Cause,
    /// The peer's own words, where it said any.
    pub reply: Option<Reply>,
}

/// What happened.
#[derive(Debug)]
pub enum Cause {
    /// The name has no address, or DNS failed.
    Dns(String),
    /// There is no way to any of its addresses from here.
    Unroutable(String),
    /// The recipient domain can get no messages, now or later.
    Undeliverable(Undeliverable),
    /// The system's word: no route, refused, reset.
    Io(io::Error),
    /// No answer within the time of RFC 5321 4.5.3.2 or the configured one, in seconds.
    Timeout(u64),
    /// The peer closed the connection.
    Closed,
    /// The peer said what SMTP does not allow there.
    Protocol(String),
    /// The peer refused to talk to us: its banner or its reply to EHLO or AUTH.
    Refused(String),
    /// TLS is required and could not be had.
    Tls(String),
    /// TLS is required, and the peer does not offer STARTTLS.
    NoStartTls,
    /// The TLS handshake failed, or the peer did not prove who it is.
    Handshake {
        /// What was wrong.
        kind: TlsFault,
        /// In words.
        detail: String,
    },
    /// A record or policy of the recipients' domain keeps the message from this server (RFC 7672, RFC 8461).
    TlsPolicy(String),
    /// The message needs REQUIRETLS (RFC 8689), which this server can't be asked for.
    RequireTls(String),
    /// It failed a moment ago and is left alone for a while.
    BackOff(String),
    /// The message could not be written on this node.
    Store(io::Error),
}

/// Why a recipient domain can get no messages: what its owner has to mend, and waiting does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undeliverable {
    /// The domain does not exist.
    NoSuchDomain,
    /// It says that it takes no messages (RFC 7505).
    NullMx,
    /// None of its mail exchangers, or of its own addresses, can be used; the words say why.
    NoHost(String),
    /// Its most preferred mail exchanger is this node, which does not know it (RFC 5321 5.1).
    Loop(String),
}

impl fmt::Display for Undeliverable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undeliverable::NoSuchDomain => f.write_str("the domain does not exist"),
            Undeliverable::NullMx => f.write_str("the domain takes no messages (null MX)"),
            Undeliverable::NoHost(detail) | Undeliverable::Loop(detail) => f.write_str(detail),
        }
    }
}

impl Fault {
    /// A fault of `nexthop` at `step`.
    pub fn new(nexthop: impl Into<String>, step: Step, cause: Cause) -> Fault {
        Fault {
            nexthop: nexthop.into(),
            step,
            cause,
            reply: None,
        }
    }

    /// Whether trying again is vain: what a domain says of itself proves that, and a server that lacks REQUIRETLS.
    pub fn is_permanent(&self) -> bool {
        self.status().class == Class::Permanent
    }

    /// The enhanced status code that tells it: the server's own where it asked for patience with one, which is more exact than
    /// ours.
    pub fn status(&self) -> Status {
        let said = self.reply.as_ref().and_then(Reply::status);
        if let Some(status) = said.filter(|status| status.class == Class::Transient) {
            return status;
        }
        let (subject, detail) = match (&self.cause, self.step) {
            (Cause::Undeliverable(why), _) => match why {
                // 5.1.2: bad destination system; 5.4.4: unable to route; 5.4.6: routing loop (RFC 3463 3.2, 3.5); 5.1.10:
                // RFC 7505 4.2.
                Undeliverable::NoSuchDomain => (1, 2),
                Undeliverable::NullMx => (1, 10),
                Undeliverable::NoHost(_) => (4, 4),
                Undeliverable::Loop(_) => (4, 6),
            },
            (Cause::Unroutable(_), _) => (4, 4),
            // 4.4.3: directory server failure; 4.4.1: no answer from host; 4.4.2: bad connection (RFC 3463 3.5).
            (Cause::Dns(_), _) => (4, 3),
            (Cause::Store(_), _) => (3, 0),
            // 4.7.5: cryptographic failure; 4.7.0: other or undefined security status (RFC 3463 3.8).
            (Cause::Tls(_) | Cause::NoStartTls | Cause::Handshake { .. }, _)
            | (Cause::Refused(_), Step::Tls) => (7, 5),
            (Cause::TlsPolicy(_), _) => (7, 0),
            // RFC 8689 4.2.1: it is of no use to wait for what a server does not support.
            (Cause::RequireTls(_), _) => return Status::REQUIRETLS_NEEDED,
            (Cause::Protocol(_), _) => (5, 0),
            (_, Step::Resolve | Step::Connect | Step::Banner | Step::Hello)
            | (Cause::BackOff(_), _) => (4, 1),
            (Cause::Io(_) | Cause::Timeout(_) | Cause::Closed | Cause::Refused(_), _) => (4, 2),
        };
        Status {
            class: if matches!(self.cause, Cause::Undeliverable(_)) {
                Class::Permanent
            } else {
                Class::Transient
            },
            subject,
            detail,
        }
    }

    /// Whether TLS is what is wrong: it can't be had, or the server does not prove what it must.
    pub fn is_of_security(&self) -> bool {
        let is_of_tls = matches!(
            self.cause,
            Cause::Tls(_)
                | Cause::NoStartTls
                | Cause::Handshake { .. }
                | Cause::TlsPolicy(_)
                | Cause::RequireTls(_)
        );
        // TLSA records that can't be known.
        is_of_tls || self.step == Step::Tls && matches!(self.cause, Cause::Dns(_))
    }

    /// True if the nexthop may have taken the message although its reply never came, or came as something that is none: a
    /// repetition may follow.
    pub fn reply_lost(&self) -> bool {
        self.step == Step::Final
            && matches!(
                self.cause,
                Cause::Io(_) | Cause::Timeout(_) | Cause::Closed | Cause::Protocol(_)
            )
    }

    /// The refusal with which the nexthop broke off the content: it answers the message, whatever became of the connection
    /// after it. A 421 speaks of the connection only (RFC 5321 3.8).
    pub fn refusal_of_content(&self) -> Option<&Reply> {
        let reply = self.reply.as_ref().filter(|_| self.step == Step::Content)?;
        (reply.code() >= 400 && reply.code() != 421).then_some(reply)
    }

    /// Step and cause, for where the nexthop has been named already.
    pub fn what_happened(&self) -> WhatHappened<'_> {
        WhatHappened(self)
    }
}

/// A fault without the name of its nexthop, in words.
#[derive(Debug)]
pub struct WhatHappened<'f>(&'f Fault);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nexthop {}, {}", self.nexthop, self.what_happened())
    }
}

impl fmt::Display for WhatHappened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.0;
        if let Cause::BackOff(detail) = &fault.cause {
            return write!(f, "left alone for a while after {detail}");
        }
        if let Cause::Undeliverable(why) = &fault.cause {
            return write!(f, "{why}");
        }
        write!(f, "{}: ", fault.step.words())?;
        match &fault.cause {
            Cause::Dns(detail) => write!(f, "DNS: {detail}"),
            Cause::Unroutable(detail) => f.write_str(detail),
            Cause::Undeliverable(why) => write!(f, "{why}"),
            Cause::Io(error) => write!(f, "{error}"),
            Cause::Timeout(seconds) => write!(f, "no answer within {seconds} s"),
            Cause::Closed => f.write_str("the connection was closed"),
            Cause::Protocol(detail) => write!(f, "unexpected answer: {detail}"),
            Cause::Refused(reply) => write!(f, "it refused: {reply}"),
            Cause::Tls(detail) | Cause::TlsPolicy(detail) => write!(f, "TLS: {detail}"),
            Cause::NoStartTls => f.write_str("TLS: it does not offer STARTTLS, which is required"),
            Cause::Handshake { detail, .. } => f.write_str(detail),
            Cause::RequireTls(detail) => write!(f, "REQUIRETLS: {detail}"),
            Cause::BackOff(detail) => f.write_str(detail),
            Cause::Store(error) => write!(f, "storing: {error}"),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests;
