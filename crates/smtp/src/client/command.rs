//! The commands with parameters (RFC 5321 section 4.1.1), with what the peer offers and nothing else.

use super::{Capabilities, Unsupported};
use crate::parameters::{Body, MailParameters, RcptParameters};
use crate::path::{ForwardPath, Mailbox, ReversePath};

/// MAIL, and whether it declares SMTPUTF8. Parameters that the peer does not offer and that change
/// nothing for the message are left out; of those that it needs, the first missing one is the error.
pub(super) fn mail(
    reverse_path: &ReversePath,
    parameters: &MailParameters,
    capabilities: &Capabilities,
) -> Result<(String, bool), Unsupported> {
    let local_part_needs_utf8 = reverse_path.mailbox().is_some_and(local_part_needs_utf8);
    let utf8 = (parameters.smtputf8 || !reverse_path.is_ascii()) && capabilities.smtputf8;
    if (parameters.smtputf8 || local_part_needs_utf8) && !utf8 {
        return Err(Unsupported::SmtpUtf8);
    }
    if parameters.body == Some(Body::EightBitMime) && !capabilities.eight_bit_mime {
        return Err(Unsupported::EightBitMime);
    }
    // RFC 8689 section 4.2.1: a server that does not promise it gets no such message. Section 5: a
    // report on one is rather sent without than lost.
    let is_report = *reverse_path == ReversePath::Null;
    if parameters.require_tls && !capabilities.require_tls && !is_report {
        return Err(Unsupported::RequireTls);
    }
    if let (Some(size), Some(max)) = (parameters.size, capabilities.size_max)
        && size > max
    {
        return Err(Unsupported::Size { max });
    }
    let offered = MailParameters {
        size: parameters.size.filter(|_| capabilities.size),
        body: parameters.body.filter(|_| capabilities.eight_bit_mime),
        smtputf8: utf8,
        ret: parameters.ret.filter(|_| capabilities.dsn),
        envid: parameters.envid.clone().filter(|_| capabilities.dsn),
        auth: parameters
            .auth
            .clone()
            .filter(|_| !capabilities.auth.is_empty()),
        prdr: false,
        require_tls: parameters.require_tls && capabilities.require_tls,
    };
    let path = reverse_path
        .mailbox()
        .map(|mailbox| wire(mailbox, utf8))
        .unwrap_or_default();
    Ok((format!("MAIL FROM:<{path}>{offered}"), utf8))
}

/// RCPT, in a transaction that declared SMTPUTF8 or not.
pub(super) fn rcpt(
    forward_path: &ForwardPath,
    parameters: &RcptParameters,
    utf8: bool,
    capabilities: &Capabilities,
) -> Result<String, Unsupported> {
    if forward_path.mailbox().is_some_and(local_part_needs_utf8) && !utf8 {
        return Err(Unsupported::SmtpUtf8);
    }
    let path = forward_path
        .mailbox()
        .map_or_else(|| forward_path.to_string(), |mailbox| wire(mailbox, utf8));
    if capabilities.dsn {
        Ok(format!("RCPT TO:<{path}>{parameters}"))
    } else {
        Ok(format!("RCPT TO:<{path}>"))
    }
}

/// A line as it is sent. Control characters, which no value should hold, become `?`: whatever a
/// caller passes, it is one command.
pub(super) fn terminated(line: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len() + 2);
    bytes.extend(
        line.bytes()
            .map(|byte| if byte.is_ascii_control() { b'?' } else { byte }),
    );
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// A mailbox as a command carries it. Only a local-part cannot be had in ASCII: without SMTPUTF8 the
/// domain goes as A-labels (RFC 5890 section 2.3.2.1), and such a mailbox reaches any server.
fn wire(mailbox: &Mailbox, utf8: bool) -> String {
    if utf8 || mailbox.domain.is_ascii() {
        return mailbox.to_string();
    }
    format!("{}@{}", mailbox.local_part, mailbox.domain.ascii())
}

fn local_part_needs_utf8(mailbox: &Mailbox) -> bool {
    !mailbox.local_part.as_str().is_ascii()
}
