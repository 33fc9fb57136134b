//! The body of the fuzz target `model`.

use super::Model;
use super::features::REVISION;
use super::file::{FILE_BYTES, checksum};

/// A model file: what is taken comes out as it went in, and gives numbers that are some. Behind `sealed` any bytes, over and
/// over, become a file of the right size and checksum, so that its numbers are reached.
pub fn model(bytes: &[u8]) {
    let Some(numbers) = bytes.strip_prefix(b"sealed") else {
        return whole(bytes);
    };
    let mut file = b"GPMODEL1".to_vec();
    file.extend(REVISION.to_le_bytes());
    let rest = FILE_BYTES - 4 - file.len();
    file.extend(numbers.iter().chain([0; 64].iter()).cycle().take(rest));
    file.extend(checksum(&file).to_le_bytes());
    whole(&file);
}

fn whole(bytes: &[u8]) {
    let Ok(model) = Model::from_bytes(bytes) else {
        return;
    };
    assert!(model.bias.is_finite() && model.weights.iter().all(|weight| weight.is_finite()));
    let again = Model::from_bytes(&model.to_bytes());
    assert!(again.is_ok_and(|again| {
        let facts = |model: &Model| (model.bias, model.slope, model.offset, model.seed);
        facts(&again) == facts(&model) && again.weights.len() == model.weights.len()
    }));
}
