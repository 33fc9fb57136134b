//! What the client session tells its driver: events, why a session failed, why a message cannot go
//! to this peer, and the stages of a session. What follows from them (retry, bounce, another
//! nexthop) is the driver's to decide.

use std::fmt;

use crate::reply::Reply;
use crate::status::Status;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The session is open: a transaction may begin. Comes once.
    Ready,
    /// The peer waits for the TLS handshake. All output is written by now; what the peer sends from
    /// here on belongs to TLS. Then call `tls_established`.
    StartTls,
    /// The answer to MAIL. If negative the transaction is over, and no event follows.
    Mail(Reply),
    /// The answer to the RCPT with this index, counted from 0 in the order of the calls.
    Rcpt(usize, Reply),
    /// The answer to DATA. 354: send the content now. Otherwise the transaction is over.
    ///
    /// Where BDAT is used there is no DATA to answer, and the session makes a 354 by itself once all
    /// recipients are answered, so that a driver needs no second way.
    Data(Reply),
    /// Content was wanted, but no recipient was accepted: the transaction is over.
    NoRecipients,
    /// The final dot has to travel apart from the content: write all output, wait a little (Postfix
    /// waits 10 seconds), then call `resume`.
    Pause,
    /// SMTP: the answer to the content. The transaction is over.
    Final(Reply),
    /// LMTP: the answer to the content for the RCPT with this index. There is one for each accepted
    /// recipient, in order; after the last the transaction is over.
    FinalRecipient(usize, Reply),
    /// The answer to the RSET of `reset`, always positive.
    Reset(Reply),
    /// The session was ended by `quit`: close the connection.
    Quit,
    /// The session cannot go on; a transaction that has not ended has failed. Comes once, and only
    /// `Quit` can follow, if the driver calls `quit`.
    Failed(Failure),
}

/// Why a session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer refused something that the session cannot do without.
    Refused {
        /// What was refused.
        stage: Stage,
        /// With these words.
        reply: Reply,
    },
    /// A reply that does not fit: 421 (the peer is closing, RFC 5321 section 3.8), a code that the
    /// command cannot have, or a reply to no command.
    Unexpected {
        /// What the session was waiting for.
        stage: Stage,
        /// What came.
        reply: Reply,
    },
    /// What the peer sent is not SMTP.
    Protocol(String),
    /// TLS is required, and the peer does not offer it.
    TlsNotOffered,
    /// Credentials may go over TLS only, and there is none.
    AuthNeedsTls,
    /// The peer offers neither PLAIN nor LOGIN.
    AuthNotOffered,
    /// The peer does not accept the credentials.
    AuthFailed(Reply),
    /// The peer closed the connection. After `Stage::Final` nobody knows whether it has the message.
    Closed(Stage),
    /// The driver gave a transaction up at a point from which only closing the connection leads back.
    Abandoned,
    /// The driver called a method out of order: a defect of the driver.
    Misuse(&'static str),
}

/// Where a session stands: what it is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The banner.
    Banner,
    /// The answer to EHLO, HELO or LHLO.
    Ehlo,
    /// The answer to STARTTLS, or the handshake.
    StartTls,
    /// An answer of the AUTH exchange.
    Auth,
    /// The driver: no command is outstanding.
    Idle,
    /// The answer to MAIL.
    Mail,
    /// The answer to RCPT.
    Rcpt,
    /// The answer to DATA.
    Data,
    /// The driver: content is being sent.
    Content,
    /// The answer to the content.
    Final,
    /// The answer to RSET.
    Reset,
    /// The answer to QUIT.
    Quit,
    /// Nothing any more.
    Ended,
}

/// Why a message cannot go to this peer as it is. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// It needs SMTPUTF8 (RFC 6531).
    SmtpUtf8,
    /// It needs 8BITMIME (RFC 6152). A driver may send it anyway by not declaring it.
    EightBitMime,
    /// It needs REQUIRETLS (RFC 8689).
    RequireTls,
    /// It is larger than what the peer takes (RFC 1870).
    Size {
        /// The most bytes that the peer takes.
        max: u64,
    },
}

impl Unsupported {
    /// The status of the failure.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::SmtpUtf8 => Status::NON_ASCII_ADDRESS,
            Self::EightBitMime => Status::CONVERSION_UNSUPPORTED,
            Self::RequireTls => Status::REQUIRETLS_NEEDED,
            Self::Size { .. } => Status::MESSAGE_TOO_BIG,
        }
    }
}

impl Failure {
    /// What the peer said, if the failure is a reply of its own.
    #[must_use]
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused { reply, .. }
            | Self::Unexpected { reply, .. }
            | Self::AuthFailed(reply) => Some(reply),
            _ => None,
        }
    }

    /// Whether both sides still agree on whose turn it is, so that QUIT can be said.
    pub(super) fn is_in_step(&self) -> bool {
        match self {
            Self::Refused { reply, .. } | Self::AuthFailed(reply) => reply.code() != 421,
            Self::TlsNotOffered | Self::AuthNeedsTls | Self::AuthNotOffered => true,
            _ => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { stage, reply } => write!(f, "refused at {stage}: {reply}"),
            Self::Unexpected { stage, reply } => write!(f, "unexpected reply at {stage}: {reply}"),
            Self::Protocol(what) => f.write_str(what),
            Self::TlsNotOffered => f.write_str("TLS is required but not offered"),
            Self::AuthNeedsTls => f.write_str("credentials go over TLS only, and there is none"),
            Self::AuthNotOffered => f.write_str("neither AUTH PLAIN nor AUTH LOGIN is offered"),
            Self::AuthFailed(reply) => write!(f, "authentication failed: {reply}"),
            Self::Closed(stage) => write!(f, "connection closed at {stage}"),
            Self::Abandoned => f.write_str("transaction given up, connection must be closed"),
            Self::Misuse(what) => write!(f, "client session misused: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banner => "banner",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Idle => "idle",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Content => "content",
            Self::Final => "end of data",
            Self::Reset => "RSET",
            Self::Quit => "QUIT",
            Self::Ended => "end",
        })
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SmtpUtf8 => f.write_str("nexthop does not offer SMTPUTF8"),
            Self::EightBitMime => f.write_str("nexthop does not offer 8BITMIME"),
            Self::RequireTls => f.write_str("nexthop does not offer REQUIRETLS"),
            Self::Size { max } => write!(
                f,
                "message is larger than the {max} bytes that nexthop takes"
            ),
        }
    }
}

impl std::error::Error for Unsupported {}
