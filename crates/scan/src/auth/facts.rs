//! What is known of a sender's authentication: facts with the result words of RFC 8601 section 2.7, recorded as they are.
//!
//! What follows from them is decided elsewhere. Domains are A-labels in lower case; what strangers wrote is on one line,
//! printable and bounded.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// All that is known of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Whether the client's name and address agree (RFC 8601 section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iprev: Option<IprevFact>,
    /// SPF of the name given with EHLO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_helo: Option<SpfFact>,
    /// SPF of the reverse-path; of the null reverse-path, that of `postmaster` at the name given with EHLO (RFC 7208
    /// section 2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_mail: Option<SpfFact>,
    /// The DKIM signatures, topmost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim: Vec<DkimFact>,
    /// DKIM signatures that were not looked at, since there are so many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dkim_skipped: usize,
    /// The chain of ARC, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arc: Option<ArcFact>,
    /// DMARC of the author's domain; of several authors' that which fares worst.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<DmarcFact>,
    /// The `List-Id` of the message (RFC 2919), if there is one: the part in angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_id: Option<String>,
}

/// Whether reverse and forward look-up agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IprevFact {
    /// The result.
    pub result: IprevResult,
    /// The name that both agree on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What SPF says of one identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpfFact {
    /// The result.
    pub result: SpfResult,
    /// The domain whose record was asked for.
    pub domain: String,
    /// The term that matched, as published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// What the domain says to one whom it rejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// What went wrong, for `temperror` and `permerror`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What one DKIM signature comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimFact {
    /// The result.
    pub result: DkimResult,
    /// `d=`; empty if the signature could not be read.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `a=`.
    pub algorithm: String,
    /// The first characters of `b=` (RFC 6008).
    pub value_start: String,
    /// Bits of the key, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<usize>,
    /// The domain says that it is testing (`t=y` of the key).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub testing: bool,
    /// Why it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a chain of ARC comes to (RFC 8617 section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArcFact {
    /// The result.
    pub result: ArcResult,
    /// Who sealed, the first one first.
    pub sealers: Vec<String>,
    /// Whether all that sealed since somebody found the message authentic are trusted, and who that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<String>,
    /// Why the chain is not good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What DMARC says of the author's domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmarcFact {
    /// The result.
    pub result: DmarcResult,
    /// The author's domain.
    pub from_domain: String,
    /// Its organisational domain, as far as the DNS tells.
    pub organizational_domain: String,
    /// What the domain owner published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<DmarcRecord>,
    /// What is asked to be done with messages that fail: `none` also if there is no record, one step milder in test mode.
    pub policy: DmarcPolicy,
    /// The domain of a DKIM signature that passes and is aligned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim_aligned: Option<String>,
    /// The domain of SPF, if it passes and is aligned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_aligned: Option<String>,
    /// What went wrong, for `temperror` and `permerror`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A record of DMARC as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DmarcRecord {
    /// Where it stands, without `_dmarc`.
    pub domain: String,
    /// `p`.
    pub policy: DmarcPolicy,
    /// `sp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdomain_policy: Option<DmarcPolicy>,
    /// `np`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonexistent_policy: Option<DmarcPolicy>,
    /// `adkim=s`.
    pub strict_dkim: bool,
    /// `aspf=s`.
    pub strict_spf: bool,
    /// `t=y`.
    pub testing: bool,
    /// `fo`.
    pub failure_options: String,
    /// `psd`: `y`, `n` or `u`.
    pub public_suffix: PublicSuffix,
    /// `rua`: where aggregate reports go, as published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub report_uris: Vec<String>,
}

/// What `psd` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicSuffix {
    /// It is one.
    Yes,
    /// It is an organisational domain.
    No,
    /// It does not say.
    #[default]
    Unsaid,
}

/// What SPF says (RFC 7208 section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpfResult {
    /// No record, or no domain that could have one.
    None,
    /// The domain says nothing of this client.
    Neutral,
    /// The client may send for the domain.
    Pass,
    /// It may not.
    Fail,
    /// Probably not.
    Softfail,
    /// The DNS does not answer.
    Temperror,
    /// The record is wrong.
    Permerror,
}

/// What a DKIM signature comes to (RFC 8601 section 2.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DkimResult {
    /// It is good.
    Pass,
    /// The message is not what was signed.
    Fail,
    /// It may be good, but is not accepted: a short key, an old algorithm, a body that is signed in part.
    Policy,
    /// It cannot be understood, or has expired.
    Neutral,
    /// The DNS does not answer.
    Temperror,
    /// What is needed is missing or wrong: the key, a tag.
    Permerror,
}

/// What a chain of ARC comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArcResult {
    /// It is good.
    Pass,
    /// It is broken.
    Fail,
    /// The DNS does not answer.
    Temperror,
}

/// What DMARC says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DmarcResult {
    /// There is no record.
    None,
    /// An aligned domain is authenticated.
    Pass,
    /// None is.
    Fail,
    /// The DNS does not answer.
    Temperror,
    /// The message cannot be judged: it has no author, or authors of several domains.
    Permerror,
}

/// What a domain owner asks for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DmarcPolicy {
    /// Nothing.
    #[default]
    None,
    /// That it is taken for suspect.
    Quarantine,
    /// That it is refused.
    Reject,
}

/// What reverse and forward look-up come to (RFC 8601 section 2.7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IprevResult {
    /// They agree.
    Pass,
    /// They do not.
    Fail,
    /// The DNS does not answer.
    Temperror,
}

impl Authentication {
    /// The domains that answer for the message: those of DKIM signatures that pass, and that of SPF if it passes; each once,
    /// in the order of the alphabet.
    pub fn authenticated_domains(&self) -> impl Iterator<Item = &str> {
        let dkim = self
            .dkim
            .iter()
            .filter(|fact| fact.result == DkimResult::Pass);
        let spf = self
            .spf_mail
            .iter()
            .filter(|fact| fact.result == SpfResult::Pass);
        let domains = dkim.map(|fact| fact.domain.as_str());
        let domains: BTreeSet<&str> = domains
            .chain(spf.map(|fact| fact.domain.as_str()))
            .collect();
        domains.into_iter()
    }

    /// Whether the author's domain is authenticated, and published that it is to be.
    pub fn dmarc_passes(&self) -> bool {
        let dmarc = self.dmarc.as_ref();
        dmarc.is_some_and(|fact| fact.result == DmarcResult::Pass)
    }
}

impl DkimFact {
    /// Of a signature that could not be read.
    pub(super) fn flawed(result: DkimResult, problem: String) -> DkimFact {
        DkimFact {
            result,
            domain: String::new(),
            selector: String::new(),
            algorithm: String::new(),
            value_start: String::new(),
            key_bits: None,
            testing: false,
            problem: Some(problem),
        }
    }
}

/// Gives each value the word that RFC 8601 and the records have for it.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),* $(,)? }) => {
        impl $name {
            /// Each of them.
            pub const ALL: [$name; [$($word),*].len()] = [$($name::$variant),*];

            /// The word that standards have for it.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }
    };
}

words!(SpfResult {
    None => "none",
    Neutral => "neutral",
    Pass => "pass",
    Fail => "fail",
    Softfail => "softfail",
    Temperror => "temperror",
    Permerror => "permerror",
});
words!(DkimResult {
    Pass => "pass",
    Fail => "fail",
    Policy => "policy",
    Neutral => "neutral",
    Temperror => "temperror",
    Permerror => "permerror",
});
words!(ArcResult {
    Pass => "pass",
    Fail => "fail",
    Temperror => "temperror",
});
words!(DmarcResult {
    None => "none",
    Pass => "pass",
    Fail => "fail",
    Temperror => "temperror",
    Permerror => "permerror",
});
words!(DmarcPolicy {
    None => "none",
    Quarantine => "quarantine",
    Reject => "reject",
});
words!(IprevResult {
    Pass => "pass",
    Fail => "fail",
    Temperror => "temperror",
});

fn is_zero(count: &usize) -> bool {
    *count == 0
}
