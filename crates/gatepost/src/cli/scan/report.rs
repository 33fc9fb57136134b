//! Tells what would happen: everything about one message, a line for each of many, or JSON.

use std::collections::BTreeMap;

use scan::finding::Finding;
use serde_json::{Value, json};

use super::examine::{Examined, Outcome};
use crate::explain::stage_words;
use crate::explain::words::reply_words;
use crate::policy::{Kind, Likelihood, Note, Verdict, spam_word, virus_word};

/// Counts by verdict.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Messages that would be accepted.
    pub(super) accepted: usize,
    refused: BTreeMap<Kind, usize>,
    deferred: BTreeMap<Kind, usize>,
    /// Files that can't be read.
    pub(super) failed: usize,
    /// How long all took.
    pub(super) seconds: f64,
}

impl Summary {
    /// Counts one more.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Unreadable { .. } => self.failed += 1,
            Outcome::Examined(examined) => match &examined.verdict {
                Verdict::Accept { .. } => self.accepted += 1,
                Verdict::Refuse { reason } => *self.refused.entry(reason.kind).or_default() += 1,
                Verdict::Defer { reason } => *self.deferred.entry(reason.kind).or_default() += 1,
            },
        }
    }

    /// All that were found, those that can't be read too.
    pub(super) fn total(&self) -> usize {
        let refused: usize = self.refused.values().chain(self.deferred.values()).sum();
        self.accepted + refused + self.failed
    }

    fn per_second(&self) -> f64 {
        (self.total() - self.failed) as f64 / self.seconds.max(0.001)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} messages in {:.1} s, {:.0} a second",
            self.total() - self.failed,
            self.seconds,
            self.per_second()
        )];
        lines.push(format!("{:>8}  would be accepted", self.accepted));
        for (word, kinds) in [("refused", &self.refused), ("deferred", &self.deferred)] {
            let kinds = kinds.iter();
            lines.extend(kinds.map(|(kind, count)| format!("{count:>8}  would be {word}: {kind}")));
        }
        if self.failed > 0 {
            lines.push(format!("{:>8}  can't be read", self.failed));
        }
        lines
    }

    fn json(&self) -> Value {
        let kinds = |kinds: &BTreeMap<Kind, usize>| {
            let named = kinds
                .iter()
                .map(|(kind, count)| (kind.name().to_owned(), json!(count)));
            Value::Object(named.collect())
        };
        json!({ "summary": {
            "messages": self.total() - self.failed,
            "accepted": self.accepted,
            "refused": kinds(&self.refused),
            "deferred": kinds(&self.deferred),
            "unreadable": self.failed,
            "seconds": self.seconds,
            "messages_per_second": self.per_second(),
        }})
    }
}

/// How it is told. The first message is held back where it may be the only one.
pub(super) struct Manner {
    json: bool,
    full: bool,
    held: Option<Outcome>,
    is_first: bool,
}

impl Manner {
    pub(super) fn new(json: bool, full: bool) -> Manner {
        Manner {
            json,
            full,
            held: None,
            is_first: true,
        }
    }

    /// What to write now; `files` is how many there are, if that is known.
    pub(super) fn lines(&mut self, outcome: Outcome, files: Option<usize>) -> Vec<String> {
        if self.json {
            return vec![json_of(&outcome).to_string()];
        }
        if self.full {
            return full(&outcome);
        }
        if std::mem::take(&mut self.is_first) && files.is_none_or(|files| files <= 1) {
            self.held = Some(outcome);
            return Vec::new();
        }
        let outcomes = self.held.take().into_iter().chain([outcome]);
        outcomes.map(|outcome| line(&outcome)).collect()
    }

    /// What to write at the end.
    pub(super) fn last_lines(&mut self, summary: &Summary) -> Vec<String> {
        if self.json {
            return vec![summary.json().to_string()];
        }
        match self.held.take() {
            Some(only) => full(&only),
            None if summary.total() > 1 => summary.lines(),
            None => Vec::new(),
        }
    }
}

fn name(examined: &Examined) -> String {
    match examined.number {
        Some(number) => format!("{} #{number}", examined.path),
        None => examined.path.clone(),
    }
}

/// `refuse   virus               1.5 ms  mail/eicar.eml (attachment: EICAR-Test-File)`
fn line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unreadable { path, error } => format!("trouble  {:<30}  {path}: {error}", ""),
        Outcome::Examined(examined) => {
            let reason = examined.verdict.reason();
            let detail = reason.filter(|reason| !reason.detail.is_empty());
            format!(
                "{:<8} {:<19} {:>7.1} ms  {}{}",
                examined.verdict.outcome(),
                reason.map_or("", |reason| reason.kind.name()),
                examined.milliseconds,
                name(examined),
                detail
                    .map(|reason| format!(" ({})", reason.detail))
                    .unwrap_or_default()
            )
        }
    }
}

/// Everything about one message.
fn full(outcome: &Outcome) -> Vec<String> {
    let examined = match outcome {
        Outcome::Unreadable { path, error } => return vec![format!("{path}: {error}")],
        Outcome::Examined(examined) => examined,
    };
    let mut lines = vec![name(examined)];
    let mut add = |title: &str, text: &str| lines.push(format!("  {title:<11} {text}"));
    match examined.verdict.reason() {
        None => add("verdict", "would be accepted"),
        Some(reason) => {
            let word = match reason.kind.is_transient() {
                true => "deferred",
                false => "refused",
            };
            let stage = stage_words(examined.stage);
            add(
                "verdict",
                &format!("would be {word} {stage}: {}", reason.kind),
            );
            if !reason.detail.is_empty() {
                add("why", &reason.detail);
            }
        }
    }
    if let Some(reply) = &examined.reply {
        add("reply", &reply_words(reply));
    }
    if let Verdict::Accept { notes } = &examined.verdict {
        notes.iter().for_each(|note| add("note", &note_words(note)));
    }
    add(
        "envelope",
        &format!(
            "from {}, to {}, client {}",
            examined.reverse_path.to_wire(),
            examined.recipient.to_wire(),
            examined.client
        ),
    );
    add(
        "rules",
        &match &examined.route {
            Some(route) => format!("listener {}, route {route}", examined.listener),
            None => format!("listener {}, no route has the recipient", examined.listener),
        },
    );
    add(
        "message",
        &format!(
            "{} bytes{}, {:.1} ms",
            examined.bytes,
            if examined.was_unix {
                " with CRLF in place of its LF"
            } else {
                ""
            },
            examined.milliseconds
        ),
    );
    for (finding, spam, virus) in &examined.findings {
        add("engine", &finding_words(finding, (*spam).max(*virus)));
        if !finding.reason.is_empty() {
            add("", &finding.reason);
        }
        if !finding.symbols.is_empty() {
            add("", &symbol_words(finding));
        }
    }
    lines
}

/// `spamassassin: likely spam (score 6.2 of 5), 214 ms`
fn finding_words(finding: &Finding, likelihood: Likelihood) -> String {
    let engine = &finding.engine;
    if let Some(unavailable) = &finding.unavailable {
        return format!("{engine}: unavailable: {}", unavailable.detail);
    }
    if finding.not_awaited {
        return format!("{engine}: not waited for, the verdict was certain before");
    }
    let mut facts = Vec::new();
    if let Some(score) = finding.score {
        facts.push(match score.required {
            Some(required) => format!("score {} of {required}", rounded(score.value)),
            None => format!("score {}", rounded(score.value)),
        });
    }
    facts.extend(
        finding
            .spam
            .map(|class| format!("spam class {}", spam_word(class))),
    );
    facts.extend(
        finding
            .virus
            .map(|class| format!("virus class {}", virus_word(class))),
    );
    facts.extend(finding.virus_name.clone());
    facts.extend(
        finding
            .action
            .as_ref()
            .map(|action| format!("advises {action}")),
    );
    if let Some(banned) = &finding.banned {
        facts.push(format!("banned: {}: {}", banned.what, banned.why));
    }
    let facts = if facts.is_empty() {
        "nothing found".to_owned()
    } else {
        facts.join(", ")
    };
    let milliseconds = finding.milliseconds;
    format!(
        "{engine}: {} ({facts}), {milliseconds:.1} ms",
        likelihood_word(likelihood)
    )
}

fn symbol_words(finding: &Finding) -> String {
    let symbols = finding.symbols.iter().map(|symbol| match symbol.score {
        Some(score) => format!("{} {}", symbol.name, rounded(score)),
        None => symbol.name.clone(),
    });
    symbols.collect::<Vec<_>>().join(", ")
}

/// Points to two places, as a person reads them.
fn rounded(points: f32) -> f32 {
    (points * 100.0).round() / 100.0
}

fn likelihood_word(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Unlikely => "unlikely",
        Likelihood::Likely => "likely",
        Likelihood::Sure => "sure",
    }
}

fn note_words(note: &Note) -> String {
    match note {
        Note::Unexamined { engine } => format!("{engine} did not examine it"),
        Note::LikelyAlone { engine } => format!("{engine} finds it likely, but is alone with that"),
        Note::AskedToWait { engine } => format!("{engine} would rather see it later"),
        Note::Allowed { kind, list } => {
            format!(
                "not refused for {kind}: {} {} is on an allow list",
                list.field, list.entry
            )
        }
    }
}

fn json_of(outcome: &Outcome) -> Value {
    let examined = match outcome {
        Outcome::Unreadable { path, error } => return json!({ "path": path, "error": error }),
        Outcome::Examined(examined) => examined,
    };
    let reason = examined.verdict.reason();
    let notes = match &examined.verdict {
        Verdict::Accept { notes } => notes.as_slice(),
        Verdict::Refuse { .. } | Verdict::Defer { .. } => &[],
    };
    let finding = |(finding, spam, virus): &(Finding, Likelihood, Likelihood)| {
        let mut value = json!(finding);
        if let Value::Object(fields) = &mut value {
            fields.insert("spam_likelihood".to_owned(), json!(spam));
            fields.insert("virus_likelihood".to_owned(), json!(virus));
        }
        value
    };
    json!({
        "path": examined.path,
        "number": examined.number,
        "bytes": examined.bytes,
        "lf_to_crlf": examined.was_unix,
        "reference": examined.reference,
        "listener": examined.listener,
        "route": examined.route,
        "client": examined.client,
        "reverse_path": examined.reverse_path.to_string(),
        "recipient": examined.recipient.to_string(),
        "outcome": examined.verdict.outcome(),
        "stage": examined.stage,
        "kind": reason.map(|reason| reason.kind),
        "detail": reason.map(|reason| &reason.detail),
        "reply": examined.reply.as_ref().map(reply_words),
        "notes": notes,
        "findings": examined.findings.iter().map(finding).collect::<Vec<_>>(),
        "milliseconds": examined.milliseconds,
    })
}
