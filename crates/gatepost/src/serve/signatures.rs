//! DKIM signatures on messages of our own domains: of clients that may relay, on their way out (RFC 6376 5.1).
//!
//! What is signed is the message as it leaves, without the fields that we put on top of it.

use std::sync::Arc;

use scan::message::Message;
use scan::specimen::Specimen;
use smtp::Mailbox;

use super::conversation::Conversation;
use crate::deliver::signing::{Signatory, Signer};
use crate::event::Event;
use crate::reference::Reference;
use crate::trace_fields::Edited;

/// Puts the signatures on top, if the client may relay and there is a key for the author's domain.
pub(super) async fn sign(
    conversation: &Conversation,
    reference: Reference,
    specimen: &Specimen,
    edited: &mut Edited,
) {
    let cx = &conversation.cx;
    if !conversation.client.may_relay(cx) {
        return;
    }
    let Some(signatory) = signatory(&cx.signer, &specimen.message) else {
        return;
    };
    let header_bytes = specimen.message.header_section().len();
    let kept = edited.kept(header_bytes);
    let kept = kept.filter_map(|range| specimen.message.bytes().get(range));
    let header_section = kept.collect::<Vec<_>>().concat();
    let message = Arc::new(specimen.message.bytes().clone());
    let body_start = message.len() - specimen.message.body().len();
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let domain = signatory.domain.clone();
    // RSA and the hash of a large body take their time: not on the threads that serve connections.
    let signed = tokio::task::spawn_blocking(move || {
        let body = message.get(body_start..).unwrap_or_default();
        signatory.fields(&header_section, body, now)
    });
    let signed = signed.await.map_err(|error| error.to_string());
    match signed.and_then(|signed| signed.map_err(|error| error.to_string())) {
        Ok(mut fields) => {
            fields.append(&mut edited.prepend);
            edited.prepend = fields;
        }
        // A message without a signature is better than none.
        Err(detail) => cx.services.journal.emit(&Event::Unsigned {
            reference: reference.to_string(),
            domain,
            detail,
        }),
    }
}

/// What signs for the author of this message: nothing, if it has several who have no key in common (RFC 5322 3.6.2).
pub(super) fn signatory(signer: &Signer, message: &Message) -> Option<Signatory> {
    let view = message.view();
    let mut found: Option<Signatory> = None;
    for author in view.authors() {
        let mailbox: Mailbox = author.address.as_deref()?.parse().ok()?;
        let signatory = signer.signatory(&mailbox.domain.ascii())?;
        match &found {
            Some(first) if first.domain != signatory.domain => return None,
            _ => found = Some(signatory),
        }
    }
    found
}
