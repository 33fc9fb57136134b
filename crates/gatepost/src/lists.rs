//! Allow and block lists: by client address, reverse-path, header From and recipient.
//!
//! Each look-up hashes: its cost is bounded by the number of labels or prefix lengths, not by the size of a list.
//! An allow entry wins over a block entry of the same kind; what a match brings is policy.

use std::net::IpAddr;

use smtp::{Mailbox, ReversePath};

use crate::policy::{List, ListField, ListMatch};

mod mailboxes;
mod networks;
mod settings;

pub use settings::{ListSettings, MailboxPattern};

use mailboxes::Mailboxes;
use networks::Networks;

#[cfg(test)]
mod tests;

/// The allow and block lists of a configuration, made for look-ups.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    allow: Compiled,
    block: Compiled,
}

#[derive(Clone, Debug, Default)]
struct Compiled {
    client: Networks,
    reverse_path: Mailboxes,
    from: Mailboxes,
    recipient: Mailboxes,
}

impl Lists {
    /// Makes the lists ready for look-ups.
    pub fn new(allow: &ListSettings, block: &ListSettings) -> Lists {
        Lists {
            allow: Compiled::new(allow),
            block: Compiled::new(block),
        }
    }

    /// The entry for a client; an IPv4-mapped address counts as the IPv4 address.
    pub fn client(&self, ip: IpAddr) -> Option<ListMatch> {
        self.find(ListField::Client, |lists| lists.client.find(ip))
    }

    /// The entry for a reverse-path; the entry `<>` stands for the null one.
    pub fn reverse_path(&self, reverse_path: &ReversePath) -> Option<ListMatch> {
        self.find(ListField::ReversePath, |lists| match reverse_path {
            ReversePath::Null => lists.reverse_path.find_null(),
            ReversePath::Mailbox(mailbox) => lists.reverse_path.find(mailbox),
        })
    }

    /// The entry for a mailbox of the header field From.
    pub fn from(&self, mailbox: &Mailbox) -> Option<ListMatch> {
        self.find(ListField::From, |lists| lists.from.find(mailbox))
    }

    /// The entry for a recipient.
    pub fn recipient(&self, mailbox: &Mailbox) -> Option<ListMatch> {
        self.find(ListField::Recipient, |lists| lists.recipient.find(mailbox))
    }

    fn find(
        &self,
        field: ListField,
        entry: impl Fn(&Compiled) -> Option<String>,
    ) -> Option<ListMatch> {
        let on = |list, compiled| {
            let entry = entry(compiled)?;
            Some(ListMatch { list, field, entry })
        };
        on(List::Allow, &self.allow).or_else(|| on(List::Block, &self.block))
    }
}

impl Compiled {
    fn new(settings: &ListSettings) -> Compiled {
        Compiled {
            client: Networks::new(&settings.client),
            reverse_path: Mailboxes::new(&settings.reverse_path),
            from: Mailboxes::new(&settings.from),
            recipient: Mailboxes::new(&settings.recipient),
        }
    }
}
