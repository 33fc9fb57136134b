//! A set of mailbox patterns, looked up by the mailbox, its domain, and each suffix of the domain.

use std::collections::HashSet;

use smtp::Mailbox;

use super::MailboxPattern;
use crate::relay_table::{domain_key, domain_rules};

/// Patterns; the most specific wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailboxes {
    null: bool,
    /// `local-part NUL domain`, `domain`, or `.suffix`; NUL occurs in no local-part.
    keys: HashSet<Box<str>>,
}

impl Mailboxes {
    pub(super) fn new(patterns: &[MailboxPattern]) -> Mailboxes {
        let key = |pattern: &MailboxPattern| match pattern {
            MailboxPattern::Null => None,
            MailboxPattern::Address { local_part, domain } => Some(address_key(local_part, domain)),
            MailboxPattern::Domain(domain) => Some(domain.clone()),
            MailboxPattern::Below(domain) => Some(format!(".{domain}")),
        };
        Mailboxes {
            null: patterns.contains(&MailboxPattern::Null),
            keys: patterns
                .iter()
                .filter_map(key)
                .map(String::into_boxed_str)
                .collect(),
        }
    }

    /// Whether nothing is listed.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn find_null(&self) -> Option<String> {
        self.null.then(|| MailboxPattern::Null.to_string())
    }

    pub(super) fn find(&self, mailbox: &Mailbox) -> Option<String> {
        if self.keys.is_empty() {
            return None;
        }
        let domain = mailbox.domain.to_string();
        let domain = domain_key(&domain)?;
        let local_part = mailbox.local_part.as_str().to_lowercase();
        if self
            .keys
            .contains(address_key(&local_part, &domain).as_str())
        {
            return Some(
                MailboxPattern::Address {
                    local_part,
                    domain: domain.into_owned(),
                }
                .to_string(),
            );
        }
        let rule = domain_rules(&domain).find(|&rule| self.keys.contains(rule))?;
        Some(match rule.strip_prefix('.') {
            Some(base) => format!("*.{base}"),
            None => rule.to_owned(),
        })
    }
}

fn address_key(local_part: &str, domain: &str) -> String {
    format!("{local_part}\0{domain}")
}
