//! Lines of an answer told apart, and quantities in words.

use std::io::IsTerminal as _;

use indicatif::HumanBytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::event::Time;
use crate::serve::admin::queue::{Missing, Problem};

/// A line of a list or of what was done.
pub(super) enum Line<T, S> {
    /// A message.
    Item(T),
    /// What was named and is not in the queue.
    Missing(Missing),
    /// The last line.
    Summary(S),
}

#[derive(Deserialize)]
struct Known<S> {
    #[serde(flatten)]
    missing: Option<Missing>,
    summary: Option<S>,
    error: Option<String>,
    remedy: Option<String>,
}

impl<T: DeserializeOwned, S: DeserializeOwned> Line<T, S> {
    /// Reads a line.
    ///
    /// # Errors
    /// The node has broken off with this problem, or the line is none that we know.
    pub(super) fn read(line: &[u8]) -> Result<Line<T, S>, String> {
        let unreadable = |error: serde_json::Error| {
            format!("the node's answer can't be read: {error}; is it of another version?")
        };
        let known: Known<S> = serde_json::from_slice(line).map_err(unreadable)?;
        if let Some(error) = known.error {
            return Err(Problem::fault(error, known.remedy.unwrap_or_default()).to_string());
        }
        if let Some(missing) = known.missing {
            return Ok(Line::Missing(missing));
        }
        match known.summary {
            Some(summary) => Ok(Line::Summary(summary)),
            None => serde_json::from_slice(line)
                .map(Line::Item)
                .map_err(unreadable),
        }
    }
}

/// What is said if the messages of earlier runs are not all read yet.
pub(super) const INCOMPLETE: &str =
    "the node is still reading the queue after its start: there may be more, ask again in a moment";

/// That the answer has no end.
pub(super) const BROKEN_OFF: &str = "the node broke off before the end: does it still run?";

/// Why nothing is told of what was named, or done to it.
pub(super) fn why_missing(missing: &Missing) -> String {
    let name = &missing.missing;
    match missing.damaged {
        false => format!("{name} is not in the queue: delivered, removed, or another node's"),
        true => format!(
            "{name} can't be read, its record is damaged: what is left of it is in `corrupt/`, and it ends with its lifetime"
        ),
    }
}

/// `3 messages`, `1 message`.
pub(super) fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// `12.5 KiB`.
pub(super) fn size(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// `45s`, `12m`, `3h20m`, `4d7h`: the two largest units, rounded down.
pub(super) fn span(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{small_unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => two(minutes, "m", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "m"),
        _ => two(days, "d", hours, "h"),
    }
}

/// `in 12m30s`, or `now`.
pub(super) fn until(time: Time) -> String {
    let milliseconds = time.timestamp().as_millisecond() - Time::now().timestamp().as_millisecond();
    match u64::try_from(milliseconds) {
        Ok(ahead) if ahead >= 1000 => format!("in {}", span(ahead / 1000)),
        _ => "now".to_owned(),
    }
}

/// A text of others, fit for a terminal: control characters are shown, not obeyed.
pub(super) fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.to_owned()
    }
}

/// Counts on standard error while something long goes on, if a person looks at it.
pub(super) struct Progress {
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    /// Begins; `what` is said beside the count.
    pub(super) fn start(what: &str, of: Option<u64>) -> Progress {
        // Rows on the same terminal are progress enough.
        if !std::io::stderr().is_terminal() {
            return Progress { bar: None };
        }
        let (bar, template) = match of {
            Some(of) => (
                indicatif::ProgressBar::new(of),
                "{msg}: {human_pos} of {human_len} [{elapsed}]",
            ),
            None => (
                indicatif::ProgressBar::no_length(),
                "{msg}: {human_pos} [{elapsed}]",
            ),
        };
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Progress { bar: Some(bar) }
    }

    /// One more.
    pub(super) fn one(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// So many by now.
    pub(super) fn at(&self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(count);
        }
    }

    /// Takes the count away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests;
