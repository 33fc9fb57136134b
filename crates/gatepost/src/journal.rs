//! Where events go: the decision log (JSON lines), the human log on standard error, and the metrics.
//!
//! Everything observable passes through `Journal::emit`, so that log line, metric and history row agree.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::config::{DecisionLog, Level, Log};
use crate::event::{Event, Time};
use crate::line_log::{LineLog, Target};
use crate::metrics;

mod human;

pub(crate) use human::word;

/// The journal of a node; cheap to clone.
#[derive(Clone)]
pub struct Journal {
    decisions: LineLog,
    human: LineLog,
    level: Arc<AtomicU8>,
}

impl Journal {
    /// Opens the logs.
    ///
    /// # Errors
    /// The decision log can't be opened.
    pub fn open(log: &Log) -> io::Result<Journal> {
        let target = match &log.decisions {
            DecisionLog::Stdout => Target::Stream(Box::new(io::stdout())),
            DecisionLog::File(path) => Target::File(path.clone()),
        };
        let human = LineLog::open(Target::Stream(Box::new(io::stderr())), human::gap)?;
        let journal = Journal {
            decisions: LineLog::open(target, gap)?,
            human,
            level: Arc::new(AtomicU8::new(log.level as u8)),
        };
        Ok(journal)
    }

    /// Records a fact.
    pub fn emit(&self, event: &Event) {
        let time = Time::now();
        metrics::count(event);
        self.decisions.append(|out| event.write_to(time, out));
        let (level, line) = human::line(event);
        if level as u8 <= self.level.load(Ordering::Relaxed) {
            self.say(level, &line);
        }
    }

    /// A line for people alone.
    pub fn say(&self, level: Level, line: &str) {
        if level as u8 <= self.level.load(Ordering::Relaxed) {
            self.human.append(|out| human::write(level, line, out));
        }
    }

    /// How much the human log tells, from now on.
    pub fn set_level(&self, level: Level) {
        self.level.store(level as u8, Ordering::Relaxed);
    }

    /// Opens the decision log's file anew, after a rotation.
    pub fn reopen(&self) {
        self.decisions.reopen();
    }

    /// Writes what waits and closes the logs.
    pub fn close(&self) {
        self.decisions.close();
        self.human.close();
    }
}

/// The line that follows lost ones in the decision log.
fn gap(lost: u64) -> String {
    let mut line = Vec::new();
    Event::LinesLost { lines: lost }.write_to(Time::now(), &mut line);
    String::from_utf8_lossy(&line).into_owned()
}
