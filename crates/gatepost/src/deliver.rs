//! Handing a message on: to a nexthop over SMTP or LMTP, or into a maildir.
//!
//! What comes back is custody of the message, the nexthop's refusal, or a fault. Only this module can make a `Custody`, and
//! only from a nexthop's 250 or from files that are synced: it is what the 250 to the client is written from.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use smtp::Reply;
use smtp::client::Unsupported;
use smtp::{ForwardPath, ReversePath};
use smtp::{MailParameters, RcptParameters};

use crate::config::Route;
use crate::trace_fields::Edited;

pub mod callouts;
pub mod connection;
pub mod dial;
#[cfg(test)]
mod double;
pub mod families;
pub mod fault;
pub mod https;
mod maildir;
mod mx;
pub mod nexthops;
pub mod plan;
pub mod report;
pub mod security;
pub mod sts;
pub mod tls_reports;
pub mod tls_upkeep;

use fault::{Cause, Fault, Step};
use nexthops::{Dialling, Lease, Nexthops, NotOpened, Opened, Opening};

/// Proof that a message is safe: a nexthop said 250, or it is synced to disk.
#[derive(Debug)]
pub struct Custody {
    nexthop: String,
    reply: Option<Reply>,
}

impl Custody {
    /// The nexthop that has the message, as configured.
    pub fn nexthop(&self) -> &str {
        &self.nexthop
    }

    /// The nexthop's words; `None` if the message is in a maildir.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
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

/// Hands the message on. `lease` is the nexthop's transaction, if it was begun at RCPT time with these recipients.
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
        None => open_and_transfer(nexthops, dialling, route, consignment).await,
    };
    if transferred
        .as_ref()
        .is_err_and(|fault| fault.step == Step::Data)
    {
        // The nexthop went away before it had any of the message, as it does when the client takes longer than the
        // nexthop waits. Another connection loses nothing and repeats nothing.
        transferred = open_and_transfer(nexthops, dialling, route, consignment).await;
    }
    transferred.unwrap_or_else(|fault| faults(fault, consignment.recipients.len()))
}

/// Opens the nexthop's transaction after the verdict.
///
/// The client gets one reply: unless the nexthop takes all recipients, it gets none of the message.
async fn open_and_transfer(
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
    let replies = lease.connection.transfer(slices, count).await?;
    let nexthop = lease.nexthop().to_owned();
    lease.give_back();
    // SMTP has one reply for all recipients, LMTP one for each.
    Ok((0..count)
        .filter_map(|i| replies.get(i).or(replies.last()))
        .map(|reply| final_outcome(&nexthop, reply))
        .collect())
}

fn final_outcome(nexthop: &str, reply: &Reply) -> Outcome {
    let (nexthop, reply) = (nexthop.to_owned(), reply.clone());
    match reply.code() {
        200..=299 => Outcome::Kept(Custody {
            nexthop,
            reply: Some(reply),
        }),
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
                Outcome::Kept(Custody {
                    nexthop: label.clone(),
                    reply: None,
                })
            })
            .collect(),
        Err(error) => faults(Fault::new(label, Step::Final, Cause::Store(error)), count),
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
