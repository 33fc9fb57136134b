//! One seed: what is done, what must hold after each recovery.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::disk::{Faults, FaultyDisk};
use super::{Dice, pending};
use crate::recovery::{Recoverer, prepare};
use crate::store::Store;
use crate::writer::Writer;
use crate::{LastFault, Notice, RecipientState, Settings, SubmitError};

/// What may be seen of a recipient.
type Seen = (RecipientState, u32);

struct Sent {
    /// Whether it was refused and came back all the same: then a power failure may take it, if a failed sync had dropped it
    /// and only memory still showed it.
    came_back: bool,
    content: Vec<u8>,
    /// Of each recipient: all that was ever recorded, and from where on it is certain to outlast a power failure.
    history: Vec<(Vec<Seen>, usize)>,
}

pub(crate) struct Run {
    seed: u64,
    dice: Dice,
    disk: FaultyDisk,
    store: Arc<Store>,
    writer: Writer,
    recoverer: Option<Recoverer>,
    /// Acknowledged.
    kept: BTreeMap<u64, Sent>,
    /// Refused, or on their way when the power failed: they may come back.
    uncertain: BTreeMap<u64, Sent>,
    /// The same of earlier lives, until all of those has been read.
    unread: BTreeMap<u64, Sent>,
    /// Recipients that have changed or were read since journals were synced.
    touched: BTreeSet<(u64, u32)>,
    /// Refused, and a later segment says so: they must not.
    refused: BTreeSet<u64>,
    /// A journal could not be written or synced in this life: nothing more is certain.
    journal_suspect: bool,
    now: u64,
    /// What was done, shown if a seed fails.
    log: Vec<String>,
    used_ids: BTreeSet<u64>,
    pub(crate) crashes: u64,
    pub(crate) submits: u64,
}

fn open(disk: &FaultyDisk, seed: u64) -> Option<(Arc<Store>, Writer, Recoverer)> {
    let mut settings = Settings::new(PathBuf::from("/queue"));
    settings.segment_bytes_max = 2 << 10;
    settings.large_content_bytes_min = 700;
    settings.reserve_bytes = 16 << 10;
    let observer = Arc::new(move |notice: Notice| {
        if let Notice::DamagedRecord { .. } = notice {
            // Power failures tear what was never acknowledged; which is said by the checks below.
            let _ = seed;
        }
    });
    let store = Arc::new(Store::new(settings, Arc::new(disk.clone()), observer));
    let (numbers, next) = prepare(&store).ok()?;
    let mut writer = Writer::new(Arc::clone(&store), next);
    writer.ensure_active().ok()?;
    let recoverer = Recoverer::new(Arc::clone(&store), numbers, next);
    Some((store, writer, recoverer))
}

impl Run {
    pub(crate) fn new(seed: u64) -> Run {
        let disk = FaultyDisk::new(seed ^ 0xd15c);
        let (store, writer, recoverer) = open(&disk, seed).unwrap();
        Run {
            seed,
            dice: Dice::new(seed),
            disk,
            store,
            writer,
            recoverer: Some(recoverer),
            kept: BTreeMap::new(),
            uncertain: BTreeMap::new(),
            unread: BTreeMap::new(),
            touched: BTreeSet::new(),
            refused: BTreeSet::new(),
            journal_suspect: false,
            now: 1_700_000_000_000,
            log: Vec::new(),
            used_ids: BTreeSet::new(),
            crashes: 0,
            submits: 0,
        }
    }

    /// Plays some lives.
    pub(crate) fn play(&mut self) {
        for _ in 0..4 {
            let fuse = 20 + self.dice.below(400);
            self.disk.light(Some(fuse));
            if self.dice.one_in(2) {
                self.spoil();
            }
            for _ in 0..80 {
                self.act();
                if self.disk.is_dead() {
                    break;
                }
            }
            self.end_life();
            self.check();
        }
    }

    /// The disk begins to fail now and then.
    fn spoil(&mut self) {
        let rate = 20 + self.dice.below(100);
        let mut rate = || if self.dice.one_in(4) { 0 } else { rate };
        self.disk.fail(Faults {
            write: rate(),
            sync: rate(),
            read: rate(),
            name: rate(),
            full: rate(),
        });
    }

    fn act(&mut self) {
        self.now += self.dice.below(5000);
        match self.dice.below(12) {
            0..=3 => self.submit(),
            4..=6 => self.settle(),
            7 => self.journals(false),
            8 => self.journals(true),
            9 => {
                if self.writer.compact_step() {
                    self.log.push("compact".to_owned());
                }
            }
            10 => {
                let _ = self.writer.recheck();
            }
            _ => self.recover_step(),
        }
    }

    fn recover_step(&mut self) {
        let Some(recoverer) = &mut self.recoverer else {
            return;
        };
        if recoverer.step(self.now).is_some() {
            return;
        }
        if recoverer.unread() > 0 {
            self.log
                .push(format!("{} segments unread", recoverer.unread()));
            recoverer.again();
            return;
        }
        self.writer.finish_recovery(recoverer);
        self.recoverer = None;
    }

    fn submit(&mut self) {
        let mut group = Vec::new();
        let mut sent = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let Ok(id) = self.store.new_id() else {
                continue;
            };
            assert!(
                self.used_ids.insert(id),
                "seed {}: id {id} was used twice",
                self.seed
            );
            let length = if self.dice.one_in(5) {
                700 + self.dice.below(500)
            } else {
                self.dice.below(300)
            };
            let content: Vec<u8> = (0..length).map(|at| (self.seed + id + at) as u8).collect();
            let recipients = 1 + self.dice.below(3);
            let history = vec![(vec![(RecipientState::Waiting, 0)], 0); recipients as usize];
            let one = Sent {
                came_back: false,
                content: content.clone(),
                history,
            };
            match pending(&self.store, id, recipients, content, self.now) {
                Some(pending) => {
                    group.push(pending);
                    sent.push((id, one));
                }
                None => drop(self.uncertain.insert(id, one)),
            }
        }
        match self.writer.commit(&mut group, self.now) {
            Ok(_) => {
                self.log.push(format!(
                    "kept {:?}",
                    group
                        .iter()
                        .map(|one| (one.summary.id, one.summary.offset, one.summary.apart))
                        .collect::<Vec<_>>()
                ));
                // A group was accepted after what was refused: a later segment has told where the earlier one ends.
                self.refused
                    .extend(std::mem::take(&mut self.uncertain).into_keys());
                self.submits += sent.len() as u64;
                self.kept.extend(sent);
            }
            Err(SubmitError::Closed) => unreachable!(),
            Err(error) => {
                self.log.push(format!(
                    "refused {:?}: {error}",
                    group.iter().map(|one| one.summary.id).collect::<Vec<_>>()
                ));
                self.uncertain.extend(sent);
            }
        }
    }

    fn settle(&mut self) {
        let Some(id) = self.pick() else { return };
        let store = Arc::clone(&self.store);
        let mut index = store.index();
        let Some(slot) = index.slot(id) else { return };
        let sent = self.kept.get_mut(&id).unwrap();
        let recipient = self.dice.below(sent.history.len() as u64) as u32;
        let entry = index.message(slot).unwrap().recipients[recipient as usize];
        if entry.state.is_final() {
            return;
        }
        let (state, attempts) = match self.dice.below(4) {
            0 => (RecipientState::Delivered, u32::from(entry.attempts)),
            1 => (RecipientState::Failed, u32::from(entry.attempts)),
            2 => (RecipientState::Held, u32::from(entry.attempts)),
            _ => (RecipientState::Waiting, u32::from(entry.attempts) + 1),
        };
        store.change(&mut index, slot, recipient, self.now, |fate| {
            fate.state = state;
            fate.attempts = attempts;
            fate.retry_after = 60_000;
            let diagnostic = format!("451 4.2.0 attempt {attempts}");
            fate.last = Some(LastFault {
                status: smtp::Status::SYSTEM_FAULT,
                diagnostic,
                nexthop: "mx.example".into(),
            });
        });
        self.log
            .push(format!("{id} {recipient}: {state:?} {attempts}"));
        sent.history[recipient as usize].0.push((state, attempts));
        self.touched.insert((id, recipient));
    }

    fn pick(&mut self) -> Option<u64> {
        let at = self.dice.below(self.kept.len() as u64) as usize;
        self.kept.keys().nth(at).copied()
    }

    fn journals(&mut self, sync: bool) {
        self.look_for_suspects();
        if !sync {
            self.writer.write_journals();
        } else {
            // What could not be written is not lost: it is written the next time.
            let is_written = self.writer.repeat_journals();
            self.journal_suspect |= !self.writer.sync_journals();
            if is_written && !self.journal_suspect && !self.disk.is_dead() {
                self.certain();
            }
        }
    }

    /// Other steps write and sync journals too.
    fn look_for_suspects(&mut self) {
        let index = self.store.index();
        self.journal_suspect |= index
            .segments
            .values()
            .any(|segment| segment.journal_suspect);
    }

    fn certain(&mut self) {
        self.log.push("journals synced".to_owned());
        for (id, recipient) in std::mem::take(&mut self.touched) {
            let sent = self.kept.get_mut(&id).unwrap();
            let (history, certain) = &mut sent.history[recipient as usize];
            *certain = history.len() - 1;
        }
    }

    /// The power fails, or the process is killed, or it ends in order; then it starts again, and the power may fail in that.
    fn end_life(&mut self) {
        self.crashes += 1;
        self.look_for_suspects();
        self.log.push(format!(
            "end of a life, power gone: {}, suspect: {}",
            self.disk.is_dead(),
            self.journal_suspect
        ));
        self.disk.fail(Faults::default());
        match self.dice.below(4) {
            // A system that goes on after a failed sync shows what it has not got: only a restart of it tells the truth.
            _ if self.disk.is_dead() || self.journal_suspect => self.disk.crash(),
            0 => {
                self.disk.light(None);
                self.writer.close();
                self.disk.kill();
            }
            1 => {
                self.disk.light(None);
                self.writer.write_journals();
                self.disk.kill();
            }
            _ => self.disk.crash(),
        }
        loop {
            let fuse = self.dice.one_in(3).then(|| 1 + self.dice.below(60));
            self.disk.light(fuse);
            if self.recover() {
                let segments: Vec<_> = self
                    .store
                    .index()
                    .segments
                    .iter()
                    .map(|(number, segment)| (*number, segment.end, segment.live))
                    .collect();
                self.log.push(format!("started: {segments:?}"));
                self.disk.light(None);
                return;
            }
            self.log.push("power gone while starting".to_owned());
            self.disk.crash();
        }
    }

    fn recover(&mut self) -> bool {
        // Those of the life before may come back from segments that are not read yet.
        self.unread.append(&mut self.uncertain);
        self.touched.clear();
        let Some((store, writer, recoverer)) = open(&self.disk, self.seed) else {
            assert!(self.disk.is_dead(), "seed {}: it does not open", self.seed);
            return false;
        };
        (self.store, self.writer, self.recoverer) = (store, writer, Some(recoverer));
        self.journal_suspect = false;
        let acts = self.dice.below(40);
        if self.dice.one_in(2) {
            self.spoil();
        }
        for _ in 0..acts {
            self.recover_step();
            if self.dice.one_in(2) {
                self.act();
            }
        }
        self.disk.fail(Faults::default());
        while self.recoverer.is_some() && !self.disk.is_dead() {
            self.recover_step();
        }
        !self.disk.is_dead()
    }

    fn check(&mut self) {
        let seed = self.seed;
        let present: BTreeSet<u64> = self.store.index().after(None).collect();
        for id in &present {
            let known = self.kept.contains_key(id) || self.unread.contains_key(id);
            assert!(
                known,
                "seed {seed}: message {id} is there, refused: {}",
                self.refused.contains(id)
            );
        }
        for (id, sent) in &mut self.kept {
            let is_open = |(history, _): &(Vec<Seen>, usize)| !history.last().unwrap().0.is_final();
            let must_be = !sent.came_back && sent.history.iter().any(is_open);
            if !present.contains(id) {
                assert!(
                    !must_be,
                    "seed {seed}: message {id} is lost\n{}",
                    self.log.join("\n")
                );
                continue;
            }
            check_message(seed, &self.store, *id, sent, &self.log);
        }
        for (id, mut sent) in std::mem::take(&mut self.unread) {
            if present.contains(&id) {
                sent.came_back = true;
                self.kept.insert(id, sent);
            }
        }
        let recipients = |(id, sent): (&u64, &Sent)| {
            let id = *id;
            (0..sent.history.len() as u32).map(move |at| (id, at))
        };
        self.touched = self.kept.iter().flat_map(recipients).collect();
    }
}

fn check_message(seed: u64, store: &Store, id: u64, sent: &mut Sent, log: &[String]) {
    let record = store
        .read(id, true)
        .unwrap_or_else(|error| panic!("seed {seed}: message {id}: {error:?}"));
    assert_eq!(record.content, sent.content, "seed {seed}: content of {id}");
    assert_eq!(
        record.envelope.recipients.len(),
        sent.history.len(),
        "seed {seed}: recipients of {id}"
    );
    let index = store.index();
    let slot = index.slot(id).unwrap();
    let message = index.message(slot).unwrap();
    for (at, (history, certain)) in sent.history.iter_mut().enumerate() {
        let recipient = message.recipients[at];
        let seen = (recipient.state, u32::from(recipient.attempts));
        let found = history[*certain..].iter().rposition(|past| *past == seen);
        let Some(found) = found else {
            panic!(
                "seed {seed}: recipient {at} of {id} is {seen:?}, was {history:?} from {certain} on\n{}",
                log.join("\n")
            );
        };
        let fate = store.fate(&index, slot, at as u32).unwrap();
        assert_eq!(
            (fate.state, fate.attempts),
            seen,
            "seed {seed}: entry of {at} of {id}"
        );
        history.truncate(*certain + found + 1);
        // It was read from the disk, but not synced again: a second crash may take it.
    }
}
