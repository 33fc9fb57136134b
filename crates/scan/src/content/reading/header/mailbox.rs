//! The mailboxes of an address field, as clients show them.

use mail_parser::{Address, HeaderValue, parsers::MessageStream};

use super::super::fold::{self, FoldFacts};
use super::{MAILBOXES_MAX, ended, link};

/// Bytes of a display name or an address that are kept.
const VALUE_BYTES_MAX: usize = 512;

/// A mailbox with what is shown for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded and folded, if there is one.
    pub name: Option<String>,
    /// The address in lower case, if there is one.
    pub address: Option<String>,
    /// The domain of the address in lower case.
    pub domain: Option<String>,
    /// The registrable domain of that.
    pub registrable: Option<String>,
}

impl Mailbox {
    /// The local-part of the address.
    pub fn local_part(&self) -> Option<&str> {
        self.address
            .as_deref()?
            .rsplit_once('@')
            .map(|(local, _)| local)
    }
}

/// The mailboxes of `body`, those of groups included.
pub(super) fn mailboxes(body: &[u8]) -> Vec<Mailbox> {
    let line = ended(body);
    let HeaderValue::Address(address) = MessageStream::new(&line).parse_address() else {
        return Vec::new();
    };
    let members = match address {
        Address::List(list) => list,
        Address::Group(groups) => groups
            .into_iter()
            .flat_map(|group| group.addresses)
            .collect(),
    };
    members
        .into_iter()
        .take(MAILBOXES_MAX)
        .map(|member| mailbox(member.name.as_deref(), member.address.as_deref()))
        .collect()
}

fn mailbox(name: Option<&str>, address: Option<&str>) -> Mailbox {
    let folded = |text: &str| fold::fold(text, VALUE_BYTES_MAX, &mut FoldFacts::default());
    let address = address.map(|address| folded(address).to_lowercase());
    let domain = address
        .as_deref()
        .and_then(|address| address.rsplit_once('@'))
        .map(|(_, domain)| domain.trim_end_matches(['>', '.']).to_owned())
        .filter(|domain| !domain.is_empty());
    Mailbox {
        name: name.map(folded).filter(|name| !name.is_empty()),
        registrable: domain.as_deref().and_then(link::registrable),
        address,
        domain,
    }
}

/// Whether `word` has the form of an address of the Internet.
pub(super) fn is_address(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && domain
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
            && link::has_known_suffix(&domain.to_ascii_lowercase())
    })
}
