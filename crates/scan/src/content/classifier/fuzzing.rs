//! The body of the fuzz target `model`.

use super::Model;

/// A model file: what is taken comes out as it went in, and gives numbers that are some.
pub fn model(bytes: &[u8]) {
    if let Ok(model) = Model::from_bytes(bytes) {
        let again = Model::from_bytes(&model.to_bytes());
        assert!(again.is_ok());
        assert!(model.bias.is_finite() && model.weights.iter().all(|weight| weight.is_finite()));
    }
}
