//! SPF (RFC 7208): may this client send for this domain?
//!
//! `record` and `macros` read what domains publish, `check` evaluates it. Which identities are asked for, and what follows
//! from the answer, is decided elsewhere.

use std::net::IpAddr;

use net::resolver::Resolver;

use crate::auth::facts::SpfResult;

mod check;
mod macros;
mod record;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The client.
    pub ip: IpAddr,
    /// Whose record is asked.
    pub domain: &'a str,
    /// The local-part of the sender; `postmaster` if there is none (RFC 7208 section 4.3).
    pub local_part: &'a str,
    /// The domain of the sender.
    pub sender_domain: &'a str,
    /// The name given with EHLO or HELO.
    pub helo: &'a str,
    /// Our own name.
    pub receiver: &'a str,
    /// Now, in seconds since 1970: explanations may tell it.
    pub unix_seconds: u64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result.
    pub result: SpfResult,
    /// The term of the record that matched, as published.
    pub term: Option<String>,
    /// What the domain says to one whom it rejects (section 6.2): text of a stranger, on one line, bounded.
    pub explanation: Option<String>,
    /// What went wrong, for `temperror` and `permerror`.
    pub problem: Option<String>,
}

impl Outcome {
    pub(crate) fn without(result: SpfResult, problem: String) -> Outcome {
        Outcome {
            result,
            term: None,
            explanation: None,
            problem: Some(problem),
        }
    }
}

/// Answers. The look-ups are bounded in number; bound them in time.
pub async fn check(resolver: &Resolver, question: &Question<'_>) -> Outcome {
    check::Evaluation::new(resolver, question).run().await
}

/// Whether it can be a domain that has a record: at least two labels of 1 to 63 bytes (RFC 7208 section 4.3), 253 in all.
fn is_domain(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut labels = 0;
    let fit = name.split('.').all(|label| {
        labels += 1;
        (1..=63).contains(&label.len())
    });
    fit && labels >= 2 && name.len() <= 253 && !name.starts_with('[')
}

/// Reads a text as a record and evaluates it against a domain without any other record. For the fuzzer.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(text: &str) {
    use futures_util::FutureExt as _;
    if record::Record::parse(text).is_err() {
        return;
    }
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let zone = format!(
        "example.com TXT \"{quoted}\"\nexample.com A 192.0.2.1\nexample.com MX 1 example.com\n"
    );
    let Ok(resolver) = Resolver::zone(&zone) else {
        return;
    };
    for ip in ["192.0.2.1", "2001:db8::1"] {
        let Ok(ip) = ip.parse() else {
            return;
        };
        let question = Question {
            ip,
            domain: "example.com",
            local_part: "a.b",
            sender_domain: "example.com",
            helo: "mx.example.com",
            receiver: "mx.example.net",
            unix_seconds: 0,
        };
        // A zone answers at once.
        let outcome = check(&resolver, &question).now_or_never();
        let Some(outcome) = outcome else {
            panic!("a zone made it wait");
        };
        assert!(outcome.result != SpfResult::None && outcome.result != SpfResult::Temperror);
    }
}

#[cfg(test)]
mod tests;
