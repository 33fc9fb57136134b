//! The way into the queue: what is submitted for a group of recipients, and whose message it is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use queue::{Envelope, Origin, QueuedRecipient, Submission};
use smtp::ReversePath;

use crate::context::RouteContext;
use crate::relay_table::domain_key;
use crate::serve::conversation::Client;
use crate::serve::transaction::{Recipient, Transaction};
use crate::trace_fields::Edited;

/// What is queued of a transaction, besides its recipients.
pub(super) struct Queued<'a> {
    /// The route of the recipients.
    pub(super) route: &'a RouteContext,
    /// The message as received.
    pub(super) message: &'a Bytes,
    /// What changes on the way out.
    pub(super) edited: &'a Edited,
    /// Whether it holds any byte beyond ASCII.
    pub(super) eight_bit: bool,
    /// Whether the client may relay.
    pub(super) submitted: bool,
}

/// What is submitted for the recipients at these places.
pub(super) fn submission(
    client: &Client,
    transaction: &Transaction,
    queued: &Queued<'_>,
    places: &[usize],
) -> Submission {
    let members = places
        .iter()
        .filter_map(|place| transaction.recipients.get(*place));
    let recipients: Vec<QueuedRecipient> = members.clone().map(of_recipient).collect();
    let queueing = &queued.route.route.queueing;
    let arrived = transaction.begun_at.as_millisecond();
    Submission {
        envelope: Envelope {
            reference: transaction.reference.to_string(),
            origin: Origin::Received,
            arrived: u64::try_from(arrived).unwrap_or(0),
            customer: customer(client, transaction, members.clone().next()),
            reverse_path: transaction.reverse_path.clone(),
            mail: transaction.mail.clone(),
            eight_bit: queued.eight_bit,
            submitted: queued.submitted,
            lifetime: milliseconds(queueing.lifetime),
            delay_warning: milliseconds(queueing.delay_warning),
            recipients,
        },
        content: queued.edited.pieces(queued.message),
    }
}

fn of_recipient(recipient: &Recipient) -> QueuedRecipient {
    QueuedRecipient {
        forward_path: recipient.forward_path.clone(),
        parameters: recipient.parameters.clone(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// For whom the message waits its turn: the customer of the recipients' domain; for domains that are nobody's here, whoever
/// submitted it.
fn customer(client: &Client, transaction: &Transaction, first: Option<&Recipient>) -> Arc<str> {
    let nobody = || Arc::from("");
    let Some(first) = first else {
        return nobody();
    };
    if !first.trusted {
        let customer = first
            .route
            .as_ref()
            .and_then(|route| route.customer.clone());
        return customer.unwrap_or_else(nobody);
    }
    let identity = client.authenticated_as.as_deref().unwrap_or_default();
    let domain = match (identity.rsplit_once('@'), &transaction.reverse_path) {
        (Some((_, domain)), _) => domain.to_owned(),
        (None, ReversePath::Mailbox(mailbox)) => mailbox.domain.to_string(),
        (None, ReversePath::Null) => return nobody(),
    };
    domain_key(&domain).map_or_else(nobody, |key| Arc::from(&*key))
}
