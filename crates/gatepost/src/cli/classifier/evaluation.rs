//! `gatepost evaluate`: how well a model tells ham from spam, or, without a model, how well one does that is trained
//! with the other four fifths of the messages (cross-validation by clusters: no thread and no copy on both sides).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use scan::content::classifier::{Example, Model, train};

use super::{ConfigOption, Read, load, read_all, say, with_content};
use crate::config;

/// Parts of the cross-validation.
const FOLDS: usize = 5;

/// Mistakes that are listed of each kind.
const MISTAKES_MAX: usize = 10;

/// Points of the engine at which shares are told: from there on a message would be likely, were that the threshold.
const THRESHOLDS: [f32; 6] = [2.0, 3.0, 4.0, 5.0, 6.0, 8.0];

/// False positives in a thousand ham at which recall is told.
const POINTS: [usize; 3] = [0, 1, 5];

/// Tries a model, or the method.
#[derive(Debug, Args)]
pub(in crate::cli) struct EvaluateOptions {
    /// Folders with legitimate messages, one to a file
    #[arg(long, required = true, num_args = 1..)]
    ham: Vec<PathBuf>,
    /// Folders with spam, one to a file
    #[arg(long, required = true, num_args = 1..)]
    spam: Vec<PathBuf>,
    /// Folders with spam that no model of a cross-validation is trained with
    #[arg(long, num_args = 1..)]
    unseen: Vec<PathBuf>,
    /// The model; without one, five are trained, each with four fifths of the messages, and judge the fifth
    #[arg(long)]
    model: Option<PathBuf>,
    /// Try the model that `[engine.content]` uses
    #[arg(long, conflicts_with = "model")]
    in_use: bool,
    /// The seed of a cross-validation
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file for what is said of each message: one JSON object a line
    #[arg(long)]
    scores: Option<PathBuf>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// A message with what was said of it, the logarithm of the odds.
struct Judged<'r> {
    read: &'r Read,
    score: f32,
}

/// Does `gatepost evaluate`.
pub(in crate::cli) fn evaluate(option: &ConfigOption, options: &EvaluateOptions) -> ExitCode {
    with_content(option, |content| evaluated(content, options))
}

fn evaluated(content: &config::Content, options: &EvaluateOptions) -> Result<(), String> {
    let (read, folded) = read_all(&content.rules, &options.ham, &options.spam)?;
    let (unseen, _) = read_all(&content.rules, &[], &options.unseen)?;
    let models = match (&options.model, &content.classifier) {
        (Some(file), _) => vec![load(file)?],
        (None, Some(classifier)) if options.in_use => vec![Model::clone(&classifier.model)],
        (None, None) if options.in_use => return Err("the classifier is switched off".to_owned()),
        _ => cross_trained(&read, options.seed),
    };
    let seen = judged(&models, &read);
    let others = judged(&models, &unseen);
    if let Some(file) = &options.scores {
        let listed: String = seen.iter().chain(&others).map(listed).collect();
        std::fs::write(file, listed).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let (spam, ham): (Vec<_>, Vec<_>) = seen.into_iter().partition(|j| j.read.example.is_spam);
    let mut results = vec![figures("spam", &ham, &spam)];
    if !others.is_empty() {
        results.push(figures("unseen", &ham, &others));
    }
    let mistakes = serde_json::json!({
        "ham": worst(ham, |judged| -judged.score),
        "spam": worst(spam, |judged| judged.score),
    });
    if options.json {
        let told =
            serde_json::json!({ "duplicates": folded, "results": results, "mistakes": mistakes });
        say(&told.to_string());
        return Ok(());
    }
    for result in &results {
        say(&line(result));
        for threshold in result["thresholds"].as_array().into_iter().flatten() {
            let percent = |class: &str| 100.0 * threshold[class].as_f64().unwrap_or_default();
            say(&format!(
                "  {:>4} points or more: {:>7.3} % of the ham, {:>5.1} % of the spam",
                threshold["points"],
                percent("ham"),
                percent("spam")
            ));
        }
    }
    for (class, listed) in mistakes.as_object().into_iter().flatten() {
        say(&format!("{class} judged worst:"));
        for mistake in listed.as_array().into_iter().flatten() {
            let file = mistake["file"].as_str().unwrap_or_default();
            say(&format!(
                "  {:>8.3}  {file}",
                mistake["log_odds"].as_f64().unwrap_or_default()
            ));
        }
    }
    Ok(())
}

/// A message as a line of `--scores`. Its fold is that of the model that judged it and did not see it.
fn listed(judged: &Judged<'_>) -> String {
    let line = serde_json::json!({
        "file": judged.read.file,
        "fold": judged.read.example.cluster % FOLDS,
        "log_odds": judged.score,
    });
    format!("{line}\n")
}

fn cross_trained(read: &[Read], seed: u64) -> Vec<Model> {
    let fold = |fold: usize| {
        let inside = |example: &&Example| example.cluster % FOLDS != fold;
        let examples: Vec<&Example> = read
            .iter()
            .map(|read| &read.example)
            .filter(inside)
            .collect();
        train(&examples, seed)
    };
    (0..FOLDS).map(fold).collect()
}

/// Each message judged by the model that did not see its cluster.
fn judged<'r>(models: &[Model], read: &'r [Read]) -> Vec<Judged<'r>> {
    read.iter()
        .filter_map(|read| {
            let model = models.get(read.example.cluster % models.len().max(1))?;
            let score = model.log_odds(&read.example.features);
            Some(Judged { read, score })
        })
        .collect()
}

fn figures(name: &str, ham: &[Judged<'_>], spam: &[Judged<'_>]) -> serde_json::Value {
    let mut ham: Vec<f32> = ham.iter().map(|judged| judged.score).collect();
    ham.sort_by(|a, b| b.total_cmp(a));
    let recall = POINTS.map(|point| {
        let allowed = ham.len() * point / 1_000;
        let threshold = ham.get(allowed).copied().unwrap_or(f32::NEG_INFINITY);
        let caught = spam.iter().filter(|judged| judged.score > threshold).count();
        let share = caught as f64 / spam.len().max(1) as f64;
        serde_json::json!({ "false_positives_per_1000": point, "log_odds_above": threshold, "recall": share })
    });
    let thresholds = THRESHOLDS.map(|points| {
        let of_ham = ham.partition_point(|score| *score >= points);
        let of_spam = spam.iter().filter(|judged| judged.score >= points).count();
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        serde_json::json!({
            "points": points, "ham": share(of_ham, ham.len()), "spam": share(of_spam, spam.len()),
        })
    });
    serde_json::json!({
        "set": name, "ham": ham.len(), "spam": spam.len(), "recall": recall, "auc": area(&ham, spam),
        "thresholds": thresholds,
    })
}

/// The area under the ROC curve: how often a spam message is above a ham message. `ham` descends.
fn area(ham: &[f32], spam: &[Judged<'_>]) -> f64 {
    let pairs = ham.len() as f64 * spam.len() as f64;
    let won: f64 = spam
        .iter()
        .map(|judged| {
            let above = ham.partition_point(|score| *score > judged.score);
            let not_below = ham.partition_point(|score| *score >= judged.score);
            (ham.len() - not_below) as f64 + (not_below - above) as f64 / 2.0
        })
        .sum();
    won / pairs.max(1.0)
}

fn worst(
    mut judged: Vec<Judged<'_>>,
    order: impl Fn(&Judged<'_>) -> f32,
) -> Vec<serde_json::Value> {
    judged.sort_by(|a, b| order(a).total_cmp(&order(b)));
    let told = |judged: &Judged<'_>| serde_json::json!({ "file": judged.read.file, "log_odds": judged.score });
    judged.iter().take(MISTAKES_MAX).map(told).collect()
}

fn line(result: &serde_json::Value) -> String {
    let recalls: Vec<String> = result["recall"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|point| {
            let share = 100.0 * point["recall"].as_f64().unwrap_or_default();
            format!("{share:.1} % at {}", point["false_positives_per_1000"])
        })
        .collect();
    format!(
        "{}: {} messages against {} ham: {} false positives in 1,000; area under the curve {:.4}",
        result["set"].as_str().unwrap_or_default(),
        result["spam"],
        result["ham"],
        recalls.join(", "),
        result["auc"].as_f64().unwrap_or_default()
    )
}
