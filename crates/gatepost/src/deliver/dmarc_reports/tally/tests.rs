//! Counts come back from the disk as they were, whatever happened to the file.

use super::super::observation::tests::published;
use super::super::observation::{Disposition, Override};
use super::*;

const DAY: u64 = 20_000 * DAY_SECONDS;

pub(in crate::deliver::dmarc_reports) fn row(last: u8) -> Row {
    Row {
        source_ip: std::net::IpAddr::from([192, 0, 2, last]),
        disposition: Disposition::None,
        dkim_aligned: false,
        spf_aligned: true,
        overridden: Some(Override::LocalPolicy),
        header_from: "mail.example.org".to_owned(),
        envelope_from: "bounce.example.org".to_owned(),
        dkim: Vec::new(),
        spf: None,
    }
}

fn observation(last: u8, uri: &str) -> Observation {
    Observation {
        published: published(&[uri]),
        row: row(last),
    }
}

fn save(tally: &mut Tally) {
    for batch in tally.take() {
        batch.write().unwrap();
    }
}

#[test]
fn counts_add_up_over_saves_and_starts() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Tally::open(folder.path().to_owned()).unwrap();
    let mut tally = open();
    let one = observation(1, "mailto:a@example.org");
    for last in [1, 1, 2] {
        tally.note(DAY, &observation(last, "mailto:a@example.org"));
    }
    save(&mut tally);
    tally.note(DAY, &one);
    save(&mut tally);
    let mut tally = open();
    tally.note(DAY, &one);
    let rows = tally.of(20_000, &one.published);
    assert_eq!((rows[&row(1)], rows[&row(2)], rows.len()), (4, 1, 2));
    // Nothing is due on its own day, and each record once on the next.
    assert_eq!(tally.due(DAY + 5), []);
    tally.note(DAY, &observation(1, "mailto:b@example.org"));
    assert_eq!(tally.due(DAY + DAY_SECONDS).len(), 2);
    tally.done(20_000, &one.published);
    save(&mut tally);
    let mut tally = open();
    let due = tally.due(DAY + DAY_SECONDS);
    assert_eq!(due, [(20_000, published(&["mailto:b@example.org"]))]);
    tally.done(20_000, &due[0].1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_damaged_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Tally::open(folder.path().to_owned()).unwrap();
    let mut tally = open();
    let one = observation(1, "mailto:a@example.org");
    tally.note(DAY, &one);
    save(&mut tally);
    let file = folder.path().join("2024-10-04.jsonl");
    let mut text = std::fs::read(&file).unwrap();
    let whole = text.clone();
    text.extend(b"nonsense\n");
    text.extend(&whole[..whole.len() / 2]);
    std::fs::write(&file, &text).unwrap();
    let mut tally = open();
    assert_eq!(tally.of(20_000, &one.published)[&row(1)], 1);
    tally.note(DAY, &one);
    save(&mut tally);
    assert_eq!(open().of(20_000, &one.published)[&row(1)], 2);
}

#[test]
fn days_and_rows_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    let mut many = observation(1, "mailto:a@example.org");
    for number in 0..ROWS_MAX + 10 {
        many.row.header_from = format!("{number}.example.org");
        tally.note(DAY, &many);
    }
    assert_eq!(tally.of(20_000, &many.published).len(), ROWS_MAX);
    assert_eq!(tally.due(DAY + 5 * DAY_SECONDS), []);
    assert!(tally.of(20_000, &many.published).is_empty());
}

#[test]
fn a_file_that_has_grown_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    let one = observation(1, "mailto:a@example.org");
    for _ in 0..LINES_MIN + 5 {
        tally.note(DAY, &one);
        save(&mut tally);
    }
    let text = std::fs::read_to_string(folder.path().join("2024-10-04.jsonl")).unwrap();
    assert!(text.lines().count() < 10, "{}", text.lines().count());
    let tally = Tally::open(folder.path().to_owned()).unwrap();
    assert_eq!(
        tally.of(20_000, &one.published)[&row(1)],
        (LINES_MIN + 5) as u64
    );
}
