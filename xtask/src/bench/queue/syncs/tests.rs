//! What strace writes.

use super::parse;

#[test]
fn a_call_counts_once_also_if_it_was_interrupted() {
    let trace = "\
12 fdatasync(5)                      = 0
13 fsync(6 <unfinished ...>
12 fdatasync(5)                      = -1 EIO (Input/output error)
13 <... fsync resumed>)              = 0
12 exit_group(0)                     = ?
12 +++ exited with 0 +++
";
    let counts = parse(trace);
    assert_eq!(counts.get("fdatasync"), Some(&2));
    assert_eq!(counts.get("fsync"), Some(&1));
    assert_eq!(counts.len(), 2);
}
