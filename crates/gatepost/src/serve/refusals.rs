//! The words of refusals: ours from the templates, the nexthop's passed on, all with the transaction's reference first.

use queue::SubmitError;
use smtp::client::Unsupported;
use smtp::{Reply, Status};

use super::conversation::Conversation;
use super::transaction::{Recipient, Transaction};
use crate::policy::{Kind, Reason};
use crate::reference::Reference;
use crate::replies::{LANGUAGE_DEFAULT, Values};

/// Whom a refusal concerns.
#[derive(Clone, Copy, Debug)]
pub struct Concerned<'a> {
    /// The language of the route.
    pub language: &'a str,
    /// The forward-path; empty where the refusal concerns the message as a whole.
    pub recipient: &'a str,
    /// Its domain.
    pub domain: &'a str,
}

impl Default for Concerned<'_> {
    fn default() -> Self {
        Concerned {
            language: LANGUAGE_DEFAULT,
            recipient: "",
            domain: "",
        }
    }
}

/// The reply that tells one recipient `reason`, in the language of its route.
pub fn refusal_for(
    conversation: &Conversation,
    transaction: &Transaction,
    reason: &Reason,
    recipient: &Recipient,
) -> Reply {
    let path = recipient.forward_path.to_string();
    let domain = recipient.forward_path.domain().map(ToString::to_string);
    let language = recipient
        .route
        .as_ref()
        .map_or(LANGUAGE_DEFAULT, |route| &route.language);
    let concerned = Concerned {
        language,
        recipient: &path,
        domain: domain.as_deref().unwrap_or_default(),
    };
    refusal(conversation, transaction, reason, concerned)
}

/// The reply that tells `reason`.
pub fn refusal(
    conversation: &Conversation,
    transaction: &Transaction,
    reason: &Reason,
    concerned: Concerned<'_>,
) -> Reply {
    let cx = &conversation.cx;
    let client = conversation.client.ip.to_string();
    let postmaster = cx.config.node.postmaster.to_string();
    let values = Values {
        reference: Some(transaction.reference),
        link: "",
        recipient: concerned.recipient,
        client: &client,
        reason: &reason.told,
        domain: concerned.domain,
        size_max: (reason.kind == Kind::Size)
            .then_some(conversation.listener.settings.message_size_max),
        postmaster: &postmaster,
        utf8: transaction.mail.smtputf8,
    };
    cx.templates
        .render(reason.kind, concerned.language, &values)
}

/// The nexthop's refusal in its own words.
pub fn passed_on(reply: &Reply, reference: Reference) -> Reply {
    if reply.is_positive() {
        // A yes is never passed on as it is: for a message it takes a custody.
        return local_fault(reference);
    }
    Reply::new(
        reply.code(),
        reply.status(),
        format!("[{reference}] {}", reply.text()),
    )
}

/// What a message is told that needs what its nexthop lacks.
pub fn lacking(unsupported: Unsupported, reference: Reference) -> Reply {
    let (code, text) = match unsupported {
        // RFC 6531 3.5: 553 for an address, which is where the need comes from.
        Unsupported::SmtpUtf8 => (
            553,
            "The recipient's server does not take internationalised addresses".to_owned(),
        ),
        Unsupported::EightBitMime => (
            554,
            "The recipient's server does not take 8-bit content".to_owned(),
        ),
        // RFC 8689 8: 5.7.30 goes with 550.
        Unsupported::RequireTls => (
            550,
            "The recipient's server does not promise REQUIRETLS, which the message needs"
                .to_owned(),
        ),
        Unsupported::Size { max } => (
            552,
            format!("The recipient's server takes at most {max} bytes"),
        ),
    };
    Reply::new(code, unsupported.status(), format!("[{reference}] {text}"))
}

/// Why the queue does not have a message.
pub fn unqueued(error: &SubmitError) -> Reason {
    match error {
        SubmitError::Full {
            free_bytes,
            reserve_bytes,
        } => Reason::new(Kind::Exhausted).with_detail(format!(
            "the disk of the queue has {free_bytes} bytes free, and {reserve_bytes} are kept (queue.reserve)"
        )),
        SubmitError::Fault(detail) => {
            Reason::new(Kind::QueueFault).with_detail(format!("the queue: {detail}"))
        }
        SubmitError::Closed => {
            Reason::new(Kind::QueueFault).with_detail("the queue is closed: the node is stopping")
        }
    }
}

/// Local trouble that has no name of its own.
pub fn local_fault(reference: Reference) -> Reply {
    Reply::new(
        451,
        Status::SYSTEM_FAULT,
        format!("[{reference}] Local fault, please try again later"),
    )
}
