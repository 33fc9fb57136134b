//! `[allow]` and `[block]` as they are configured.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use smtp::Mailbox;

use crate::relay_table::domain_key;

/// One side of the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListSettings {
    /// Client addresses and networks.
    pub client: Vec<IpNet>,
    /// Reverse-paths.
    pub reverse_path: Vec<MailboxPattern>,
    /// Mailboxes of the header field From.
    pub from: Vec<MailboxPattern>,
    /// Recipients.
    pub recipient: Vec<MailboxPattern>,
}

/// An entry of a list of mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MailboxPattern {
    /// `<>`: the null reverse-path.
    Null,
    /// One mailbox. Its local-part is compared without regard to case: whoever blocks `spam@` means `Spam@` too.
    Address {
        /// Unquoted, lower case.
        local_part: String,
        /// As its key.
        domain: String,
    },
    /// `example.org` or `@example.org`: every mailbox of exactly this domain.
    Domain(String),
    /// `*.example.org`: every mailbox of every domain below it.
    Below(String),
}

impl FromStr for MailboxPattern {
    type Err = ();

    /// An entry as it stands in a list.
    fn from_str(entry: &str) -> Result<MailboxPattern, ()> {
        if entry == "<>" {
            return Ok(MailboxPattern::Null);
        }
        let key = |domain: &str| {
            domain_key(domain)
                .map(std::borrow::Cow::into_owned)
                .ok_or(())
        };
        if let Some(domain) = entry.strip_prefix("*.").or(entry.strip_prefix("@*.")) {
            let below = key(domain).map(MailboxPattern::Below);
            return below.and_then(|below| {
                if domain.starts_with('[') {
                    Err(())
                } else {
                    Ok(below)
                }
            });
        }
        if let Some(domain) = entry.strip_prefix('@') {
            return key(domain).map(MailboxPattern::Domain);
        }
        if let Ok(mailbox) = entry.parse::<Mailbox>() {
            return Ok(MailboxPattern::Address {
                local_part: mailbox.local_part.as_str().to_lowercase(),
                domain: key(&mailbox.domain.to_string())?,
            });
        }
        key(entry).map(MailboxPattern::Domain)
    }
}

impl fmt::Display for MailboxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MailboxPattern::Null => f.write_str("<>"),
            MailboxPattern::Address { local_part, domain } => {
                match smtp::LocalPart::new(local_part.as_str()) {
                    Ok(local_part) => write!(f, "{local_part}@{domain}"),
                    Err(_) => write!(f, "{local_part}@{domain}"),
                }
            }
            MailboxPattern::Domain(domain) => f.write_str(domain),
            MailboxPattern::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}
