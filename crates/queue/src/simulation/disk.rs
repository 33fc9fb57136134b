//! A disk in memory that does to unsynced data what a power failure may do: lose it, tear it, zero parts of it, in no order,
//! file by file; names go unless their folder was synced. It also fails when told to, and after a failed sync forgets what it
//! was to write while still showing it (fsyncgate).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::Dice;
use crate::{Disk, DiskFile};

/// How often it fails: one time in so many, 0 for never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) write: u64,
    pub(crate) sync: u64,
    pub(crate) read: u64,
    /// Making, removing and renaming files.
    pub(crate) name: u64,
    /// Writes that find no room.
    pub(crate) full: u64,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone, Default)]
struct Inode {
    seen: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum NameChange {
    Set(PathBuf, u64),
    Gone(PathBuf),
    /// From one name to another in the same folder: file systems with a journal do both or nothing.
    Moved(PathBuf, PathBuf, u64),
}

struct State {
    dice: Dice,
    inodes: HashMap<u64, Inode>,
    names: BTreeMap<PathBuf, u64>,
    synced_names: BTreeMap<PathBuf, u64>,
    unsynced_names: Vec<NameChange>,
    next_inode: u64,
    /// Handles of an earlier life are dead.
    life: u64,
    /// Operations until the power fails.
    fuse: Option<u64>,
    faults: Faults,
    capacity: u64,
}

/// The disk. Clones are the same one.
#[derive(Clone)]
pub(crate) struct FaultyDisk(Arc<Mutex<State>>);

struct FaultyFile {
    disk: FaultyDisk,
    inode: u64,
    life: u64,
}

const SECTOR: usize = 512;
const ENDLESS: u64 = 1 << 40;

impl FaultyDisk {
    pub(crate) fn new(seed: u64) -> FaultyDisk {
        FaultyDisk(Arc::new(Mutex::new(State {
            dice: Dice::new(seed),
            inodes: HashMap::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            next_inode: 1,
            life: 0,
            fuse: None,
            faults: Faults::default(),
            capacity: ENDLESS,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The power fails after so many operations.
    pub(crate) fn light(&self, fuse: Option<u64>) {
        self.state().fuse = fuse;
    }

    /// Whether it has failed.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().fuse == Some(0)
    }

    pub(crate) fn fail(&self, faults: Faults) {
        self.state().faults = faults;
    }

    pub(crate) fn set_capacity(&self, capacity: u64) {
        self.state().capacity = capacity;
    }

    /// The process ends; what it gave to the system stays.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.life += 1;
        state.fuse = None;
    }

    /// The power comes back after a failure.
    pub(crate) fn crash(&self) {
        let mut state = self.state();
        let state = &mut *state;
        state.life += 1;
        state.fuse = None;
        for inode in state.inodes.values_mut() {
            inode.seen = inode.synced.clone();
        }
        let mut inodes: Vec<_> = state.inodes.keys().copied().collect();
        inodes.sort_unstable();
        for inode in inodes {
            let inode = state.inodes.get_mut(&inode).unwrap();
            let changes = std::mem::take(&mut inode.unsynced);
            settle(&mut state.dice, &mut inode.seen, changes);
            inode.synced = inode.seen.clone();
        }
        state.names = state.synced_names.clone();
        for change in std::mem::take(&mut state.unsynced_names) {
            if state.dice.one_in(2) {
                apply_name(&mut state.names, change);
            }
        }
        state.synced_names = state.names.clone();
        let named: HashSet<u64> = state.names.values().copied().collect();
        state.inodes.retain(|inode, _| named.contains(inode));
    }

    /// Damages a byte that was synced long ago.
    pub(crate) fn rot(&self, path: &Path, offset: usize) {
        let mut state = self.state();
        let inode = state.names[path];
        let inode = state.inodes.get_mut(&inode).unwrap();
        inode.seen[offset] ^= 0x55;
        inode.synced = inode.seen.clone();
    }

    pub(crate) fn bytes_of(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        Some(state.inodes[state.names.get(path)?].seen.clone())
    }

    fn file(&self, inode: u64) -> Arc<dyn DiskFile> {
        let life = self.state().life;
        Arc::new(FaultyFile {
            disk: self.clone(),
            inode,
            life,
        })
    }
}

/// What is left of unsynced changes: each may be there, in part, with zeros, or not at all.
fn settle(dice: &mut Dice, bytes: &mut Vec<u8>, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Truncate(length) => {
                if dice.one_in(2) {
                    bytes.truncate(length as usize);
                }
            }
            Change::Write(offset, mut written) => match dice.below(4) {
                0 => {}
                1 => put(bytes, offset, &written),
                2 => {
                    let length = dice.below(written.len() as u64 + 1) as usize;
                    put(bytes, offset, &written[..length]);
                }
                _ => {
                    for sector in written.chunks_mut(SECTOR) {
                        if dice.one_in(2) {
                            sector.fill(0);
                        }
                    }
                    put(bytes, offset, &written);
                }
            },
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: u64, written: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + written.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(written);
}

fn apply_name(names: &mut BTreeMap<PathBuf, u64>, change: NameChange) {
    match change {
        NameChange::Set(path, inode) => drop(names.insert(path, inode)),
        NameChange::Gone(path) => drop(names.remove(&path)),
        NameChange::Moved(from, to, inode) => {
            names.remove(&from);
            names.insert(to, inode);
        }
    }
}

impl State {
    /// One operation: burns the fuse.
    fn operate(&mut self) -> io::Result<()> {
        match &mut self.fuse {
            Some(0) => Err(io::Error::other("the power has failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn fails(&mut self, times: u64) -> bool {
        times != 0 && self.dice.one_in(times)
    }

    /// Before a name is made or goes.
    fn change_name(&mut self) -> io::Result<()> {
        let (name, full) = (self.faults.name, self.faults.full);
        if self.fails(name) {
            return Err(eio());
        }
        if self.fails(full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        if self.capacity == ENDLESS {
            return 0;
        }
        self.names
            .values()
            .map(|inode| self.inodes[inode].seen.len() as u64)
            .sum()
    }

    fn name(&mut self, change: NameChange) {
        self.unsynced_names.push(change.clone());
        apply_name(&mut self.names, change);
    }
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let inode = {
            let mut state = self.state();
            state.operate()?;
            state.change_name()?;
            if state.names.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let inode = state.next_inode;
            state.next_inode += 1;
            state.inodes.insert(inode, Inode::default());
            state.name(NameChange::Set(path.to_owned(), inode));
            inode
        };
        Ok(self.file(inode))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let inode = {
            let mut state = self.state();
            state.operate()?;
            let times = state.faults.read;
            if state.fails(times) {
                return Err(eio());
            }
            *state.names.get(path).ok_or(io::ErrorKind::NotFound)?
        };
        Ok(self.file(inode))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.operate()?;
        let names = state
            .names
            .keys()
            .filter(|path| path.parent() == Some(folder));
        Ok(names
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect())
    }

    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        self.state().operate()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.change_name()?;
        let inode = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.name(NameChange::Moved(from.to_owned(), to.to_owned(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.change_name()?;
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.name(NameChange::Gone(path.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let times = state.faults.sync;
        if state.fails(times) {
            return Err(eio());
        }
        let state = &mut *state;
        let mut rest = Vec::new();
        for change in std::mem::take(&mut state.unsynced_names) {
            let (NameChange::Set(path, _) | NameChange::Gone(path) | NameChange::Moved(_, path, _)) =
                &change;
            if path.parent() == Some(folder) {
                apply_name(&mut state.synced_names, change);
            } else {
                rest.push(change);
            }
        }
        state.unsynced_names = rest;
        Ok(())
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        let state = self.state();
        Ok(state.capacity.saturating_sub(state.used()))
    }

    fn lock(&self, _path: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        Ok(Some(Box::new(())))
    }

    fn nonce(&self) -> u64 {
        self.state().dice.roll()
    }
}

impl FaultyFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.disk.state();
        if state.life != self.life {
            return Err(io::Error::other("a handle of an earlier life"));
        }
        state.operate()?;
        Ok(state)
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()> {
        let mut state = self.state()?;
        let mut bytes: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        let times = state.faults.write;
        let is_faulty = state.fails(times);
        let times = state.faults.full;
        let is_full = state.fails(times) || state.used() + bytes.len() as u64 > state.capacity;
        if is_faulty || is_full {
            let length = state.dice.below(bytes.len() as u64 + 1) as usize;
            bytes.truncate(length);
        }
        let inode = state.inodes.get_mut(&self.inode).unwrap();
        put(&mut inode.seen, offset, &bytes);
        inode.unsynced.push(Change::Write(offset, bytes));
        match (is_faulty, is_full) {
            (_, true) => Err(io::ErrorKind::StorageFull.into()),
            (true, _) => Err(eio()),
            _ => Ok(()),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state()?;
        let times = state.faults.read;
        if state.fails(times) {
            return Err(eio());
        }
        let rest = state.inodes[&self.inode]
            .seen
            .get(offset as usize..)
            .unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn bytes(&self) -> io::Result<u64> {
        let state = self.state()?;
        Ok(state.inodes[&self.inode].seen.len() as u64)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let times = state.faults.write;
        if state.fails(times) {
            return Err(eio());
        }
        let inode = state.inodes.get_mut(&self.inode).unwrap();
        inode.seen.truncate(bytes as usize);
        inode.unsynced.push(Change::Truncate(bytes));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let times = state.faults.sync;
        let is_faulty = state.fails(times);
        let state = &mut *state;
        let inode = state.inodes.get_mut(&self.inode).unwrap();
        let changes = std::mem::take(&mut inode.unsynced);
        if is_faulty {
            settle(&mut state.dice, &mut inode.synced, changes);
            return Err(eio());
        }
        for change in changes {
            match change {
                Change::Truncate(length) => inode.synced.truncate(length as usize),
                Change::Write(offset, bytes) => put(&mut inode.synced, offset, &bytes),
            }
        }
        // What a failed sync has dropped stays dropped, though it can still be read.
        Ok(())
    }
}
