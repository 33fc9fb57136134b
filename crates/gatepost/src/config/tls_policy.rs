//! `[tls_policy]`, `[tls_reports]` and `[dmarc_reports]`: how servers that take our messages must prove themselves, and who is told
//! daily how that went and what DMARC said.

use std::path::PathBuf;

use smtp::Mailbox;

use super::node::Node;
use super::reader::Section;

/// `[tls_policy]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPolicy {
    /// TLSA records are looked up and hold (RFC 7672).
    pub dane: bool,
    /// The policies of recipient domains are looked up and hold (RFC 8461).
    pub mta_sts: bool,
    /// CAs that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// `[tls_reports]` (RFC 8460) or `[dmarc_reports]` (RFC 9990).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyReportSettings {
    /// Results are kept, and reported to domains that ask.
    pub enabled: bool,
    /// Who reports, in words.
    pub organization: String,
    /// Whom a reader may write to.
    pub contact: Mailbox,
    /// The header field From of reports.
    pub from: Mailbox,
}

impl TlsPolicy {
    pub(super) fn read(section: &Section<'_, '_>) -> TlsPolicy {
        TlsPolicy {
            dane: section.toggle("dane"),
            mta_sts: section.toggle("mta_sts"),
            ca_file: section.file("ca_file"),
        }
    }
}

impl DailyReportSettings {
    /// What is not given comes from the node, if there is one.
    pub(super) fn read(
        section: &Section<'_, '_>,
        node: Option<&Node>,
    ) -> Option<DailyReportSettings> {
        let organization = section.text("organization");
        let contact = section.form("contact", super::value::mailbox);
        let from = section.form("from", super::value::mailbox);
        let node = node?;
        let contact = contact.unwrap_or_else(|| node.postmaster.clone());
        Some(DailyReportSettings {
            enabled: section.toggle("enabled"),
            organization: organization.unwrap_or_else(|| node.name.clone()),
            from: from.unwrap_or_else(|| node.postmaster.clone()),
            contact,
        })
    }
}
