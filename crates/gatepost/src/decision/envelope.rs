//! The envelope as recorded: protocol, MAIL parameters, recipients with their verdicts and replies.
//!
//! Texts are those of the wire; `smtp`'s own types stay there, so that a record can be read by any later version.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::{ListMatch, Verdict};

/// The protocol of a session, in the words of the `with` clause of Received (RFC 3848, RFC 6531 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// HELO.
    Smtp,
    /// EHLO.
    Esmtp,
    /// EHLO with AUTH.
    Esmtpa,
    /// EHLO with TLS.
    Esmtps,
    /// EHLO with TLS and AUTH.
    Esmtpsa,
    /// MAIL with SMTPUTF8.
    Utf8smtp,
    /// MAIL with SMTPUTF8, and AUTH.
    Utf8smtpa,
    /// MAIL with SMTPUTF8, and TLS.
    Utf8smtps,
    /// MAIL with SMTPUTF8, TLS and AUTH.
    Utf8smtpsa,
}

impl Protocol {
    /// The protocol of a session with these properties.
    pub fn new(extended: bool, smtputf8: bool, tls: bool, authenticated: bool) -> Protocol {
        match (smtputf8, tls, authenticated) {
            (true, false, false) => Protocol::Utf8smtp,
            (true, false, true) => Protocol::Utf8smtpa,
            (true, true, false) => Protocol::Utf8smtps,
            (true, true, true) => Protocol::Utf8smtpsa,
            // TLS and AUTH need EHLO first; HELO after STARTTLS is still told as what protects the session.
            (false, true, false) => Protocol::Esmtps,
            (false, true, true) => Protocol::Esmtpsa,
            (false, false, true) => Protocol::Esmtpa,
            (false, false, false) if extended => Protocol::Esmtp,
            (false, false, false) => Protocol::Smtp,
        }
    }

    /// Whether MAIL had SMTPUTF8, so that header fields may hold UTF-8 (RFC 6531 3.4).
    pub fn is_utf8(self) -> bool {
        matches!(
            self,
            Protocol::Utf8smtp | Protocol::Utf8smtpa | Protocol::Utf8smtps | Protocol::Utf8smtpsa
        )
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Smtp => "SMTP",
            Protocol::Esmtp => "ESMTP",
            Protocol::Esmtpa => "ESMTPA",
            Protocol::Esmtps => "ESMTPS",
            Protocol::Esmtpsa => "ESMTPSA",
            Protocol::Utf8smtp => "UTF8SMTP",
            Protocol::Utf8smtpa => "UTF8SMTPA",
            Protocol::Utf8smtps => "UTF8SMTPS",
            Protocol::Utf8smtpsa => "UTF8SMTPSA",
        }
    }
}

/// What came with MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailParameters {
    /// SIZE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// BODY: `7BIT` or `8BITMIME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// SMTPUTF8.
    #[serde(skip_serializing_if = "is_false")]
    pub smtputf8: bool,
    /// RET: `FULL` or `HDRS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret: Option<String>,
    /// ENVID, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envid: Option<String>,
    /// AUTH, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// PRDR.
    #[serde(skip_serializing_if = "is_false")]
    pub prdr: bool,
    /// REQUIRETLS.
    #[serde(skip_serializing_if = "is_false")]
    pub require_tls: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl MailParameters {
    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        *self == MailParameters::default()
    }
}

impl From<&smtp::MailParameters> for MailParameters {
    fn from(given: &smtp::MailParameters) -> MailParameters {
        let body = |body| match body {
            smtp::Body::SevenBit => "7BIT".to_owned(),
            smtp::Body::EightBitMime => "8BITMIME".to_owned(),
        };
        let ret = |ret| match ret {
            smtp::Ret::Full => "FULL".to_owned(),
            smtp::Ret::Headers => "HDRS".to_owned(),
        };
        MailParameters {
            size: given.size,
            body: given.body.map(body),
            smtputf8: given.smtputf8,
            ret: given.ret.map(ret),
            envid: given.envid.clone(),
            auth: given.auth.clone(),
            prdr: given.prdr,
            require_tls: given.require_tls,
        }
    }
}

/// One recipient of a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// The forward-path without angle brackets; `Postmaster` for the one without a domain.
    pub forward_path: String,
    /// The route that has its domain, as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Arc<str>>,
    /// Whose domain it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Arc<str>>,
    /// The fingerprint of the policy settings that the verdict was made by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
    /// The list entries that matched this recipient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListMatch>,
    /// What was decided for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Our reply to RCPT, or with PRDR to the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// The nexthop that was spoken to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<String>,
    /// Its last reply about this recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop_reply: Option<Reply>,
    /// What kept the nexthop from having the message, where the message was queued for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nexthop_fault: Option<String>,
    /// The message in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<String>,
    /// What became of the message for it.
    pub disposition: Disposition,
}

impl Recipient {
    /// A recipient of which only the forward-path is known.
    pub fn new(forward_path: impl Into<String>) -> Recipient {
        Recipient {
            forward_path: forward_path.into(),
            route: None,
            customer: None,
            policy: None,
            lists: Vec::new(),
            verdict: None,
            reply: None,
            nexthop: None,
            nexthop_reply: None,
            nexthop_fault: None,
            queue_id: None,
            disposition: Disposition::Abandoned,
        }
    }
}

/// What became of the message for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// Told 5xx, by us or by the nexthop.
    Refused,
    /// Told 4xx.
    Deferred,
    /// The nexthop took it.
    Relayed,
    /// It is in the maildir.
    Delivered,
    /// It is in the queue.
    Queued,
    /// The client went on without giving the message.
    Abandoned,
}

/// A reply as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The reply code.
    pub code: u16,
    /// The enhanced status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The text, lines joined by a blank.
    pub text: String,
}

impl From<&smtp::Reply> for Reply {
    fn from(reply: &smtp::Reply) -> Reply {
        Reply {
            code: reply.code(),
            status: reply.status().map(|status| status.to_string()),
            text: reply.text().replace('\n', " "),
        }
    }
}
