//! The table from engines' scales to unlikely / likely / sure, row by row.

use scan::finding::{Finding, Score, SpamClass, VirusClass};

use crate::policy::Likelihood::{Likely, Sure, Unlikely};
use crate::policy::{EngineRule, Likelihood, OnFailure, Settings, likelihood, virus_likelihood};

fn rule(likely: Option<f32>, sure: Option<f32>) -> EngineRule {
    EngineRule {
        likely,
        sure,
        ..EngineRule::default()
    }
}

fn scored(value: f32, required: Option<f32>) -> Finding {
    Finding {
        score: Some(Score { value, required }),
        ..Finding::new("spamassassin")
    }
}

fn acted(value: f32, action: &str) -> Finding {
    Finding {
        action: Some(action.to_owned()),
        score: Some(Score {
            value,
            required: Some(15.0),
        }),
        ..Finding::new("rspamd")
    }
}

#[track_caller]
fn check(finding: &Finding, rule: EngineRule, expected: Likelihood) {
    assert_eq!(likelihood(finding, &rule), expected, "{finding:?} {rule:?}");
}

#[test]
fn a_score_is_measured_by_its_own_mark_and_by_fifteen() {
    let own = rule(None, None);
    for (value, expected) in [
        (-10.0, Unlikely),
        (4.9, Unlikely),
        (5.0, Likely),
        (14.9, Likely),
        (15.0, Sure),
        (1000.0, Sure),
        (f32::INFINITY, Sure),
        (f32::NAN, Unlikely),
    ] {
        check(&scored(value, Some(5.0)), own, expected);
    }
    // A mark above fifteen: nothing below it is sure.
    check(&scored(16.0, Some(20.0)), own, Unlikely);
    check(&scored(20.0, Some(20.0)), own, Sure);
}

#[test]
fn thresholds_of_the_operator_come_first_each_by_itself() {
    let finding = scored(8.0, Some(5.0));
    check(&finding, rule(Some(8.0), Some(9.0)), Likely);
    check(&finding, rule(Some(8.1), Some(9.0)), Unlikely);
    check(&finding, rule(None, Some(8.0)), Sure);
    check(&finding, rule(None, Some(9.0)), Likely);
    check(&finding, rule(Some(8.1), None), Unlikely);
    check(&scored(15.0, Some(5.0)), rule(Some(20.0), None), Sure);
}

#[test]
fn an_action_counts_before_the_score_behind_it() {
    let own = rule(None, None);
    for (action, expected) in [
        ("no action", Unlikely),
        ("greylist", Unlikely),
        ("soft reject", Unlikely),
        ("something new", Unlikely),
        ("add header", Likely),
        ("rewrite subject", Likely),
        ("quarantine", Likely),
        ("reject", Sure),
    ] {
        check(&acted(15.5, action), own, expected);
    }
    check(&acted(7.0, "no action"), rule(Some(6.0), None), Likely);
    check(&acted(15.5, "reject"), rule(None, Some(20.0)), Likely);
    check(&acted(20.0, "add header"), rule(None, Some(20.0)), Sure);
}

#[test]
fn a_class_alone_has_a_fixed_meaning() {
    let expected = [Unlikely, Unlikely, Unlikely, Unlikely, Likely, Sure];
    for (class, expected) in SpamClass::ALL.into_iter().zip(expected) {
        let finding = Finding {
            spam: Some(class),
            ..Finding::new("ctasd")
        };
        check(&finding, rule(None, None), expected);
        // Thresholds are for scores: suspect and valid-bulk never count, whatever they are set to.
        check(&finding, rule(Some(-1.0), Some(-1.0)), expected);
    }
    check(&Finding::new("clamav"), rule(None, None), Unlikely);
    // A score without a mark means nothing by itself: the class beside it does.
    let finding = Finding {
        spam: Some(SpamClass::Bulk),
        ..scored(50.0, None)
    };
    check(&finding, rule(None, None), Likely);
    check(&finding, rule(Some(10.0), Some(50.0)), Sure);
}

#[test]
fn virus_classes_have_a_fixed_meaning() {
    let expected = [Unlikely, Unlikely, Unlikely, Likely, Sure];
    for (class, expected) in VirusClass::ALL.into_iter().zip(expected) {
        let finding = Finding {
            virus: Some(class),
            ..Finding::new("clamav")
        };
        assert_eq!(virus_likelihood(&finding, &rule(None, None)), expected);
        let disabled = EngineRule {
            enabled: false,
            ..rule(None, None)
        };
        assert_eq!(virus_likelihood(&finding, &disabled), Unlikely);
    }
}

#[test]
fn equal_settings_have_equal_fingerprints() {
    let settings = |rule: EngineRule| Settings {
        engines: [("rspamd".to_owned(), rule)].into(),
        ..Settings::default()
    };
    let rules = [
        rule(None, None),
        rule(Some(0.0), None),
        rule(None, Some(0.0)),
        rule(Some(6.0), Some(15.0)),
        rule(Some(15.0), Some(6.0)),
        EngineRule {
            enabled: false,
            ..rule(None, None)
        },
        EngineRule {
            on_failure: OnFailure::Defer,
            ..rule(None, None)
        },
    ];
    let mut fingerprints: Vec<String> = rules.map(|rule| settings(rule).fingerprint()).to_vec();
    assert_eq!(fingerprints[0], settings(rules[0]).fingerprint());
    fingerprints.push(Settings::default().fingerprint());
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 8);
    assert!(fingerprints.iter().all(|it| it.len() == 16));
}
