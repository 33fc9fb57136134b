//! What a list is asked: the names under its zone for an address (RFC 5782 sections 2.1 and 2.4) and for domains (section 3).
//!
//! Whether a list wants a whole host name or the domain that was registered differs: a name is asked about by its last four
//! labels, three, and so on down to the domain that was registered (by the list of public suffixes).

use std::net::IpAddr;

use super::List;
use crate::limits::{LIST_DOMAINS_MAX, LIST_LABELS_MAX};
use crate::reputation::origin::{is_public, origin};

/// Bytes of a name (RFC 1035 section 2.3.4). No list has a longer one, and that one can't be asked says nothing of a list.
const NAME_BYTES_MAX: usize = 253;

/// What a list is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The client's address.
    Ip,
    /// The name given with EHLO or HELO.
    Helo,
    /// The domain of the reverse-path.
    ReversePath,
    /// The domains of the header field From.
    From,
    /// The domains that the message links to.
    Url,
}

/// The message and its client, as far as lists are asked about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The client.
    pub ip: Option<IpAddr>,
    /// The name given with EHLO or HELO.
    pub helo: String,
    /// The domain of the reverse-path; none for the null one.
    pub reverse_path: Option<String>,
    /// The domains of the header field From.
    pub from: Vec<String>,
    /// The hosts that the message links to.
    pub links: Vec<String>,
}

/// One question to one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) subject: Subject,
    /// The address or domain.
    pub(super) who: String,
    /// The name to be asked for.
    pub(super) name: String,
}

impl Subject {
    /// All of them, in the order of the documentation.
    pub const ALL: [Subject; 5] = [
        Subject::Ip,
        Subject::Helo,
        Subject::ReversePath,
        Subject::From,
        Subject::Url,
    ];

    /// The word for it in configuration and findings.
    pub const fn word(self) -> &'static str {
        match self {
            Subject::Ip => "ip",
            Subject::Helo => "helo",
            Subject::ReversePath => "reverse-path",
            Subject::From => "from",
            Subject::Url => "url",
        }
    }
}

/// What `list` is to be asked, nothing twice.
pub(super) fn questions(list: &List, about: &About) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let mut put = |subject, who: String, label: &str| {
        let name = under(&list.zone, label);
        let is_name = name.len() <= NAME_BYTES_MAX;
        if is_name && questions.iter().all(|question| question.name != name) {
            questions.push(Question { subject, who, name });
        }
    };
    // What says the most comes first, should there be too many.
    let subjects = Subject::ALL.iter();
    for subject in subjects.filter(|subject| list.asked_about.contains(subject)) {
        let domains: Vec<&str> = match subject {
            Subject::Ip => {
                if let Some(ip) = about.ip.filter(|ip| is_public(*ip)) {
                    let ip = origin(ip);
                    put(Subject::Ip, ip.to_string(), &reversed(ip));
                }
                continue;
            }
            Subject::Helo => vec![about.helo.as_str()],
            Subject::ReversePath => about.reverse_path.as_deref().into_iter().collect(),
            Subject::From => about.from.iter().map(String::as_str).collect(),
            Subject::Url => about.links.iter().map(String::as_str).collect(),
        };
        for domain in domains.into_iter().take(LIST_DOMAINS_MAX) {
            for label in suffixes(domain) {
                put(*subject, label.clone(), &label);
            }
        }
    }
    questions
}

/// The name of `label` under a zone.
pub(super) fn under(zone: &str, label: &str) -> String {
    let zone = zone.trim_matches('.');
    format!("{label}.{zone}")
}

/// The octets of an IPv4 address, or the nibbles of an IPv6 address, last one first.
pub(super) fn reversed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(ip) => {
            let mut name = String::with_capacity(63);
            for octet in ip.octets().iter().rev() {
                for nibble in [octet & 15, octet >> 4] {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.extend(char::from_digit(u32::from(nibble), 16));
                }
            }
            name
        }
    }
}

/// The domain by its last labels, from [`LIST_LABELS_MAX`] down to those that were registered, in lower case. Nothing for what
/// is no domain name: an address, a single label, an address literal, a public suffix.
fn suffixes(domain: &str) -> Vec<String> {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || matches!(c, '-' | '_')
                    || (!c.is_ascii() && !c.is_control())
            })
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let is_name = domain.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        // A last label of digits is an address, whole or in part.
        && !labels.iter().next_back().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_name {
        return Vec::new();
    }
    let Some(registered) = psl::domain_str(&domain) else {
        return Vec::new();
    };
    let fewest = registered.split('.').count();
    let most = labels.len().min(LIST_LABELS_MAX.max(fewest));
    let last = |count: usize| {
        labels
            .get(labels.len() - count..)
            .unwrap_or_default()
            .join(".")
    };
    (fewest..=most).rev().map(last).collect()
}

#[cfg(test)]
mod tests;
