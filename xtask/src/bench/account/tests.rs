//! What the kernel prints, and our own process as a live example.

use super::{Account, Stat, kib_field};

#[test]
fn a_process_may_have_any_name() {
    let text = "42 (a) (b c) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 100";
    let expected = Stat {
        process: 42,
        parent: 7,
        ticks: Some(100),
    };
    assert_eq!(Stat::parse(text), Some(expected));
    assert_eq!(Stat::parse("42 nothing"), None);
}

#[test]
fn fields_of_status_files_are_found() {
    let status = "Name:\ta\nVmRSS:\t    1234 kB\nRssAnon:\t 1 kB\n";
    assert_eq!(kib_field(status, "VmRSS:"), Some(1234));
    assert_eq!(kib_field(status, "VmHWM:"), None);
}

#[test]
fn this_process_is_in_its_own_tree() {
    let account = Account::Tree {
        root: std::process::id(),
    };
    assert!(account.processes().contains(&std::process::id()));
    assert!(account.resident_kib() > 0);
    assert!(account.processor_time().is_ok());
}
