//! The queue of this node, opened as the configuration says; its notices become events.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;

use queue::site::Limits;
use queue::{Notice, OpenError, Queue, RealDisk, Settings};

use crate::config::Config;
use crate::event::Event;
use crate::journal::Journal;

/// Opens the queue. Messages of earlier runs are read while new ones are accepted.
pub(super) fn open(config: &Config, journal: &Journal) -> io::Result<Queue> {
    let settings = &config.queue;
    let settings = Settings {
        folder: settings.folder.clone(),
        reserve_bytes: settings.reserve_bytes,
        segment_bytes_max: settings.segment_bytes_max,
        large_content_bytes_min: settings.large_message_bytes_min,
        gather_max: settings.gather,
        hot_bytes_max: settings.memory_bytes_max,
        lent_bytes_max: settings.delivery_memory_bytes_max,
        schedule: Limits {
            connections_max: settings.connections_max,
            // Each hasher of the standard library is seeded by the system.
            seed: RandomState::new().hash_one(0),
        },
    };
    let journal = journal.clone();
    let observer = Arc::new(move |notice| journal.emit(&event(notice)));
    Queue::open(settings, Arc::new(RealDisk), observer).map_err(|error| match error {
        OpenError::Locked(folder) => io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!(
                "the queue in {} is in use by another process",
                folder.display()
            ),
        ),
        OpenError::Disk { what, error } => {
            io::Error::new(error.kind(), format!("the queue, {what}: {error}"))
        }
    })
}

fn event(notice: Notice) -> Event {
    match notice {
        Notice::DiskFull { free, reserve } => Event::DiskFull {
            bytes_free: free,
            bytes_reserved: reserve,
        },
        Notice::DiskFree { free } => Event::DiskFree { bytes_free: free },
        Notice::DiskFault { what, detail } => Event::DiskFault {
            what: what.to_owned(),
            detail,
        },
        Notice::DiskWorks => Event::DiskWorks,
        Notice::DamagedRecord {
            segment,
            offset,
            detail,
            kept_as,
        } => Event::QueueDamaged {
            segment,
            offset,
            detail: detail.to_owned(),
            kept_as,
        },
        Notice::Recovered {
            messages,
            recipients,
            damaged,
            took,
        } => Event::QueueRecovered {
            messages,
            recipients,
            damaged,
            milliseconds: took.as_secs_f32() * 1000.0,
        },
        Notice::ExportEnded {
            path,
            finished,
            messages,
        } => Event::QueueExportEnded {
            file: path.display().to_string(),
            finished,
            messages,
        },
    }
}
