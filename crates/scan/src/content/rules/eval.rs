//! Rules asked of a message: conditions walked, patterns of a field matched in one pass when the first is asked for, and
//! for each hit what it was found on.

use std::borrow::Cow;
use std::cell::OnceCell;

use regex::bytes::SetMatches;

use super::field::{self, Source, Subject};
use super::parse::{Condition, Pattern, What};
use super::{Hit, RuleFacts, Rules, Scope};
use crate::content::reading::Reading;
use crate::limits::DETAIL_BYTES_MAX;
use crate::printable::printable;

/// Bytes around a match that are told.
const EXCERPT_BYTES_MAX: usize = 60;

/// The rules that match, in the order of the files.
pub(super) fn hits(rules: &Rules, reading: &Reading, facts: &RuleFacts) -> Vec<Hit> {
    let mut evaluation = Evaluation {
        rules,
        subject: Subject {
            reading,
            facts,
            link: None,
            file: None,
        },
        matched: rules.sets.iter().map(|_| OnceCell::new()).collect(),
        is_hit: vec![false; rules.rules.len()],
    };
    for index in &rules.order {
        let Some(rule) = rules.rules.get(*index).filter(|rule| rule.is_enabled) else {
            continue;
        };
        let holds = evaluation.holds(&rule.condition, &evaluation.subject);
        if let Some(is_hit) = evaluation.is_hit.get_mut(*index) {
            *is_hit = holds;
        }
    }
    let hits = rules
        .rules
        .iter()
        .zip(&evaluation.is_hit)
        .filter(|(_, is_hit)| **is_hit);
    hits.map(|(rule, _)| Hit {
        symbol: rule.symbol.clone(),
        weight: rule.weight,
        detail: evaluation
            .detail(&rule.condition, &evaluation.subject)
            .map(|detail| printable(&detail, DETAIL_BYTES_MAX))
            .filter(|detail| !detail.is_empty()),
    })
    .collect()
}

struct Evaluation<'m> {
    rules: &'m Rules,
    subject: Subject<'m>,
    /// What matched of each set, once it was asked for.
    matched: Vec<OnceCell<Vec<SetMatches>>>,
    is_hit: Vec<bool>,
}

impl<'m> Evaluation<'m> {
    fn holds(&self, condition: &Condition, subject: &Subject<'m>) -> bool {
        match condition {
            Condition::All(all) => all.iter().all(|condition| self.holds(condition, subject)),
            Condition::Any(any) => any.iter().any(|condition| self.holds(condition, subject)),
            Condition::Not(condition) => !self.holds(condition, subject),
            Condition::Symbol { rule, .. } => self.is_hit.get(*rule).is_some_and(|is_hit| *is_hit),
            Condition::Flag(flag) => flag(subject),
            Condition::Number(number, compare, than) => {
                number(subject).is_some_and(|value| compare.holds(value, *than))
            }
            Condition::Equals(texts, wanted) => texts(subject)
                .iter()
                .any(|text| wanted.iter().any(|one| one == text)),
            Condition::Present(texts) => texts(subject).iter().any(|text| !text.is_empty()),
            Condition::Matches(pattern) => self.matches(pattern, subject),
            Condition::Some(scope, condition) => self.first(*scope, condition).is_some(),
            Condition::Count(conditions, compare, than) => {
                let count = conditions
                    .iter()
                    .filter(|condition| self.holds(condition, subject))
                    .count();
                u32::try_from(count).is_ok_and(|count| compare.holds(f64::from(count), *than))
            }
        }
    }

    fn matches(&self, pattern: &Pattern, subject: &Subject<'m>) -> bool {
        let texts_match = || {
            let texts = texts(&pattern.what, subject);
            texts
                .iter()
                .any(|text| pattern.regex.is_match(text.as_bytes()))
        };
        match pattern.set {
            // Only beginnings are matched at once.
            Some((set, index)) => self.may_match(set, index, subject) && texts_match(),
            None => texts_match(),
        }
    }

    fn may_match(&self, set: usize, index: usize, subject: &Subject<'m>) -> bool {
        let (Some(matched), Some(set)) = (self.matched.get(set), self.rules.sets.get(set)) else {
            return false;
        };
        matched
            .get_or_init(|| {
                let texts = texts(&set.what, subject);
                texts
                    .iter()
                    .map(|text| set.patterns.matches(text.as_bytes()))
                    .collect()
            })
            .iter()
            .any(|matches| matches.matched(index))
    }

    /// The first link or file of which `condition` holds.
    fn first(&self, scope: Scope, condition: &Condition) -> Option<Subject<'m>> {
        let reading = self.subject.reading;
        let holds = |subject: &Subject<'m>| self.holds(condition, subject);
        match scope {
            Scope::Message => None,
            Scope::Link => reading
                .links()
                .iter()
                .map(|link| Subject {
                    link: Some(link),
                    ..self.subject
                })
                .find(holds),
            Scope::File => reading
                .attachments()
                .iter()
                .map(|file| Subject {
                    file: Some(file),
                    ..self.subject
                })
                .find(holds),
        }
    }

    /// What a condition that holds was found on: the first pattern's match, link or file in it.
    fn detail(&self, condition: &Condition, subject: &Subject<'m>) -> Option<String> {
        match condition {
            Condition::All(conditions)
            | Condition::Any(conditions)
            | Condition::Count(conditions, ..) => conditions
                .iter()
                .find_map(|condition| self.detail(condition, subject)),
            Condition::Matches(pattern) => texts(&pattern.what, subject).iter().find_map(|text| {
                let found = pattern.regex.find(text.as_bytes())?;
                Some(excerpt(&String::from_utf8_lossy(found.as_bytes())))
            }),
            Condition::Equals(texts, wanted) => texts(subject)
                .into_iter()
                .find(|text| wanted.iter().any(|one| one == text))
                .map(Cow::into_owned),
            Condition::Present(texts) => texts(subject).first().map(|text| excerpt(text)),
            Condition::Some(scope, condition) => {
                let found = self.first(*scope, condition)?;
                let link = found
                    .link
                    .and_then(|link| link.host.clone().or(Some(link.scheme.clone())));
                link.or_else(|| found.file.map(|file| file.name.clone()))
            }
            Condition::Not(_)
            | Condition::Symbol { .. }
            | Condition::Flag(_)
            | Condition::Number(..) => None,
        }
    }
}

/// The texts that a pattern is matched with.
fn texts<'m>(what: &What, subject: &Subject<'m>) -> Vec<Cow<'m, str>> {
    match what {
        What::Field(name, scope) => match field::find(*scope, name).map(|field| field.source) {
            Some(Source::Texts(texts)) => texts(subject),
            _ => Vec::new(),
        },
        What::Header(name) => {
            let fields = subject.reading.header().fields.iter();
            fields
                .filter(|field| field.name == *name)
                .map(|field| Cow::Borrowed(field.value.as_str()))
                .collect()
        }
    }
}

fn excerpt(text: &str) -> String {
    let mut end = text.len().min(EXCERPT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().replace('\n', " ")
}

impl Condition {
    /// Calls `visit` on the condition and on all that it is made of.
    pub(super) fn for_each(&mut self, visit: &mut impl FnMut(&mut Condition)) {
        visit(self);
        match self {
            Condition::All(conditions)
            | Condition::Any(conditions)
            | Condition::Count(conditions, ..) => {
                conditions
                    .iter_mut()
                    .for_each(|condition| condition.for_each(visit));
            }
            Condition::Not(condition) | Condition::Some(_, condition) => condition.for_each(visit),
            _ => {}
        }
    }
}
