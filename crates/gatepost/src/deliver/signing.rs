//! DKIM signatures (RFC 6376, RFC 8301, RFC 8463) on what leaves for domains of our own: which key signs, and the fields to
//! put on top.
//!
//! Keys and what they compute are in `key`, the canonical form in `canonical`. Whose messages are signed is decided where
//! they are disposed of; verifying is not done here.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use queue::Submission;

use crate::config::Dkim;

mod canonical;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod key;

pub use key::{KeyError, PrivateKey};

/// Header fields that are signed, with one more of each than there is, so that none can be added (RFC 6376 8.15). What
/// servers on the way add or rewrite (Received, Return-Path) is not among them.
const SIGNED_FIELDS: [&str; 10] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Header fields that are signed as far as they are there; others may add them.
const SIGNED_IF_PRESENT: [&str; 5] = [
    "Sender",
    "In-Reply-To",
    "References",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Occurrences of one field that are signed: no honest message has more.
const OCCURRENCES_MAX: usize = 20;

/// Columns of a line of the signature.
const COLUMNS: usize = 76;

/// All keys of a node.
#[derive(Clone, Debug, Default)]
pub struct Signer {
    keys: Vec<Arc<Dkim>>,
    by_domain: HashMap<String, Vec<usize>>,
}

/// What signs for a domain.
#[derive(Clone, Debug)]
pub struct Signatory {
    /// The domain that takes responsibility (`d=`): that of the author or one above it.
    pub domain: String,
    /// Its keys; not empty.
    pub keys: Vec<Arc<Dkim>>,
}

impl Signer {
    /// With the keys of the configuration.
    pub fn new(keys: &[Dkim]) -> Signer {
        let mut by_domain: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            for domain in &key.domains {
                by_domain.entry(domain.clone()).or_default().push(index);
            }
        }
        Signer {
            keys: keys.iter().cloned().map(Arc::new).collect(),
            by_domain,
        }
    }

    /// What signs for authors of this domain (lower case, A-labels): its own keys, or those of the next domain above it.
    pub fn signatory(&self, author_domain: &str) -> Option<Signatory> {
        let mut domain = author_domain;
        loop {
            if let Some(indices) = self.by_domain.get(domain) {
                let keys = indices.iter().filter_map(|&index| self.keys.get(index));
                return Some(Signatory {
                    domain: domain.to_owned(),
                    keys: keys.cloned().collect(),
                });
            }
            (_, domain) = domain.split_once('.')?;
        }
    }

    /// A submission with the signatures of its author's domain on top, or as it was if there is none. The first slices must
    /// hold the whole header section. RSA takes its time: call it off the runtime's threads.
    ///
    /// # Errors
    /// The key can't sign.
    pub fn signed(
        &self,
        author_domain: &str,
        mut submission: Submission,
        unix_seconds: u64,
    ) -> Result<Submission, KeyError> {
        let Some(signatory) = self.signatory(author_domain) else {
            return Ok(submission);
        };
        let content = submission.content.concat();
        let end = memchr::memmem::find(&content, b"\r\n\r\n").map_or(content.len(), |at| at + 2);
        let (header_section, rest) = content.split_at(end);
        let body = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        let fields = signatory.fields(header_section, body, unix_seconds)?;
        submission.content.insert(0, Bytes::from(fields));
        Ok(submission)
    }
}

impl Signatory {
    /// The fields DKIM-Signature of all keys for a message as it leaves: its header section without the empty line, and what
    /// follows that. Each ends with CRLF.
    ///
    /// # Errors
    /// A key can't sign.
    pub fn fields(
        &self,
        header_section: &[u8],
        body: &[u8],
        unix_seconds: u64,
    ) -> Result<Vec<u8>, KeyError> {
        let (names, signed) = select(header_section);
        let body_hash = super::report::base64(&canonical::body_hash(body));
        let mut fields = Vec::with_capacity(1024);
        for key in &self.keys {
            let mut field = self.unsigned(key, &names, &body_hash, unix_seconds);
            let mut input = signed.clone();
            canonical::field(field.as_bytes(), &mut input);
            // RFC 6376 3.7: without the CRLF that would end it.
            input.truncate(input.trim_ascii_end().len());
            let signature = super::report::base64(&key.key.sign(&input)?);
            let mut column = 3;
            for c in signature.chars() {
                if column == COLUMNS {
                    field.push_str("\r\n\t");
                    column = 1;
                }
                field.push(c);
                column += 1;
            }
            field.push_str("\r\n");
            fields.extend(field.into_bytes());
        }
        Ok(fields)
    }

    /// The field with an empty `b=` at its end.
    fn unsigned(&self, key: &Dkim, names: &[&str], body_hash: &str, unix_seconds: u64) -> String {
        let mut field = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n\td={};\r\n\ts={}; t={unix_seconds}",
            key.key.algorithm(),
            self.domain,
            key.selector,
        );
        if let Some(expires) = key.expires {
            let until = unix_seconds.saturating_add(expires.as_secs());
            field.push_str(&format!("; x={until}"));
        }
        field.push_str(";\r\n\th=");
        let mut column = 3;
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                field.push(':');
                column += 1;
            }
            if column + name.len() + 1 > COLUMNS {
                field.push_str("\r\n\t");
                column = 1;
            }
            field.push_str(name);
            column += name.len();
        }
        field.push_str(&format!(";\r\n\tbh={body_hash};\r\n\tb="));
        field
    }
}

/// The names for `h=`, and the canonical form of the fields that they mean: of several of one name the last comes first
/// (RFC 6376 5.4.2).
fn select(header_section: &[u8]) -> (Vec<&'static str>, Vec<u8>) {
    let present = canonical::fields(header_section);
    let mut names = Vec::with_capacity(24);
    let mut signed = Vec::with_capacity(header_section.len().min(16 * 1024));
    let wanted = SIGNED_FIELDS.iter().map(|name| (*name, true));
    let wanted = wanted.chain(SIGNED_IF_PRESENT.iter().map(|name| (*name, false)));
    for (name, one_more) in wanted {
        let occurrences = present
            .iter()
            .rev()
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
        let mut count = 0;
        for field in occurrences.take(OCCURRENCES_MAX) {
            canonical::field(field.whole, &mut signed);
            names.push(name);
            count += 1;
        }
        if one_more && count < OCCURRENCES_MAX {
            names.push(name);
        }
    }
    (names, signed)
}

#[cfg(test)]
mod tests;
