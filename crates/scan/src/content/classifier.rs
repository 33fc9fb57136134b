//! A statistical classifier of content: a linear model over hashed features, its output a calibrated probability.
//!
//! `features` says what is looked at, `training` how a model comes about, `file` how it is kept. Extraction and
//! judgement take time linear in what was read of the message, and both are bounded.

pub mod cluster;
pub mod features;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod training;

use std::collections::HashMap;

pub use self::features::Features;
pub use self::file::ModelError;
pub use self::training::{Example, train};

use self::features::{BUCKETS, Feature};

/// Steps that one message may cause when it is learned.
const LEARN_STEPS_MAX: usize = 8;

/// How far one step goes.
const LEARN_RATE: f32 = 0.5;

/// The probability at which a message counts as learned.
const LEARNED_PROBABILITY: f32 = 0.9;

/// The most that a weight may be, either way.
const WEIGHT_MAX: f32 = 50.0;

/// A trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    weights: Vec<f32>,
    bias: f32,
    /// Slope and offset of the calibration (Platt): the logarithm of the odds is `slope * score + offset`.
    slope: f32,
    offset: f32,
    ham: u32,
    spam: u32,
    seed: u64,
}

/// A feature of one message with what it adds to the logarithm of the odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The name of the feature, such as `word:invoice`.
    pub name: String,
    /// What it adds; negative speaks for ham.
    pub weight: f32,
}

impl Model {
    /// The probability that a message with these features is spam, 0 to 1.
    pub fn probability(&self, features: &Features) -> f32 {
        logistic(self.log_odds(features))
    }

    /// The logarithm of the odds that a message with these features is spam. It orders what `probability` rounds to one.
    pub fn log_odds(&self, features: &Features) -> f32 {
        self.slope * self.score(features) + self.offset
    }

    /// The `count` features that weigh most, of a message whose features were taken with names.
    pub fn explain(&self, features: &Features, count: usize) -> Vec<Reason> {
        let mut seen = HashMap::new();
        for (feature, name) in features.named() {
            seen.insert(feature.bucket, (name, feature.value));
        }
        let mut reasons: Vec<Reason> = seen
            .into_iter()
            .map(|(bucket, (name, value))| Reason {
                name: name.to_owned(),
                weight: self.slope * value * self.weight(bucket),
            })
            .filter(|reason| reason.weight != 0.0)
            .collect();
        reasons.sort_by(|a, b| {
            let weights = b.weight.abs().total_cmp(&a.weight.abs());
            weights.then_with(|| a.name.cmp(&b.name))
        });
        reasons.truncate(count);
        reasons
    }

    /// Learns one message: the model moves until it is rather sure of it, by a bounded number of steps.
    /// Tells how many it took.
    pub fn learn(&mut self, features: &Features, is_spam: bool) -> usize {
        for step in 0..LEARN_STEPS_MAX {
            let probability = self.probability(features);
            let right = if is_spam {
                probability
            } else {
                1.0 - probability
            };
            if right >= LEARNED_PROBABILITY {
                return step;
            }
            let error = if is_spam { 1.0 - right } else { right - 1.0 };
            self.shift(features, LEARN_RATE * error);
        }
        LEARN_STEPS_MAX
    }

    /// How many ham and spam messages it was trained with.
    pub fn trained_with(&self) -> (u32, u32) {
        (self.ham, self.spam)
    }

    /// The seed of its training.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    fn score(&self, features: &Features) -> f32 {
        let sum: f32 = features
            .iter()
            .map(|feature| feature.value * self.weight(feature.bucket))
            .sum();
        features.points() + self.bias + sum
    }

    fn weight(&self, bucket: u32) -> f32 {
        self.weights
            .get(bucket as usize)
            .copied()
            .unwrap_or_default()
    }

    fn shift(&mut self, features: &Features, by: f32) {
        for Feature { bucket, value } in features.iter() {
            if let Some(weight) = self.weights.get_mut(*bucket as usize) {
                *weight = (*weight + by * value).clamp(-WEIGHT_MAX, WEIGHT_MAX);
            }
        }
    }

    fn empty(seed: u64) -> Model {
        Model {
            weights: vec![0.0; BUCKETS],
            bias: 0.0,
            slope: 1.0,
            offset: 0.0,
            ham: 0,
            spam: 0,
            seed,
        }
    }
}

fn logistic(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests;
