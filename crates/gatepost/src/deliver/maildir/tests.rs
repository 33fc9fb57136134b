//! A maildir gets whole messages or nothing.

use super::*;

fn names(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn each_recipient_gets_a_copy_in_new() {
    let dir = tempfile::tempdir().unwrap();
    let maildir = dir.path().join("mail");
    let copies = [b"Delivered-To: a\r\n".to_vec(), b"Delivered-To: b\r\n".to_vec()];
    let stored = store(&maildir, "mx.example/net", &copies, &[b"Subject: x\r\n", b"", b"\r\nbody\r\n"]).unwrap();
    assert_eq!(stored.len(), 2);
    assert_eq!(fs::read(&stored[0]).unwrap(), b"Delivered-To: a\r\nSubject: x\r\n\r\nbody\r\n");
    assert_eq!(names(&maildir.join("new")).len(), 2);
    assert!(names(&maildir.join("tmp")).is_empty());
    assert!(maildir.join("cur").is_dir());
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let maildir = dir.path().join("mail");
    fs::create_dir_all(&maildir).unwrap();
    // A file where a folder must be: no copy can be linked.
    fs::write(maildir.join("new"), b"in the way").unwrap();
    assert!(store(&maildir, "mx", &[Vec::new()], &[b"x"]).is_err());
    assert!(names(&maildir.join("tmp")).is_empty());
}

#[test]
fn names_never_repeat() {
    let mut seen = std::collections::HashSet::new();
    assert!((0..1000).all(|_| seen.insert(unique_name("mx"))));
}
