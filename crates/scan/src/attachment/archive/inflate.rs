//! Decompression that stops where it is told to: the content of an entry up to a number of bytes, and no more.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, GzDecoder, MultiGzDecoder};

use super::{Data, name_text};

/// Content that was unpacked.
#[derive(Debug, Default)]
pub(in crate::attachment) struct Inflated {
    pub(in crate::attachment) bytes: Vec<u8>,
    /// There is more than was asked for.
    pub(in crate::attachment) is_cut: bool,
}

impl Data<'_> {
    /// The content up to `bytes_max` bytes, and where the compressed data breaks off, what comes before. Nothing if it
    /// is opaque.
    pub(in crate::attachment) fn inflate(&self, bytes_max: usize) -> Inflated {
        match *self {
            Data::Stored(bytes) => Inflated {
                bytes: bytes.get(..bytes_max).unwrap_or(bytes).to_vec(),
                is_cut: bytes.len() > bytes_max,
            },
            Data::Deflated(bytes) => read(DeflateDecoder::new(bytes), bytes_max),
            Data::Gzip(bytes) => read(MultiGzDecoder::new(bytes), bytes_max),
            Data::Opaque => Inflated::default(),
        }
    }
}

fn read(decoder: impl Read, bytes_max: usize) -> Inflated {
    let mut bytes = Vec::new();
    let limit = (bytes_max as u64).saturating_add(1);
    // An error means a damaged stream; what was read before it is what a lenient program shows.
    let _ = decoder.take(limit).read_to_end(&mut bytes);
    let is_cut = bytes.len() > bytes_max;
    bytes.truncate(bytes_max);
    Inflated { bytes, is_cut }
}

/// The file name in a gzip header, if it has one.
pub(super) fn gzip_name(bytes: &[u8]) -> Option<String> {
    GzDecoder::new(bytes)
        .header()
        .and_then(|header| header.filename())
        .filter(|name| !name.is_empty())
        .map(name_text)
}
