use scan::reputation::greylist::{Grey, GreylistSettings};
use scan::reputation::record::{Key, Lesson, Sender};

use super::*;

fn opened(folder: &Path) -> (Senders, Vec<Damaged>) {
    Senders::open(folder.to_owned(), RecordSettings::default()).unwrap()
}

#[test]
fn what_is_known_outlives_a_restart_and_damage_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("reputation");
    let ip = "192.0.2.7".parse().unwrap();
    let settings = GreylistSettings {
        delay: Duration::from_secs(300),
        window: Duration::from_secs(86_400),
    };
    let (senders, damaged) = opened(&folder);
    assert_eq!(damaged, []);
    let sender = Sender {
        ip,
        helo: "mx.example.org",
        helo_is_proven: true,
        domains: &[],
    };
    senders
        .record
        .learn(&sender, Lesson::Bad(1.0), seconds_now());
    senders
        .greylist
        .check(ip, "example.org", &settings, seconds_now());
    senders.save().unwrap();

    let (again, damaged) = opened(&folder);
    assert_eq!(damaged, []);
    let entry = again.record.entry(&Key::address(ip), seconds_now());
    assert!((entry.unwrap().tally.bad - 1.0).abs() < 0.01);
    let later = seconds_now() + 300;
    let grey = again.greylist.check(ip, "example.org", &settings, later);
    assert_eq!(grey, Grey::Passes);

    for name in ["senders", "greylist"] {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    let (fresh, damaged) = opened(&folder);
    let paths: Vec<PathBuf> = damaged.into_iter().map(|damaged| damaged.path).collect();
    assert_eq!(
        paths,
        ["senders.damaged", "greylist.damaged"].map(|name| folder.join(name))
    );
    assert_eq!((fresh.record.usage().keys, fresh.greylist.len()), (0, 0));
    assert_eq!(opened(&folder).1, []);
}

#[test]
fn a_command_that_takes_no_mail_writes_nothing() {
    let senders = Senders::unwritten();
    assert!(senders.save().is_ok() && senders.tidy_up().is_ok());
    assert_eq!(senders.record_file(), None);
}
