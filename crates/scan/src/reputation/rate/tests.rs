use super::*;

const TEN_A_MINUTE: Allowance = Allowance {
    count: 10,
    per: Duration::from_secs(60),
};

fn drawn(rates: &Rates, who: &str, times: u32, now: Instant) -> usize {
    (0..times)
        .filter(|_| rates.draw(&who, &TEN_A_MINUTE, now))
        .count()
}

#[test]
fn an_allowance_is_used_up_and_comes_back() {
    let rates = Rates::default();
    let now = Instant::now();
    assert_eq!(drawn(&rates, "a", 25, now), 10);
    assert_eq!(drawn(&rates, "b", 5, now), 5);
    let later = now + Duration::from_secs(30);
    assert_eq!(drawn(&rates, "a", 25, later), 5);
    // It never holds more than the allowance.
    assert_eq!(drawn(&rates, "a", 25, now + Duration::from_secs(3600)), 10);
}

#[test]
fn another_allowance_is_another_bucket() {
    let rates = Rates::default();
    let now = Instant::now();
    assert_eq!(drawn(&rates, "a", 25, now), 10);
    let more = Allowance {
        count: 20,
        ..TEN_A_MINUTE
    };
    assert!(rates.draw(&"a", &more, now));
}

#[test]
fn full_buckets_are_forgotten() {
    let rates = Rates::default();
    let now = Instant::now();
    drawn(&rates, "a", 1, now);
    drawn(&rates, "b", 10, now);
    rates.tidy_up(now + Duration::from_secs(10));
    assert_eq!(rates.len(), 1);
    rates.tidy_up(now + Duration::from_secs(60));
    assert!(rates.is_empty());
}

#[test]
fn their_number_is_bounded() {
    let rates = Rates::default();
    let now = Instant::now();
    for who in 0..150_000 {
        rates.draw(&who, &TEN_A_MINUTE, now);
    }
    assert!(rates.len() <= BUCKETS_MAX);
}
