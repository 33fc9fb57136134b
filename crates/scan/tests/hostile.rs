//! Messages made to be dear: each kind grows by its size and no faster, costs a byte no more than two hundred times what a
//! plain letter costs, and is read on a small stack. Processor time is measured, not the clock; each is read by the MIME
//! view, the reading, the rules, the attachment engine and sender authentication, as in the gateway.

#![expect(clippy::print_stdout, reason = "the figures are of interest")]
#![expect(clippy::expect_used, reason = "a test that fails says so")]

#[path = "hostile/archives.rs"]
mod archives;
#[path = "hostile/examined.rs"]
mod examined;
#[path = "hostile/fields.rs"]
mod fields;
#[path = "hostile/large.rs"]
mod large;
#[path = "hostile/markup.rs"]
mod markup;
#[path = "hostile/parts.rs"]
mod parts;
#[path = "hostile/patterns.rs"]
mod patterns;

use std::time::Duration;

use examined::{cpu_of, examined, on_small_stack};

/// How much more processor time four times the bytes may take: 4 is linear, 16 quadratic.
const RATIO_MAX: f64 = 8.0;

/// How much more than a plain letter of that size a message may take.
const TIMES_A_LETTER_MAX: f64 = 200.0;

/// Below this a measurement tells nothing.
const LEAST: Duration = Duration::from_millis(4);

/// A kind of message: its name, and one of about so many bytes.
type Kind = (&'static str, fn(usize) -> Vec<u8>);

/// What does not hold of a kind, in words.
fn faults(kind: &Kind, bytes: usize, letter: Duration) -> Vec<String> {
    let (name, make) = kind;
    let (small, large) = (make(bytes), make(4 * bytes));
    let (first, second) = (cpu_of(&small), cpu_of(&large));
    let ratio = second.as_secs_f64() / first.max(LEAST).as_secs_f64();
    // The kinds are not all of exactly the size that was asked for.
    let size = large.len() as f64 / (4 * bytes) as f64;
    let times = second.as_secs_f64() / (letter.as_secs_f64() * size.max(1.0));
    println!(
        "{name}: {} bytes {first:.1?}, {} bytes {second:.1?}, {ratio:.1} times; {times:.1} letters",
        small.len(),
        large.len(),
    );
    let growth = large.len() as f64 / small.len() as f64 / 4.0;
    let mut faults = Vec::new();
    if ratio > RATIO_MAX * growth.max(1.0) {
        faults.push(format!(
            "{name}: four times the bytes take {ratio:.1} times the time"
        ));
    }
    if times > TIMES_A_LETTER_MAX {
        faults.push(format!(
            "{name}: takes {times:.1} times what a letter takes"
        ));
    }
    faults
}

fn all_hold(kinds: &[Kind], bytes: usize) {
    let letter = cpu_of(&letter(4 * bytes));
    let faults: Vec<String> = kinds
        .iter()
        .flat_map(|kind| faults(kind, bytes, letter))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

/// Plain words with a few links, as half text and half HTML: what is honest, to compare with.
fn letter(bytes: usize) -> Vec<u8> {
    let mut letter = b"From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: Minutes\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
        .to_vec();
    let line = "Dear Bob, the minutes of Monday are at https://example.com/minutes as always.\r\n";
    let lines = bytes / line.len() / 2;
    letter.extend(line.repeat(lines).bytes());
    letter.extend(b"\r\n--b\r\nContent-Type: text/html\r\n\r\n<html><body>");
    letter.extend(format!("<p>{line}</p>").repeat(lines).bytes());
    letter.extend(b"</body></html>\r\n--b--\r\n");
    letter
}

#[test]
fn parts_in_parts() {
    all_hold(parts::KINDS, 100_000);
}

#[test]
fn header_fields() {
    all_hold(fields::KINDS, 100_000);
}

#[test]
fn text_and_markup() {
    all_hold(markup::KINDS, 50_000);
}

#[test]
fn very_large_and_very_many() {
    all_hold(large::KINDS, large::BYTES);
}

#[test]
fn files() {
    all_hold(archives::KINDS, 100_000);
}

/// Far more than any server takes; the gateway itself refuses a header section beyond 1 MiB by default.
#[test]
fn a_hundred_megabytes_of_header_fields() {
    for (name, make) in fields::KINDS.iter().take(fields::HUGE) {
        let message = make(100_000_000);
        assert!(message.len() > 90_000_000);
        let took = cpu_of(&message);
        println!("{name}: {} bytes, {took:.1?}", message.len());
    }
    let peak = examined::peak_memory_mib();
    println!("at most {peak} MiB");
    // The message, the copy that made it, and room for what is kept of it.
    assert!(peak < 600, "{peak} MiB");
}

#[test]
fn a_thousand_levels() {
    for (name, make) in parts::DEEP {
        let message = make(1_000);
        let took = cpu_of(&message);
        println!("{name}: {} bytes, {took:.1?}", message.len());
        let symbols = on_small_stack(move || examined(message));
        let is_told = symbols.iter().any(|symbol| {
            symbol == "MIME_OVER_DEEP"
                || symbol == "MIME_ENCODED_MESSAGES"
                || symbol == "MIME_LIMIT"
        });
        assert!(is_told, "{name}: {symbols:?}");
    }
}

/// For each pattern of each rule, texts that begin to match it over and over, in irregular steps.
#[test]
fn patterns_of_rules() {
    let faults = patterns::faults();
    assert_eq!(faults, Vec::<String>::new());
}
