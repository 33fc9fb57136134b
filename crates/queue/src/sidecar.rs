//! The sidecar of a sealed segment: what the index in memory needs of each record, so that a start reads no bodies.
//!
//! It is written without a sync and checksummed as a whole: one that is missing or damaged costs a scan of its segment and
//! nothing else. Layout: magic (8), CRC-32 of what follows (4), segment number, salt, end and count as numbers, the table of
//! customers and domains, then the records.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Envelope;
use crate::codec::{Reader, put_bytes, put_number};
use crate::limits::RECIPIENTS_MAX;
use crate::record::RecordHeader;

#[cfg(test)]
mod tests;

const MAGIC: &[u8; 8] = b"GPINDEX1";
const FLAG_APART: u64 = 1;
const FLAG_MOVED: u64 = 2;

/// What memory keeps of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) id: u64,
    pub(crate) offset: u64,
    pub(crate) record_bytes: u64,
    pub(crate) apart: bool,
    pub(crate) moved: bool,
    pub(crate) arrived: u64,
    pub(crate) lifetime: u64,
    pub(crate) delay_warning: u64,
    pub(crate) customer: Arc<str>,
    /// The domain of each recipient, as in [`crate::LaneKey::domain`].
    pub(crate) domains: Vec<Arc<str>>,
}

impl Summary {
    /// Of a record at this place.
    pub(crate) fn new(header: &RecordHeader, envelope: &Envelope, offset: u64) -> Summary {
        Summary {
            id: header.id,
            offset,
            record_bytes: header.record_bytes(),
            apart: header.apart,
            moved: header.moved,
            arrived: envelope.arrived,
            lifetime: envelope.lifetime,
            delay_warning: envelope.delay_warning,
            customer: Arc::clone(&envelope.customer),
            domains: envelope.recipients.iter().map(domain_of).collect(),
        }
    }
}

/// The domain of a recipient as lanes have it.
pub(crate) fn domain_of(recipient: &crate::QueuedRecipient) -> Arc<str> {
    match recipient.forward_path.domain() {
        Some(domain) => Arc::from(domain.ascii().as_ref()),
        None => Arc::from(""),
    }
}

/// A sidecar that grows with its segment.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    names: HashMap<Arc<str>, u64>,
    table: Vec<u8>,
    records: Vec<u8>,
    count: u64,
}

impl Builder {
    /// Takes up one more record.
    pub(crate) fn add(&mut self, summary: &Summary) {
        let apart = if summary.apart { FLAG_APART } else { 0 };
        let moved = if summary.moved { FLAG_MOVED } else { 0 };
        let customer = self.name(&summary.customer);
        for number in [
            summary.id,
            summary.offset,
            summary.record_bytes,
            apart | moved,
            summary.arrived,
            summary.lifetime,
            summary.delay_warning,
            customer,
            summary.domains.len() as u64,
        ] {
            put_number(&mut self.records, number);
        }
        for domain in &summary.domains {
            let domain = self.name(domain);
            put_number(&mut self.records, domain);
        }
        self.count += 1;
    }

    fn name(&mut self, name: &Arc<str>) -> u64 {
        if let Some(&at) = self.names.get(name) {
            return at;
        }
        let at = self.names.len() as u64;
        put_bytes(&mut self.table, name.as_bytes());
        self.names.insert(Arc::clone(name), at);
        at
    }

    /// The sidecar of a segment that ends there.
    pub(crate) fn finish(&self, number: u64, salt: u64, end: u64) -> Vec<u8> {
        let mut covered = Vec::with_capacity(self.table.len() + self.records.len() + 64);
        for value in [number, salt, end, self.count, self.names.len() as u64] {
            put_number(&mut covered, value);
        }
        covered.extend_from_slice(&self.table);
        covered.extend_from_slice(&self.records);
        let mut whole = Vec::with_capacity(covered.len() + 12);
        whole.extend_from_slice(MAGIC);
        whole.extend_from_slice(&crc32fast::hash(&covered).to_le_bytes());
        whole.extend_from_slice(&covered);
        whole
    }
}

/// What a sidecar says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sidecar {
    pub(crate) number: u64,
    pub(crate) salt: u64,
    pub(crate) end: u64,
    pub(crate) records: Vec<Summary>,
}

/// Reads it; `None` if it is damaged.
pub(crate) fn decode(bytes: &[u8]) -> Option<Sidecar> {
    let mut reader = Reader(bytes);
    (reader.take(8)? == MAGIC).then_some(())?;
    let crc = reader.u32()?;
    (crc32fast::hash(reader.0) == crc).then_some(())?;
    let (number, salt, end) = (reader.number()?, reader.number()?, reader.number()?);
    let (count, names): (u64, u64) = (reader.number()?, reader.number()?);
    let mut table: Vec<Arc<str>> = Vec::new();
    for _ in 0..names {
        table.push(Arc::from(reader.text()?));
    }
    let mut records = Vec::new();
    for _ in 0..count {
        records.push(summary(&mut reader, &table)?);
    }
    reader.is_empty().then_some(Sidecar {
        number,
        salt,
        end,
        records,
    })
}

fn summary(reader: &mut Reader<'_>, table: &[Arc<str>]) -> Option<Summary> {
    let mut next = || reader.number();
    let (id, offset, record_bytes, flags) = (next()?, next()?, next()?, next()?);
    let (arrived, lifetime, delay_warning) = (next()?, next()?, next()?);
    let name = |reader: &mut Reader<'_>| table.get(reader.small::<usize>()?).cloned();
    let customer = name(reader)?;
    let count: usize = reader.small()?;
    (count <= RECIPIENTS_MAX).then_some(())?;
    let mut domains = Vec::with_capacity(count.min(reader.0.len()));
    for _ in 0..count {
        domains.push(name(reader)?);
    }
    Some(Summary {
        id,
        offset,
        record_bytes,
        apart: flags & FLAG_APART != 0,
        moved: flags & FLAG_MOVED != 0,
        arrived,
        lifetime,
        delay_warning,
        customer,
        domains,
    })
}
