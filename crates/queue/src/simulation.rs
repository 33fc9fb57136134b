//! Seeded simulation: submissions, outcomes, compaction and crashes over a disk that loses, tears and refuses.
//!
//! One thread, no clock: a seed gives the same run each time. `disk` is the faulty disk, `run` plays and checks one seed.

pub(crate) mod disk;
mod run;
mod tests;

use bytes::Bytes;

use crate::record::{self, Draft, RecordHeader, crc_of};
use crate::sidecar::Summary;
use crate::store::Store;
use crate::writer::Pending;
use crate::{Envelope, Origin, QueuedRecipient};

/// Numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than this.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    /// One time in so many.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// A message that is ready to be written; `None` if its large content could not be.
pub(crate) fn pending(
    store: &Store,
    id: u64,
    recipients: u64,
    content: Vec<u8>,
    now: u64,
) -> Option<Pending> {
    let envelope = envelope(id, recipients, now);
    let content = vec![Bytes::from(content)];
    let bytes = content[0].len() as u64;
    let coded = record::envelope::encode(&envelope);
    let apart = bytes >= store.settings.large_content_bytes_min;
    let header = RecordHeader {
        id,
        apart,
        moved: false,
        envelope_bytes: coded.len() as u32,
        content_bytes: bytes,
        envelope_crc: crc32fast::hash(&coded),
        content_crc: crc_of(&content),
    };
    if apart {
        store.write_content(id, &content).ok()?;
    }
    let summary = Summary::new(&header, &envelope, 0);
    let content = if apart { Vec::new() } else { content };
    Some(Pending {
        draft: Draft {
            header,
            envelope: coded.into(),
            content,
        },
        summary,
        fates: Vec::new(),
    })
}

/// With so many recipients.
pub(crate) fn envelope(id: u64, recipients: u64, now: u64) -> Envelope {
    Envelope {
        reference: format!("REF-{id}"),
        origin: Origin::Received,
        arrived: now,
        customer: "customer".into(),
        reverse_path: "sender@example.org".parse().unwrap(),
        mail: smtp::MailParameters::default(),
        eight_bit: false,
        submitted: false,
        lifetime: 432_000_000,
        delay_warning: 0,
        recipients: (0..recipients)
            .map(|at| QueuedRecipient {
                forward_path: format!("user{at}@d{}.example", id % 3).parse().unwrap(),
                parameters: smtp::RcptParameters::default(),
            })
            .collect(),
    }
}
