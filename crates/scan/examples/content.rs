//! What reading a message and asking the rules costs, and which rules match how often: every file of the folders given
//! and of their subfolders. Each message is taken at its fastest run, which nothing else on the machine has disturbed.
//!
//! `cargo run --release -p scan --example content -- FOLDER...`; with `--long` a message of growing size as well, whose
//! time per megabyte has to stay the same.

#![expect(clippy::print_stdout, reason = "a command that prints its result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, error, fs, io};

use bytes::Bytes;
use scan::content::Content;
use scan::content::reading::Reading;
use scan::content::rules::{RuleFacts, Rules};
use scan::message::Message;

/// Runs over each message.
const RUNS: u32 = 5;

fn main() -> Result<(), Box<dyn error::Error>> {
    let (options, folders): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|it| it == "--long");
    let rules = Rules::built_in().map_err(|errors| format!("{errors:?}"))?;
    let engine = Content::new(rules);
    for folder in &folders {
        measure(&engine, Path::new(folder))?;
    }
    if !options.is_empty() {
        long(&engine);
    }
    Ok(())
}

/// Times and counts of one folder.
fn measure(engine: &Content, folder: &Path) -> Result<(), Box<dyn error::Error>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let (mut reading, mut whole) = (Vec::new(), Vec::new());
    let mut symbols: BTreeMap<String, u32> = BTreeMap::new();
    let mut likely = 0_u32;
    for file in &files {
        let bytes = Bytes::from(fs::read(file)?);
        let (mut read_micros, mut whole_micros) = (f64::INFINITY, f64::INFINITY);
        for run in 0..RUNS {
            let message = Message::new(bytes.clone());
            let start = Instant::now();
            message.reading();
            read_micros = read_micros.min(start.elapsed().as_secs_f64() * 1e6);
            let finding = engine.inspect(&message, &RuleFacts::default());
            whole_micros = whole_micros.min(start.elapsed().as_secs_f64() * 1e6);
            if run == 0 {
                let score = finding.score.map_or(0.0, |score| score.value);
                likely += u32::from(score >= scan::content::LIKELY_POINTS);
                for symbol in finding.symbols {
                    *symbols.entry(symbol.name).or_default() += 1;
                }
                if env::var_os("EACH").is_some() {
                    println!("{score:.1}\t{}\t{}", file.display(), finding.reason);
                }
            }
        }
        reading.push(read_micros);
        whole.push(whole_micros);
    }
    println!(
        "{}: {} messages, {likely} likely",
        folder.display(),
        files.len()
    );
    print("us to read", &mut reading);
    print("us to read and judge", &mut whole);
    for (symbol, count) in symbols {
        println!("  {symbol:<34}{count:>6}");
    }
    Ok(())
}

/// Messages that are made to cost, doubled three times.
fn long(engine: &Content) {
    let html = "Content-Type: text/html\r\n\r\n";
    for (name, head, piece) in [
        ("header fields", "", "X-Field: of no use\r\n"),
        ("unclosed tags", html, "<p><b><div style='color:red'>"),
        (
            "style rules",
            html,
            "<style>.a{color:red}</style><i class='a b c'>",
        ),
        (
            "links",
            html,
            "<a href='http://a.example/b?c=d'>http://e.example/</a>",
        ),
        (
            "text for patterns",
            "\r\n",
            "dear dear account verify a$100 v i a g r a ",
        ),
    ] {
        for megabytes in [2_u32, 4, 8, 16] {
            let count = megabytes as usize * 1_000_000 / piece.len();
            let message = Message::new(Bytes::from(format!("{head}{}", piece.repeat(count))));
            let start = Instant::now();
            let reading = Reading::of(&message);
            let read = start.elapsed().as_secs_f64() * 1e3;
            drop(reading);
            engine.inspect(&message, &RuleFacts::default());
            let whole = start.elapsed().as_secs_f64() * 1e3 - read;
            println!(
                "{name:<20}{megabytes:>4} MB  read {read:>8.1} ms  read and judged {whole:>8.1} ms"
            );
        }
    }
}

/// Sorts the values and prints a line about them.
fn print(title: &str, values: &mut [f64]) {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
        values.get(at).copied().unwrap_or_default()
    };
    println!(
        "{title:<24}median {:>8.1}  p95 {:>8.1}  p99 {:>8.1}  max {:>9.1}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.file_name().is_some_and(|name| name != "cmds") {
            files.push(path);
        }
    }
    Ok(())
}
