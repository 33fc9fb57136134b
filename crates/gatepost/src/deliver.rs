//! Handing a message on: to a nexthop over SMTP or LMTP, or into a maildir; while the client waits (`hand_on`), or from the
//! queue (`dispatch`).
//!
//! What comes back is custody of the message, the nexthop's refusal, or a fault. Only this module can make a `Custody`, and
//! only from a nexthop's 250 or from what is synced to disk: it is what the 250 to the client is written from.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use queue::{MessageId, QueuedMessage, RecipientOutcome, Stored, SubmitError};
use smtp::Reply;
use smtp::client::Unsupported;
use smtp::{ForwardPath, ReversePath};
use smtp::{MailParameters, RcptParameters};

use crate::config::Route;
use crate::context::Context;
use crate::trace_fields::Edited;

pub mod allowance;
pub mod callouts;
pub mod connection;
pub mod dial;
pub mod dispatch;
pub mod dmarc_reports;
#[cfg(test)]
mod double;
mod failing;
pub mod families;
pub mod fault;
mod fitting;
pub mod gathering;
pub mod https;
pub mod idle;
mod lifetime;
mod limits;
mod maildir;
mod mx;
pub mod nexthops;
mod outcome;
pub mod plan;
pub mod report;
pub mod security;
mod settling;
pub mod signing;
pub mod sts;
pub(crate) mod telling;
pub mod tls_reports;
pub mod tls_upkeep;
mod worker;

use connection::Transferred;
use fault::{Cause, Fault, Step};
use nexthops::{Dialling, Lease, Nexthops, NotOpened, Opened, Opening};
use report::Action;
pub use telling::tell_handed_over;

/// How long a message waits that could not be written into a maildir.
const STORE_PAUSE: Duration = Duration::from_secs(300);

/// Proof that a message is safe: a nexthop said 250, or it is synced to disk.
#[derive(Debug)]
pub struct Custody(Keeper);

#[derive(Debug)]
enum Keeper {
    Nexthop {
        nexthop: String,
        reply: Reply,
        untold: Option<Action>,
    },
    Maildir {
        nexthop: String,
    },
    Queue(MessageId),
}

impl Custody {
    /// The queue has the message: only it makes a `Stored`, once the message is synced.
    pub fn queued(stored: &Stored) -> Custody {
        Custody(Keeper::Queue(stored.id))
    }

    /// The nexthop that has the message, as configured; `None` if the queue has it.
    pub fn nexthop(&self) -> Option<&str> {
        match &self.0 {
            Keeper::Nexthop { nexthop, .. } | Keeper::Maildir { nexthop } => Some(nexthop),
            Keeper::Queue(_) => None,
        }
    }

    /// The nexthop's words; `None` if the message is in a maildir or in the queue.
    pub fn reply(&self) -> Option<&Reply> {
        match &self.0 {
            Keeper::Nexthop { reply, .. } => Some(reply),
            Keeper::Maildir { .. } | Keeper::Queue(_) => None,
        }
    }

    /// What whoever wants to know of success must be told by us (RFC 3461 5.2.2); `None` where somebody else will tell it.
    fn untold(&self) -> Option<Action> {
        match &self.0 {
            Keeper::Nexthop { untold, .. } => *untold,
            Keeper::Maildir { .. } => Some(Action::Delivered),
            Keeper::Queue(_) => None,
        }
    }

    /// The message in the queue, if it is there.
    pub fn queued_as(&self) -> Option<MessageId> {
        match &self.0 {
            Keeper::Queue(id) => Some(*id),
            Keeper::Nexthop { .. } | Keeper::Maildir { .. } => None,
        }
    }
}

/// What became of the message for one recipient.
#[derive(Debug)]
pub enum Outcome {
    /// It is safe.
    Kept(Custody),
    /// The nexthop refused it in these words.
    Refused {
        /// The nexthop.
        nexthop: String,
        /// Its reply, 4xx or 5xx.
        reply: Reply,
        /// The reply was to RCPT, not to the message.
        at_rcpt: bool,
    },
    /// The nexthop lacks what the message needs.
    Unsupported(Unsupported),
    /// The nexthop could not be used.
    Fault(Arc<Fault>),
    /// The queue does not have it.
    Unqueued(Arc<SubmitError>),
}

/// The message and its recipients.
pub struct Consignment<'a> {
    /// The reverse-path.
    pub reverse_path: &'a ReversePath,
    /// What came with MAIL.
    pub mail: &'a MailParameters,
    /// The recipients, all of one route; not empty.
    pub recipients: &'a [(&'a ForwardPath, &'a RcptParameters)],
    /// The message as received.
    pub message: &'a Bytes,
    /// Whether it holds any byte beyond ASCII.
    pub eight_bit: bool,
    /// What changes on the way out.
    pub edited: &'a Edited,
    /// Our name, for file names.
    pub hostname: &'a str,
}

/// Hands the message on while the client waits. `lease` is the nexthop's transaction, which was begun at RCPT time with these
/// recipients; it is missing only where it broke.
pub async fn hand_on(
    nexthops: &Nexthops,
    dialling: &Dialling,
    route: &Route,
    lease: Option<Lease>,
    consignment: &Consignment<'_>,
) -> Vec<Outcome> {
    if let Some(maildir) = nexthops::maildir(route) {
        return store(maildir, consignment).await;
    }
    let mut transferred = match lease {
        Some(lease) => transfer(lease, consignment).await,
        None => begin_again(nexthops, dialling, route, consignment).await,
    };
    if transferred
        .as_ref()
        .is_err_and(|fault| fault.step == Step::Data)
    {
        // The nexthop went away before it had any of the message, as it does when the client takes longer than the
        // nexthop waits. Another connection loses nothing and repeats nothing.
        transferred = begin_again(nexthops, dialling, route, consignment).await;
    }
    transferred.unwrap_or_else(|fault| faults(fault, consignment.recipients.len()))
}

/// Begins the nexthop's transaction once more, after the verdict.
///
/// The client gets one reply: unless the nexthop takes all recipients again, it gets none of the message.
async fn begin_again(
    nexthops: &Nexthops,
    dialling: &Dialling,
    route: &Route,
    consignment: &Consignment<'_>,
) -> Result<Vec<Outcome>, Fault> {
    let all =
        |outcome: &dyn Fn() -> Outcome| consignment.recipients.iter().map(|_| outcome()).collect();
    let Some(((forward_path, rcpt), others)) = consignment.recipients.split_first() else {
        return Ok(Vec::new());
    };
    let opening = Opening {
        reverse_path: consignment.reverse_path,
        mail: consignment.mail,
        forward_path,
        rcpt,
    };
    let Opened {
        mut lease,
        mail_reply,
        rcpt_reply,
    } = match nexthops.open(route, dialling, opening).await {
        Ok(opened) => opened,
        Err(NotOpened::Unsupported(unsupported)) => {
            return Ok(all(&|| Outcome::Unsupported(unsupported)));
        }
        Err(NotOpened::Fault(fault)) => return Err(fault),
    };
    let nexthop = lease.nexthop().to_owned();
    let refused = |reply: &Reply, at_rcpt| Outcome::Refused {
        nexthop: nexthop.clone(),
        reply: reply.clone(),
        at_rcpt,
    };
    let Some(first) = rcpt_reply else {
        lease.abandon();
        return Ok(all(&|| refused(&mail_reply, false)));
    };
    let mut replies = vec![first];
    for (forward_path, rcpt) in others {
        replies.push(lease.connection.recipient(forward_path, rcpt).await?);
    }
    if replies.iter().all(Reply::is_positive) {
        return transfer(lease, consignment).await;
    }
    lease.abandon();
    Ok(replies.iter().map(|reply| refused(reply, true)).collect())
}

/// Sends the message over a transaction whose recipients were accepted.
async fn transfer(mut lease: Lease, consignment: &Consignment<'_>) -> Result<Vec<Outcome>, Fault> {
    let count = consignment.recipients.len();
    if let Err(unsupported) = lease
        .connection
        .takes(consignment.mail, consignment.eight_bit)
    {
        lease.abandon();
        return Ok((0..count)
            .map(|_| Outcome::Unsupported(unsupported))
            .collect());
    }
    let slices = consignment.edited.slices(consignment.message);
    let Transferred { replies, lost } = lease.connection.transfer(slices, count).await?;
    let (nexthop, untold) = (lease.nexthop().to_owned(), lease.connection.untold());
    lease.give_back();
    // LMTP has one reply for each recipient. Those that came count, whatever happened then.
    if let Some(fault) = lost.map(Arc::new) {
        let outcome = |i| match replies.get(i) {
            Some(reply) => final_outcome(&nexthop, reply, untold),
            None => Outcome::Fault(Arc::clone(&fault)),
        };
        return Ok((0..count).map(outcome).collect());
    }
    // SMTP has one for all.
    Ok((0..count)
        .filter_map(|i| replies.get(i).or(replies.last()))
        .map(|reply| final_outcome(&nexthop, reply, untold))
        .collect())
}

fn final_outcome(nexthop: &str, reply: &Reply, untold: Option<Action>) -> Outcome {
    let (nexthop, reply) = (nexthop.to_owned(), reply.clone());
    match reply.code() {
        200..=299 => Outcome::Kept(Custody(Keeper::Nexthop {
            nexthop,
            reply,
            untold,
        })),
        // RFC 5321 4.2.1: after the data a 3xx promises nothing, and must not become a yes.
        300..=399 => {
            let cause = Cause::Protocol(format!("`{reply}` is no answer to the message"));
            Outcome::Fault(Arc::new(Fault::new(nexthop, Step::Final, cause)))
        }
        _ => Outcome::Refused {
            nexthop,
            reply,
            at_rcpt: false,
        },
    }
}

async fn store(maildir: &Path, consignment: &Consignment<'_>) -> Vec<Outcome> {
    let count = consignment.recipients.len();
    let copies: Vec<Vec<u8>> = consignment
        .recipients
        .iter()
        .map(|(forward_path, _)| final_delivery_fields(consignment.reverse_path, forward_path))
        .collect();
    let (path, hostname) = (maildir.to_path_buf(), consignment.hostname.to_owned());
    let (message, edited) = (consignment.message.clone(), consignment.edited.clone());
    let stored = tokio::task::spawn_blocking(move || {
        let slices: Vec<&[u8]> = edited.slices(&message).collect();
        maildir::store(&path, &hostname, &copies, &slices)
    })
    .await;
    let label = format!("maildir:{}", maildir.display());
    match stored
        .map_err(std::io::Error::other)
        .and_then(|stored| stored)
    {
        Ok(_) => (0..count)
            .map(|_| {
                Outcome::Kept(Custody(Keeper::Maildir {
                    nexthop: label.clone(),
                }))
            })
            .collect(),
        Err(error) => faults(Fault::new(label, Step::Final, Cause::Store(error)), count),
    }
}

/// Stores a queued message in a maildir, once for each recipient: one outcome for all.
async fn store_queued(
    cx: &Context,
    path: &Path,
    message: &QueuedMessage,
    recipients: &[(&ForwardPath, &RcptParameters)],
) -> RecipientOutcome {
    let reverse_path = &message.envelope.reverse_path;
    let copies: Vec<Vec<u8>> = recipients
        .iter()
        .map(|(forward_path, _)| final_delivery_fields(reverse_path, forward_path))
        .collect();
    let nexthop = format!("maildir:{}", path.display());
    let (path, hostname) = (path.to_path_buf(), cx.config.node.name.clone());
    let content = message.content.clone();
    let stored =
        tokio::task::spawn_blocking(move || maildir::store(&path, &hostname, &copies, &[&content]))
            .await;
    match stored
        .map_err(std::io::Error::other)
        .and_then(|stored| stored)
    {
        Ok(_) => RecipientOutcome::Delivered {
            nexthop,
            reply: "stored".to_owned(),
        },
        Err(error) => {
            let fault = Fault::new(&*nexthop, Step::Final, Cause::Store(error));
            RecipientOutcome::Delayed {
                status: fault.status(),
                diagnostic: fault.what_happened().to_string(),
                retry_after: STORE_PAUSE,
                nexthop,
            }
        }
    }
}

/// Return-Path (RFC 5321 4.4: whoever makes the final delivery adds it) and the recipient, which a maildir for many
/// mailboxes would lose.
fn final_delivery_fields(reverse_path: &ReversePath, forward_path: &ForwardPath) -> Vec<u8> {
    format!(
        "Return-Path: {}\r\nDelivered-To: {forward_path}\r\n",
        reverse_path.to_wire()
    )
    .into_bytes()
}

fn faults(fault: Fault, count: usize) -> Vec<Outcome> {
    let fault = Arc::new(fault);
    (0..count)
        .map(|_| Outcome::Fault(Arc::clone(&fault)))
        .collect()
}

#[cfg(test)]
mod tests;
