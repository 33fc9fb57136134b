//! A maildir gets whole messages or nothing.

use super::*;

fn names(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn each_recipient_gets_a_copy_in_new() {
    let dir = tempfile::tempdir().unwrap();
    let maildir = dir.path().join("mail");
    let copies = [
        b"Delivered-To: a\r\n".to_vec(),
        b"Delivered-To: b\r\n".to_vec(),
    ];
    let stored = store(
        &maildir,
        "mx.example/net",
        &copies,
        &[b"Subject: x\r\n", b"", b"\r\nbody\r\n"],
    )
    .unwrap();
    assert_eq!(stored.len(), 2);
    assert_eq!(
        fs::read(&stored[0]).unwrap(),
        b"Delivered-To: a\r\nSubject: x\r\n\r\nbody\r\n"
    );
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
fn folders_that_are_made_are_synced_and_so_is_what_has_them() {
    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("customer/mail/new");
    let mut synced = Vec::new();
    let mut sync = |folder: &Path| {
        assert!(folder.is_dir());
        synced.push(folder.strip_prefix(dir.path()).unwrap().to_path_buf());
        Ok(())
    };
    make_folder(&new, &mut sync).unwrap();
    make_folder(&new, &mut sync).unwrap();
    let expected = [
        "customer",
        "",
        "customer/mail",
        "customer",
        "customer/mail/new",
        "customer/mail",
    ];
    assert_eq!(synced, expected.map(PathBuf::from));
    let mut fails = |_: &Path| Err(io::ErrorKind::StorageFull.into());
    assert!(make_folder(&new.join("more"), &mut fails).is_err());
}

#[test]
fn copies_that_a_reader_has_taken_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let paths = |name: &str| {
        (
            dir.path().join(format!("{name}.tmp")),
            dir.path().join(name),
        )
    };
    let written = [
        paths("taken"),
        paths("linked"),
        paths("written"),
        paths("none"),
    ];
    fs::write(&written[1].1, b"x").unwrap();
    fs::write(&written[2].0, b"x").unwrap();
    let fault = || io::Error::new(io::ErrorKind::StorageFull, "no space");
    let error = take_back(&written, 2, fault());
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(
        error.to_string(),
        "no space; 1 copies can't be taken back any more: a repetition is possible"
    );
    assert!(names(dir.path()).is_empty());
    assert_eq!(take_back(&written[2..], 0, fault()).to_string(), "no space");
}

#[test]
fn names_never_repeat() {
    let mut seen = std::collections::HashSet::new();
    assert!((0..1000).all(|_| seen.insert(unique_name("mx"))));
}
