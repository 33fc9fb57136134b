//! What the filters' scores come to: recall at so many false positives in 1,000, and the area under the curve.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;

use super::engines::Speed;
use super::messages::Role;
use super::{Filter, Scored, filters};
use crate::bench::figures::{self, Figure, Target};
use crate::bench::publish::{self, Report};
use crate::bench::{Options, machine, page};

/// False positives in 1,000 ham at which recall is told.
const POINTS: [usize; 3] = [0, 1, 5];

/// What is told apart: a title, the ham and the spam of it, by the names of parts.
const TABLES: [(&str, &[&str], &[&str]); 4] = [
    (
        "spam of the corpus against its easy ham",
        &["easy_ham", "easy_ham_2"],
        &["spam", "spam_2"],
    ),
    (
        "the same, newsletters (`hard_ham`) included",
        &["easy_ham", "easy_ham_2", "hard_ham"],
        &["spam", "spam_2"],
    ),
    (
        "newsletters of 2002 alone",
        &["hard_ham"],
        &["spam", "spam_2"],
    ),
    (
        "phishing, which no model has seen, against easy ham and modern mail",
        &["easy_ham", "easy_ham_2", "modern"],
        &["phishing"],
    ),
];

/// Recall at each of `POINTS`, and the area under the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) recall: [f64; POINTS.len()],
    pub(super) area: f64,
    pub(super) ham: usize,
    pub(super) spam: usize,
}

/// Sums up the scores of some parts.
pub(super) fn curve(scores: &[Scored], ham: &[&str], spam: &[&str]) -> Curve {
    let of = |names: &[&str]| -> Vec<f64> {
        let wanted = scores.iter().filter(|it| names.contains(&it.part.name));
        wanted.map(|it| it.score).collect()
    };
    let (mut ham, spam) = (of(ham), of(spam));
    ham.sort_by(|a, b| b.total_cmp(a));
    let share = |count: usize| count as f64 / spam.len().max(1) as f64;
    let recall = POINTS.map(|point| {
        // The ham that is the first not to be a false positive: only what is above it is caught.
        let first = ham.get(ham.len() * point / 1_000).copied();
        let threshold = first.unwrap_or(f64::NEG_INFINITY);
        share(spam.iter().filter(|score| **score > threshold).count())
    });
    let won: f64 = spam
        .iter()
        .map(|score| {
            let above = ham.partition_point(|other| other > score);
            let not_below = ham.partition_point(|other| other >= score);
            (ham.len() - not_below) as f64 + (not_below - above) as f64 / 2.0
        })
        .sum();
    Curve {
        recall,
        area: won / (ham.len() as f64 * spam.len() as f64).max(1.0),
        ham: ham.len(),
        spam: spam.len(),
    }
}

/// Prints all tables, and writes the page after a whole run.
pub(super) fn publish(options: &Options, filters: &[Filter], speed: &Speed) -> Result<()> {
    let mut text = format!(
        "`cargo xtask bench accuracy`\n\nMeasured on {}.\n",
        machine::describe()
    );
    let _ = writeln!(text, "Filters: {}.\n", filters::versions().join("; "));
    for (title, ham, spam) in TABLES {
        text.push_str(&table(filters, title, ham, spam));
    }
    text.push_str(&likely(filters, speed));
    text.push_str(&cost(filters, speed));
    let mut figures = promised(filters);
    figures.extend(promised_of_speed(filters, speed));
    let _ = write!(text, "\n**Targets**\n\n{}", figures::table(&figures));
    let report = Report {
        bench: "accuracy",
        page: page::ACCURACY,
        text,
        figures,
        noise: json!({}),
    };
    publish::publish(&report, options.is_quick, true, options.wants_json)
}

fn table(filters: &[Filter], title: &str, ham: &[&str], spam: &[&str]) -> String {
    let mut text = format!(
        "\n**Recall: {title}**\n\n| filter | ham | spam | at 0 false positives | at 1 in 1,000 | at 5 in 1,000 | area under the curve |\n\
         |---|---|---|---|---|---|---|\n"
    );
    for filter in filters {
        let curve = curve(&filter.scores, ham, spam);
        let _ = write!(text, "| {} | {} | {} |", filter.name, curve.ham, curve.spam);
        for recall in curve.recall {
            let _ = write!(text, " {:.1} % |", 100.0 * recall);
        }
        let _ = writeln!(text, " {:.4} |", curve.area);
    }
    text
}

/// Modern legitimate mail that is above even odds.
fn likely(filters: &[Filter], speed: &Speed) -> String {
    let Some(ours) = filters.first() else {
        return String::new();
    };
    let modern = ours
        .scores
        .iter()
        .filter(|it| it.part.role == Role::UnseenHam);
    let (count, worst) = modern.fold((0, f64::NEG_INFINITY), |(count, worst), it| {
        (count + 1, it.score.max(worst))
    });
    format!(
        "\nOf {count} modern newsletters and transactional messages, which no model has seen, the worst has {worst:.2} points (the logarithm \
         of the odds; from 5 on a message is likely). With the model that ships, {} of them are likely.\n",
        speed.modern_likely()
    )
}

fn cost(filters: &[Filter], speed: &Speed) -> String {
    let mut text =
        "\n**Processor time**\n\n| filter | s per 1,000 messages |\n|---|---|\n".to_owned();
    for filter in filters {
        if let Some(seconds) = filter.seconds_per_1000 {
            let _ = writeln!(text, "| {} | {} |", filter.name, figures::number(seconds));
        }
    }
    let _ = writeln!(
        text,
        "\nOurs is all of attachment, authentication (against a DNS that answers at once), reputation (without lists) and content, {} messages one after the other: \
         {} messages/s, {} ms at the median, {} ms at the 99th percentile.",
        speed.messages,
        figures::number(speed.messages_per_second),
        figures::number(speed.milliseconds_median),
        figures::number(speed.milliseconds_p99)
    );
    text
}

fn promised(filters: &[Filter]) -> Vec<Figure> {
    let mut figures = Vec::new();
    let Some((ours, others)) = filters.split_first() else {
        return figures;
    };
    for (index, name, least) in [(0, "spam", 0.97), (3, "phishing", 0.60)] {
        let Some((_, ham, spam)) = TABLES.get(index) else {
            continue;
        };
        let curve_of = |filter: &Filter| curve(&filter.scores, ham, spam);
        let ours = curve_of(ours);
        for (at, point) in POINTS.into_iter().enumerate() {
            let value = ours.recall.get(at).copied().unwrap_or_default();
            let best = others
                .iter()
                .filter_map(|other| curve_of(other).recall.get(at).copied())
                .fold(0.0, f64::max);
            let wanted = if point == 1 { best.max(least) } else { best };
            figures.push(Figure {
                name: format!("{name}_recall_at_{point}"),
                title: format!(
                    "recall of {name} at {point} false positives in 1,000, `hard_ham` apart"
                ),
                unit: "%",
                value: Some(100.0 * value),
                target: Target::AtLeast(100.0 * wanted),
            });
        }
    }
    figures
}

fn promised_of_speed(filters: &[Filter], speed: &Speed) -> Vec<Figure> {
    let mut figures = vec![
        Figure {
            name: "modern_likely".to_owned(),
            title: "modern legitimate messages that are likely spam".to_owned(),
            unit: "messages",
            value: Some(speed.modern_likely() as f64),
            target: Target::AtMost(0.0),
        },
        Figure {
            name: "engines_milliseconds_median".to_owned(),
            title: "engines of our own together, median".to_owned(),
            unit: "ms",
            value: Some(speed.milliseconds_median),
            target: Target::AtMost(1.5),
        },
    ];
    let ours = filters.first().and_then(|ours| ours.seconds_per_1000);
    for (peer, times) in [("spamd", 100.0), ("rspamd", 4.0)] {
        let of_peer = filters.iter().find(|filter| filter.name.starts_with(peer));
        figures.push(Figure {
            name: format!("processor_times_fewer_than_{peer}"),
            title: format!("processor time of {peer}, in times of ours"),
            unit: "times",
            value: of_peer
                .and_then(|peer| peer.seconds_per_1000)
                .zip(ours)
                .map(|(seconds, ours)| seconds / ours),
            target: Target::AtLeast(times),
        });
    }
    figures
}

#[cfg(test)]
mod tests;
