//! `[auth]`: what is made of sender authentication (SPF, DKIM, DMARC, ARC), and who is trusted to hand on messages of others.

use ipnet::IpNet;

use super::node::Node;
use super::reader::Section;
use super::value;
use crate::relay_table::domain_key;

/// `[auth]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// Whose word `Authentication-Results` is (RFC 8601 2.5), in lower case.
    pub authserv_id: String,
    /// Domains whose seal of ARC counts, lower case, as A-labels; subdomains are included.
    pub trusted_sealers: Vec<String>,
    /// Clients that hand on messages of others.
    pub trusted_forwarders: Vec<IpNet>,
    /// Mailing lists by their `List-Id`, lower case; those below are included.
    pub trusted_lists: Vec<String>,
    /// What SPF says no to is refused at MAIL.
    pub spf_fail_at_mail: bool,
}

impl Authentication {
    /// What is not given comes from the node, if there is one.
    pub(super) fn read(file: &Section<'_, '_>, node: Option<&Node>) -> Option<Authentication> {
        let section = file.table_or_empty("auth")?;
        let authserv_id = section.name("authserv_id");
        let domains = |key| {
            let read = |text: &str| {
                let name = value::host_name(text)?;
                let domain = domain_key(&name).map(|domain| domain.to_string());
                Ok(domain.unwrap_or(name).to_ascii_lowercase())
            };
            let entries = section.list(key, read).into_iter();
            entries.map(|(domain, _)| domain).collect()
        };
        let trusted_sealers = domains("trusted_sealers");
        let trusted_lists = domains("trusted_lists");
        let trusted_forwarders = section.networks("trusted_forwarders");
        let spf_fail_at_mail = section.toggle("spf_fail_at_mail");
        let authserv_id = authserv_id.or_else(|| Some(node?.name.clone()))?;
        Some(Authentication {
            authserv_id: authserv_id.to_ascii_lowercase(),
            trusted_sealers,
            trusted_forwarders,
            trusted_lists,
            spf_fail_at_mail,
        })
    }
}
