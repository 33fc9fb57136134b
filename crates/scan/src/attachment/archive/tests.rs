use super::{Data, Listing};
use crate::attachment::fixture::{
    encrypted, file, gzip, overlapping_zip, rar_4, rar_5, rar_5_block, stored, tar, tar_entry, zip,
};
use crate::attachment::signature::Format;

const MANY: usize = 10_000;

/// At any cost.
fn list<'a>(format: Format, bytes: &'a [u8], name: &str, entries_max: usize) -> Listing<'a> {
    super::list(format, bytes, name, entries_max, usize::MAX)
}

fn names(listing: &Listing<'_>) -> Vec<String> {
    let entries = listing.entries.iter();
    entries.map(|entry| entry.name.clone()).collect()
}

#[test]
fn zip_by_its_directory() {
    let archive = zip(&[
        file("a/b.txt", "hello hello hello"),
        stored("c", "stored"),
        stored("empty/", ""),
        encrypted("secret"),
    ]);
    let listing = list(Format::Zip, &archive, "a.zip", MANY);
    assert_eq!(names(&listing), ["a/b.txt", "c", "secret"]);
    assert!(!listing.is_damaged && !listing.is_overlapping && !listing.is_cut);
    let contents: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| String::from_utf8(entry.data.inflate(100).bytes).expect("text"))
        .collect();
    assert_eq!(contents, ["hello hello hello", "stored", ""]);
    let flags: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| entry.is_encrypted)
        .collect();
    assert_eq!(flags, [false, false, true]);
    assert_eq!(listing.entries[0].size, 17);

    let listing = list(Format::Zip, &archive, "a.zip", 2);
    assert!(listing.is_cut);
    assert_eq!(listing.entries.len(), 2);
}

#[test]
fn zip_without_directory() {
    let archive = zip(&[file("a", "hello"), stored("b", "x")]);
    let directory = memchr::memmem::find(&archive, b"PK\x01\x02").expect("directory");
    let listing = list(Format::Zip, &archive[..directory], "a.zip", MANY);
    assert!(listing.is_damaged);
    assert_eq!(names(&listing), ["a", "b"]);
    assert_eq!(listing.entries[0].data.inflate(9).bytes, b"hello");

    // Sizes only after the data (flag 3), as programs write that cannot seek.
    let mut streamed = archive[..directory].to_vec();
    streamed[6] = 8;
    streamed[18..26].fill(0);
    let listing = list(Format::Zip, &streamed, "a.zip", MANY);
    assert_eq!(names(&listing), ["a", "b"]);
    assert_eq!(listing.entries[0].data.inflate(9).bytes, b"hello");
}

#[test]
fn zip_names_that_differ() {
    let mut archive = zip(&[stored("a.txt", "x")]);
    archive[30..35].copy_from_slice(b"a.exe");
    let listing = list(Format::Zip, &archive, "a.zip", MANY);
    assert_eq!(names(&listing), ["a.txt"]);
    assert_eq!(listing.entries[0].aliases, ["a.exe"]);
}

#[test]
fn zip64_sizes() {
    // A central header whose size stands in the Zip64 extra field.
    let archive = zip(&[stored("a", "x")]);
    let directory = memchr::memmem::find(&archive, b"PK\x01\x02").expect("directory");
    let end = memchr::memmem::find(&archive, b"PK\x05\x06").expect("end");
    let mut header = archive[directory..end].to_vec();
    header[24..28].fill(0xff);
    header[30] = 12;
    header.extend_from_slice(&[1, 0, 8, 0]);
    header.extend_from_slice(&(5_u64 << 32).to_le_bytes());
    let mut archive = [&archive[..directory], &header, &archive[end..]].concat();
    let size_at = archive.len() - 10;
    archive[size_at] = u8::try_from(header.len()).expect("small");
    let listing = list(Format::Zip, &archive, "a.zip", MANY);
    assert_eq!(names(&listing), ["a"]);
    assert_eq!(listing.entries[0].size, 5 << 32);
}

#[test]
fn zip_entries_that_overlap() {
    let archive = overlapping_zip(3);
    let listing = list(Format::Zip, &archive, "a.zip", MANY);
    assert!(listing.is_overlapping);
    assert_eq!(listing.entries.len(), 3);
}

#[test]
fn inflating_stops() {
    let archive = zip(&[file("zeros", vec![0; 1 << 20])]);
    let listing = list(Format::Zip, &archive, "a.zip", MANY);
    let inflated = listing.entries[0].data.inflate(1_000);
    assert_eq!((inflated.bytes.len(), inflated.is_cut), (1_000, true));
    let inflated = listing.entries[0].data.inflate(1 << 20);
    assert_eq!((inflated.bytes.len(), inflated.is_cut), (1 << 20, false));
    assert!(Data::Opaque.inflate(9).bytes.is_empty());
}

#[test]
fn gzip_names() {
    let bytes = gzip(b"hello");
    for (name, expected) in [
        ("a.txt.gz", "a.txt"),
        ("dir/a.TGZ", "a.tar"),
        ("a.GZ", "a"),
        ("data", "data"),
        (".gz", ""),
        ("", ""),
    ] {
        let listing = list(Format::Gzip, &bytes, name, MANY);
        assert_eq!(names(&listing), [expected]);
        assert_eq!(listing.entries[0].size, 5);
        assert_eq!(listing.entries[0].data.inflate(99).bytes, b"hello");
    }
    // Several members are one content (RFC 1952 section 2.2).
    let bytes = [bytes, gzip(b" world")].concat();
    let listing = list(Format::Gzip, &bytes, "a.gz", MANY);
    assert_eq!(listing.entries[0].data.inflate(99).bytes, b"hello world");
}

#[test]
fn tar_names() {
    let long = format!("{}.exe", "x".repeat(200));
    let mut archive = Vec::new();
    tar_entry(&mut archive, "pax", b'x', b"18 path=from-pax.js\n");
    tar_entry(&mut archive, "cut", b'0', b"x");
    tar_entry(&mut archive, "dir/", b'5', b"");
    tar_entry(&mut archive, "link", b'2', b"");
    archive.extend(tar(&[("plain", b"hello"), (&long, b"y")]));
    let listing = list(Format::Tar, &archive, "a.tar", MANY);
    // The record's length leaves the line feed out: what a strict reader refuses is shown all the same.
    assert_eq!(names(&listing), ["from-pax.j", "plain", &long]);
    assert_eq!(listing.entries[1].data.inflate(9).bytes, b"hello");
    assert!(!listing.is_damaged);

    let listing = list(Format::Tar, &archive[..700], "a.tar", MANY);
    assert!(listing.entries.is_empty());
    archive[600] ^= 1;
    assert!(
        !list(Format::Tar, &archive, "a.tar", MANY).is_damaged,
        "data has no checksum"
    );
    archive[1_030] ^= 1;
    assert!(list(Format::Tar, &archive, "a.tar", MANY).is_damaged);
}

#[test]
fn rar_4_headers() {
    // Unicode: high byte 4, flags 01 01 01 00, three Cyrillic letters and a plain one.
    let cyrillic = b"???.exe\0\x04\x54\x30\x31\x32.";
    let archive = rar_4(
        0,
        &[
            (b"plain.txt", 0, b"hello"),
            (cyrillic, 0x200, b"x"),
            (b"dir", 0xe0, b""),
            (b"locked", 4, b"zzz"),
        ],
    );
    let listing = list(Format::Rar4, &archive, "a.rar", MANY);
    assert_eq!(names(&listing), ["plain.txt", "абв.", "locked"]);
    assert_eq!(listing.entries[1].aliases, ["???.exe"]);
    assert_eq!(listing.entries[0].data.inflate(9).bytes, b"hello");
    assert!(listing.entries[2].is_encrypted);
    assert!(!listing.is_damaged && !listing.is_sealed);
    assert!(list(Format::Rar4, &rar_4(0x80, &[]), "a.rar", MANY).is_sealed);
    assert!(list(Format::Rar4, &archive, "a.rar", 2).is_cut);
    assert!(list(Format::Rar4, &archive[..30], "a.rar", MANY).is_damaged);
}

#[test]
fn rar_5_headers() {
    let archive = rar_5(&[
        ("grün.txt", b"", b"hello"),
        ("locked", &[2, 9, 0, 3, 1, 0, 0], b"zzz"),
    ]);
    let listing = list(Format::Rar5, &archive, "a.rar", MANY);
    assert_eq!(names(&listing), ["grün.txt", "locked"]);
    assert_eq!(listing.entries[0].data.inflate(9).bytes, b"hello");
    let flags: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| entry.is_encrypted)
        .collect();
    assert_eq!(flags, [false, true]);
    assert!(!listing.is_damaged && !listing.is_sealed);

    let mut sealed = b"Rar!\x1a\x07\x01\x00".to_vec();
    rar_5_block(&mut sealed, &[4, 0, 0, 0], b"");
    assert!(list(Format::Rar5, &sealed, "a.rar", MANY).is_sealed);
    assert!(list(Format::Rar5, &archive[..20], "a.rar", MANY).is_damaged);
}

#[test]
fn seven_zip_headers() {
    let archive = include_bytes!("../../../tests/archives/program.7z");
    let listing = list(Format::SevenZip, archive, "a.7z", MANY);
    assert_eq!(names(&listing), ["docs/readme.txt", "setup.exe"]);
    assert!(listing.entries.iter().all(|entry| !entry.is_encrypted));
    assert!(list(Format::SevenZip, archive, "a.7z", 1).is_cut);

    let archive = include_bytes!("../../../tests/archives/encrypted.7z");
    let listing = list(Format::SevenZip, archive, "a.7z", MANY);
    assert!(listing.entries.iter().all(|entry| entry.is_encrypted));

    let archive = include_bytes!("../../../tests/archives/sealed.7z");
    let listing = list(Format::SevenZip, archive, "a.7z", MANY);
    assert!(listing.is_sealed && listing.entries.is_empty());

    // The start header that makes the library search for the directory.
    let mut archive = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    archive.resize(32, 0);
    archive.extend_from_slice(&[1, 0].repeat(500_000));
    assert!(list(Format::SevenZip, &archive, "a.7z", MANY).is_damaged);
}

/// A directory that claims to be large once unpacked is not handed to the library.
#[test]
fn seven_zip_directory_that_bursts() {
    let mut archive = include_bytes!("../../../tests/archives/program.7z").to_vec();
    let start = 32 + usize::from(archive[12]) + usize::from(archive[13]) * 256;
    let sizes = memchr::memchr(0x0c, &archive[start..]).expect("sizes") + start;
    // A number of one or two bytes becomes one of five: 4 GiB.
    let length = if archive[sizes + 1] < 0x80 { 1 } else { 2 };
    archive.splice(
        sizes + 1..sizes + 1 + length,
        [0xf0, 0xff, 0xff, 0xff, 0xff],
    );
    archive[20] += 5 - u8::try_from(length).expect("small");
    let listing = list(Format::SevenZip, &archive, "a.7z", MANY);
    assert!(listing.is_cut && listing.entries.is_empty());
}

/// 223 bytes that claim 500,000 files, and are damaged where all room for them is made: what that cost is told, and not spent
/// where too little is left.
#[test]
fn seven_zip_directory_that_costs() {
    let archive = include_bytes!("../../../tests/archives/directory.7z");
    let listing = list(Format::SevenZip, archive, "a.7z", MANY);
    assert_eq!(
        (listing.is_cut, listing.is_damaged, listing.cost),
        (false, true, 8 * 1024 * 1024)
    );
    let listing = super::list(Format::SevenZip, archive, "a.7z", MANY, listing.cost - 1);
    assert_eq!(
        (listing.is_cut, listing.is_damaged, listing.cost),
        (true, false, 0)
    );
}
