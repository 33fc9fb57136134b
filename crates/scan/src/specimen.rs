//! What engines are given: the message, and what the session knows of the one who sends it.
//!
//! A specimen is made once for each message and shared by all engines of a wave; it holds no verdict.

use std::net::IpAddr;
use std::sync::Arc;

use smtp::{ForwardPath, ReversePath};
use tokio::sync::SetOnce;

use crate::auth::facts::Authentication;
use crate::message::Message;

/// A message to examine together with its envelope and its client. Shared as `Arc<Specimen>`.
#[derive(Debug)]
pub struct Specimen {
    /// The transaction's reference, such as `K7QX-3M9D-2F`: daemons log it, so that one search tells the whole story.
    pub reference: String,
    /// The message as it came.
    pub message: Message,
    /// Where the client connects from.
    pub client_ip: IpAddr,
    /// The client's reverse name, if it is confirmed by a forward look-up.
    pub client_name: Option<String>,
    /// The name given with EHLO or HELO, as sent.
    pub helo: String,
    /// The reverse-path (RFC 5321 section 4.1.1.2).
    pub reverse_path: ReversePath,
    /// The forward-paths that were accepted, in their order.
    pub recipients: Vec<ForwardPath>,
    /// The authentication identity, if the client has authenticated.
    pub authenticated_as: Option<String>,
    /// Our own name, as in the Received field.
    pub hostname: String,
    /// The Received field that will be prepended, ended by CRLF. Content engines want to see it on top of the message,
    /// since their network rules look there for the delivering client.
    pub received: Vec<u8>,
    /// What is known of the sender's authentication, as soon as it is: an engine may wait for it within its own deadline, and
    /// goes on without.
    pub authentication: Arc<SetOnce<Arc<Authentication>>>,
}
