//! The verdict over every combination of what engines and lists can say, against a specification written on its own,
//! and against `tests/verdicts.txt`, where a change of policy shows in a diff.

use scan::finding::{Banned, Finding, Score, SpamClass, Unavailable, UnavailableCause, VirusClass};

use super::*;

mod dmarc;
mod likelihood;
mod sender;
mod stages;

/// What an engine that rates spam can say, and what its failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Unlikely,
    Likely,
    Sure,
    AwayOpen,
    AwayDefer,
}

const WORDS: [Word; 5] = [
    Word::Unlikely,
    Word::Likely,
    Word::Sure,
    Word::AwayOpen,
    Word::AwayDefer,
];

const VIRUSES: [Option<VirusClass>; 6] = [
    None,
    Some(VirusClass::Nonvirus),
    Some(VirusClass::Unknown),
    Some(VirusClass::Medium),
    Some(VirusClass::High),
    Some(VirusClass::Virus),
];

/// One combination.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// spamassassin, rspamd, ctasd.
    spam: [Word; 3],
    /// clamav.
    virus: Option<VirusClass>,
    /// A second engine says `high`.
    second_high: bool,
    banned: bool,
    allow: bool,
    block: bool,
}

const ENGINES: [&str; 3] = ["spamassassin", "rspamd", "ctasd"];

impl Case {
    /// All of them.
    fn all() -> impl Iterator<Item = Case> {
        Case::without_spam()
            .flat_map(|case| Case::spam_words().map(move |spam| Case { spam, ..case }))
    }

    fn spam_words() -> impl Iterator<Item = [Word; 3]> {
        WORDS.into_iter().flat_map(|a| {
            WORDS
                .into_iter()
                .flat_map(move |b| WORDS.map(|c| [a, b, c]))
        })
    }

    fn without_spam() -> impl Iterator<Item = Case> {
        let flags = (0..16_u8).map(|bits| [1, 2, 4, 8].map(|bit| bits & bit != 0));
        VIRUSES.into_iter().flat_map(move |virus| {
            flags
                .clone()
                .map(move |[second_high, banned, allow, block]| Case {
                    spam: [Word::Unlikely; 3],
                    virus,
                    second_high,
                    banned,
                    allow,
                    block,
                })
        })
    }

    fn facts(&self) -> MessageFacts {
        let entry = |list, entry: &str| ListMatch {
            list,
            field: ListField::ReversePath,
            entry: entry.to_owned(),
        };
        let block = self.block.then(|| entry(List::Block, "example.com"));
        let allow = self.allow.then(|| entry(List::Allow, "a@example.com"));
        MessageFacts {
            lists: block.into_iter().chain(allow).collect(),
        }
    }

    fn settings(&self) -> Settings {
        let rule = |(engine, word): (&str, Word)| {
            let on_failure = match word {
                Word::AwayDefer => OnFailure::Defer,
                _ => OnFailure::Open,
            };
            let rule = EngineRule {
                on_failure,
                ..EngineRule::default()
            };
            (engine.to_owned(), rule)
        };
        Settings {
            engines: ENGINES.into_iter().zip(self.spam).map(rule).collect(),
            ..Settings::default()
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = ENGINES
            .into_iter()
            .zip(self.spam)
            .map(|(engine, word)| spam_finding(engine, word))
            .collect();
        findings.push(Finding {
            virus: self.virus,
            virus_name: (self.virus == Some(VirusClass::Virus)).then(|| "Eicar".to_owned()),
            ..Finding::new("clamav")
        });
        if self.second_high {
            findings.push(Finding {
                virus: Some(VirusClass::High),
                ..Finding::new("sophos")
            });
        }
        if self.banned {
            findings.push(Finding {
                banned: Some(Banned {
                    what: "a.exe".to_owned(),
                    why: "executable file".to_owned(),
                }),
                ..Finding::new("attachment")
            });
        }
        findings
    }

    fn verdict(&self) -> Verdict {
        message(&self.facts(), &self.findings(), &self.settings())
    }

    /// What the verdict must be, in words of the design: `None` for accepted.
    fn specified(&self) -> Option<Kind> {
        let count = |word| self.spam.iter().filter(|said| **said == word).count();
        let high = usize::from(self.virus == Some(VirusClass::High));
        let virus =
            self.virus == Some(VirusClass::Virus) || high + usize::from(self.second_high) > 1;
        let spam = count(Word::Sure) > 0 || count(Word::Likely) > 1;
        let filter = !self.allow;
        [
            (virus, Kind::Virus),
            (self.block && filter, Kind::List),
            (self.banned && filter, Kind::Attachment),
            (spam && filter, Kind::Spam),
            (count(Word::AwayDefer) > 0, Kind::EngineUnavailable),
        ]
        .into_iter()
        .find_map(|(holds, kind)| holds.then_some(kind))
    }
}

/// A finding in the engine's own terms.
fn spam_finding(engine: &str, word: Word) -> Finding {
    let mut finding = Finding::new(engine);
    let (points, action, class) = match word {
        Word::Unlikely => (2.5, "no action", SpamClass::ValidBulk),
        Word::Likely => (7.5, "add header", SpamClass::Bulk),
        Word::Sure => (17.5, "reject", SpamClass::Confirmed),
        Word::AwayOpen | Word::AwayDefer => {
            return Finding::unavailable(
                engine,
                Unavailable::new(UnavailableCause::Timeout, "no answer within 10 s"),
            );
        }
    };
    match engine {
        "spamassassin" => {
            finding.score = Some(Score {
                value: points,
                required: Some(5.0),
            });
        }
        "rspamd" => finding.action = Some(action.to_owned()),
        _ => finding.spam = Some(class),
    }
    finding
}

#[test]
fn every_combination_is_decided_as_specified() {
    let mut cases = 0;
    for case in Case::all() {
        let verdict = case.verdict();
        let kind = verdict.reason().map(|reason| reason.kind);
        assert_eq!(kind, case.specified(), "{case:?}");
        let outcome = match kind {
            None => "accept",
            Some(Kind::EngineUnavailable) => "defer",
            Some(_) => "refuse",
        };
        assert_eq!(verdict.outcome(), outcome, "{case:?}");
        cases += 1;
    }
    assert_eq!(cases, 125 * 6 * 16);
}

#[test]
fn engines_that_led_to_a_refusal_are_those_that_found_it_likely() {
    for case in Case::all() {
        let verdict = case.verdict();
        let Some(reason) = verdict.reason() else {
            continue;
        };
        let led = |word: Word| match reason.kind {
            Kind::Spam => matches!(word, Word::Likely | Word::Sure),
            Kind::EngineUnavailable => word == Word::AwayDefer,
            _ => false,
        };
        let expected: Vec<&str> = ENGINES
            .into_iter()
            .zip(case.spam)
            .filter_map(|(engine, word)| led(word).then_some(engine))
            .collect();
        match reason.kind {
            Kind::Spam | Kind::EngineUnavailable => assert_eq!(reason.engines, expected),
            Kind::Virus => assert_eq!(reason.engines[0], "clamav"),
            Kind::Attachment => assert_eq!(reason.engines, ["attachment"]),
            _ => assert!(reason.engines.is_empty()),
        }
    }
}

#[test]
fn what_goes_on_is_noted() {
    for case in Case::all() {
        let Verdict::Accept { notes } = case.verdict() else {
            continue;
        };
        let unexamined = notes
            .iter()
            .filter(|note| matches!(note, Note::Unexamined { .. }));
        let away = case.spam.iter().filter(|word| **word == Word::AwayOpen);
        assert_eq!(unexamined.count(), away.count(), "{case:?}");
        // Without the allow list, the message would have been refused for the first kind that it lifted.
        let lifted = notes.iter().find_map(|note| match note {
            Note::Allowed { kind, .. } => Some(*kind),
            _ => None,
        });
        let without = Case {
            allow: false,
            ..case
        };
        assert_eq!(lifted, without.specified(), "{case:?}");
        let alone = notes.iter().any(|note| {
            *note
                == Note::LikelyAlone {
                    engine: "rspamd".to_owned(),
                }
        });
        let likely = case
            .spam
            .map(|word| matches!(word, Word::Likely | Word::Sure));
        let expected = likely == [false, true, false] && case.spam[1] == Word::Likely;
        assert_eq!(alone, expected, "{case:?}");
    }
}

#[test]
fn certain_means_that_no_further_finding_undoes_the_refusal() {
    let mut certain_cases = 0;
    for case in Case::all() {
        let findings = case.findings();
        // The wave ends in any order: here the last `awaited` of the engines are still awaited.
        for awaited in 1..findings.len() {
            let (early, late) = findings.split_at(findings.len() - awaited);
            let late: Vec<&str> = late.iter().map(|it| it.engine.as_str()).collect();
            if certain(&case.facts(), early, &late, &case.settings()) {
                certain_cases += 1;
                assert_eq!(case.verdict().outcome(), "refuse", "{case:?}");
            }
        }
        assert!(certain(&case.facts(), &findings, &[], &case.settings()));
    }
    assert!(certain_cases > 1000);
}

#[test]
fn nobody_waits_for_an_engine_that_does_not_count() {
    let mut settings = Settings::default();
    let facts = MessageFacts::default();
    assert!(!certain(&facts, &[], &["rspamd"], &settings));
    let disabled = EngineRule {
        enabled: false,
        ..EngineRule::default()
    };
    settings.engines.insert("rspamd".to_owned(), disabled);
    assert!(certain(&facts, &[], &["rspamd"], &settings));
    // And what it says nevertheless is not heard.
    let sure = spam_finding("rspamd", Word::Sure);
    assert_eq!(message(&facts, &[sure], &settings), Verdict::ACCEPT);
}

#[test]
fn one_engine_has_one_voice() {
    let likely = spam_finding("ctasd", Word::Likely);
    let twice = [likely.clone(), likely];
    let verdict = message(&MessageFacts::default(), &twice, &Settings::default());
    assert!(verdict.is_accept());
}

#[test]
fn likely_spam_and_a_likely_virus_confirm_neither() {
    let mut both = spam_finding("ctasd", Word::Likely);
    both.virus = Some(VirusClass::High);
    let verdict = message(&MessageFacts::default(), &[both], &Settings::default());
    let alone = Note::LikelyAlone {
        engine: "ctasd".to_owned(),
    };
    assert_eq!(verdict, Verdict::Accept { notes: vec![alone] });
}

#[test]
fn an_engine_that_cannot_examine_this_message_does_not_defer_it_for_ever() {
    let defer = EngineRule {
        on_failure: OnFailure::Defer,
        ..EngineRule::default()
    };
    let settings = Settings {
        engines: [("clamav".to_owned(), defer)].into(),
        ..Settings::default()
    };
    let outcome = |cause| {
        let away = Finding::unavailable("clamav", Unavailable::new(cause, "told so"));
        message(&MessageFacts::default(), &[away], &settings)
    };
    let lasting = [UnavailableCause::TooLarge, UnavailableCause::Refused];
    for cause in lasting {
        let engine = "clamav".to_owned();
        let notes = vec![Note::Unexamined { engine }];
        assert_eq!(outcome(cause), Verdict::Accept { notes });
    }
    let passing = [
        UnavailableCause::Timeout,
        UnavailableCause::Connect,
        UnavailableCause::Protocol,
        UnavailableCause::Panic,
        UnavailableCause::BackOff,
    ];
    for cause in passing {
        let verdict = outcome(cause);
        let reason = verdict.reason().unwrap();
        assert_eq!(reason.kind, Kind::EngineUnavailable);
        assert_eq!(reason.detail, "clamav: told so");
    }
}

#[test]
fn reasons_tell_the_postmaster_all_and_the_writer_little() {
    let case = Case {
        spam: [Word::Sure, Word::Likely, Word::Likely],
        virus: None,
        second_high: false,
        banned: false,
        allow: false,
        block: false,
    };
    let verdict = case.verdict();
    let spam = verdict.reason().unwrap();
    assert_eq!(
        spam.detail,
        "spamassassin: 17.5 of 5; rspamd: add header; ctasd: bulk"
    );
    assert_eq!(spam.told, "");
    let verdict = Case {
        virus: Some(VirusClass::Virus),
        second_high: true,
        ..case
    }
    .verdict();
    let virus = verdict.reason().unwrap();
    assert_eq!(virus.detail, "clamav: Eicar; sophos: no name given");
    assert_eq!(virus.told, "Eicar");
    let verdict = Case {
        banned: true,
        ..case
    }
    .verdict();
    assert_eq!(verdict.reason().unwrap().told, "a.exe: executable file");
    let verdict = Case {
        block: true,
        ..case
    }
    .verdict();
    let list = verdict.reason().unwrap();
    assert_eq!(list.detail, "reverse-path on block list: example.com");
    assert_eq!(list.told, "");
}

/// One line for each combination of the rest, with a letter for each of the 125 combinations of three spam engines.
#[test]
fn verdicts_are_those_of_the_golden_table() {
    let mut table = String::from(
        "# The verdict for every combination of what engines and lists say. Made by `UPDATE_EXPECT=1 cargo test`.\n\
         # Each line: clamav's class, a second engine's `high`, a banned attachment, allow and block list, and then the\n\
         # verdicts in groups of five: within a group ctasd, from group to group rspamd, from block to block\n\
         # spamassassin says unlikely, likely, sure, away (open), away (defer).\n\
         # . accept  S spam  V virus  A attachment  L list  E engine-unavailable\n",
    );
    for case in Case::without_spam() {
        let flag = |on: bool, name: &'static str| if on { name } else { "-" };
        table.push_str(&format!(
            "{:<8} {:<4} {:<6} {:<5} {:<5} ",
            case.virus.map_or("-", virus_word),
            flag(case.second_high, "high"),
            flag(case.banned, "banned"),
            flag(case.allow, "allow"),
            flag(case.block, "block"),
        ));
        for (index, spam) in Case::spam_words().enumerate() {
            if index % 5 == 0 {
                table.push_str(if index % 25 == 0 { "  " } else { " " });
            }
            let verdict = Case { spam, ..case }.verdict();
            table.push(match verdict.reason().map(|reason| reason.kind) {
                None => '.',
                Some(Kind::EngineUnavailable) => 'E',
                Some(kind) => kind.name().to_ascii_uppercase().chars().next().unwrap(),
            });
        }
        table.push('\n');
    }
    crate::golden::check("tests/verdicts.txt", &table);
}
