//! Real mail through the content engine: 6,294 messages of the SpamAssassin corpus, 4,997 of phishing. Rules alone, without
//! a classifier; what they find is no measure of the product, which the accuracy bench gives.

#![expect(clippy::print_stdout, reason = "the counts are of interest")]
#![expect(clippy::expect_used, reason = "a test that fails says so")]

#[path = "support/corpora.rs"]
mod corpora;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use bytes::Bytes;
use scan::content::rules::{RuleFacts, Rules};
use scan::content::{Content, LIKELY_POINTS};
use scan::message::Message;

/// How many of `files` are likely, of how many.
fn likely(files: &[PathBuf]) -> (usize, usize) {
    let engine = Content::new(Rules::built_in().expect("rules"));
    let half = files.len().div_ceil(2).max(1);
    let count = thread::scope(|scope| {
        let counts: Vec<_> = files
            .chunks(half)
            .map(|files| {
                scope.spawn(|| files.iter().filter(|file| is_likely(&engine, file)).count())
            })
            .collect();
        counts
            .into_iter()
            .map(|count| count.join().expect("no message ends the engine"))
            .sum()
    });
    (count, files.len())
}

fn is_likely(engine: &Content, file: &Path) -> bool {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let message = Message::new(Bytes::from(bytes));
    let finding = engine.inspect(&message, &RuleFacts::default());
    let score = finding.score.expect("a score");
    assert!(score.value.is_finite(), "{}", file.display());
    let reading = message.reading();
    // Each has something to read, or something that comes along.
    let is_empty = reading.visible().is_empty()
        && reading.links().is_empty()
        && reading.attachments().is_empty();
    if is_empty && reading.html().images == 0 {
        println!("{}: nothing to read", file.display());
    }
    score.value >= LIKELY_POINTS
}

fn of_folder(folder: &str) -> (usize, usize) {
    let files: Vec<PathBuf> = corpora::messages(&corpora::spamassassin())
        .into_iter()
        .filter(|file| {
            let name = file.parent().and_then(Path::file_name);
            name.is_some_and(|name| name.to_string_lossy().trim_end_matches("_2") == folder)
        })
        .collect();
    let (likely, all) = likely(&files);
    println!("{folder}: {likely} of {all} likely");
    (likely, all)
}

/// Letters between people are never likely, and newsletters seldom, though no rule spares them.
#[test]
fn spamassassin() {
    let (likely, all) = of_folder("easy_ham");
    assert!(all > 3_800 && likely * 1_000 <= all, "{likely} of {all}");
    let (likely, all) = of_folder("hard_ham");
    assert!(all > 480 && likely * 100 <= 4 * all, "{likely} of {all}");
    let (likely, all) = of_folder("spam");
    assert!(all > 1_800 && likely * 100 >= 35 * all, "{likely} of {all}");
}

#[test]
fn phishing() {
    let (likely, all) = likely(&corpora::messages(&corpora::phishing()));
    println!("phishing: {likely} of {all} likely");
    assert!(all > 4_900 && likely * 10 >= 2 * all, "{likely} of {all}");
}
