//! The floor: one file for each message, as maildirs and most queues keep them.
//!
//! Written under a temporary name, synced, renamed, and the folder synced: without the last step a power failure may lose the
//! name. The folder's sync is shared by nobody, as in the servers that do this.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context, Result, ensure};

use crate::message::Message;
use crate::store::Store;

/// Messages are spread over that many folders.
const FOLDERS: u64 = 64;

pub(crate) struct Files {
    folder: PathBuf,
    stored: Mutex<Option<Sender<u64>>>,
    waiting: Mutex<Receiver<u64>>,
}

impl Files {
    pub(crate) fn open(folder: &Path) -> Result<Files> {
        for one in 0..FOLDERS {
            fs::create_dir_all(folder.join(one.to_string()))?;
        }
        let (stored, waiting) = channel();
        Ok(Files {
            folder: folder.to_owned(),
            stored: Mutex::new(Some(stored)),
            waiting: Mutex::new(waiting),
        })
    }

    fn path(&self, number: u64) -> PathBuf {
        let folder = self.folder.join((number % FOLDERS).to_string());
        folder.join(number.to_string())
    }

    fn write(&self, message: &Message) -> Result<PathBuf> {
        let path = self.path(message.number);
        let draft = path.with_extension("draft");
        let mut file = File::create(&draft).with_context(|| draft.display().to_string())?;
        file.write_all(&message.envelope())?;
        file.write_all(&message.content)?;
        Ok(draft)
    }
}

impl Store for Files {
    fn submit(&self, message: &Message) -> Result<()> {
        let draft = self.write(message)?;
        File::open(&draft)?.sync_data()?;
        let path = self.path(message.number);
        fs::rename(&draft, &path)?;
        File::open(path.parent().context("a folder")?)?.sync_all()?;
        if let Some(stored) = &*self.stored.lock().expect("no thread panics") {
            stored.send(message.number)?;
        }
        Ok(())
    }

    fn deliver(&self, count: &mut dyn FnMut(usize)) -> Result<()> {
        loop {
            let next = self.waiting.lock().expect("no thread panics").recv();
            let Ok(number) = next else {
                return Ok(());
            };
            let path = self.path(number);
            let bytes = fs::read(&path)?.len();
            fs::remove_file(&path)?;
            count(bytes);
        }
    }

    fn finish(&self) {
        self.stored.lock().expect("no thread panics").take();
    }

    fn fill(&self, messages: &mut dyn Iterator<Item = Message>) -> Result<()> {
        for message in messages {
            let draft = self.write(&message)?;
            fs::rename(draft, self.path(message.number))?;
        }
        // One sync of everything on that disk: the fill is not what is measured.
        let status = std::process::Command::new("sync")
            .arg("--file-system")
            .arg(&self.folder)
            .status()?;
        ensure!(status.success(), "sync failed");
        Ok(())
    }

    fn index(&self) -> Result<u64> {
        let mut count = 0;
        let mut envelope = [0; 200];
        for one in 0..FOLDERS {
            for entry in fs::read_dir(self.folder.join(one.to_string()))? {
                File::open(entry?.path())?.read_exact(&mut envelope)?;
                count += 1;
            }
        }
        Ok(count)
    }
}
