use super::super::messages::PARTS;
use super::*;

fn scored(part: &str, score: f64) -> Scored {
    let part = PARTS.into_iter().find(|it| it.name == part).unwrap();
    Scored { part, score }
}

#[test]
fn recall_is_what_lies_above_the_ham_that_may_not_be_hit() {
    let mut scores: Vec<Scored> = (0..1_000)
        .map(|at| scored("easy_ham", f64::from(at)))
        .collect();
    for score in [2_000.0, 998.5, 997.5, 1.0] {
        scores.push(scored("spam", score));
    }
    let curve = curve(&scores, &["easy_ham"], &["spam"]);
    assert_eq!(curve.recall, [0.25, 0.5, 0.75]);
    assert_eq!((curve.ham, curve.spam), (1_000, 4));
    let won = (1_000.0 + 999.0 + 998.0 + 1.5) / 4_000.0;
    assert!((curve.area - won).abs() < 1e-9, "{curve:?}");
}

#[test]
fn nothing_is_no_error() {
    let nothing = curve(&[], &["easy_ham"], &["spam"]);
    assert_eq!(nothing.recall, [0.0; 3]);
}
