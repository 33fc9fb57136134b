//! Archives listed within bounds: which entries they claim, and where the content of each can be had. Each format has its
//! file below; all are pure functions on bytes that never fail, since a damaged archive is opened by somebody's program
//! all the same. What an entry means is not judged here.

mod inflate;
mod rar;
mod seven_zip;
mod tar;
mod zip;

use super::signature::Format;

pub(super) use inflate::Inflated;
pub(super) use tar::is_tar;

/// Names of one entry, where an archive gives several: more are not kept.
pub(super) const ALIASES_MAX: usize = 2;

/// Bytes of one name that are kept.
const NAME_BYTES_MAX: usize = 1_024;

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Listing<'a> {
    /// In the archive's order, directories left out.
    pub(super) entries: Vec<Entry<'a>>,
    /// Its directory is encrypted: the entries cannot be seen.
    pub(super) is_sealed: bool,
    /// There were more entries than asked for.
    pub(super) is_cut: bool,
    /// Entries share bytes of the archive, which only bombs do.
    pub(super) is_overlapping: bool,
    /// Its directory cannot be read, or not to its end.
    pub(super) is_damaged: bool,
    /// What reading a packed directory cost, in bytes inflated.
    pub(super) cost: usize,
}

/// A file in an archive.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// With its path, decoded.
    pub(super) name: String,
    /// What other fields of the archive call it, if that differs: programs do not agree on which one counts.
    pub(super) aliases: Vec<String>,
    pub(super) is_encrypted: bool,
    /// Bytes once unpacked, as the archive claims.
    pub(super) size: u64,
    /// Bytes that it takes in the archive.
    pub(super) packed_size: u64,
    pub(super) data: Data<'a>,
}

/// Where the content of an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Data<'a> {
    /// As it stands.
    Stored(&'a [u8]),
    /// Compressed by deflate (RFC 1951).
    Deflated(&'a [u8]),
    /// A gzip file (RFC 1952), members and all.
    Gzip(&'a [u8]),
    /// By a method that we do not undo, or encrypted.
    Opaque,
}

/// Lists `bytes`, which `format` was told from; at most `entries_max` entries, at no more than `cost_max`. `name` is the
/// archive's own.
pub(super) fn list<'a>(
    format: Format,
    bytes: &'a [u8],
    name: &str,
    entries_max: usize,
    cost_max: usize,
) -> Listing<'a> {
    match format {
        Format::Zip => zip::list(bytes, entries_max),
        Format::Gzip => gzip(bytes, name),
        Format::Tar => tar::list(bytes, entries_max),
        Format::SevenZip => seven_zip::list(bytes, entries_max, cost_max),
        Format::Rar4 => rar::list_4(bytes, entries_max),
        Format::Rar5 => rar::list_5(bytes, entries_max),
    }
}

/// Whether `bytes`, which do not begin like one, are a ZIP archive behind something else.
pub(super) fn is_zip_with_prefix(bytes: &[u8]) -> bool {
    zip::has_directory(bytes)
}

/// A gzip file as an archive of one entry, called by the name that it holds, else by its own less `.gz`.
fn gzip<'a>(bytes: &'a [u8], name: &str) -> Listing<'a> {
    let outer = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let lower = outer.to_ascii_lowercase();
    let stem = |suffix: &str| outer.get(..outer.len() - suffix.len()).unwrap_or_default();
    let plain = if lower.ends_with(".tgz") {
        format!("{}.tar", stem(".tgz"))
    } else if lower.ends_with(".gz") {
        stem(".gz").to_owned()
    } else {
        outer.to_owned()
    };
    let aliases = inflate::gzip_name(bytes).filter(|held| *held != plain);
    // RFC 1952 section 2.3.1: the last four bytes are the size modulo 2^32.
    let size = bytes
        .last_chunk::<4>()
        .map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
    Listing {
        entries: vec![Entry {
            name: plain,
            aliases: aliases.into_iter().collect(),
            is_encrypted: false,
            size,
            packed_size: bytes.len() as u64,
            data: Data::Gzip(bytes),
        }],
        ..Listing::default()
    }
}

/// The text of a name: UTF-8 where it is that, else U+FFFD for what is not ASCII. Extensions that matter are ASCII.
fn name_text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..NAME_BYTES_MAX).map_or(bytes, |_| {
        // The end of an over-long name: its extension is what matters.
        bytes.get(bytes.len() - NAME_BYTES_MAX..).unwrap_or(bytes)
    });
    String::from_utf8_lossy(bytes).into_owned()
}

/// A little-endian number of two bytes at `at`.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number of four bytes at `at`.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number of eight bytes at `at`.
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
