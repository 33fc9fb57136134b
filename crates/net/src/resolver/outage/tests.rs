use std::sync::Arc;

use super::*;

/// Questions without an answer.
fn suspect(silence: &Silence) {
    assert!(!silence.unanswered());
    assert!(silence.unanswered(), "the second has probing begin");
    assert!(!silence.unanswered(), "and the third not again");
}

#[test]
fn silence_is_a_suspicion_until_a_probe_fails() {
    let (silence, now) = (Silence::default(), Instant::now());
    suspect(&silence);
    assert_eq!(silence.outage(now), None);
    assert_eq!(silence.probed(false, now), Some(PROBE_INTERVAL_MIN));
    assert_eq!(
        silence.outage(now + PROBE_INTERVAL_MIN),
        Some(PROBE_INTERVAL_MIN)
    );
}

#[test]
fn a_probe_that_is_answered_ends_the_suspicion() {
    let (silence, now) = (Silence::default(), Instant::now());
    suspect(&silence);
    assert_eq!(silence.probed(true, now), None);
    assert_eq!(silence.outage(now), None);
    suspect(&silence);
}

#[test]
fn probes_come_at_growing_intervals_and_the_first_answer_ends_the_outage() {
    let (silence, begun) = (Silence::default(), Instant::now());
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    silence.observe(Box::new(move |outage| tell.lock().unwrap().push(outage)));
    suspect(&silence);
    let seconds: Vec<u64> = (0..8)
        .filter_map(|_| silence.probed(false, begun).map(|wait| wait.as_secs()))
        .collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30, 30]);
    let after = Duration::from_secs(90);
    assert_eq!(silence.probed(true, begun + after), None);
    assert_eq!(silence.outage(begun + after), None);
    assert_eq!(
        *told.lock().unwrap(),
        [Outage::Began, Outage::Ended { after }]
    );
}

#[test]
fn an_answer_to_any_question_ends_it_too() {
    let (silence, now) = (Silence::default(), Instant::now());
    suspect(&silence);
    silence.probed(false, now);
    silence.answered(now);
    assert_eq!(silence.outage(now), None);
    // The prober goes on until it is answered itself.
    assert_eq!(silence.probed(true, now), None);
    suspect(&silence);
}
