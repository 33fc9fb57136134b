//! From an engine's own scale to unlikely / likely / sure, by the engine's mapping or the operator's thresholds.
//!
//! | the finding has                         | likely                                                  | sure                |
//! |-----------------------------------------|---------------------------------------------------------|---------------------|
//! | a score, and the rule a threshold       | score >= `likely`                                       | score >= `sure`     |
//! | an action (rspamd)                      | `add header`, `rewrite subject`, `quarantine`, `reject` | `reject`            |
//! | a score with its mark (as spamassassin) | score >= the mark                                       | score >= 15         |
//! | the same of `content`                   | score >= the mark                                       | never               |
//! | a class alone (ctasd, outbreak, GTUBE)  | `bulk`                                                  | `confirmed`         |
//! | a failure of DMARC (auth)               | `quarantine`, as the route says also `reject`           | -                   |
//!
//! The first row that applies holds, for *likely* and for *sure* each by itself: with `sure` set and `likely` not, the
//! engine's own mapping still says what is likely. What is sure is likely as well. Everything else is unlikely:
//! `suspect` and `valid-bulk` never count, rspamd's `greylist` and `soft reject` are only noted. `nonspam` is no vote
//! against the others: it keeps nothing from being refused, which is what allow lists are for.

use std::collections::BTreeMap;

use scan::auth::facts::DmarcPolicy;
use scan::finding::{Finding, PolicyFailure, SpamClass, VirusClass};
use serde::{Deserialize, Serialize};

/// The score from which SpamAssassin is sure, where the operator set none: three times its usual mark of 5.
pub const SPAMASSASSIN_SURE_DEFAULT: f32 = 15.0;

/// What the policy goes by: one for each route, immutable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The rule of each engine by its name; [`EngineRule::default`] for one that is not named.
    pub engines: BTreeMap<String, EngineRule>,
    /// What follows from DMARC.
    #[serde(default)]
    pub dmarc: DmarcAction,
}

/// What follows if the author's domain is not authenticated and its owner asks for something (RFC 9989 section 5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DmarcAction {
    /// What he asks to be rejected is refused; what he asks to be quarantined is likely spam.
    #[default]
    Refuse,
    /// Both are likely spam.
    Likely,
    /// Nothing.
    Note,
}

/// What an engine's word counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineRule {
    /// Whether it counts at all. The findings of an engine that is not enabled are as though it had not run.
    pub enabled: bool,
    /// The score from which a message is likely spam; `None`: the engine's own mapping.
    pub likely: Option<f32>,
    /// The score from which a message is surely spam; `None`: the engine's own mapping.
    pub sure: Option<f32>,
    /// What happens while it is unavailable.
    pub on_failure: OnFailure,
}

/// What happens when an engine is unavailable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The message is decided without it.
    #[default]
    Open,
    /// The client is told to try again.
    Defer,
}

/// What an engine's finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// No reason to refuse.
    Unlikely,
    /// Refused if another engine agrees.
    Likely,
    /// Refused.
    Sure,
}

impl Default for EngineRule {
    fn default() -> EngineRule {
        EngineRule {
            enabled: true,
            likely: None,
            sure: None,
            on_failure: OnFailure::Open,
        }
    }
}

impl Settings {
    /// The rule of an engine.
    pub fn rule(&self, engine: &str) -> EngineRule {
        self.engines.get(engine).copied().unwrap_or_default()
    }

    /// A short name for these settings, the same for equal ones: recorded in each decision, so that a replay knows
    /// whether it judges by the same. 16 hexadecimal digits (FNV-1a of every rule).
    pub fn fingerprint(&self) -> String {
        let mut hash = Fnv::new();
        // The default leaves the name of settings as it was before there was a choice.
        if self.dmarc != DmarcAction::Refuse {
            hash.add(&[0xff, u8::from(self.dmarc == DmarcAction::Note)]);
        }
        for (engine, rule) in &self.engines {
            hash.add(engine.as_bytes());
            hash.add(&[
                0,
                u8::from(rule.enabled),
                u8::from(rule.on_failure == OnFailure::Defer),
            ]);
            for threshold in [rule.likely, rule.sure] {
                hash.add(&[u8::from(threshold.is_some())]);
                hash.add(&threshold.unwrap_or_default().to_bits().to_be_bytes());
            }
        }
        format!("{:016x}", hash.0)
    }
}

/// How likely an engine finds the message to be spam.
pub fn likelihood(finding: &Finding, rule: &EngineRule) -> Likelihood {
    if finding.unavailable.is_some() || !rule.enabled {
        return Likelihood::Unlikely;
    }
    let own = own_mapping(finding);
    let at = |threshold: Option<f32>, own: bool| match (finding.score, threshold) {
        (Some(score), Some(threshold)) => score.value >= threshold,
        _ => own,
    };
    if at(rule.sure, own == Likelihood::Sure) {
        Likelihood::Sure
    } else if at(rule.likely, own >= Likelihood::Likely) {
        Likelihood::Likely
    } else {
        Likelihood::Unlikely
    }
}

/// How likely what a domain owner asks for makes the message spam (RFC 9989 section 5.3).
pub fn dmarc_likelihood(finding: &Finding, rule: &EngineRule, action: DmarcAction) -> Likelihood {
    let Some(failure) = held_against(finding).filter(|_| rule.enabled) else {
        return Likelihood::Unlikely;
    };
    match (action, failure.asked) {
        (DmarcAction::Refuse | DmarcAction::Likely, DmarcPolicy::Quarantine)
        | (DmarcAction::Likely, DmarcPolicy::Reject) => Likelihood::Likely,
        _ => Likelihood::Unlikely,
    }
}

/// That the author is not authenticated, unless something excuses it.
pub(super) fn held_against(finding: &Finding) -> Option<&PolicyFailure> {
    let failure = finding.policy.as_ref();
    failure.filter(|failure| failure.excused_by.is_none())
}

/// How likely an engine finds the message to carry a virus: `virus` is sure, `high` is likely, `medium` never counts.
pub fn virus_likelihood(finding: &Finding, rule: &EngineRule) -> Likelihood {
    if finding.unavailable.is_some() || !rule.enabled {
        return Likelihood::Unlikely;
    }
    match finding.virus {
        Some(VirusClass::Virus) => Likelihood::Sure,
        Some(VirusClass::High) => Likelihood::Likely,
        Some(VirusClass::Medium | VirusClass::Unknown | VirusClass::Nonvirus) | None => {
            Likelihood::Unlikely
        }
    }
}

/// What the finding means on the engine's own terms.
fn own_mapping(finding: &Finding) -> Likelihood {
    if let Some(action) = &finding.action {
        return match action.as_str() {
            "reject" => Likelihood::Sure,
            "add header" | "rewrite subject" | "quarantine" => Likelihood::Likely,
            _ => Likelihood::Unlikely,
        };
    }
    if let Some(score) = finding.score
        && let Some(required) = score.required
    {
        // What a text is like is a reason to look twice, no proof: the content engine alone is sure only where the
        // operator says from when.
        let may_be_sure = finding.engine != scan::content::NAME;
        return if may_be_sure && score.value >= SPAMASSASSIN_SURE_DEFAULT && score.value >= required
        {
            Likelihood::Sure
        } else if score.value >= required {
            Likelihood::Likely
        } else {
            Likelihood::Unlikely
        };
    }
    match finding.spam {
        Some(SpamClass::Confirmed) => Likelihood::Sure,
        Some(SpamClass::Bulk) => Likelihood::Likely,
        Some(
            SpamClass::Nonspam | SpamClass::Unknown | SpamClass::Suspect | SpamClass::ValidBulk,
        )
        | None => Likelihood::Unlikely,
    }
}

/// FNV-1a, 64 bits: not against malice, only to tell settings apart.
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
