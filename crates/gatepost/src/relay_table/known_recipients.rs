//! The recipients of a route that stand in a file.
//!
//! One address or local-part on each line. A local-part alone exists in every domain of the route. Local-parts are
//! compared without regard to case: by RFC 5321 2.4 only their host may know whether case counts, and no host that
//! providers run lets it. A listed `anna` stands for `anna+detail` too (RFC 5233), unless that is listed itself.

use std::collections::HashSet;

use smtp::Mailbox;

use super::domain_key;

/// The recipients that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownRecipients {
    /// The local-part, or the local-part, NUL and domain; the local-part unquoted and in lower case, the domain as its key.
    entries: HashSet<Box<str>>,
}

impl KnownRecipients {
    /// Takes in an entry as it stands in a file: `anna`, `anna@example.org`, `"a b"@example.org`.
    ///
    /// Returns whether it is an address or local-part at all.
    pub fn insert(&mut self, entry: &str) -> bool {
        let key = match entry.parse::<Mailbox>() {
            Ok(mailbox) => domain_key(&mailbox.domain.to_string())
                .map(|domain| address_key(&folded(mailbox.local_part.as_str()), &domain)),
            Err(_) => local_part(entry).map(|local_part| folded(&local_part)),
        };
        match key {
            Some(key) => {
                self.entries.insert(key.into_boxed_str());
                true
            }
            None => false,
        }
    }

    /// Whether this recipient exists. `postmaster` does in every domain (RFC 5321 4.5.1).
    pub fn contains(&self, mailbox: &Mailbox) -> bool {
        let local_part = folded(mailbox.local_part.as_str());
        let domain = mailbox.domain.to_string();
        let Some(domain) = domain_key(&domain) else {
            return false;
        };
        let listed = |local_part: &str| {
            self.entries.contains(local_part)
                || self
                    .entries
                    .contains(address_key(local_part, &domain).as_str())
        };
        local_part == "postmaster"
            || listed(&local_part)
            || local_part
                .split_once('+')
                .is_some_and(|(user, _)| !user.is_empty() && listed(user))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn folded(local_part: &str) -> String {
    local_part.to_lowercase()
}

/// Joined by what no local-part can hold: a quoted one may well hold an `@`.
fn address_key(local_part: &str, domain: &str) -> String {
    format!("{local_part}\0{domain}")
}

/// A local-part that stands alone, unquoted.
fn local_part(entry: &str) -> Option<String> {
    // Read as that of some mailbox, so that quoting is understood.
    let mailbox = format!("{entry}@invalid").parse::<Mailbox>().ok()?;
    Some(mailbox.local_part.as_str().to_owned())
}

#[cfg(test)]
mod tests;
