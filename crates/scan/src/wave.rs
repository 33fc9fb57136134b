//! The wave: all engines examine a message at once, each in a task of its own, until the last has answered, its deadline
//! has passed, or the verdict is certain without the rest.
//!
//! A panic or a hang of an engine becomes a finding, *unavailable*. Nothing here knows what makes a verdict certain.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::engine::Armed;
use crate::finding::{Finding, Unavailable, UnavailableCause};
use crate::specimen::Specimen;

/// Lets all `engines` examine the specimen, for `deadline` at most.
///
/// After each finding `certain` is asked, with all findings so far: true ends the wave, and the engines that have not
/// answered yet are marked [`Finding::not_awaited`]. There is one finding for each engine, in the engines' order.
pub async fn scan(
    engines: &[Armed],
    specimen: Arc<Specimen>,
    deadline: Duration,
    certain: &mut (dyn FnMut(&[Finding]) -> bool + Send),
) -> Vec<Finding> {
    let mut wave = Wave::start(engines, &specimen, deadline);
    while let Some(deadline) = wave.next_deadline() {
        let found = match timeout_at(deadline, wave.tasks.join_next_with_id()).await {
            Ok(Some(Ok((id, outcome)))) => wave.answered(id, outcome),
            Ok(Some(Err(error))) => wave.ended(&error),
            Ok(None) => break,
            Err(_) => wave.give_up(Instant::now()),
        };
        if found && certain(&wave.findings) {
            break;
        }
    }
    wave.finish()
}

struct Wave<'a> {
    engines: &'a [Armed],
    started: Instant,
    tasks: JoinSet<Result<Finding, Unavailable>>,
    pending: HashMap<Id, Pending>,
    findings: Vec<Finding>,
    /// The engine's index of each finding, ascending.
    order: Vec<usize>,
}

struct Pending {
    index: usize,
    deadline: Instant,
    abort: AbortHandle,
}

impl<'a> Wave<'a> {
    fn start(engines: &'a [Armed], specimen: &Arc<Specimen>, deadline: Duration) -> Wave<'a> {
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        let mut pending = HashMap::with_capacity(engines.len());
        for (index, armed) in engines.iter().enumerate() {
            let engine = Arc::clone(&armed.engine);
            let specimen = Arc::clone(specimen);
            let abort = tasks.spawn(async move { engine.examine(specimen).await });
            let deadline = started + armed.deadline.min(deadline);
            pending.insert(
                abort.id(),
                Pending {
                    index,
                    deadline,
                    abort,
                },
            );
        }
        Wave {
            engines,
            started,
            tasks,
            pending,
            findings: Vec::with_capacity(engines.len()),
            order: Vec::with_capacity(engines.len()),
        }
    }

    /// The first deadline of those that are waited for; `None` when all have answered.
    fn next_deadline(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.deadline).min()
    }

    fn answered(&mut self, id: Id, outcome: Result<Finding, Unavailable>) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        self.add(pending.index, outcome);
        true
    }

    /// A task that ended without an outcome: it panicked, or was given up before.
    fn ended(&mut self, error: &JoinError) -> bool {
        let Some(pending) = self.pending.remove(&error.id()) else {
            return false;
        };
        let why = Unavailable::new(
            UnavailableCause::Panic,
            "the engine's own task failed; this is a fault in Gatepost",
        );
        self.add(pending.index, Err(why));
        true
    }

    /// Stops waiting for those whose deadline has passed.
    fn give_up(&mut self, now: Instant) -> bool {
        let mut late: Vec<Pending> = self
            .pending
            .extract_if(|_, pending| pending.deadline <= now)
            .map(|(_, p)| p)
            .collect();
        late.sort_by_key(|pending| pending.index);
        for pending in &late {
            pending.abort.abort();
            if let Some(armed) = self.engines.get(pending.index) {
                armed.engine.timed_out();
            }
            let seconds = (pending.deadline - self.started).as_secs_f32();
            let why = Unavailable::new(
                UnavailableCause::Timeout,
                format!("no answer within {seconds} s"),
            );
            self.add(pending.index, Err(why));
        }
        !late.is_empty()
    }

    fn add(&mut self, index: usize, outcome: Result<Finding, Unavailable>) {
        let name = self
            .engines
            .get(index)
            .map_or("", |armed| armed.engine.name());
        let mut finding = outcome.unwrap_or_else(|why| Finding::unavailable(name, why));
        finding.milliseconds = self.started.elapsed().as_secs_f32() * 1000.0;
        self.insert(index, finding);
    }

    fn insert(&mut self, index: usize, finding: Finding) {
        let at = self.order.partition_point(|&other| other < index);
        self.order.insert(at, index);
        self.findings.insert(at, finding);
    }

    /// All findings; those that are not waited for any more are marked. Their tasks end with the set.
    fn finish(mut self) -> Vec<Finding> {
        for pending in std::mem::take(&mut self.pending).into_values() {
            let name = self
                .engines
                .get(pending.index)
                .map_or("", |armed| armed.engine.name());
            let finding = Finding {
                not_awaited: true,
                milliseconds: self.started.elapsed().as_secs_f32() * 1000.0,
                ..Finding::new(name)
            };
            self.insert(pending.index, finding);
        }
        self.findings
    }
}

#[cfg(test)]
mod tests;
