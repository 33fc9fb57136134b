use super::*;

fn why() -> Unavailable {
    Unavailable::new(UnavailableCause::Connect, "connection refused")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A daemon that went down at `now`.
fn down(now: Instant) -> BackOff {
    let mut state = BackOff::default();
    let leave = state.admit(now).unwrap();
    assert_eq!(
        state.failed(leave, Failure::Away, &why(), now),
        Some(Health::Down(why()))
    );
    state
}

#[test]
fn a_daemon_that_is_away_is_left_alone_twice_as_long_each_time() {
    let mut now = Instant::now();
    let mut state = down(now);
    for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
        let refused = state
            .admit(now + seconds(delay) - Duration::from_millis(1))
            .unwrap_err();
        assert_eq!(refused.cause, UnavailableCause::BackOff);
        now += seconds(delay);
        let leave = state.admit(now).unwrap();
        assert_eq!(
            state.failed(leave, Failure::Away, &why(), now),
            None,
            "the change was told before"
        );
    }
}

#[test]
fn one_attempt_at_a_time_finds_out_whether_it_is_back() {
    let now = Instant::now();
    let mut state = down(now);
    let later = now + seconds(1);
    let leave = state.admit(later).unwrap();
    assert_eq!(
        state.admit(later).unwrap_err().cause,
        UnavailableCause::BackOff
    );
    assert_eq!(
        state.check(later).unwrap_err().cause,
        UnavailableCause::BackOff
    );
    state.abandoned(leave);
    let leave = state.admit(later).unwrap();
    assert_eq!(state.succeeded(), Some(Health::Up));
    state.abandoned(leave);
    assert_eq!(state.health(), Health::Up);
    assert_eq!(state.succeeded(), None, "the change was told before");
}

#[test]
fn an_attempt_given_up_long_ago_does_not_end_another() {
    let now = Instant::now();
    let mut state = down(now);
    let old = state.admit(now + seconds(1)).unwrap();
    state.timed_out(now + seconds(11));
    let new = state.admit(now + seconds(13)).unwrap();
    state.abandoned(old);
    assert!(
        state.check(now + seconds(13)).is_err(),
        "{new:?} is still under way"
    );
}

#[test]
fn failures_on_a_connection_count_when_three_come_in_a_row() {
    let now = Instant::now();
    let mut state = BackOff::default();
    let fail = |state: &mut BackOff| {
        let leave = state.admit(now).unwrap();
        state.failed(leave, Failure::Talk, &why(), now)
    };
    assert_eq!(fail(&mut state), None);
    assert_eq!(fail(&mut state), None);
    state.succeeded();
    assert_eq!(fail(&mut state), None);
    assert_eq!(state.timed_out(now), None);
    assert_eq!(fail(&mut state), Some(Health::Down(why())));
}

#[test]
fn examinations_that_began_before_do_not_prolong_the_back_off() {
    let now = Instant::now();
    let mut state = BackOff::default();
    let leaves = [state.admit(now).unwrap(), state.admit(now).unwrap()];
    for leave in leaves {
        state.failed(leave, Failure::Away, &why(), now);
    }
    state.timed_out(now);
    assert!(state.admit(now + seconds(1)).is_ok());
}
