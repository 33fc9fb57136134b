use super::*;

const START: u64 = 1_800_000_000;
const YEAR: u64 = 365 * 86_400;

/// A clock that has run for some seconds, and what it says when the system says something else then.
struct Run {
    clock: Clock,
    begun: Instant,
}

impl Run {
    fn new() -> Run {
        let begun = Instant::now();
        let clock = Clock::new(START, begun);
        Run { clock, begun }
    }

    fn read(&mut self, after: u64, system: u64) -> u64 {
        let now = self.begun + Duration::from_secs(after);
        self.clock.read(system, now)
    }
}

#[test]
fn small_steps_are_followed() {
    let mut run = Run::new();
    assert_eq!(run.read(10, START + 10), START + 10);
    assert_eq!(run.read(20, START + 50), START + 50);
    assert_eq!(run.read(30, START + 20), START + 20);
    // A thousand small steps may add up to whatever they like.
    for n in 1..1000 {
        let system = START + n * 3500;
        assert_eq!(run.read(30 + n, system), system);
    }
}

#[test]
fn a_leap_that_is_taken_back_was_none() {
    let mut run = Run::new();
    for leapt in [START + 10 * YEAR, 0, START - YEAR] {
        assert_eq!(run.read(100, leapt + 100), START + 100);
        assert_eq!(run.read(3000, leapt + 3000), START + 3000);
        assert_eq!(run.read(3500, START + 3500), START + 3500);
        run = Run::new();
    }
}

#[test]
fn a_leap_that_lasts_is_believed() {
    for leapt in [START + YEAR, START - YEAR] {
        let mut run = Run::new();
        assert_eq!(run.read(100, leapt + 100), START + 100);
        assert_eq!(run.read(3699, leapt + 3699), START + 3699);
        assert_eq!(run.read(3700, leapt + 3700), leapt + 3700);
        assert_eq!(run.read(3701, leapt + 3701), leapt + 3701);
    }
}
