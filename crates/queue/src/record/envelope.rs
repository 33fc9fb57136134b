//! How an envelope lies on the disk: fields, each with a tag and its length, so that a later version may add some and an
//! earlier one reads over them.
//!
//! Parameters of MAIL and RCPT stand as their commands carry them (RFC 5321 4.1.2) and are read by the same parser, so a new
//! extension needs nothing here. Paths are kept in parts: a local-part's quoting may make a wire form longer than a command
//! may be.

use std::sync::Arc;

use smtp::{Domain, ForwardPath, LocalPart, MailParameters, Mailbox, RcptParameters, ReversePath};

use crate::codec::{Reader, put_bytes, put_number};
use crate::journal::{self, Fate};
use crate::limits::RECIPIENTS_MAX;
use crate::{Envelope, Origin, QueuedRecipient};

const REFERENCE: u8 = 1;
const ORIGIN: u8 = 2;
const ARRIVED: u8 = 3;
const CUSTOMER: u8 = 4;
const REVERSE_PATH: u8 = 5;
const MAIL: u8 = 6;
const FLAGS: u8 = 7;
const LIFETIME: u8 = 8;
const DELAY_WARNING: u8 = 9;
const RECIPIENT: u8 = 10;
const FATE: u8 = 11;

const FLAG_EIGHT_BIT: u64 = 1;
const FLAG_SUBMITTED: u64 = 2;

/// Codes it.
pub(crate) fn encode(envelope: &Envelope) -> Vec<u8> {
    let mut into = Vec::with_capacity(256 + 64 * envelope.recipients.len());
    let origin = match envelope.origin {
        Origin::Received => 0,
        Origin::Report => 1,
        Origin::AggregateReport => 2,
    };
    let eight_bit = if envelope.eight_bit {
        FLAG_EIGHT_BIT
    } else {
        0
    };
    let submitted = if envelope.submitted {
        FLAG_SUBMITTED
    } else {
        0
    };
    text(&mut into, REFERENCE, &envelope.reference);
    number(&mut into, ORIGIN, origin);
    number(&mut into, ARRIVED, envelope.arrived);
    text(&mut into, CUSTOMER, &envelope.customer);
    let mut scratch = Vec::new();
    put_mailbox(&mut scratch, envelope.reverse_path.mailbox());
    field(&mut into, REVERSE_PATH, &scratch);
    text(&mut into, MAIL, &envelope.mail.to_string());
    number(&mut into, FLAGS, eight_bit | submitted);
    number(&mut into, LIFETIME, envelope.lifetime);
    number(&mut into, DELAY_WARNING, envelope.delay_warning);
    for recipient in &envelope.recipients {
        scratch.clear();
        put_mailbox(&mut scratch, recipient.forward_path.mailbox());
        put_bytes(&mut scratch, recipient.parameters.to_string().as_bytes());
        field(&mut into, RECIPIENT, &scratch);
    }
    into
}

/// Reads it; `None` if that has not written it.
pub(crate) fn decode(bytes: &[u8]) -> Option<Envelope> {
    let mut envelope = Envelope {
        reference: String::new(),
        origin: Origin::Received,
        arrived: 0,
        customer: Arc::from(""),
        reverse_path: ReversePath::Null,
        mail: MailParameters::default(),
        eight_bit: false,
        submitted: false,
        lifetime: 0,
        delay_warning: 0,
        recipients: Vec::new(),
    };
    let mut reader = Reader(bytes);
    while let Some(tag) = reader.byte() {
        let value = reader.bytes()?;
        take_field(&mut envelope, tag, value)?;
    }
    (!envelope.recipients.is_empty()).then_some(envelope)
}

/// Appends how recipients fare, in their order, to a coded envelope that leaves its queue; of those that are as new, nothing.
pub(crate) fn put_fates(into: &mut Vec<u8>, fates: &[Fate]) {
    let mut scratch = Vec::new();
    for (recipient, fate) in fates.iter().enumerate() {
        if *fate == Fate::new() {
            continue;
        }
        scratch.clear();
        put_number(&mut scratch, recipient as u64);
        journal::put_fate(&mut scratch, fate);
        field(into, FATE, &scratch);
    }
}

/// Reads them: indices in rising order, none of them final; `None` if that has not written them.
pub(crate) fn fates(bytes: &[u8]) -> Option<Vec<(u32, Fate)>> {
    let mut fates: Vec<(u32, Fate)> = Vec::new();
    let mut reader = Reader(bytes);
    while let Some(tag) = reader.byte() {
        let value = reader.bytes()?;
        if tag != FATE {
            continue;
        }
        let mut value = Reader(value);
        let recipient = value.small()?;
        let fate = journal::fate(&mut value)?;
        let is_next = fates.last().is_none_or(|(last, _)| *last < recipient);
        (is_next && !fate.state.is_final()).then_some(())?;
        fates.push((recipient, fate));
    }
    Some(fates)
}

fn take_field(envelope: &mut Envelope, tag: u8, value: &[u8]) -> Option<()> {
    let text = || std::str::from_utf8(value).ok();
    let mut reader = Reader(value);
    match tag {
        REFERENCE => text()?.clone_into(&mut envelope.reference),
        ORIGIN => {
            envelope.origin = match reader.number()? {
                0 => Origin::Received,
                1 => Origin::Report,
                2 => Origin::AggregateReport,
                _ => return None,
            };
        }
        ARRIVED => envelope.arrived = reader.number()?,
        CUSTOMER => envelope.customer = Arc::from(text()?),
        REVERSE_PATH => {
            envelope.reverse_path = match mailbox(&mut reader)? {
                None => ReversePath::Null,
                Some(mailbox) => ReversePath::Mailbox(mailbox),
            };
        }
        // A parameter that cannot be read back (one that the sender's own rules would refuse, made by hand) is worth less
        // than the message.
        MAIL => envelope.mail = MailParameters::from_wire(text()?).unwrap_or_default(),
        FLAGS => {
            let flags = reader.number()?;
            envelope.eight_bit = flags & FLAG_EIGHT_BIT != 0;
            envelope.submitted = flags & FLAG_SUBMITTED != 0;
        }
        LIFETIME => envelope.lifetime = reader.number()?,
        DELAY_WARNING => envelope.delay_warning = reader.number()?,
        RECIPIENT => {
            (envelope.recipients.len() < RECIPIENTS_MAX).then_some(())?;
            envelope.recipients.push(recipient(&mut reader)?);
        }
        _ => {}
    }
    Some(())
}

fn recipient(reader: &mut Reader<'_>) -> Option<QueuedRecipient> {
    let forward_path = match mailbox(reader)? {
        None => ForwardPath::Postmaster,
        Some(mailbox) => ForwardPath::Mailbox(mailbox),
    };
    let parameters = RcptParameters::from_wire(reader.text()?).unwrap_or_default();
    Some(QueuedRecipient {
        forward_path,
        parameters,
    })
}

/// The domain is empty where there is no mailbox: no domain of a mailbox is.
fn put_mailbox(into: &mut Vec<u8>, mailbox: Option<&Mailbox>) {
    let (local_part, domain) = match mailbox {
        None => ("", String::new()),
        Some(mailbox) => (mailbox.local_part.as_str(), mailbox.domain.to_string()),
    };
    put_bytes(into, local_part.as_bytes());
    put_bytes(into, domain.as_bytes());
}

fn mailbox(reader: &mut Reader<'_>) -> Option<Option<Mailbox>> {
    let (local_part, domain) = (reader.text()?, reader.text()?);
    if domain.is_empty() {
        return Some(None);
    }
    let local_part = LocalPart::new(local_part).ok()?;
    let domain = domain.parse::<Domain>().ok()?;
    Some(Some(Mailbox { local_part, domain }))
}

fn field(into: &mut Vec<u8>, tag: u8, value: &[u8]) {
    into.push(tag);
    put_bytes(into, value);
}

fn text(into: &mut Vec<u8>, tag: u8, value: &str) {
    field(into, tag, value.as_bytes());
}

fn number(into: &mut Vec<u8>, tag: u8, value: u64) {
    let mut coded = Vec::with_capacity(10);
    put_number(&mut coded, value);
    field(into, tag, &coded);
}
