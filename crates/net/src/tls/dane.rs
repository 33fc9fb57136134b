//! TLSA records (RFC 6698) and whether a server's certificates are those that they name, as SMTP uses them (RFC 7672 section
//! 3.1): DANE-EE and DANE-TA alone.
//!
//! Pure: records and certificates in, a match or none out. Looking records up is in `resolver`, the handshake in `connector`.

use ring::digest::{SHA256, SHA512, digest};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{EndEntityCert, anchor_from_trusted_cert};

use crate::limits::{CHAIN_CERTIFICATES_MAX, TLSA_RECORDS_MAX};
use crate::resolver::Tlsa;

/// The records of a server that can be used; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsaSet {
    records: Vec<Usable>,
}

/// How a certificate was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaneMatch {
    /// The server's own certificate or key is in the DNS (RFC 7672 section 3.1.1).
    EndEntity,
    /// It was issued by a CA that is in the DNS, for the right name (section 3.1.2).
    TrustAnchor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Usable {
    usage: DaneMatch,
    selector: Selector,
    matching: Matching,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selector {
    Certificate,
    PublicKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Matching {
    Full,
    Sha256,
    Sha512,
}

impl TlsaSet {
    /// What is usable of `records`; `None` if nothing is. RFC 7672 section 3.1.3: the usages that lean on public CAs (PKIX-TA,
    /// PKIX-EE) are not, for SMTP. Beside a stronger digest for the same usage and selector the weaker one does not count (RFC
    /// 7671 section 9). Records beyond the 64th are left out.
    pub fn new(records: &[Tlsa]) -> Option<TlsaSet> {
        let usable: Vec<Usable> = records
            .iter()
            .take(TLSA_RECORDS_MAX)
            .filter_map(Usable::new)
            .collect();
        let is_strongest = |record: &&Usable| {
            record.matching != Matching::Sha256
                || !usable.iter().any(|other| {
                    other.matching == Matching::Sha512
                        && other.usage == record.usage
                        && other.selector == record.selector
                })
        };
        let records: Vec<Usable> = usable.iter().filter(is_strongest).cloned().collect();
        (!records.is_empty()).then_some(TlsaSet { records })
    }

    /// Whether the server's own certificate is the one that a DANE-EE record names. Neither its names nor its dates matter (RFC
    /// 7672 section 3.1.1).
    pub(super) fn names_end_entity(&self, certificate: &CertificateDer<'_>) -> bool {
        self.of(DaneMatch::EndEntity)
            .any(|record| record.matches(certificate))
    }

    /// The trust anchors that DANE-TA records name: certificates of the chain, or certificates and keys that stand whole in the
    /// DNS (RFC 7671 section 5.2). Of a long chain the first 16 are looked at.
    pub(super) fn anchors(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Vec<TrustAnchor<'static>> {
        let mut anchors = Vec::new();
        for record in self.of(DaneMatch::TrustAnchor) {
            let chain = intermediates.iter().take(CHAIN_CERTIFICATES_MAX);
            for certificate in chain.clone().filter(|one| record.matches(one)) {
                if let Ok(anchor) = anchor_from_trusted_cert(certificate) {
                    anchors.push(anchor.to_owned());
                }
            }
            match (record.matching, record.selector) {
                (Matching::Full, Selector::Certificate) => {
                    let certificate = CertificateDer::from(record.data.as_slice());
                    if let Ok(anchor) = anchor_from_trusted_cert(&certificate) {
                        anchors.push(anchor.to_owned());
                    }
                }
                // A key without a name stands for whoever a certificate of the chain says that it was issued by.
                (Matching::Full, Selector::PublicKey) => {
                    let issued = std::iter::once(end_entity).chain(chain);
                    anchors.extend(issued.filter_map(|one| issuer_with_key(one, &record.data)));
                }
                (Matching::Sha256 | Matching::Sha512, _) => {}
            }
        }
        anchors
    }

    fn of(&self, usage: DaneMatch) -> impl Iterator<Item = &Usable> {
        self.records
            .iter()
            .filter(move |record| record.usage == usage)
    }
}

impl Usable {
    fn new(record: &Tlsa) -> Option<Usable> {
        let usage = match record.usage {
            2 => DaneMatch::TrustAnchor,
            3 => DaneMatch::EndEntity,
            _ => return None,
        };
        let selector = match record.selector {
            0 => Selector::Certificate,
            1 => Selector::PublicKey,
            _ => return None,
        };
        let length = record.data.len();
        let matching = match (record.matching, selector) {
            (0, Selector::Certificate) => {
                EndEntityCert::try_from(&CertificateDer::from(record.data.as_slice())).ok()?;
                Matching::Full
            }
            (0, Selector::PublicKey) => {
                sequence_content(&record.data)?;
                Matching::Full
            }
            (1, _) if length == SHA256.output_len() => Matching::Sha256,
            (2, _) if length == SHA512.output_len() => Matching::Sha512,
            _ => return None,
        };
        Some(Usable {
            usage,
            selector,
            matching,
            data: record.data.clone(),
        })
    }

    fn matches(&self, certificate: &CertificateDer<'_>) -> bool {
        match self.selector {
            Selector::Certificate => self.is_of(certificate),
            Selector::PublicKey => EndEntityCert::try_from(certificate)
                .is_ok_and(|parsed| self.is_of(&parsed.subject_public_key_info())),
        }
    }

    fn is_of(&self, selected: &[u8]) -> bool {
        match self.matching {
            Matching::Full => self.data == selected,
            Matching::Sha256 => self.data == digest(&SHA256, selected).as_ref(),
            Matching::Sha512 => self.data == digest(&SHA512, selected).as_ref(),
        }
    }
}

/// The issuer that `certificate` names, with this key.
fn issuer_with_key(certificate: &CertificateDer<'_>, key: &[u8]) -> Option<TrustAnchor<'static>> {
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    Some(TrustAnchor {
        subject: parsed.issuer().to_vec().into(),
        subject_public_key_info: sequence_content(key)?.to_vec().into(),
        name_constraints: None,
    })
}

/// What is in a DER SEQUENCE (X.690 8.1.3) that is all of `der`.
fn sequence_content(der: &[u8]) -> Option<&[u8]> {
    let (&[0x30, first], rest) = der.split_first_chunk()? else {
        return None;
    };
    let (length, content) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&[one], rest) = rest.split_first_chunk()?;
            (usize::from(one), rest)
        }
        0x82 => {
            let (&bytes, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(bytes)), rest)
        }
        _ => return None,
    };
    (content.len() == length && length > 0).then_some(content)
}

/// Any records and certificates: nothing panics, what matches is usable, and a record of a certificate matches it.
#[cfg(any(test, feature = "fuzzing"))]
pub fn fuzz(bytes: &[u8]) {
    let [usage, selector, matching, length, rest @ ..] = bytes else {
        return;
    };
    let (data, certificate) = rest.split_at(usize::from(*length).min(rest.len()));
    let record = |usage, selector, matching, data: &[u8]| Tlsa {
        usage,
        selector,
        matching,
        data: data.to_vec(),
    };
    let any = record(*usage % 5, *selector % 3, *matching % 4, data);
    let certificate = CertificateDer::from(certificate);
    if let Some(set) = TlsaSet::new(std::slice::from_ref(&any)) {
        assert!(matches!(any.usage, 2 | 3) && any.selector < 2 && any.matching < 3);
        let named = set.names_end_entity(&certificate);
        assert!(!named || any.usage == 3);
        let anchors = set.anchors(&certificate, std::slice::from_ref(&certificate));
        assert!(anchors.is_empty() || any.usage == 2);
    } else {
        assert!(
            any.matching != 1
                || any.usage < 2
                || any.usage > 3
                || any.selector > 1
                || data.len() != 32
        );
    }
    let own = digest(&SHA256, &certificate);
    let set = TlsaSet::new(&[record(3, 0, 1, own.as_ref())]);
    assert!(set.is_some_and(|set| set.names_end_entity(&certificate)));
}

#[cfg(test)]
mod tests;
