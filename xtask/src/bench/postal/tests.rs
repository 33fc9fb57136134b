//! What smtp-sink prints.

use super::count;

#[test]
fn the_last_whole_count_is_read() {
    assert_eq!(
        count(b"sess=1 quit=1 mesg=1\rsess=2 quit=1 mesg=12\rsess=3 quit=2 mesg=1"),
        12
    );
    assert_eq!(count(b"sess=1 quit=0 mesg="), 0);
    assert_eq!(count(b""), 0);
}
