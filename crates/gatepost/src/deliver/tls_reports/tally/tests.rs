use super::super::{PolicyKind, ResultType, TlsReports};
use super::*;

const DAY: u64 = 20_000 * DAY_SECONDS;

fn policy(domain: &str) -> Arc<ReportPolicy> {
    ReportPolicy::new(PolicyKind::NoPolicyFound, domain, Vec::new())
}

fn failure(host: usize) -> Option<Failure> {
    Some(Failure {
        result: ResultType::CertificateExpired,
        sending_ip: Some("192.0.2.1".parse().unwrap()),
        receiving_host: format!("mx{host}.example.net"),
        receiving_ip: None,
        reason: "TLS\nhandshake".to_owned(),
    })
}

fn save(tally: &mut Tally) {
    for path in tally.take_gone() {
        let _ = fs::remove_file(path);
    }
    for batch in tally.take() {
        batch.write().unwrap();
    }
}

fn counts(tally: &Tally, domain: &str) -> Counts {
    let mut found = tally.of(20_000, domain);
    assert_eq!(found.len(), 1);
    found.remove(0).1
}

#[test]
fn what_was_noted_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().join("tls")).unwrap();
    let net = policy("example.net");
    for second in 0..10 {
        tally.note(DAY + second, "example.net", &net, None);
        tally.note(DAY + second, "example.net", &net, failure(1));
    }
    save(&mut tally);
    tally.note(DAY, "example.net", &net, failure(2));
    save(&mut tally);
    assert!(tally.take().is_empty());
    let again = Tally::open(folder.path().join("tls")).unwrap();
    let counts = counts(&again, "example.net");
    assert_eq!((counts.successes, counts.failures), (10, 11));
    let details: Vec<_> = counts
        .details
        .iter()
        .map(|(failure, n)| (failure.reason.as_str(), *n))
        .collect();
    assert_eq!(details, [("TLS handshake", 10), ("TLS handshake", 1)]);
    assert_eq!(
        again.of(20_000, "example.net"),
        tally.of(20_000, "example.net")
    );
}

#[test]
fn days_are_due_when_they_are_over_and_gone_when_they_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    for domain in ["example.net", "example.org"] {
        tally.note(DAY, domain, &policy(domain), None);
    }
    save(&mut tally);
    let tomorrow = DAY + DAY_SECONDS;
    assert_eq!(tally.due(tomorrow - 1), []);
    assert_eq!(tally.due(tomorrow).len(), 2);
    tally.done(20_000, "example.net");
    save(&mut tally);
    let mut again = Tally::open(folder.path().to_owned()).unwrap();
    assert_eq!(again.due(tomorrow), [(20_000, "example.org".to_owned())]);
    again.done(20_000, "example.org");
    assert_eq!(again.due(tomorrow), []);
    save(&mut again);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_nobody_takes_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    tally.note(DAY, "example.net", &policy("example.net"), None);
    save(&mut tally);
    assert_eq!(tally.due(DAY + DAYS_MAX * DAY_SECONDS).len(), 1);
    assert_eq!(tally.due(DAY + (DAYS_MAX + 1) * DAY_SECONDS), []);
    save(&mut tally);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn torn_and_damaged_lines_cost_themselves_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    let net = policy("example.net");
    tally.note(DAY, "example.net", &net, None);
    save(&mut tally);
    let path = tally.path(20_000);
    assert!(path.ends_with("2024-10-04.jsonl"));
    let mut text = fs::read(&path).unwrap();
    let whole = text.clone();
    text.extend_from_slice(b"\xff\xfe nonsense\n");
    text.extend_from_slice(&whole);
    text.extend_from_slice(&whole[..whole.len() / 2]);
    fs::write(&path, text).unwrap();
    let mut again = Tally::open(folder.path().to_owned()).unwrap();
    assert_eq!(counts(&again, "example.net").successes, 2);
    again.note(DAY, "example.net", &net, None);
    save(&mut again);
    let again = Tally::open(folder.path().to_owned()).unwrap();
    assert_eq!(counts(&again, "example.net").successes, 3);
}

#[test]
fn everything_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    let net = policy("example.net");
    for host in 0..10 * FAILURES_MAX {
        tally.note(DAY, "example.net", &net, failure(host));
    }
    let seen = counts(&tally, "example.net");
    assert_eq!(seen.failures, 10 * FAILURES_MAX as u64);
    assert_eq!(seen.details.len(), FAILURES_MAX + 1);
    assert_eq!(seen.details.values().sum::<u64>(), seen.failures);
    for number in 0..2 * POLICIES_MAX {
        let other = ReportPolicy::new(PolicyKind::Tlsa, "x", vec![number.to_string()]);
        tally.note(DAY, "example.org", &other, None);
    }
    assert_eq!(tally.of(20_000, "example.org").len(), POLICIES_MAX);
    let day = tally.days.get_mut(&20_000).unwrap();
    for number in day.domains.len()..DOMAINS_MAX + 5 {
        day.add(&number.to_string(), &net, None, 1);
    }
    assert_eq!(day.domains.len(), DOMAINS_MAX);
}

#[test]
fn what_strangers_choose_to_publish_is_bounded_in_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    // Policies as long as they may be, and another one for each domain and message.
    let text = "mx: ".to_owned() + &"a".repeat(996);
    for number in 0..1000 {
        let domain = format!("d{number}.example");
        let texts = vec![text.clone(); 100];
        let policy = ReportPolicy::new(PolicyKind::Sts, &domain, texts);
        tally.note(DAY, &domain, &policy, failure(number));
    }
    let day = &tally.days[&20_000];
    assert!(
        (600..700).contains(&day.domains.len()),
        "{}",
        day.domains.len()
    );
    assert!(day.bytes <= DAY_BYTES_MAX);
    // What is counted already goes on to be counted, failures by their kinds.
    let policy = tally.of(20_000, "d1.example").remove(0).0;
    for number in 0..1000 {
        tally.note(DAY, "d1.example", &policy, failure(number));
    }
    let counts = tally.of(20_000, "d1.example").remove(0).1;
    assert_eq!(counts.failures, 1001);
    assert_eq!(counts.details.values().sum::<u64>(), 1001);
    assert!(counts.details.len() <= FAILURES_MAX + 1);
    assert!(tally.days[&20_000].bytes <= DAY_BYTES_MAX);
}

#[test]
fn a_file_that_has_grown_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::open(folder.path().to_owned()).unwrap();
    let net = policy("example.net");
    for _ in 0..LINES_MIN + 10 {
        tally.note(DAY, "example.net", &net, None);
        tally.note(DAY, "example.net", &net, failure(1));
        save(&mut tally);
    }
    let text = fs::read_to_string(tally.path(20_000)).unwrap();
    assert!(text.lines().count() < LINES_MIN + 5);
    let again = Tally::open(folder.path().to_owned()).unwrap();
    assert_eq!(
        again.of(20_000, "example.net"),
        tally.of(20_000, "example.net")
    );
}

#[test]
fn what_could_not_be_written_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("tls");
    let reports = TlsReports::new(Some(place.clone()));
    reports.switch(true).unwrap();
    reports.note("example.net", &policy("example.net"), None);
    fs::remove_dir(&place).unwrap();
    reports.save().unwrap_err();
    fs::create_dir(&place).unwrap();
    reports.save().unwrap();
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    let off = TlsReports::new(None);
    off.note("example.net", &policy("example.net"), None);
    off.switch(true).unwrap();
    off.save().unwrap();
    // Switched off and on again, what is on disk is taken up.
    reports.switch(false).unwrap();
    assert_eq!(reports.with(|_| ()), None);
    reports.switch(true).unwrap();
    assert_eq!(reports.with(|tally| tally.days.len()), Some(1));
}
