//! How a model is kept: a header of fixed size, the weights as 16-bit numbers with one scale, and a CRC-32 over it all.
//! Little endian. A file of another version, of other features or with a wrong checksum is refused as a whole.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Model;
use super::features::{BUCKETS, REVISION};

const MAGIC: &[u8; 8] = b"GPMODEL1";
const HEADER_BYTES: usize = 48;
pub(super) const FILE_BYTES: usize = HEADER_BYTES + 2 * BUCKETS + 4;

/// Why bytes are no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// They do not begin as a model does.
    NotAModel,
    /// Made for other features: train it anew.
    OtherRevision(u32),
    /// Cut short or too long.
    Length(usize),
    /// The checksum does not fit.
    Checksum,
    /// A number is none.
    Number,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelError::NotAModel => write!(f, "this is no model of the classifier"),
            ModelError::OtherRevision(revision) => write!(
                f,
                "the model is of revision {revision}, and {REVISION} is needed: train it anew"
            ),
            ModelError::Length(bytes) => write!(
                f,
                "the model has {bytes} bytes in place of {FILE_BYTES}: copy or train it anew"
            ),
            ModelError::Checksum => write!(f, "the model is damaged: copy or train it anew"),
            ModelError::Number => write!(f, "the model holds a number that is none: train it anew"),
        }
    }
}

impl std::error::Error for ModelError {}

/// The model that ships. `cargo xtask model` trains it anew from the SpamAssassin public corpus, to the same bytes.
const SHIPPED: &[u8] = include_bytes!("default.model");

impl Model {
    /// The model that ships, read once and shared.
    ///
    /// # Errors
    /// None in a build whose tests pass; the file is part of the program.
    pub fn shipped() -> Result<Arc<Model>, ModelError> {
        static SHARED: OnceLock<Result<Arc<Model>, ModelError>> = OnceLock::new();
        SHARED
            .get_or_init(|| Model::from_bytes(SHIPPED).map(Arc::new))
            .clone()
    }

    /// The bytes of its file. Weights are rounded to 1/32767 of the largest.
    pub fn to_bytes(&self) -> Vec<u8> {
        let largest = self.weights.iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        let scale = if largest > 0.0 {
            largest / 32_767.0
        } else {
            1.0
        };
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(REVISION.to_le_bytes());
        for number in [scale, self.bias, self.slope, self.offset] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.ham.to_le_bytes());
        bytes.extend(self.spam.to_le_bytes());
        bytes.extend(self.seed.to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        for weight in &self.weights {
            // Within 16 bits, since no weight is larger than the largest; `as` saturates.
            let rounded = (weight / scale).round() as i16;
            bytes.extend(rounded.to_le_bytes());
        }
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes
    }

    /// The model in the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        if !bytes.starts_with(MAGIC) {
            return Err(ModelError::NotAModel);
        }
        let length = ModelError::Length(bytes.len());
        let revision = u32::from_le_bytes(array(bytes, 8).ok_or(length)?);
        if revision != REVISION {
            return Err(ModelError::OtherRevision(revision));
        }
        let (covered, sum) = bytes.split_last_chunk::<4>().ok_or(length)?;
        if bytes.len() != FILE_BYTES {
            return Err(length);
        }
        if u32::from_le_bytes(*sum) != checksum(covered) {
            return Err(ModelError::Checksum);
        }
        let number = |at| {
            array(covered, at)
                .map(f32::from_le_bytes)
                .filter(|n| n.is_finite())
        };
        let scale = number(12).ok_or(ModelError::Number)?;
        let weights = covered.get(HEADER_BYTES..).unwrap_or_default();
        let (weights, _) = weights.as_chunks::<2>();
        let weights: Vec<f32> = weights
            .iter()
            .map(|weight| f32::from(i16::from_le_bytes(*weight)) * scale)
            .collect();
        if weights.iter().any(|weight| !weight.is_finite()) {
            return Err(ModelError::Number);
        }
        Ok(Model {
            weights,
            bias: number(16).ok_or(ModelError::Number)?,
            slope: number(20).ok_or(ModelError::Number)?,
            offset: number(24).ok_or(ModelError::Number)?,
            ham: u32::from_le_bytes(array(covered, 28).ok_or(length)?),
            spam: u32::from_le_bytes(array(covered, 32).ok_or(length)?),
            seed: u64::from_le_bytes(array(covered, 36).ok_or(length)?),
        })
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
