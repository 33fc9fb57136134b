//! `[reports]`, `[[dkim]]` and `[loops]`: what we write ourselves, and what must not come back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::Fault;
use super::files;
use super::node::Node;
use super::queue::{Rate, rate};
use super::reader::Section;
use super::value;
use crate::deliver::report::{Reporter, Unproven};
use crate::deliver::signing::PrivateKey;
use crate::policy::HopLimits;
use crate::relay_table::domain_key;

/// Reports to our postmaster, if nothing else is said.
const POSTMASTER_RATE: Rate = Rate {
    messages: 20,
    per: Duration::from_secs(3600),
};

/// `[[dkim]]`: a key that signs.
#[derive(Clone, Debug)]
pub struct Dkim {
    /// The domains that it signs for, lower case, as A-labels; subdomains are included.
    pub domains: Vec<String>,
    /// Where the public key is: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The file that it was read from.
    pub file: PathBuf,
    /// The key.
    pub key: Arc<PrivateKey>,
    /// How long a signature holds.
    pub expires: Option<Duration>,
}

/// `[loops]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loops {
    /// Received fields that a message may have.
    pub received_max: usize,
    /// Received fields of this node that a message may have.
    pub own_max: usize,
}

/// `[reports]`; what is not given comes from the node, if there is one.
pub(super) fn reporter(file: &Section<'_, '_>, node: Option<&Node>) -> Option<Reporter> {
    let section = file.table_or_empty("reports")?;
    let from = section.form("from", value::mailbox);
    let unproven = section.choice(
        "unproven",
        &[
            ("postmaster", Unproven::Postmaster),
            ("reverse-path", Unproven::ReversePath),
        ],
    );
    let node = node?;
    Some(Reporter {
        name: node.name.clone(),
        from: from.or_else(|| format!("mailer-daemon@{}", node.name).parse().ok())?,
        postmaster: node.postmaster.clone(),
        return_bytes_max: section.bytes("return_max"),
        unproven: unproven.unwrap_or(Unproven::Postmaster),
        postmaster_rate: section
            .form("postmaster_rate", rate)
            .unwrap_or(POSTMASTER_RATE),
    })
}

impl Loops {
    pub(super) fn read(file: &Section<'_, '_>) -> Option<Loops> {
        let section = file.table_or_empty("loops")?;
        Some(Loops {
            received_max: section.integer("received_max"),
            own_max: section.integer("own_max"),
        })
    }

    /// As the policy wants them.
    pub fn limits(&self) -> HopLimits {
        HopLimits {
            received_max: self.received_max,
            own_max: self.own_max,
        }
    }
}

impl Dkim {
    /// All keys; each selector once for a domain.
    pub(super) fn read_all(file: &Section<'_, '_>) -> Vec<Dkim> {
        let mut keys: Vec<Dkim> = Vec::new();
        for section in file.tables("dkim") {
            let Some(key) = Dkim::read(&section) else {
                continue;
            };
            let same = |other: &&Dkim| {
                other.selector == key.selector
                    && other
                        .domains
                        .iter()
                        .any(|domain| key.domains.contains(domain))
            };
            if keys.iter().any(|other| same(&other)) {
                let fault = Fault::new(
                    format!(
                        "there is another key with the selector `{}` for one of these domains",
                        key.selector
                    ),
                    "give each key of a domain a selector of its own: one name in the DNS has one public key",
                );
                section.error("selector", fault);
            } else {
                keys.push(key);
            }
        }
        keys
    }

    fn read(section: &Section<'_, '_>) -> Option<Dkim> {
        let domains: Vec<String> = section
            .list("domains", |text| {
                let name = value::host_name(text)?;
                let key = domain_key(&name).map(|key| key.to_string());
                Ok(key.unwrap_or(name))
            })
            .into_iter()
            .map(|(domain, _)| domain)
            .collect();
        if section.is_empty_list("domains") {
            let fault = Fault::new(
                "`domains` holds no domain",
                "add the domains that the key signs for",
            );
            section.error("domains", fault);
        }
        let selector = section.name("selector");
        let file = section.file("key")?;
        let key = files::read(&file).and_then(|pem| {
            PrivateKey::from_pem(&pem).map_err(|error| {
                Fault::new(
                    format!("{} holds no key that can sign: {error}", file.display()),
                    "make one with `openssl genrsa -out FILE 2048` or `openssl genpkey -algorithm ed25519 -out FILE`",
                )
            })
        });
        let key = key.map_err(|fault| section.error("key", fault)).ok()?;
        let expires = section.duration("expires");
        Some(Dkim {
            domains,
            selector: selector?,
            file,
            key: Arc::new(key),
            expires: (!expires.is_zero()).then_some(expires),
        })
    }
}
