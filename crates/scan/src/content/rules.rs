//! Rules on the content of a message, as data: a symbol, a condition, a weight and a sentence that says what it means.
//! Those that ship are in `rules.toml`; operators add files of their own, and change or switch off what is there.
//!
//! All patterns on one field are matched in one pass. Nothing here is weighed against anything: the engine adds up.

mod eval;
mod field;
mod file;
mod lex;
mod parse;
mod pattern;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use regex::bytes::RegexSet;

pub use self::file::{RULES_MAX, RuleError, WEIGHT_MAX};

use self::field::Source;
use self::file::File;
use self::parse::{Condition, What};
use super::reading::Reading;

/// The rules that ship.
const BUILT_IN: &str = include_str!("rules.toml");

/// What those are called in errors.
const BUILT_IN_NAME: &str = "built-in rules";

/// What is known of a message beside its content. What is not known stays at its default, and conditions on it are
/// false.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleFacts {
    /// The name given with EHLO.
    pub helo: String,
    /// The client's confirmed reverse name.
    pub client_name: Option<String>,
    /// The reverse-path, empty for reports.
    pub reverse_path: String,
    /// The forward-paths, as addresses.
    pub recipients: Vec<String>,
    /// When the message came, in seconds since 1970.
    pub received_at: Option<i64>,
    /// Registrable domains that passed DKIM or SPF.
    pub authenticated_domains: Vec<String>,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name in findings.
    pub symbol: String,
    /// What a match adds to the score.
    pub weight: f32,
    /// What a match means, in a sentence for operators.
    pub description: String,
    /// Whether it is asked at all.
    pub is_enabled: bool,
    /// Its condition, as written.
    pub when: String,
    /// The file that it is from.
    pub file: String,
    condition: Condition,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The rule's symbol.
    pub symbol: String,
    /// Its weight.
    pub weight: f32,
    /// What it was found on, if that can be told in a few words.
    pub detail: Option<String>,
}

/// A set of rules, ready to be matched.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// The order in which they are asked: those that others refer to first.
    order: Vec<usize>,
    sets: Vec<Set>,
}

/// All patterns on one text of the message.
#[derive(Debug)]
struct Set {
    what: What,
    patterns: RegexSet,
}

/// What a condition is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Message,
    Link,
    File,
}

impl Rules {
    /// The rules that ship, compiled once and shared.
    ///
    /// # Errors
    /// None in a build whose tests pass; the file is part of the program.
    pub fn built_in() -> Result<Arc<Rules>, Vec<RuleError>> {
        static SHARED: OnceLock<Result<Arc<Rules>, Vec<RuleError>>> = OnceLock::new();
        SHARED
            .get_or_init(|| Rules::parse(BUILT_IN_NAME, BUILT_IN).map(Arc::new))
            .clone()
    }

    /// The rules that ship, then those of `files` (name and content), which may change earlier ones.
    ///
    /// # Errors
    /// All that is wrong in all files.
    pub fn with(files: &[(&str, &str)]) -> Result<Arc<Rules>, Vec<RuleError>> {
        if files.is_empty() {
            return Rules::built_in();
        }
        let mut all = vec![(BUILT_IN_NAME, BUILT_IN)];
        all.extend(files);
        Rules::from_files(&all).map(Arc::new)
    }

    /// The rules of one file alone.
    ///
    /// # Errors
    /// All that is wrong in it.
    pub fn parse(name: &str, text: &str) -> Result<Rules, Vec<RuleError>> {
        Rules::from_files(&[(name, text)])
    }

    fn from_files(files: &[(&str, &str)]) -> Result<Rules, Vec<RuleError>> {
        let mut builder = Builder::default();
        for (name, text) in files {
            builder.add(File::read(name, text));
        }
        builder.finish()
    }

    /// All rules, in the order of the files.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that match, in the order of the files.
    pub fn match_(&self, reading: &Reading, facts: &RuleFacts) -> Vec<Hit> {
        eval::hits(self, reading, facts)
    }

    /// Every field that conditions can ask for: scope (`message`, `link`, `attachment`), name, kind, meaning.
    pub fn fields() -> impl Iterator<Item = (&'static str, &'static str, &'static str, &'static str)>
    {
        let scopes = [
            (Scope::Message, "message"),
            (Scope::Link, "link"),
            (Scope::File, "attachment"),
        ];
        scopes.into_iter().flat_map(|(scope, scope_name)| {
            field::of(scope).iter().map(move |field| {
                let kind = match field.source {
                    Source::Texts(_) => "text",
                    Source::Number(_) => "number",
                    Source::Flag(_) => "flag",
                };
                (scope_name, field.name, kind, field.meaning)
            })
        })
    }
}

/// Rules that are being put together.
#[derive(Default)]
struct Builder {
    rules: Vec<Rule>,
    /// Where each rule's symbol and condition stand: line and column of the symbol.
    places: Vec<RuleError>,
    by_symbol: HashMap<String, usize>,
    errors: Vec<RuleError>,
}

impl Builder {
    fn add(&mut self, mut file: File<'_>) {
        for given in std::mem::take(&mut file.rules) {
            if self.by_symbol.contains_key(&given.symbol) {
                let message = format!("there is a rule {} already", given.symbol);
                let remedy = format!(
                    "give it another symbol, or change that one under `[change.{}]`",
                    given.symbol
                );
                file.error(given.place.symbol, message, remedy);
                continue;
            }
            if self.rules.len() >= RULES_MAX {
                file.error(
                    given.place.symbol,
                    format!("more than {RULES_MAX} rules"),
                    "remove some",
                );
                break;
            }
            self.by_symbol
                .insert(given.symbol.clone(), self.rules.len());
            // Kept to tell where a reference leads to nowhere once all files are read.
            let errors_before = file.errors.len();
            file.error(given.place.condition, "", "");
            let place = file.errors.split_off(errors_before).pop();
            self.places.push(place.unwrap_or_else(|| RuleError {
                file: file.name.to_owned(),
                line: 1,
                column: 1,
                message: String::new(),
                remedy: String::new(),
            }));
            self.rules.push(Rule {
                symbol: given.symbol,
                weight: given.weight,
                description: given.description,
                is_enabled: given.is_enabled,
                when: given.text,
                file: file.name.to_owned(),
                condition: given.when,
            });
        }
        for change in std::mem::take(&mut file.changes) {
            let rule = self
                .by_symbol
                .get(&change.symbol)
                .and_then(|index| self.rules.get_mut(*index));
            let Some(rule) = rule else {
                let message = format!("there is no rule {} to change", change.symbol);
                file.error(
                    change.place.symbol,
                    message,
                    "`gatepost rules list` shows what there is",
                );
                continue;
            };
            rule.weight = change.weight.unwrap_or(rule.weight);
            rule.is_enabled = change.is_enabled.unwrap_or(rule.is_enabled);
        }
        self.errors.append(&mut file.errors);
    }

    fn finish(mut self) -> Result<Rules, Vec<RuleError>> {
        let mut references = Vec::with_capacity(self.rules.len());
        for (rule, place) in self.rules.iter_mut().zip(&self.places) {
            let mut found = Vec::new();
            let when = &rule.when;
            rule.condition.for_each(&mut |condition| {
                let Condition::Symbol { name, at, rule } = condition else {
                    return;
                };
                match self.by_symbol.get(name) {
                    Some(index) => {
                        *rule = *index;
                        found.push(*index);
                    }
                    None => self.errors.push(RuleError {
                        message: format!("there is no rule {name}"),
                        remedy: "`gatepost rules list` shows what there is; a field is written in small letters".to_owned(),
                        ..inside(place, when, *at)
                    }),
                }
            });
            references.push(found);
        }
        let order = self.order(&references);
        let sets = self.sets();
        if self.errors.is_empty() {
            Ok(Rules {
                rules: self.rules,
                order,
                sets,
            })
        } else {
            Err(self.errors)
        }
    }

    /// The rules so that each comes after those that it refers to; an error for those that refer to themselves.
    fn order(&mut self, references: &[Vec<usize>]) -> Vec<usize> {
        let mut missing: Vec<usize> = references.iter().map(Vec::len).collect();
        let mut referring: Vec<Vec<usize>> = vec![Vec::new(); references.len()];
        for (rule, referred) in references.iter().enumerate() {
            for index in referred {
                if let Some(list) = referring.get_mut(*index) {
                    list.push(rule);
                }
            }
        }
        let mut order: Vec<usize> = (0..references.len())
            .filter(|rule| missing.get(*rule) == Some(&0))
            .collect();
        let mut done = 0;
        while let Some(rule) = order.get(done).copied() {
            done += 1;
            for later in referring.get(rule).into_iter().flatten() {
                if let Some(count) = missing.get_mut(*later) {
                    *count -= 1;
                    if *count == 0 {
                        order.push(*later);
                    }
                }
            }
        }
        if let Some(rule) =
            (0..references.len()).find(|rule| missing.get(*rule).is_some_and(|count| *count > 0))
            && let (Some(rule), Some(place)) = (self.rules.get(rule), self.places.get(rule))
        {
            self.errors.push(RuleError {
                message: format!(
                    "{} refers to itself, by way of others or at once",
                    rule.symbol
                ),
                remedy: "write one of them without the symbol".to_owned(),
                ..place.clone()
            });
        }
        order
    }

    /// Gathers the patterns of rules that are on by what they are matched with.
    fn sets(&mut self) -> Vec<Set> {
        let mut gathered: Vec<(What, Vec<String>)> = Vec::new();
        let mut known: HashMap<What, usize> = HashMap::new();
        for rule in self.rules.iter_mut().filter(|rule| rule.is_enabled) {
            rule.condition.for_each(&mut |condition| {
                let Condition::Matches(pattern) = condition else {
                    return;
                };
                // Links and files are matched one by one.
                if matches!(pattern.what, What::Field(_, Scope::Link | Scope::File)) {
                    return;
                }
                let set = *known.entry(pattern.what.clone()).or_insert_with(|| {
                    gathered.push((pattern.what.clone(), Vec::new()));
                    gathered.len() - 1
                });
                if let Some((_, sources)) = gathered.get_mut(set) {
                    pattern.set = Some((set, sources.len()));
                    sources.push(pattern.source.clone());
                }
            });
        }
        let mut sets = Vec::with_capacity(gathered.len());
        for (what, sources) in gathered {
            match pattern::set(&sources) {
                Ok(patterns) => sets.push(Set { what, patterns }),
                Err(message) => self.errors.push(RuleError {
                    file: "all rule files".to_owned(),
                    line: 1,
                    column: 1,
                    message,
                    remedy: "write fewer or simpler patterns".to_owned(),
                }),
            }
        }
        sets
    }
}

/// The place of byte `at` of a condition that begins at `start`.
fn inside(start: &RuleError, when: &str, at: usize) -> RuleError {
    let before = when.get(..at).unwrap_or(when);
    let last = before.rsplit('\n').next().unwrap_or_default();
    let lines = before.matches('\n').count();
    let first_column = if lines == 0 { start.column } else { 1 };
    RuleError {
        line: start.line + lines,
        column: first_column + last.chars().count(),
        ..start.clone()
    }
}

#[cfg(test)]
mod tests;
