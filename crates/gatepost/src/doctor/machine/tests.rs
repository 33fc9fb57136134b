//! Limits, folders and names.

use super::*;
use crate::doctor::Grade;

#[test]
fn the_soft_limit_is_read() {
    let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                  Max processes             31199                31199                processes \n\
                  Max open files            1024                 524288               files     \n";
    assert_eq!(open_files_max(limits), Some(1024));
    assert_eq!(
        open_files_max("Max open files  unlimited unlimited files"),
        Some(u64::MAX)
    );
    assert_eq!(open_files_max("Max locked memory 1 2 bytes"), None);
}

#[test]
fn too_few_files_are_told() {
    assert_eq!(open_files(1024, 1024).grade, Grade::Ok);
    let check = open_files(1023, 1024);
    assert_eq!(check.grade, Grade::Warning);
    assert!(
        check.remedy.contains("LimitNOFILE=1024"),
        "{}",
        check.remedy
    );
}

#[test]
fn a_postmaster_without_a_route_is_told() {
    let mut config = Config::embedded(Path::new("data"));
    assert_eq!(postmaster(&config).grade, Grade::Ok);
    config.node.postmaster = "postmaster@elsewhere.test".parse().unwrap();
    let check = postmaster(&config);
    assert_eq!(check.grade, Grade::Warning);
    assert!(
        check.text.contains("postmaster@elsewhere.test"),
        "{}",
        check.text
    );
}

#[test]
fn folders() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(data_dir(folder.path()).grade, Grade::Ok);
    assert_eq!(data_dir(&folder.path().join("new")).grade, Grade::Ok);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(data_dir(&file).grade, Grade::Failed);
    assert_eq!(data_dir(&folder.path().join("a/b")).grade, Grade::Ok);
    assert_eq!(data_dir(&file.join("a")).grade, Grade::Failed);
}

#[test]
fn an_asterisk_stands_for_one_label() {
    for (pattern, name, expected) in [
        ("mx.example.net", "MX.example.net", true),
        ("*.example.net", "mx.example.net", true),
        ("*.example.net", "a.mx.example.net", false),
        ("*.example.net", "example.net", false),
    ] {
        assert_eq!(covers(pattern, name), expected, "{pattern} {name}");
    }
}
