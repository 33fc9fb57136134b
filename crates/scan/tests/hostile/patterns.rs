//! Texts for the patterns of rules: what a pattern would match but for its last character, and what it begins with up to
//! its first gap, strewn in irregular steps, so that an automaton meets ever new sets of states.

use std::time::Duration;

use bytes::Bytes;
use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind};
use scan::content::rules::{RuleFacts, Rules};
use scan::message::Message;

use super::examined::{on_small_stack, thread_cpu};
use super::{LEAST, RATIO_MAX};

/// Bytes of the smaller text for each pattern.
const BYTES: usize = 16 * 1024;

/// Processor time of one pattern for a byte of text, in a build without optimisation.
const PER_BYTE_MAX: Duration = Duration::from_micros(40);

/// Repetitions of what may be repeated often.
const REPEATED: u32 = 5;

/// What does not hold of the patterns of the rules that ship, in words.
pub(crate) fn faults() -> Vec<String> {
    let rules = Rules::built_in().expect("the rules that ship");
    let all: Vec<String> = rules
        .rules()
        .iter()
        .flat_map(|rule| patterns(&rule.when))
        .collect();
    assert!(all.len() > 100, "{} patterns", all.len());
    let mut slowest = (Duration::ZERO, String::new());
    let mut faults = Vec::new();
    for pattern in &all {
        let text = |bytes| hostile_text(pattern, bytes);
        let (first, second) = (
            cpu_of(pattern, text(BYTES)),
            cpu_of(pattern, text(4 * BYTES)),
        );
        if second.as_secs_f64() > RATIO_MAX * first.max(LEAST).as_secs_f64() {
            faults.push(format!(
                "{pattern}: {first:.1?}, four times the bytes {second:.1?}"
            ));
        }
        if second > PER_BYTE_MAX * u32::try_from(4 * BYTES).expect("small") {
            faults.push(format!("{pattern}: {second:.1?}"));
        }
        slowest = slowest.max((second, pattern.clone()));
    }
    println!(
        "{} patterns; slowest: {:.1?} {}",
        all.len(),
        slowest.0,
        slowest.1
    );
    faults.extend(together(&all));
    faults
}

/// All rules at once on a text for all patterns.
fn together(all: &[String]) -> Option<String> {
    let each = |bytes: usize| {
        let texts = all
            .iter()
            .map(|pattern| hostile_text(pattern, bytes / all.len()));
        texts.collect::<String>()
    };
    let cpu = |bytes| {
        let message = message(&each(bytes));
        on_small_stack(move || {
            let rules = Rules::built_in().expect("the rules that ship");
            measured(&rules, &message)
        })
    };
    let (first, second) = (cpu(2 * BYTES), cpu(8 * BYTES));
    println!("all rules: {first:.1?}, four times the bytes {second:.1?}");
    (second.as_secs_f64() > RATIO_MAX * first.max(LEAST).as_secs_f64())
        .then(|| format!("all rules: {first:.1?}, four times the bytes {second:.1?}"))
}

/// The processor time of a rule of that pattern alone.
fn cpu_of(pattern: &str, text: String) -> Duration {
    let file = format!(
        "[[rule]]\nsymbol = 'A'\ndescription = 'a'\nweight = 1\nwhen = '''visible ~ {pattern}'''\n"
    );
    let rules =
        Rules::parse("hostile", &file).unwrap_or_else(|errors| panic!("{pattern}: {errors:?}"));
    on_small_stack(move || measured(&rules, &message(&text)))
}

fn measured(rules: &Rules, message: &Message) -> Duration {
    message.reading();
    let before = thread_cpu();
    rules.match_(message.reading(), &RuleFacts::default());
    thread_cpu().saturating_sub(before)
}

fn message(text: &str) -> Message {
    let bytes = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}");
    Message::new(Bytes::from(bytes))
}

/// The patterns of a condition, with their slashes and flags.
fn patterns(when: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = when;
    while let Some(at) = rest.find("~ /") {
        let begin = rest.get(at + 2..).unwrap_or_default();
        // The first slash opens the pattern.
        let mut is_escaped = true;
        let end = begin.char_indices().find(|(_, char)| {
            let ends = *char == '/' && !is_escaped;
            is_escaped = *char == '\\' && !is_escaped;
            ends
        });
        let Some((end, _)) = end else { break };
        let tail = begin.get(end + 1..).unwrap_or_default();
        let flags = tail
            .find(|char: char| !char.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        found.extend(begin.get(..end + 1 + flags).map(str::to_owned));
        rest = tail;
    }
    found
}

/// About `bytes` of what `pattern`, with slashes and flags, nearly matches.
fn hostile_text(pattern: &str, bytes: usize) -> String {
    let inner = pattern.trim_start_matches('/');
    let inner = inner.rsplit_once('/').map_or(inner, |(inner, _)| inner);
    let hir = Parser::new().parse(&inner.replace("\\/", "/"));
    let hir = hir.unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let (mut whole, mut beginning) = (String::new(), String::new());
    witness(&hir, REPEATED, &mut whole);
    witness(&hir, 1, &mut beginning);
    whole.pop();
    let half = beginning.chars().count().div_ceil(2);
    let beginning: String = beginning.chars().take(half).collect();
    let mut text = String::with_capacity(bytes + whole.len());
    let mut seed = 1_u32;
    while text.len() < bytes {
        // The constants of Numerical Recipes; any sequence without a short period does.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(if seed >> 30 == 0 { &whole } else { &beginning });
        text.push_str(
            "x x x x"
                .get(..usize::try_from(seed >> 24 & 7).unwrap_or(0))
                .unwrap_or_default(),
        );
    }
    text
}

/// Appends a text that `hir` matches, what may be repeated `often` times.
fn witness(hir: &Hir, often: u32, text: &mut String) {
    match hir.kind() {
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            text.extend(class.ranges().last().map(|range| range.start()));
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.extend(class.ranges().last().map(|range| char::from(range.start())));
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repetition.min.max(often.min(most)) {
                witness(&repetition.sub, often, text);
            }
        }
        HirKind::Capture(capture) => witness(&capture.sub, often, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| witness(part, often, text)),
        HirKind::Alternation(ways) => ways
            .iter()
            .take(1)
            .for_each(|way| witness(way, often, text)),
        HirKind::Empty | HirKind::Look(_) => {}
    }
}
