//! What the peer's answer to EHLO or LHLO offers (RFC 5321 section 4.1.1.1), keyword by keyword.
//!
//! Unknown keywords and malformed values are passed over: an extension that cannot be understood
//! is one that is not offered. What is made of the offers is the session's business.

use crate::reply::Reply;

/// The extensions that the peer offers. After HELO there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// EHLO or LHLO was accepted, not only HELO.
    pub extended: bool,
    /// The peer's own name, as its greeting has it.
    pub name: String,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// AUTH (RFC 4954): the mechanisms, in upper case. Empty if not offered.
    pub auth: Vec<String>,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// SIZE (RFC 1870) is offered, with or without a limit.
    pub size: bool,
    /// The most bytes of a message that the peer takes (RFC 1870 section 4).
    pub size_max: Option<u64>,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced_status_codes: bool,
    /// PRDR (draft-hall-prdr-00). The client session does not use it.
    pub prdr: bool,
    /// REQUIRETLS (RFC 8689). Meant only if it is said within TLS.
    pub require_tls: bool,
    /// LIMITS MAILMAX (RFC 9422 section 4.1): transactions of one session.
    pub mail_max: Option<u32>,
    /// LIMITS RCPTMAX (RFC 9422 section 4.2): recipients of one transaction.
    pub rcpt_max: Option<u32>,
    /// LIMITS RCPTDOMAINMAX (RFC 9422 section 4.3): recipient domains of one transaction.
    pub rcpt_domain_max: Option<u32>,
}

impl Capabilities {
    /// Reads the 250 reply to EHLO or LHLO.
    #[must_use]
    pub fn parse(reply: &Reply) -> Self {
        let mut lines = reply.lines();
        let greeting = lines.next().unwrap_or_default();
        let mut capabilities = Self {
            extended: true,
            name: greeting.split(' ').next().unwrap_or_default().to_owned(),
            ..Self::default()
        };
        for line in lines {
            capabilities.add(line.trim());
        }
        capabilities
    }

    /// Whether AUTH with this mechanism (in upper case) is offered.
    #[must_use]
    pub fn has_mechanism(&self, mechanism: &str) -> bool {
        self.auth.iter().any(|offered| offered == mechanism)
    }

    fn add(&mut self, line: &str) {
        let (keyword, values) = line.split_once(' ').unwrap_or((line, ""));
        // Servers of old say `AUTH=LOGIN PLAIN`, from a draft of RFC 2554.
        let (keyword, first) = keyword.split_once('=').unwrap_or((keyword, ""));
        match keyword.to_ascii_uppercase().as_str() {
            "STARTTLS" => self.starttls = true,
            "AUTH" => self.add_mechanisms(first, values),
            "PIPELINING" => self.pipelining = true,
            "SIZE" => {
                self.size = true;
                // RFC 1870 section 4: 0 means that there is no fixed limit.
                self.size_max = values.trim().parse().ok().filter(|&bytes| bytes > 0);
            }
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "DSN" => self.dsn = true,
            "CHUNKING" => self.chunking = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "PRDR" => self.prdr = true,
            "REQUIRETLS" => self.require_tls = true,
            "LIMITS" => self.add_limits(values),
            _ => {}
        }
    }

    fn add_mechanisms(&mut self, first: &str, more: &str) {
        for mechanism in first
            .split_ascii_whitespace()
            .chain(more.split_ascii_whitespace())
        {
            let mechanism = mechanism.to_ascii_uppercase();
            if !self.auth.contains(&mechanism) && self.auth.len() < MECHANISMS_MAX {
                self.auth.push(mechanism);
            }
        }
    }

    fn add_limits(&mut self, limits: &str) {
        for limit in limits.split_ascii_whitespace() {
            let Some((name, value)) = limit.split_once('=') else {
                continue;
            };
            // RFC 9422 section 3: one to six digits, the first not a zero.
            let value = value
                .parse()
                .ok()
                .filter(|value| (1..1_000_000).contains(value));
            match name.to_ascii_uppercase().as_str() {
                "MAILMAX" => self.mail_max = value,
                "RCPTMAX" => self.rcpt_max = value,
                "RCPTDOMAINMAX" => self.rcpt_domain_max = value,
                _ => {}
            }
        }
    }
}

/// Mechanisms kept: more than IANA has registered, so that comparing them stays cheap.
const MECHANISMS_MAX: usize = 64;

#[cfg(test)]
mod tests;
