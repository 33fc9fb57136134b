//! SMTP (RFC 5321) and LMTP (RFC 2033), pure: bytes go in, requests and bytes come out.
//!
//! What lives here: status codes, replies, paths, parameters, the framing of mail data, and the
//! server and client sessions. What does not: sockets, clocks, TLS, DNS, policy and the mail
//! content itself (header fields, MIME).

pub mod client;
mod command;
pub mod dot;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod limits;
mod parameters;
mod path;
mod reply;
pub mod server;
mod status;
pub mod xtext;

pub use command::{CommandError, CommandLine, Verb};
pub use parameters::{Body, MailParameters, Notify, ParameterError, RcptParameters, Ret};
pub use path::{Domain, ForwardPath, LocalPart, Mailbox, PathError, ReversePath};
pub use reply::Reply;
pub use reply::parse::{MalformedReply, ReplyParser};
pub use status::{Class, InvalidStatus, Status};
