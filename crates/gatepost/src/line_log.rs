//! Writes lines to a file or a stream on a thread of its own, many lines with one write.
//!
//! Who logs never waits for the disk. While the target cannot be written, lines are kept up to a bound; past it they are
//! counted, and the count is the first line that follows once the target works again: a gap is visible, never silent.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of lines that may wait to be written.
const BACKLOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Lines that arrive within this time after a write share the next one.
const GATHER: Duration = Duration::from_millis(5);
/// Who may read a log that we make: its owner and group. Decisions name people.
const FILE_MODE: u32 = 0o640;
/// Pause after a failed write.
const RETRY: Duration = Duration::from_secs(1);
/// A buffer that once grew beyond this is not kept.
const BUFFER_KEPT_BYTES: usize = 1024 * 1024;

/// Where lines go.
pub enum Target {
    /// Appended to a file, which is made if it is missing.
    File(PathBuf),
    /// Written to a stream, such as standard output.
    Stream(Box<dyn Write + Send>),
}

/// A handle to the writer; cheap to clone.
#[derive(Clone)]
pub struct LineLog {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    lost: u64,
    reopen: bool,
    closing: bool,
}

impl LineLog {
    /// Opens the target and starts the writer. `gap` makes the line that tells how many lines were lost.
    pub fn open(target: Target, gap: fn(u64) -> String) -> io::Result<LineLog> {
        let sink = match target {
            Target::File(path) => Sink::File(open_append(&path)?, path),
            Target::Stream(stream) => Sink::Stream(stream),
        };
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            writer: Mutex::default(),
        });
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("line-log".to_owned())
                .spawn(move || shared.write_until_closed(sink, gap))?
        };
        *shared.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(LineLog { shared })
    }

    /// Adds what `write` appends: whole lines, each ended by a newline.
    pub fn append(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.shared.state();
        if state.waiting.len() >= BACKLOG_BYTES_MAX {
            state.lost += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        write(&mut state.waiting);
        drop(state);
        if was_empty {
            self.shared.wake.notify_one();
        }
    }

    /// Opens the file anew, after a log rotation.
    pub fn reopen(&self) {
        self.shared.state().reopen = true;
        self.shared.wake.notify_one();
    }

    /// Writes what waits and ends the writer.
    pub fn close(&self) {
        self.shared.state().closing = true;
        self.shared.wake.notify_one();
        let writer = self
            .shared
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // An Err is the writer's panic, which has been reported on standard error already.
            let _ = writer.join();
        }
    }
}

enum Sink {
    File(File, PathBuf),
    Stream(Box<dyn Write + Send>),
}

impl Sink {
    /// Writes from the front of `lines` and takes off what was written, also when an error ends it: nothing is
    /// written twice.
    fn write(&mut self, lines: &mut &[u8]) -> io::Result<()> {
        while !lines.is_empty() {
            let written = match self {
                Sink::File(file, _) => file.write(lines),
                Sink::Stream(stream) => stream.write(lines),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => *lines = lines.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match self {
            Sink::File(..) => Ok(()),
            Sink::Stream(stream) => stream.flush(),
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Sink::File(file, path) = self {
            *file = open_append(path)?;
        }
        Ok(())
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        .open(path)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_until_closed(&self, mut sink: Sink, gap: fn(u64) -> String) {
        let mut lines = Vec::new();
        loop {
            let mut state = self.state();
            while state.waiting.is_empty() && state.lost == 0 && !state.reopen && !state.closing {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let closing = state.closing;
            let reopen = std::mem::take(&mut state.reopen);
            let lost = std::mem::take(&mut state.lost);
            std::mem::swap(&mut state.waiting, &mut lines);
            drop(state);
            if lost > 0 {
                lines.extend_from_slice(gap(lost).as_bytes());
            }
            if reopen && let Err(error) = sink.reopen() {
                tracing::error!(%error, "log file can't be opened anew; writing goes on to the old one");
            }
            self.write_all(&mut sink, &lines);
            lines.clear();
            if lines.capacity() > BUFFER_KEPT_BYTES {
                lines = Vec::new();
            }
            if closing {
                return;
            }
            // A line that comes alone is written at once; those that follow closely share the next write.
            std::thread::sleep(GATHER);
        }
    }

    /// Writes `lines`, again and again until it works; gives up only when closing.
    fn write_all(&self, sink: &mut Sink, mut lines: &[u8]) {
        let mut told = false;
        while let Err(error) = sink.write(&mut lines) {
            if !told {
                tracing::error!(%error, "log can't be written: free space or mend the target; lines are kept meanwhile");
                told = true;
            }
            if self.state().closing {
                return;
            }
            std::thread::sleep(RETRY);
        }
        if told {
            tracing::info!("log can be written again");
        }
    }
}

#[cfg(test)]
mod tests;
