//! A signer of the tests' own (RFC 6376 section 3, RFC 8463, RFC 8617 section 5.1), which shares nothing with what verifies: it signs
//! whatever it is told, in any form, with any tags, right or wrong.

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};

/// A pair of keys.
pub(crate) enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// How a message is signed.
#[derive(Clone, Copy)]
pub(crate) struct Recipe<'a> {
    pub(crate) key: &'a Key,
    /// `header/body`.
    pub(crate) form: &'a str,
    pub(crate) selector: &'a str,
    /// `h=`.
    pub(crate) names: &'a str,
    /// Bytes of the canonical body that are hashed; `None` is all.
    pub(crate) hashed: Option<usize>,
    /// More tags, each followed by a semicolon.
    pub(crate) tags: &'a str,
}

impl Key {
    pub(crate) fn rsa() -> Key {
        Key::Rsa(Box::new(
            RsaKeyPair::from_der(include_bytes!("rsa.der")).unwrap(),
        ))
    }

    pub(crate) fn ed25519() -> Key {
        Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// `k=` and `p=` of its record.
    pub(crate) fn public(&self) -> String {
        match self {
            Key::Rsa(key) => {
                let parts: PublicKeyComponents<Vec<u8>> = key.public().into();
                assert_eq!(parts.n.len(), 256);
                format!("k=rsa; p={}", base64(key.public().as_ref()))
            }
            Key::Ed25519(key) => format!("k=ed25519; p={}", base64(key.public_key().as_ref())),
        }
    }

    fn sign(&self, input: &[u8]) -> String {
        match self {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let random = SystemRandom::new();
                key.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature)
                    .unwrap();
                base64(&signature)
            }
            Key::Ed25519(key) => base64(key.sign(digest(&SHA256, input).as_ref()).as_ref()),
        }
    }
}

impl Recipe<'_> {
    /// The message with the signature on top.
    pub(crate) fn sign(&self, message: &str) -> String {
        let start = format!("DKIM-Signature: v=1; d=one.example; {}", self.tags);
        format!("{}{message}", self.field(&start, message))
    }

    /// A field of a signature that begins so.
    fn field(&self, start: &str, message: &str) -> String {
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        let (header_form, body_form) = self.form.split_once('/').unwrap();
        let body = canonical_body(body_form, body);
        let hashed = &body[..self.hashed.unwrap_or(body.len()).min(body.len())];
        let field = format!(
            "{start} a={}; c={};\r\n\ts={}; h={};\r\n\tbh={};\r\n\tb=",
            self.key.algorithm(),
            self.form,
            self.selector,
            self.names,
            base64(digest(&SHA256, hashed.as_bytes()).as_ref())
        );
        let fields = fields(head);
        let mut input = String::new();
        let mut taken: Vec<usize> = Vec::new();
        for name in self.names.split(':') {
            let is_next = |index: &usize| {
                let named = fields[*index].split(':').next().unwrap_or_default();
                named.trim().eq_ignore_ascii_case(name.trim()) && !taken.contains(index)
            };
            if let Some(index) = (0..fields.len()).rev().find(is_next) {
                taken.push(index);
                input.push_str(&canonical_field(header_form, &fields[index]));
                input.push_str("\r\n");
            }
        }
        input.push_str(&canonical_field(header_form, &field));
        format!("{field}{}\r\n", self.key.sign(input.as_bytes()))
    }

    /// Puts a set of ARC on top: results, signature and seal, with this instance and this `cv`.
    pub(crate) fn seal(&self, instance: usize, verdict: &str, message: &str) -> String {
        let results = format!(
            "ARC-Authentication-Results: i={instance}; one.example; dmarc=pass header.from=one.example\r\n"
        );
        let start = format!(
            "ARC-Message-Signature: i={instance}; d=one.example; {}",
            self.tags
        );
        let signature = self.field(&start, message);
        let seal = format!(
            "ARC-Seal: i={instance}; a={}; cv={verdict}; d=one.example; s={};\r\n\tb=",
            self.key.algorithm(),
            self.selector
        );
        // Those that are there already, the first instance first.
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        let there = fields(head);
        let mut input = String::new();
        for before in 1..instance {
            for name in [
                "ARC-Authentication-Results",
                "ARC-Message-Signature",
                "ARC-Seal",
            ] {
                let start = format!("{name}: i={before};");
                let found = there.iter().find(|field| field.starts_with(&start));
                input.push_str(&canonical_field("relaxed", found.unwrap()));
                input.push_str("\r\n");
            }
        }
        for field in [&results, &signature] {
            input.push_str(&canonical_field("relaxed", field.trim_end()));
            input.push_str("\r\n");
        }
        input.push_str(&canonical_field("relaxed", &seal));
        format!(
            "{seal}{}\r\n{signature}{results}{message}",
            self.key.sign(input.as_bytes())
        )
    }
}

/// The fields of a header section, with their folding, without the last CRLF.
fn fields(head: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push_str("\r\n");
                last.push_str(line);
            }
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}

/// RFC 6376 sections 3.4.1 and 3.4.2.
fn canonical_field(form: &str, field: &str) -> String {
    if form == "simple" {
        return field.to_owned();
    }
    let (name, body) = field.split_once(':').unwrap();
    let words: Vec<&str> = body.split_ascii_whitespace().collect();
    format!("{}:{}", name.trim().to_ascii_lowercase(), words.join(" "))
}

/// RFC 6376 sections 3.4.3 and 3.4.4.
fn canonical_body(form: &str, body: &str) -> String {
    let mut lines: Vec<String> = body.split("\r\n").map(str::to_owned).collect();
    if form == "relaxed" {
        for line in &mut lines {
            let words: Vec<&str> = line.split([' ', '\t']).collect();
            let mut relaxed = String::new();
            for (index, word) in words.iter().enumerate() {
                if index > 0 && !relaxed.ends_with(' ') {
                    relaxed.push(' ');
                }
                relaxed.push_str(word);
            }
            *line = relaxed.trim_end_matches(' ').to_owned();
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if lines.is_empty() {
        return if form == "simple" { "\r\n" } else { "" }.to_owned();
    }
    lines.join("\r\n") + "\r\n"
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | u32::from(*group.get(at).unwrap_or(&0))
        });
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}
