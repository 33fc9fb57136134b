//! The same seed, the same numbers.

use super::Random;

#[test]
fn a_seed_always_gives_the_same() {
    // The first number of seed 0 in the reference implementation of SplitMix64.
    assert_eq!(Random::new(0).next(), 0xE220_A839_7B1D_CDAF);
    let draw = |seed| {
        let mut random = Random::new(seed);
        (0..100).map(|_| random.below(10)).collect::<Vec<_>>()
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}

#[test]
fn shares_lie_between_nothing_and_one() {
    let mut random = Random::new(3);
    let shares: Vec<f64> = (0..1000).map(|_| random.share()).collect();
    assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
    let mean = shares.iter().sum::<f64>() / 1000.0;
    assert!((0.45..0.55).contains(&mean), "{mean}");
}
