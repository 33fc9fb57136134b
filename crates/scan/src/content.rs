//! The embedded engine `content`: what a message says to those who read it. It reads the message as a human sees it
//! (`reading`), asks the rules (`rules`), and adds up; a classifier may add what it has learned.
//!
//! Its word alone never refuses by default: what a text is like is a reason to look twice, no proof.

pub mod classifier;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod reading;
pub mod rules;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use self::classifier::{Features, Model};
use self::reading::Reading;
use self::reading::link::registrable;
use self::rules::{Hit, RuleFacts, Rules};
use crate::compute::off_session;
use crate::engine::Engine;
use crate::finding::{Finding, Score, Symbol, Unavailable};
use crate::limits;
use crate::message::Message;
use crate::printable::printable;
use crate::specimen::Specimen;

/// The engine's name.
pub const NAME: &str = "content";

/// Points from which a message counts as likely spam.
pub const LIKELY_POINTS: f32 = 5.0;

/// The most points that a classifier adds or takes away: it can make a message likely, and never sure of anything.
pub const CLASSIFIER_POINTS_MAX: f32 = 6.0;

/// Messages up to this size are examined at once rather than on a thread of their own, in bytes.
const INLINE_BYTES_MAX: usize = 64 * 1024;

/// How long sender authentication is waited for, unless the engine's deadline allows less; then it is judged without.
const AUTHENTICATION_WAIT_MAX: Duration = Duration::from_secs(5);

/// Points from which the classifier names its reasons.
const EXPLAINED_POINTS: f32 = 2.5;

/// Features that the classifier names.
const REASON_FEATURES_MAX: usize = 8;

/// Symbols that the reason names.
const REASON_SYMBOLS_MAX: usize = 4;

/// The engine. Cheap to share; it holds its rules and no state.
#[derive(Clone)]
pub struct Content {
    rules: Arc<Rules>,
    classifier: Option<Arc<Model>>,
    /// Which model that is, for the operator.
    model_name: String,
    authentication_wait: Duration,
}

impl Content {
    /// The engine with these rules and no classifier.
    pub fn new(rules: Arc<Rules>) -> Content {
        Content {
            rules,
            classifier: None,
            model_name: String::new(),
            authentication_wait: AUTHENTICATION_WAIT_MAX,
        }
    }

    /// The same, made to answer within this deadline: half of it is left for reading and judging.
    pub fn within(self, deadline: Duration) -> Content {
        Content {
            authentication_wait: AUTHENTICATION_WAIT_MAX.min(deadline / 2),
            ..self
        }
    }

    /// The same with a classifier, whose opinion starts from what the rules found. `name` tells an operator which it is.
    pub fn with_classifier(self, model: Arc<Model>, name: &str) -> Content {
        Content {
            classifier: Some(model),
            model_name: name.to_owned(),
            ..self
        }
    }

    /// What the session knows, as the rules ask for it.
    async fn facts(&self, specimen: &Specimen) -> RuleFacts {
        let authentication = specimen.authentication.wait();
        let authentication = timeout(self.authentication_wait, authentication).await;
        let recipients = specimen.recipients.iter().map(ToString::to_string);
        RuleFacts {
            helo: specimen.helo.to_ascii_lowercase(),
            client_name: specimen.client_name.as_deref().map(str::to_ascii_lowercase),
            reverse_path: specimen.reverse_path.to_string(),
            recipients: recipients.collect(),
            received_at: None,
            authenticated_domains: authentication
                .map(|known| {
                    known
                        .authenticated_domains()
                        .filter_map(registrable)
                        .collect()
                })
                .unwrap_or_default(),
        }
    }

    /// What it makes of a message: the engine without its dispatch.
    pub fn inspect(&self, message: &Message, facts: &RuleFacts) -> Finding {
        let hits = self.rules.match_(message.reading(), facts);
        let opinion = self
            .classifier
            .as_ref()
            .map(|model| opinion(model, message.reading(), &hits));
        finding(hits, opinion)
    }
}

/// What the classifier adds to the points of the rules, as a symbol. The logarithm of the odds starts from those points,
/// so that the sum of all symbols is what it comes to.
fn opinion(model: &Model, reading: &Reading, hits: &[Hit]) -> Symbol {
    let features = Features::of(reading, hits);
    let log_odds = model.log_odds(&features);
    let added = log_odds - features.points();
    let mut detail = format!("probability {:.3}", model.probability(&features));
    // Names take longer than the judgement, and only a verdict against a message has to be explained.
    if log_odds >= EXPLAINED_POINTS {
        let named = Features::with_names(reading, hits);
        for reason in model.explain(&named, REASON_FEATURES_MAX) {
            detail.push_str(&format!(", {} {:+.1}", reason.name, reason.weight));
        }
    }
    Symbol {
        name: "CLASSIFIER".to_owned(),
        score: Some(added.clamp(-CLASSIFIER_POINTS_MAX, CLASSIFIER_POINTS_MAX)),
        detail: Some(printable(&detail, limits::DETAIL_BYTES_MAX)),
    }
}

fn finding(hits: Vec<Hit>, opinion: Option<Symbol>) -> Finding {
    let mut symbols: Vec<Symbol> = hits.into_iter().map(symbol).collect();
    symbols.extend(opinion);
    let weight = |symbol: &Symbol| symbol.score.unwrap_or_default();
    let value: f32 = symbols.iter().map(weight).sum();
    // What weighs most comes first, so that the bound on symbols and the reason keep it.
    symbols.sort_by(|a, b| weight(b).abs().total_cmp(&weight(a).abs()));
    symbols.truncate(limits::SYMBOLS_MAX);
    let mut finding = Finding::new(NAME);
    finding.reason = reason(value, &symbols);
    finding.score = Some(Score {
        value,
        required: Some(LIKELY_POINTS),
    });
    finding.symbols = symbols;
    finding
}

fn symbol(hit: Hit) -> Symbol {
    Symbol {
        name: hit.symbol,
        score: Some(hit.weight),
        detail: hit.detail,
    }
}

fn reason(value: f32, symbols: &[Symbol]) -> String {
    let names: Vec<&str> = symbols
        .iter()
        .filter(|symbol| symbol.score.is_some_and(|score| score > 0.0))
        .take(REASON_SYMBOLS_MAX)
        .map(|symbol| symbol.name.as_str())
        .collect();
    if names.is_empty() {
        return "nothing speaks against the content".to_owned();
    }
    let likely = if value >= LIKELY_POINTS {
        "likely spam"
    } else {
        "not enough for spam"
    };
    format!(
        "{value:.1} of {LIKELY_POINTS:.1} points, {likely}: {}",
        names.join(", ")
    )
}

impl Engine for Content {
    fn name(&self) -> &str {
        NAME
    }

    fn examine(&self, specimen: Arc<Specimen>) -> BoxFuture<'_, Result<Finding, Unavailable>> {
        async move {
            // What other engines find out of the sender is asked for last: they are at it while the message is read.
            if specimen.message.bytes().len() <= INLINE_BYTES_MAX {
                specimen.message.reading();
                let facts = self.facts(&specimen).await;
                return Ok(self.inspect(&specimen.message, &facts));
            }
            let read = Arc::clone(&specimen);
            off_session(move || {
                read.message.reading();
            })
            .await?;
            let facts = self.facts(&specimen).await;
            let engine = self.clone();
            off_session(move || engine.inspect(&specimen.message, &facts)).await
        }
        .boxed()
    }

    fn probe(&self) -> BoxFuture<'_, Result<String, Unavailable>> {
        let rules = self.rules.rules();
        let enabled = rules.iter().filter(|rule| rule.is_enabled).count();
        let mut banner = format!("built in: {enabled} of {} rules", rules.len());
        if let Some(model) = &self.classifier {
            let (ham, spam) = model.trained_with();
            let name = &self.model_name;
            banner.push_str(&format!(
                ", {name} (trained with {ham} ham and {spam} spam)"
            ));
        } else {
            banner.push_str(", no classifier");
        }
        futures_util::future::ready(Ok(banner)).boxed()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("rules", &self.rules.rules().len())
            .field("has_classifier", &self.classifier.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests;
