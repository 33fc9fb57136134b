//! The parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), DSN's
//! RET, ENVID, NOTIFY and ORCPT (RFC 3461), AUTH (RFC 4954 5), PRDR (draft-hall-prdr-00), REQUIRETLS
//! (RFC 8689).
//!
//! Values and how they are written; reading them is in `parameters::parse`. Whether an extension
//! is offered is the session's to know.

mod parse;

use std::fmt;

pub(crate) use parse::Offered;
pub use parse::ParameterError;

use crate::xtext;

#[cfg(test)]
mod tests;

/// What came with MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParameters {
    /// The size that the client expects the message to have, in bytes (RFC 1870 6.1).
    pub size: Option<u64>,
    /// What kind of octets the message holds (RFC 6152).
    pub body: Option<Body>,
    /// Addresses or header fields may hold UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// How much of the message a failure report returns (RFC 3461 4.3).
    pub ret: Option<Ret>,
    /// The sender's own name for this transaction, decoded (RFC 3461 4.4).
    pub envid: Option<String>,
    /// Who submitted the message, decoded; `<>` for nobody known (RFC 4954 5).
    pub auth: Option<String>,
    /// Each recipient gets a reply of its own (PRDR).
    pub prdr: bool,
    /// The message may only travel over TLS, to servers that have proven who they are and promise
    /// the same (RFC 8689).
    pub require_tls: bool,
}

/// What came with RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParameters {
    /// When a report is wanted (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// The original recipient, its address decoded: `rfc822;user@example.com` (RFC 3461 4.2).
    pub orcpt: Option<String>,
}

/// BODY (RFC 6152 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// `7BIT`.
    SevenBit,
    /// `8BITMIME`.
    EightBitMime,
}

/// RET (RFC 3461 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// `FULL`: the whole message.
    Full,
    /// `HDRS`: its header section alone.
    Headers,
}

/// NOTIFY (RFC 3461 4.1). None of the three is `NEVER`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notify {
    /// Report that the message was delivered.
    pub success: bool,
    /// Report that it could not be.
    pub failure: bool,
    /// Report that it takes long.
    pub delay: bool,
}

impl Notify {
    /// `NEVER`.
    pub const NEVER: Notify = Notify {
        success: false,
        failure: false,
        delay: false,
    };

    /// Whether no report is wanted in any case.
    pub fn is_never(self) -> bool {
        self == Notify::NEVER
    }
}

impl MailParameters {
    /// Whether any of DSN's parameters is there.
    pub fn has_dsn(&self) -> bool {
        self.ret.is_some() || self.envid.is_some()
    }
}

impl RcptParameters {
    /// Whether any of DSN's parameters is there.
    pub fn has_dsn(&self) -> bool {
        self.notify.is_some() || self.orcpt.is_some()
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Body::SevenBit => "7BIT",
            Body::EightBitMime => "8BITMIME",
        })
    }
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ret::Full => "FULL",
            Ret::Headers => "HDRS",
        })
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("NEVER");
        }
        let wanted = [
            (self.success, "SUCCESS"),
            (self.failure, "FAILURE"),
            (self.delay, "DELAY"),
        ];
        let mut separator = "";
        for (_, word) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
            write!(f, "{separator}{word}")?;
            separator = ",";
        }
        Ok(())
    }
}

/// As MAIL carries them, each with a blank before it.
impl fmt::Display for MailParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(size) = self.size {
            write!(f, " SIZE={size}")?;
        }
        if let Some(body) = self.body {
            write!(f, " BODY={body}")?;
        }
        if self.smtputf8 {
            f.write_str(" SMTPUTF8")?;
        }
        if let Some(ret) = self.ret {
            write!(f, " RET={ret}")?;
        }
        if let Some(envid) = &self.envid {
            write!(f, " ENVID={}", xtext::encode(envid))?;
        }
        match self.auth.as_deref() {
            None => {}
            Some("<>") => f.write_str(" AUTH=<>")?,
            Some(identity) => write!(f, " AUTH={}", xtext::encode(identity))?,
        }
        if self.prdr {
            f.write_str(" PRDR")?;
        }
        if self.require_tls {
            f.write_str(" REQUIRETLS")?;
        }
        Ok(())
    }
}

/// As RCPT carries them, each with a blank before it.
impl fmt::Display for RcptParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(notify) = self.notify {
            write!(f, " NOTIFY={notify}")?;
        }
        if let Some(orcpt) = &self.orcpt {
            let (kind, address) = orcpt.split_once(';').unwrap_or(("rfc822", orcpt));
            let encoded = if kind.eq_ignore_ascii_case("utf-8") {
                xtext::encode_utf8_addr(address)
            } else {
                xtext::encode(address)
            };
            write!(f, " ORCPT={kind};{encoded}")?;
        }
        Ok(())
    }
}
