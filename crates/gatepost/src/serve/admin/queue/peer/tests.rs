//! Who is recorded: the system's word first, the own word beside it.

use super::Peer;

#[test]
fn a_peer_has_the_name_that_the_system_knows() {
    let passwd =
        "root:x:0:0:root:/root:/bin/sh\nbroken\nanna:x:1000:1000:Anna:/home/anna:/bin/sh\n";
    let name = |uid, login| Peer::new(uid, login, passwd).name;
    assert_eq!(
        name(0, Some(1000)),
        "root (uid 0), logged in as anna (uid 1000)"
    );
    assert_eq!(name(0, Some(u32::MAX)), "root (uid 0)");
    assert_eq!(name(0, None), "root (uid 0)");
    assert_eq!(name(1000, Some(1000)), "anna (uid 1000)");
    assert_eq!(name(100, None), "uid 100");
}

#[test]
fn a_name_that_was_given_stands_beside_the_peers_own() {
    let by = |operator| Peer::new(0, None, "").acting_as(operator);
    assert_eq!(by(None), Ok("uid 0".to_owned()));
    assert_eq!(by(Some(" anna ")), Ok("uid 0, as anna".to_owned()));
    for odd in [
        "",
        "  ",
        "a\nb",
        "x, logged in as root (uid 0)",
        &"a".repeat(49),
    ] {
        assert!(by(Some(odd)).is_err(), "{odd:?}");
    }
}
