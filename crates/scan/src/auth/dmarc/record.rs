//! DMARC records (RFC 9989 section 4.7): a wrong tag is as one that is not there.

use crate::auth::facts::{DmarcPolicy, DmarcRecord, PublicSuffix};
use crate::auth::tags::Tags;
use crate::printable::printable;

/// Destinations of reports that are kept of one record.
pub(super) const REPORT_URIS_MAX: usize = 10;

/// Bytes of one destination.
const URI_BYTES_MAX: usize = 320;

/// A record as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    policy: Option<DmarcPolicy>,
    subdomain_policy: Option<DmarcPolicy>,
    nonexistent_policy: Option<DmarcPolicy>,
    /// `sp` or `np` is there, and is no policy.
    has_wrong_policy: bool,
    strict_dkim: bool,
    strict_spf: bool,
    testing: bool,
    failure_options: String,
    public_suffix: PublicSuffix,
    report_uris: Vec<String>,
}

impl Record {
    /// Reads a TXT record; `None` if it is none of DMARC: the version comes first, and is written exactly so.
    pub(super) fn parse(text: &str) -> Option<Record> {
        let tags = Tags::lenient(text);
        let (name, version) = tags.first()?;
        if !name.eq_ignore_ascii_case("v") || version != "DMARC1" {
            return None;
        }
        let policy = |name: &str| tags.value(name).and_then(DmarcPolicy::published);
        let is_wrong = |name: &str| tags.value(name).is_some() && policy(name).is_none();
        let says = |name, word: &str| {
            let value = tags.value(name);
            value.is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        let public_suffix = if says("psd", "y") {
            PublicSuffix::Yes
        } else if says("psd", "n") {
            PublicSuffix::No
        } else {
            PublicSuffix::Unsaid
        };
        let options = tags.value("fo").filter(|value| is_failure_options(value));
        Some(Record {
            policy: policy("p"),
            subdomain_policy: policy("sp"),
            nonexistent_policy: policy("np"),
            has_wrong_policy: is_wrong("sp") || is_wrong("np"),
            strict_dkim: says("adkim", "s"),
            strict_spf: says("aspf", "s"),
            testing: says("t", "y"),
            failure_options: options.unwrap_or("0").to_owned(),
            public_suffix,
            report_uris: report_uris(tags.value("rua").unwrap_or_default()),
        })
    }

    /// Whether it is of a public suffix, or of what says that it is none.
    pub(super) fn ends_walk(&self) -> bool {
        self.public_suffix != PublicSuffix::Unsaid
    }

    pub(super) fn is_public_suffix(&self) -> bool {
        self.public_suffix == PublicSuffix::Yes
    }

    pub(super) fn is_no_public_suffix(&self) -> bool {
        self.public_suffix == PublicSuffix::No
    }

    /// What counts of it. Without a valid policy it asks for nothing but reports, if it asks for these (section 4.10.1).
    pub(super) fn published(&self, domain: &str) -> Option<DmarcRecord> {
        let valid = self.policy.filter(|_| !self.has_wrong_policy);
        if valid.is_none() && self.report_uris.is_empty() {
            return None;
        }
        Some(DmarcRecord {
            domain: domain.to_owned(),
            policy: valid.unwrap_or_default(),
            subdomain_policy: valid.and(self.subdomain_policy),
            nonexistent_policy: valid.and(self.nonexistent_policy),
            strict_dkim: self.strict_dkim,
            strict_spf: self.strict_spf,
            testing: self.testing,
            failure_options: self.failure_options.clone(),
            public_suffix: self.public_suffix,
            report_uris: self.report_uris.clone(),
        })
    }
}

impl DmarcPolicy {
    fn published(word: &str) -> Option<DmarcPolicy> {
        let known = [
            DmarcPolicy::None,
            DmarcPolicy::Quarantine,
            DmarcPolicy::Reject,
        ];
        known
            .into_iter()
            .find(|policy| policy.word().eq_ignore_ascii_case(word))
    }
}

/// `fo`: a few letters, which only go into reports.
fn is_failure_options(value: &str) -> bool {
    let mut words = value.split(':');
    value.len() <= 7 && words.all(|word| ["0", "1", "d", "s"].contains(&word))
}

/// The URIs of `rua`, as far as they are some. A size behind an exclamation mark is ignored (section 4.7).
fn report_uris(value: &str) -> Vec<String> {
    let uris = value.split(',').map(str::trim).filter_map(|uri| {
        let uri = uri.split('!').next().unwrap_or(uri);
        let (scheme, rest) = uri.split_once(':')?;
        let is_scheme =
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_plain = uri.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = !rest.is_empty() && uri.len() <= URI_BYTES_MAX;
        (is_scheme && is_plain && fits).then(|| printable(uri, URI_BYTES_MAX))
    });
    uris.take(REPORT_URIS_MAX).collect()
}
