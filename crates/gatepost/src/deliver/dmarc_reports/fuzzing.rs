//! The body of the fuzz target `dmarc_report`: whatever domains publish and messages claim, a report goes to its organisation
//! only, and is XML that any reader takes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what does not hold panics"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::FutureExt as _;
use net::resolver::Resolver;
use scan::auth::facts::{DkimResult, DmarcPolicy, DmarcRecord, PublicSuffix, SpfResult};

use super::destination::destinations;
use super::document::Reported;
use super::observation::{Disposition, Published, Row};
use crate::config::DailyReportSettings;

/// Whose reports they are.
const ORGANIZATION: &str = "example.org";

/// A line for each text that a stranger has a hand in: `fo`, the author's domain, that of the reverse-path, domain and selector
/// of a signature; and URIs of `rua`, one on each line that is left.
pub fn dmarc_report(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n').map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let (failure_options, header_from, envelope_from) = (next(), next(), next());
    let (domain, selector) = (next(), next());
    let published = published(failure_options, lines.collect());
    goes_to_its_organization(&published);
    let texts = [
        published.record.failure_options.clone(),
        header_from.clone(),
        envelope_from.clone(),
        domain.clone(),
        selector.clone(),
    ];
    let row = Row {
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        disposition: Disposition::Reject,
        dkim_aligned: false,
        spf_aligned: true,
        overridden: None,
        header_from,
        envelope_from: envelope_from.clone(),
        dkim: vec![(domain, selector, DkimResult::Fail)],
        spf: Some((envelope_from, SpfResult::Pass)),
    };
    let reported = Reported {
        day: 20_000,
        published: Arc::new(published),
        rows: [(row, 1)].into(),
    };
    let found = read(&reported.xml(&settings(), "1@mx.example.net"));
    // Each text stands as one, but for what no XML text may hold (XML 1.0 section 2.2).
    for text in texts {
        let legal = |c: char| {
            if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') {
                '?'
            } else {
                c
            }
        };
        let text: String = text.chars().map(legal).collect();
        assert!(found.contains(&text), "{text:?} is not in {found:?}");
    }
}

fn published(failure_options: String, report_uris: Vec<String>) -> Published {
    Published {
        record: DmarcRecord {
            domain: format!("mail.{ORGANIZATION}"),
            policy: DmarcPolicy::Reject,
            subdomain_policy: None,
            nonexistent_policy: None,
            strict_dkim: false,
            strict_spf: true,
            testing: true,
            failure_options,
            public_suffix: PublicSuffix::Unsaid,
            report_uris,
        },
        organizational_domain: ORGANIZATION.to_owned(),
    }
}

/// Nobody else has consented in an empty zone.
fn goes_to_its_organization(published: &Published) {
    let resolver = Resolver::zone("").expect("an empty zone");
    let found = destinations(&resolver, published).now_or_never();
    let found = found.expect("a zone answers at once").unwrap_or_default();
    assert!(found.len() <= 4);
    for mailbox in found {
        let host = mailbox.domain.ascii();
        let above = host.strip_suffix(ORGANIZATION);
        assert!(
            above.is_some_and(|above| above.is_empty() || above.ends_with('.')),
            "{host}"
        );
        let text = mailbox.to_string();
        assert!(!text.contains(['\r', '\n']), "{text:?}");
    }
}

/// The texts of a document, which has to be well-formed.
fn read(xml: &str) -> Vec<String> {
    let is_legal = |c: char| c == '\n' || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    assert!(xml.chars().all(is_legal));
    let (_declaration, mut rest) = xml.split_once("?>").expect("a declaration");
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'));
        let (tag, behind) = after.split_once('>').expect("a tag ends");
        match tag.strip_prefix('/') {
            Some(name) => {
                assert_eq!(open.pop(), Some(name));
                texts.push(plain(before));
            }
            None => open.push(tag.split(' ').next().unwrap_or(tag)),
        }
        rest = behind;
    }
    assert!(open.is_empty() && rest == "\n");
    texts
}

/// A text without references.
fn plain(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').expect("a reference ends");
        let referred = [("amp", '&'), ("lt", '<'), ("gt", '>')];
        let known = referred.iter().find(|(known, _)| *known == name);
        plain.push(known.expect("a reference that all readers know").1);
        plain.push_str(rest);
    }
    plain
}

fn settings() -> DailyReportSettings {
    let postmaster = "postmaster@example.net".parse();
    let postmaster: smtp::Mailbox = postmaster.expect("a mailbox");
    DailyReportSettings {
        enabled: true,
        organization: "Example Hosting".to_owned(),
        contact: postmaster.clone(),
        from: postmaster,
    }
}
