//! From a submission to the writer: coding and checksums are made by whoever submits, so that the writer only writes.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::gather::{Announcement, Submitted};
use super::hot::Kept;
use super::shared::Shared;
use super::{Submission, SubmitError};
use crate::journal::Fate;
use crate::limits::{ENVELOPE_BYTES_MAX, RECIPIENTS_MAX};
use crate::record::{Draft, RecordHeader, crc_of, envelope};
use crate::sidecar::Summary;
use crate::writer::Pending;

type Answer = oneshot::Receiver<Result<(), SubmitError>>;

impl Shared {
    /// Hands a message to the writer; a large content is written before on another thread.
    pub(crate) fn hand_in(
        self: &Arc<Shared>,
        submission: Submission,
        announcement: Option<Announcement>,
    ) -> Result<(u64, Answer), SubmitError> {
        self.hand_in_as(submission, announcement, Vec::new())
    }

    /// The same for a message that comes from another queue, with how its recipients fare of which more is known than that
    /// they wait.
    pub(crate) fn hand_in_as(
        self: &Arc<Shared>,
        submission: Submission,
        announcement: Option<Announcement>,
        fates: Vec<(u32, Fate)>,
    ) -> Result<(u64, Answer), SubmitError> {
        self.store.room()?;
        let Submission { envelope, content } = submission;
        let coded = Bytes::from(envelope::encode(&envelope));
        if !fits(&envelope, coded.len()) {
            return Err(SubmitError::Fault(
                "the envelope has no recipient or too many".to_owned(),
            ));
        }
        let id = self.store.new_id()?;
        let content_bytes = content.iter().map(|slice| slice.len() as u64).sum();
        let apart = content_bytes >= self.store.settings.large_content_bytes_min;
        let header = RecordHeader {
            id,
            apart,
            moved: false,
            envelope_bytes: coded.len() as u32,
            content_bytes,
            envelope_crc: crc32fast::hash(&coded),
            content_crc: crc_of(&content),
        };
        let summary = Summary::new(&header, &envelope, 0);
        let inline = if apart { Vec::new() } else { content.clone() };
        let pending = Pending {
            draft: Draft {
                header,
                envelope: coded,
                content: inline,
            },
            summary,
            fates,
        };
        let hot = Some(Kept::new(envelope, content.clone()));
        let (answer, answered) = oneshot::channel();
        let submitted = Submitted {
            pending,
            answer,
            hot,
            at: Instant::now(),
            announcement,
        };
        if apart {
            let shared = Arc::clone(self);
            let write = move || shared.write_apart(submitted, &content);
            self.jobs.run(write).ok_or(SubmitError::Closed)?;
        } else {
            self.line_up(submitted);
        }
        Ok((id, answered))
    }

    fn write_apart(&self, mut submitted: Submitted, content: &[Bytes]) {
        match self
            .store
            .write_content(submitted.pending.summary.id, content)
        {
            Ok(()) => {
                submitted.at = Instant::now();
                self.line_up(submitted);
            }
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                drop(submitted.answer.send(Err(self.store.full())));
            }
            Err(error) => drop(
                submitted
                    .answer
                    .send(Err(SubmitError::Fault(error.to_string()))),
            ),
        }
    }
}

/// Whether a message with this envelope, so long when coded, can be in the queue.
pub(super) fn fits(envelope: &crate::Envelope, coded_bytes: usize) -> bool {
    let recipients = envelope.recipients.len();
    (1..=RECIPIENTS_MAX).contains(&recipients) && coded_bytes <= ENVELOPE_BYTES_MAX
}
