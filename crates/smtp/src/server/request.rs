//! The conversation between a session and its caller: steps, requests, answers.

use crate::command::XclientAttribute;
use crate::parameters::{MailParameters, RcptParameters};
use crate::path::{ForwardPath, ReversePath};
use crate::reply::Reply;
use crate::server::auth::Credentials;
use crate::server::settings::Settings;
use crate::status::Status;

/// What a session wants of its caller next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// All input is used: write the output, then read more.
    Read,
    /// Decide this and call [`answer`](super::Session::answer). No input is used meanwhile.
    Request(Request),
    /// Mail data, decoded: no dot-stuffing, every line ended by CRLF. After a defect none comes.
    Content(&'a [u8]),
    /// The transaction in progress was ended by RSET, EHLO or HELO; its reply is queued.
    Reset,
    /// 220 is queued: write the output, drop whatever input is left, do the handshake, call
    /// [`tls_established`](super::Session::tls_established).
    StartTls,
    /// Write the output, then close the connection.
    Close(CloseReason),
}

/// A question that only policy can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The client says who it is. Accept: 250 and the extensions.
    Ehlo(Ehlo),
    /// The client's credentials. Accept: 235.
    Auth(Credentials),
    /// A trusted peer tells about the client behind it; what is not known is `None`. Accept: the
    /// banner again, and the session begins anew.
    Xclient(Vec<(XclientAttribute, Option<String>)>),
    /// May the transaction begin? Accept: 250.
    Mail(ReversePath, MailParameters),
    /// May this recipient be added? Accept: 250.
    Rcpt(ForwardPath, RcptParameters),
    /// May the mail data come, by DATA or by the first BDAT? Accept: 354, or nothing for BDAT.
    Data,
    /// The mail data is complete. Accept: 250. If it has a defect, only a refusal counts: anything
    /// positive is replaced by [`Defect::reply`].
    End(Content),
    /// Does this mailbox exist? Accept: 252, which says nothing.
    Vrfy(String),
}

/// The arguments of EHLO or HELO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ehlo {
    /// What the client calls itself: printable ASCII, not necessarily a domain.
    pub name: String,
    /// EHLO rather than HELO.
    pub extended: bool,
}

/// What is known of mail data once it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Bytes after decoding.
    pub bytes: u64,
    /// Bytes of the header section, without the empty line that ends it.
    pub header_bytes: u64,
    /// Lines that were ended.
    pub lines: u64,
    /// Whether there is any byte beyond ASCII.
    pub eight_bit: bool,
    /// The first defect; the counts above reach up to it.
    pub defect: Option<Defect>,
}

/// Why mail data cannot be accepted whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Defect {
    /// A CR or LF stands alone (RFC 5321 2.3.8).
    BareNewline,
    /// A line is longer than `limits::LINE_BYTES_MAX`.
    LineTooLong,
    /// The message is larger than the listener permits (RFC 1870).
    TooLarge,
    /// The header section is larger than the listener permits.
    HeaderTooLarge,
}

impl Defect {
    /// The reply that tells it.
    pub fn reply(self, settings: &Settings) -> Reply {
        match self {
            Defect::BareNewline => Reply::new(
                550,
                Status::SYNTAX_ERROR,
                "The message holds a bare CR or LF; lines end with CRLF (RFC 5321 2.3.8)",
            ),
            Defect::LineTooLong => Reply::new(
                554,
                Status::CONTENT_FAULT,
                format!(
                    "The message holds a line longer than {} bytes",
                    crate::limits::LINE_BYTES_MAX
                ),
            ),
            Defect::TooLarge => Reply::new(
                552,
                Status::MESSAGE_TOO_BIG,
                format!(
                    "The message is larger than the {} bytes permitted",
                    settings.message_size_max
                ),
            ),
            Defect::HeaderTooLarge => Reply::new(
                552,
                Status::MESSAGE_TOO_BIG,
                format!(
                    "The header section is larger than the {} bytes permitted",
                    settings.header_bytes_max
                ),
            ),
        }
    }
}

/// The caller's decision on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, in the session's own words.
    Accept,
    /// In these words: 2xx is yes, 4xx and 5xx are no, 421 ends the session besides. A code that
    /// the request cannot have (354 for MAIL, 250 for DATA) is corrected if it means yes.
    Reply(Reply),
    /// To [`Request::End`] where [`is_prdr`](super::Session::is_prdr): one reply for each accepted
    /// recipient, in order, and the one for all. Without PRDR only the last is sent.
    Recipients {
        /// One for each accepted recipient.
        replies: Vec<Reply>,
        /// The one that counts for the session.
        last: Reply,
    },
}

/// Why the session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client said QUIT.
    Quit,
    /// [`refuse`](super::Session::refuse) was called.
    Refused,
    /// An answer was a 421.
    Answered421,
    /// Too many bad commands.
    TooManyErrors,
    /// Too many commands, transactions or recipients that lead to nothing, or more transactions
    /// than announced.
    TooManyCommands,
    /// Too many failed authentications.
    TooManyAuthFailures,
    /// An endless line, or endless data behind a defect.
    TooMuchData,
    /// The client speaks HTTP or TLS, not SMTP.
    ForeignProtocol,
}

/// What the session reads now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A command: 5 minutes (RFC 5321 4.5.3.2.7).
    Command,
    /// Mail data.
    Data,
    /// A response in an authentication exchange.
    AuthExchange,
}
