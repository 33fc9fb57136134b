//! The words for each state of IPv6.

use super::*;
use crate::doctor::Grade;

#[test]
fn a_machine_without_ipv6_is_told_calmly() {
    let nowhere = || Reach::Nowhere("Network is unreachable (os error 101)".to_owned());
    assert_eq!(judge(nowhere(), false, false).grade, Grade::Ok);
    let check = judge(nowhere(), false, true);
    assert_eq!(
        (check.grade, check.remedy.as_str()),
        (Grade::Warning, REMEDY)
    );
    let check = judge(nowhere(), true, false);
    assert_eq!(check.grade, Grade::Warning);
    assert!(check.text.contains("no route"), "{}", check.text);
    assert_eq!(judge(Reach::From(SOMEWHERE), true, true).grade, Grade::Ok);
    assert_eq!(
        judge(Reach::LocalOnly(SOMEWHERE), false, false).grade,
        Grade::Ok
    );
    assert_eq!(
        judge(Reach::LocalOnly(SOMEWHERE), true, false).grade,
        Grade::Warning
    );
}

#[test]
fn what_is_switched_off_is_not_looked_for() {
    let off = |needed| machine(InetProtocols::Ipv4, needed).grade;
    assert_eq!(off(false), Grade::Ok);
    assert_eq!(off(true), Grade::Warning);
}

#[test]
fn addresses_of_interfaces() {
    let loopback = "00000000000000000000000000000001 01 80 10 80       lo\n";
    let link = "fe80000000000000021122fffe334455 02 40 20 80     eth0\n";
    let unique_local = "fd000000000000000000000000000001 02 40 00 80     eth0\n";
    let global = "20010db8000000000000000000000001 02 40 00 80     eth0\n";
    assert!(!is_any_global(&[loopback, link, unique_local].concat()));
    assert!(is_any_global(&[loopback, global].concat()));
}

#[test]
fn this_machine_is_asked_without_a_packet() {
    // Whatever this machine has, its own loopback is local.
    assert!(!matches!(reach(Ipv6Addr::LOCALHOST), Reach::From(_)));
}
