//! The writer's thread and the one that reads earlier segments.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::gather::{JOURNAL_PAUSE, Submitted};
use super::shared::{Shared, wall};
use crate::Notice;
use crate::recovery::Recoverer;
use crate::writer::{Pending, Writer};

/// How long an entry of a journal waits for a sync at most, and how often a disk at fault is tried again.
const TICK: Duration = Duration::from_secs(1);
/// Between two steps of compaction, so that they take a small part of the disk's time.
const COMPACT_PAUSE: Duration = Duration::from_millis(20);

/// How long a segment that could not be read is left alone.
const UNREAD_PAUSE: Duration = Duration::from_secs(60);

/// Starts them.
pub(crate) fn start(shared: &Arc<Shared>, writer: Writer, recoverer: Recoverer) -> io::Result<()> {
    shared.jobs.start()?;
    let of_writer = Arc::clone(shared);
    thread::Builder::new()
        .name("queue-writer".to_owned())
        .spawn(move || write(&of_writer, writer))?;
    let of_recovery = Arc::clone(shared);
    thread::Builder::new()
        .name("queue-recovery".to_owned())
        .spawn(move || recover(&of_recovery, recoverer))?;
    Ok(())
}

fn recover(shared: &Arc<Shared>, mut recoverer: Recoverer) {
    let begun = Instant::now();
    loop {
        if !read_segments(shared, &mut recoverer) {
            return;
        }
        if recoverer.unread() == 0 {
            break;
        }
        let inbox = shared.inbox();
        let (inbox, _) = shared
            .stopping
            .wait_timeout_while(inbox, UNREAD_PAUSE, |inbox| !inbox.stop)
            .unwrap_or_else(PoisonError::into_inner);
        if inbox.stop {
            return;
        }
        drop(inbox);
        recoverer.again();
    }
    let (messages, recipients) = {
        let index = shared.store.index();
        (index.messages(), index.recipients)
    };
    shared.end_left_export();
    shared.recovery().done = true;
    let damaged = shared.recovery().damaged;
    shared.store.tell(Notice::Recovered {
        messages,
        recipients,
        damaged,
        took: begun.elapsed(),
    });
    shared.inbox().recovered = Some(recoverer);
    shared.call_writer();
}

/// Tries each segment once; false if the queue is stopped meanwhile.
fn read_segments(shared: &Arc<Shared>, recoverer: &mut Recoverer) -> bool {
    while let Some(waiting) = recoverer.step(wall()) {
        // Small portions, so that submissions and deliveries get their turn.
        for some in waiting.chunks(500) {
            let mut plan = shared.plan();
            let mut index = shared.store.index();
            for one in some {
                let since = one.overdue_since.unwrap_or_else(wall);
                shared.enlist(&mut plan, &mut index, (one.slot, since), &one.due);
            }
            drop(index);
            shared.let_go(plan);
        }
        {
            let mut recovery = shared.recovery();
            recovery.segments_read = recoverer.read();
            recovery.segments_unread = recoverer.unread();
            recovery.messages += waiting.len() as u64;
            recovery.damaged = shared.store.counts.damaged.load(Ordering::Relaxed);
        }
        shared.rouse();
        shared.journaled();
        if shared.inbox().stop {
            return false;
        }
    }
    true
}

fn write(shared: &Arc<Shared>, mut writer: Writer) {
    let mut synced = Instant::now();
    let mut compacts = false;
    loop {
        let (group, work) = shared.wait_for_work(if compacts { COMPACT_PAUSE } else { TICK });
        if !group.is_empty() {
            commit(shared, &mut writer, group);
        }
        let journal_age = shared.store.index().journal.age();
        if journal_age.is_some_and(|age| work.stop || age >= JOURNAL_PAUSE) {
            writer.write_journals();
        }
        if let Some(recoverer) = work.recovered {
            writer.finish_recovery(&recoverer);
        }
        if work.stop {
            finish(shared, &mut writer, !work.closing.is_empty());
            // Dropping them says that all is done.
            drop((work.closing, work.flush));
            return;
        }
        let is_due = synced.elapsed() >= TICK;
        if is_due || !work.flush.is_empty() {
            let is_whole = writer.repeat_journals() & writer.sync_journals();
            synced = Instant::now();
            for flush in work.flush {
                // Whoever asked may have gone.
                let _ = flush.send(is_whole);
            }
        }
        if is_due {
            drop(writer.recheck());
        }
        if is_due || compacts {
            compacts = writer.compact_step();
        }
    }
}

fn commit(shared: &Arc<Shared>, writer: &mut Writer, group: Vec<Submitted>) {
    let mut pendings: Vec<Pending> = Vec::with_capacity(group.len());
    let mut answers = Vec::with_capacity(group.len());
    for submitted in group {
        answers.push((
            submitted.pending.summary.id,
            submitted.answer,
            submitted.hot,
        ));
        pendings.push(submitted.pending);
    }
    match writer.commit(&mut pendings, wall()) {
        Ok(slots) => {
            let mut answers_to_send = Vec::with_capacity(answers.len());
            {
                let mut plan = shared.plan();
                let mut index = shared.store.index();
                let mut hot = shared.hot();
                for ((slot, (id, answer, kept)), pending) in
                    slots.into_iter().zip(answers).zip(&pendings)
                {
                    if let Some(kept) = kept {
                        hot.keep(id, kept);
                    }
                    if let Some(slot) = slot {
                        let mut due: Vec<(u32, u64)> = (0..pending.summary.domains.len() as u32)
                            .map(|at| (at, 0))
                            .collect();
                        for (recipient, fate) in &pending.fates {
                            if let Some(due) = due.get_mut(*recipient as usize) {
                                due.1 = fate.retry_after;
                            }
                        }
                        shared.enlist(&mut plan, &mut index, (slot, wall()), &due);
                    }
                    answers_to_send.push(answer);
                }
                drop((index, hot));
                shared.let_go(plan);
            }
            for answer in answers_to_send {
                drop(answer.send(Ok(())));
            }
        }
        Err(error) => {
            for ((id, answer, _), pending) in answers.into_iter().zip(&pendings) {
                if pending.summary.apart {
                    // Nothing names it; if this fails, the next start removes it.
                    drop(shared.store.disk.remove(&shared.store.content_path(id)));
                }
                drop(answer.send(Err(error.clone())));
            }
        }
    }
}

/// Ends: in order if the queue is closed, else as after a crash.
fn finish(shared: &Shared, writer: &mut Writer, in_order: bool) {
    let rest = {
        let mut inbox = shared.inbox();
        inbox.ended = true;
        let submitted = std::mem::take(&mut inbox.submitted);
        let flush = std::mem::take(&mut inbox.flush);
        (submitted, flush, std::mem::take(&mut inbox.closing))
    };
    if in_order {
        writer.close();
    }
    shared.jobs.end();
    shared.store.health().closed = true;
    // Whoever came after the last look, and still waits, is told that the queue is closed.
    drop(rest);
    shared.rouse();
}
