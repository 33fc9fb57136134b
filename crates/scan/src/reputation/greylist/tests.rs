use super::*;

const NOW: u32 = 1_800_000_000;

const SETTINGS: GreylistSettings = GreylistSettings {
    delay: Duration::from_secs(300),
    window: Duration::from_secs(86_400),
};

fn check(greylist: &Greylist, ip: &str, domain: &str, now: u32) -> Grey {
    greylist.check(ip.parse().unwrap(), domain, &SETTINGS, now)
}

#[test]
fn a_newcomer_passes_when_it_comes_again() {
    let greylist = Greylist::default();
    let at = |now| check(&greylist, "192.0.2.1", "example.org", now);
    assert_eq!(at(NOW), Grey::Waits(300));
    assert_eq!(at(NOW + 100), Grey::Waits(200));
    assert_eq!(at(NOW + 300), Grey::Passes);
    // From then on at once, as long as it is seen now and then.
    assert_eq!(at(NOW + 301), Grey::Passes);
    let month = 30 * 86_400;
    assert_eq!(at(NOW + month), Grey::Passes);
    assert_eq!(at(NOW + 2 * month), Grey::Passes);
    assert_eq!(at(NOW + 4 * month), Grey::Waits(300));
}

#[test]
fn another_server_of_the_same_network_is_the_same_sender() {
    let greylist = Greylist::default();
    assert_eq!(
        check(&greylist, "192.0.2.1", "example.org", NOW),
        Grey::Waits(300)
    );
    let again = NOW + 600;
    assert_eq!(
        check(&greylist, "192.0.2.99", "Example.ORG", again),
        Grey::Passes
    );
    assert_eq!(
        check(&greylist, "198.51.100.1", "example.org", again),
        Grey::Waits(300)
    );
    assert_eq!(
        check(&greylist, "192.0.2.1", "other.example", again),
        Grey::Waits(300)
    );
}

#[test]
fn whoever_comes_too_late_is_a_newcomer_again() {
    let greylist = Greylist::default();
    check(&greylist, "192.0.2.1", "example.org", NOW);
    let late = NOW + 86_400;
    assert_eq!(
        check(&greylist, "192.0.2.1", "example.org", late),
        Grey::Waits(300)
    );
}

#[test]
fn a_clock_that_is_set_back_has_nobody_wait_longer() {
    let greylist = Greylist::default();
    let at = |now| check(&greylist, "192.0.2.1", "example.org", now);
    assert_eq!(at(NOW), Grey::Waits(300));
    let before = NOW - 400 * 86_400;
    assert_eq!(at(before), Grey::Waits(300));
    assert_eq!(at(before + 300), Grey::Passes);
}

#[test]
fn without_a_delay_all_pass() {
    let greylist = Greylist::default();
    let settings = GreylistSettings {
        delay: Duration::ZERO,
        ..SETTINGS
    };
    let grey = greylist.check("192.0.2.1".parse().unwrap(), "example.org", &settings, NOW);
    assert_eq!(grey, Grey::Passes);
}

#[test]
fn the_number_is_bounded_and_those_who_passed_stay() {
    let greylist = Greylist::default();
    check(&greylist, "192.0.2.1", "example.org", NOW);
    check(&greylist, "192.0.2.1", "example.org", NOW + 300);
    for n in 0..250_000 {
        check(&greylist, "198.51.100.1", &n.to_string(), NOW + 400);
    }
    assert!(greylist.len() <= ENTRIES_MAX);
    assert_eq!(
        check(&greylist, "192.0.2.1", "example.org", NOW + 500),
        Grey::Passes
    );
    greylist.tidy_up(NOW + 2 * 86_400);
    assert_eq!(greylist.len(), 1);
}

/// Who may give any domain does not take the place of those who wait.
#[test]
fn a_network_that_fills_the_table_loses_its_own_places_first() {
    let greylist = Greylist::default();
    check(&greylist, "198.51.100.1", "patient.example", NOW);
    for number in 0..ENTRIES_MAX {
        let domain = format!("d{number}.example");
        check(&greylist, "192.0.2.1", &domain, NOW + 1);
    }
    assert!(greylist.len() <= ENTRIES_MAX);
    let again = check(&greylist, "198.51.100.1", "patient.example", NOW + 600);
    assert_eq!(again, Grey::Passes);
}

#[test]
fn over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greylist");
    let greylist = Greylist::default();
    assert_eq!(greylist.load(&path).unwrap(), None);
    for ip in ["192.0.2.1", "2001:db8::1"] {
        check(&greylist, ip, "example.org", NOW);
    }
    check(&greylist, "192.0.2.1", "example.org", NOW + 300);
    greylist.save(&path).unwrap();
    let again = Greylist::default();
    assert_eq!(again.load(&path).unwrap(), None);
    assert_eq!(*again.lock(), *greylist.lock());
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let damaged = Greylist::default();
    assert_eq!(damaged.load(&path).unwrap(), Some("its checksum is wrong"));
    assert!(damaged.is_empty() && !path.exists());
}
