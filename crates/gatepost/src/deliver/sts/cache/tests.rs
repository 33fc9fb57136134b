use super::*;

fn kept(domain: &str, fetched: u64) -> Kept {
    Kept {
        domain: domain.to_owned(),
        id: "20260101".to_owned(),
        fetched,
        policy: "version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 1000\nx: y\n"
            .parse()
            .unwrap(),
    }
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("mta-sts");
    let now = unix_seconds();
    assert_eq!(read_all(&folder).unwrap(), (Vec::new(), Vec::new()));
    let (one, two) = (kept("example.net", now), kept("example.org", now - 10));
    write(&folder, &one).unwrap();
    write(&folder, &kept("example.org", now - 20)).unwrap();
    write(&folder, &two).unwrap();
    let (mut policies, damaged) = read_all(&folder).unwrap();
    policies.sort_by(|a, b| a.domain.cmp(&b.domain));
    assert_eq!((policies, damaged), (vec![one.clone(), two], Vec::new()));
    remove(&folder, "example.org");
    remove(&folder, "example.org");
    assert_eq!(read_all(&folder).unwrap().0, [one]);
}

#[test]
fn what_no_longer_holds_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let now = unix_seconds();
    write(folder.path(), &kept("old.example", now - 1000)).unwrap();
    // Written before the clock was set back.
    write(folder.path(), &kept("new.example", now + 5000)).unwrap();
    fs::write(folder.path().join(".0123456789abcdef"), "half").unwrap();
    let (policies, damaged) = read_all(folder.path()).unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(damaged, []);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn damaged_files_are_told_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let now = unix_seconds();
    write(folder.path(), &kept("whole.example", now)).unwrap();
    let text = kept("cut.example", now).text();
    for (name, text) in [
        ("cut.example", &text[..text.len() / 2]),
        ("empty.example", ""),
        ("other.example", text.as_str()),
        ("policy.example", &text.replace("mode", "mood")),
        ("time.example", &text.replace("fetched: ", "fetched: x")),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("bytes.example"), [0xff; 9]).unwrap();
    let (policies, damaged) = read_all(folder.path()).unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(damaged.len(), 6, "{damaged:?}");
}

#[test]
fn a_name_that_is_no_domain_reaches_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for domain in ["", "../x", "a/b", ".hidden", "a\0b"] {
        let error = write(folder.path(), &kept(domain, 0)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        remove(folder.path(), domain);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
