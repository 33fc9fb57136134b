//! How a model is trained: logistic regression by stochastic descent with a rate for each weight (AdaGrad) and a pull
//! towards zero (L2), in an order given by the seed; then its scale is set by what it says of messages it did not see.

use super::features::{BUCKETS, Features};
use super::{Model, logistic};

/// How often all examples are gone through.
const ROUNDS: usize = 12;

/// The rate of a weight's first step.
const RATE: f32 = 0.5;

/// The pull towards zero, per example that has the feature.
const PULL: f32 = 2e-5;

/// Parts that the calibration leaves out in turn.
const CALIBRATION_PARTS: usize = 4;

/// A message to be trained with.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its features.
    pub features: Features,
    /// What it is.
    pub is_spam: bool,
    /// Its cluster: messages of one cluster are never on both sides of a split.
    pub cluster: usize,
}

/// Trains a model. The same examples in the same order and the same seed give the same model.
pub fn train(examples: &[&Example], seed: u64) -> Model {
    let mut held_out = Vec::with_capacity(examples.len());
    for part in 0..CALIBRATION_PARTS {
        let is_out = |example: &Example| example.cluster % CALIBRATION_PARTS == part;
        let inside: Vec<&Example> = examples.iter().copied().filter(|e| !is_out(e)).collect();
        let model = descend(&inside, seed);
        held_out.extend(
            examples
                .iter()
                .filter(|example| is_out(example))
                .map(|example| (model.score(&example.features), example.is_spam)),
        );
    }
    let mut model = descend(examples, seed);
    (model.slope, model.offset) = calibrate(&held_out);
    model
}

fn descend(examples: &[&Example], seed: u64) -> Model {
    let mut model = Model::empty(seed);
    let spam = examples.iter().filter(|example| example.is_spam).count();
    let ham = examples.len() - spam;
    model.spam = u32::try_from(spam).unwrap_or(u32::MAX);
    model.ham = u32::try_from(ham).unwrap_or(u32::MAX);
    let share = |count: usize| examples.len() as f32 / (2.0 * count.max(1) as f32);
    let (weight_ham, weight_spam) = (share(ham), share(spam));
    let mut squares = vec![1e-3_f32; BUCKETS];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = seed | 1;
    for _ in 0..ROUNDS {
        shuffle(&mut order, &mut random);
        for example in order.iter().filter_map(|index| examples.get(*index)) {
            let probability = logistic(model.score(&example.features));
            let error = if example.is_spam {
                (1.0 - probability) * weight_spam
            } else {
                -probability * weight_ham
            };
            model.bias += 0.02 * error;
            for feature in example.features.iter() {
                let at = feature.bucket as usize;
                if let (Some(weight), Some(square)) =
                    (model.weights.get_mut(at), squares.get_mut(at))
                {
                    let gradient = error * feature.value - PULL * *weight;
                    *square += gradient * gradient;
                    *weight += RATE * gradient / square.sqrt();
                }
            }
        }
    }
    model
}

/// Slope and offset that make scores of unseen messages the logarithm of the odds (Platt), by Newton's method. Nothing is
/// aimed at certainty, the less so the fewer messages there are: else two classes that never overlap had no end of it.
fn calibrate(scores: &[(f32, bool)]) -> (f32, f32) {
    let spam = scores.iter().filter(|(_, is_spam)| *is_spam).count() as f64;
    let ham = scores.len() as f64 - spam;
    let (aim_spam, aim_ham) = ((spam + 1.0) / (spam + 2.0), 1.0 / (ham + 2.0));
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    for _ in 0..50 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
        for (score, is_spam) in scores {
            let score = f64::from(*score);
            let probability = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let aim = if *is_spam { aim_spam } else { aim_ham };
            let error = aim - probability;
            let spread = probability * (1.0 - probability);
            g0 += error * score;
            g1 += error;
            h00 += spread * score * score;
            h01 += spread * score;
            h11 += spread;
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant.abs() < 1e-12 {
            break;
        }
        let step0 = ((h11 * g0 - h01 * g1) / determinant).clamp(-1.0, 1.0);
        let step1 = ((h00 * g1 - h01 * g0) / determinant).clamp(-1.0, 1.0);
        slope = (slope + step0).clamp(0.05, 20.0);
        offset = (offset + step1).clamp(-20.0, 20.0);
        if step0.abs() + step1.abs() < 1e-7 {
            break;
        }
    }
    (slope as f32, offset as f32)
}

/// Fisher and Yates, by xorshift.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for last in (1..order.len()).rev() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let at = usize::try_from(*random % (last as u64 + 1)).unwrap_or_default();
        order.swap(last, at);
    }
}
