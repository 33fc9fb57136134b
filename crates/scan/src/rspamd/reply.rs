//! The JSON that rspamd answers with: score, required score, action, symbols.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::finding::{Finding, Score, Symbol, Unavailable, UnavailableCause};
use crate::limits;
use crate::printable::{bracketed, printable, printable_bytes};

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    is_skipped: bool,
    score: Option<f64>,
    required_score: Option<f64>,
    action: Option<String>,
    #[serde(default)]
    symbols: BTreeMap<String, ReplySymbol>,
}

#[derive(Deserialize)]
struct ReplySymbol {
    #[serde(default)]
    score: f64,
    #[serde(default)]
    options: Vec<Value>,
}

/// Reads a reply to `/checkv2` into a finding of `engine`.
pub(super) fn parse(engine: &str, content: &[u8]) -> Result<Finding, Unavailable> {
    let reply: Reply = serde_json::from_slice(content).map_err(|error| {
        let text = printable_bytes(content, limits::DETAIL_BYTES_MAX);
        // It quotes a value of the wrong type, which may be as long as the reply.
        let error = printable(&error.to_string(), limits::DETAIL_BYTES_MAX);
        Unavailable::new(
            UnavailableCause::Protocol,
            format!("rspamd answered {text:?}: {error}"),
        )
    })?;
    if let Some(error) = reply.error {
        let error = printable(&error, limits::DETAIL_BYTES_MAX);
        return Err(Unavailable::new(
            UnavailableCause::Refused,
            format!("rspamd: {error}"),
        ));
    }
    let (Some(score), Some(action)) = (reply.score, reply.action) else {
        return Err(Unavailable::new(
            UnavailableCause::Protocol,
            "rspamd answered without score or action",
        ));
    };
    // A verdict that was forced, such as that of GTUBE, is marked as skipped too.
    if reply.is_skipped && action == "no action" && reply.symbols.is_empty() {
        return Ok(Finding {
            reason: "rspamd is configured to skip this message".to_owned(),
            ..Finding::new(engine)
        });
    }
    let action = printable(&action, limits::NAME_BYTES_MAX);
    let symbols = symbols(reply.symbols);
    let score = Score {
        value: single(score),
        required: reply.required_score.map(single),
    };
    let of = score
        .required
        .map(|required| format!(" of {required:.1}"))
        .unwrap_or_default();
    let guilty = symbols
        .iter()
        .filter(|symbol| symbol.score.is_some_and(|score| score > 0.0));
    let names = bracketed(guilty.map(|symbol| symbol.name.as_str()));
    Ok(Finding {
        reason: format!("rspamd score {:.1}{of}, {action}{names}", score.value),
        score: Some(score),
        action: Some(action),
        symbols,
        ..Finding::new(engine)
    })
}

/// The symbols that weigh most, heaviest first.
fn symbols(symbols: BTreeMap<String, ReplySymbol>) -> Vec<Symbol> {
    let mut symbols: Vec<(String, ReplySymbol)> = symbols.into_iter().collect();
    symbols.sort_by(|(_, a), (_, b)| b.score.abs().total_cmp(&a.score.abs()));
    symbols.truncate(limits::SYMBOLS_MAX);
    let symbol = |(name, symbol): (String, ReplySymbol)| Symbol {
        name: printable(&name, limits::NAME_BYTES_MAX),
        score: Some(single(symbol.score)),
        detail: detail(&symbol.options),
    };
    symbols.into_iter().map(symbol).collect()
}

fn detail(options: &[Value]) -> Option<String> {
    let mut text = String::new();
    for option in options.iter().filter_map(Value::as_str) {
        if text.len() > limits::DETAIL_BYTES_MAX {
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(option);
    }
    let text = printable(&text, limits::DETAIL_BYTES_MAX);
    (!text.is_empty()).then_some(text)
}

/// Scores need no more than single precision; what exceeds it stays finite, since findings are written as JSON.
fn single(score: f64) -> f32 {
    score.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}
