//! Messages whose attachments are dear. Bombs, which are bounded by what is inflated and not by the message, have tests of
//! their own beside the attachment engine.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Kind;

/// 223 bytes: a directory of half a megabyte of zeros, packed by LZMA, which claims 500,000 files without names.
const DIRECTORY_7Z: &[u8] = include_bytes!("../archives/directory.7z");

pub(crate) const KINDS: &[Kind] = &[
    ("ends of directories of ZIP", |n| {
        file("x.zip", &b"PK\x05\x06".repeat(n / 4))
    }),
    ("local headers of ZIP", |n| {
        let header = [b"PK\x03\x04\x14\0\x08\0\x08\0".as_slice(), &[0; 20]].concat();
        file("x.zip", &header.repeat(n / 30))
    }),
    ("entries of ZIP", |n| file("x.zip", &zip(n / 150, false))),
    ("entries of ZIP in one place", |n| {
        file("x.zip", &zip(n / 90, true))
    }),
    ("ZIP files", |n| {
        let archive = zip(3, false);
        files("x.zip", &archive, n / (archive.len() + 120))
    }),
    ("ZIP in ZIP", |n| {
        let inner = |archive: Vec<u8>| stored_zip(&[("x.zip", archive)]);
        let levels = (0..8).fold(zip(n / 150, false), |archive, _| inner(archive));
        file("x.zip", &levels)
    }),
    ("gzip in gzip", |n| {
        let content: Vec<u8> = (0..n as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        file("x.gz", &(0..40).fold(content, |content, _| gzip(&content)))
    }),
    ("files of tar", |n| {
        file("x.tar", &tar_header().repeat(n / 512))
    }),
    ("blocks of RAR 4", |n| {
        let block = [0, 0, 0x74, 0, 0, 7, 0].repeat(n / 7);
        file("x.rar", &[b"Rar!\x1a\x07\0".as_slice(), &block].concat())
    }),
    ("blocks of RAR 5", |n| {
        let block = [0, 0, 0, 0, 3, 2, 0, 0].repeat(n / 8);
        file(
            "x.rar",
            &[b"Rar!\x1a\x07\x01\0".as_slice(), &block].concat(),
        )
    }),
    ("7z files with large directories", |n| {
        files("x.7z", DIRECTORY_7Z, n / (DIRECTORY_7Z.len() + 120))
    }),
    ("links of PDF", |n| {
        file(
            "x.pdf",
            &[b"%PDF-1.7".as_slice(), &b"/URI".repeat(n / 4)].concat(),
        )
    }),
    ("office files", |n| {
        let begin = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
        file(
            "x.doc",
            &[begin.as_slice(), &b"_\0V\0B\0A\0_\0".repeat(n / 10)].concat(),
        )
    }),
    ("a compound file whose sectors go in circles", |n| {
        file("x.doc", &circles(n))
    }),
    ("shortcuts whose lists of items do not end", |n| {
        // MS-SHLLINK 2.1: the header says that there is a list; 2.2: an item tells its own size, the list's end has none.
        let mut header = [0; 76];
        header[..20].copy_from_slice(b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F");
        header[20] = 0xff;
        let items = [2, 0].repeat(n / 2);
        file("x.lnk", &[header.as_slice(), &items].concat())
    }),
    ("web pages as files", |n| {
        files(
            "x.html",
            b"<script>eval(atob('</script><a href=http://a.example>",
            n / 170,
        )
    }),
    ("files without a content", |n| files("x.exe", b"", n / 110)),
    ("shortcuts", |n| {
        file("x.url", &b"URL=http://a.example\r\n".repeat(n / 22))
    }),
    ("nearly GTUBE", |n| {
        text(&"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34".repeat(n / 67))
    }),
];

/// A compound file (MS-CFB 2.2) whose table of sectors names for each sector itself, and for the whole file ever the same.
fn circles(bytes: usize) -> Vec<u8> {
    let mut file = vec![0; 512];
    file[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    // Minor and major version, byte order, 512 bytes a sector, 64 a short one.
    file[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    for number in 0..bytes as u32 / 4 {
        file.extend((number % 128).to_le_bytes());
    }
    file
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    files(name, content, 1)
}

/// A message with so many times the same file, as it is: without any encoding.
fn files(name: &str, content: &[u8], count: usize) -> Vec<u8> {
    let mut message =
        b"From: ann@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    for _ in 0..count.max(1) {
        message.extend(
            format!("--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename={name}\r\n\r\n")
                .bytes(),
        );
        message.extend_from_slice(content);
        message.extend(b"\r\n");
    }
    message.extend(b"--b--\r\n");
    message
}

fn text(text: &str) -> Vec<u8> {
    format!("From: ann@example.com\r\n\r\n{text}").into_bytes()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

/// An archive of so many empty files; all in the same place if `is_overlapping`.
fn zip(count: usize, is_overlapping: bool) -> Vec<u8> {
    if !is_overlapping {
        let names: Vec<String> = (0..count).map(|number| format!("{number:05}")).collect();
        let files: Vec<(&str, Vec<u8>)> = names
            .iter()
            .map(|name| (name.as_str(), Vec::new()))
            .collect();
        return stored_zip(&files);
    }
    let local = local_header("00000", 0);
    let directory: Vec<u8> = (0..count)
        .flat_map(|_| central_header("00000", 0, 0))
        .collect();
    ended(local, &directory, count)
}

fn stored_zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        directory.extend(central_header(name, content.len(), archive.len()));
        archive.extend(local_header(name, content.len()));
        archive.extend_from_slice(content);
    }
    ended(archive, &directory, files.len())
}

/// From the version needed to the length of the extra field (APPNOTE.TXT 4.3.7).
fn fields(name: &str, size: usize) -> Vec<u8> {
    let size = u32::try_from(size).expect("small").to_le_bytes();
    let name_bytes = u16::try_from(name.len()).expect("short").to_le_bytes();
    let begin = [0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    [begin.as_slice(), &size, &size, &name_bytes, &[0, 0]].concat()
}

fn local_header(name: &str, size: usize) -> Vec<u8> {
    [
        b"PK\x03\x04".as_slice(),
        &fields(name, size),
        name.as_bytes(),
    ]
    .concat()
}

fn central_header(name: &str, size: usize, at: usize) -> Vec<u8> {
    let at = u32::try_from(at).expect("small").to_le_bytes();
    let begin = b"PK\x01\x02\x14\0".as_slice();
    [begin, &fields(name, size), &[0; 10], &at, name.as_bytes()].concat()
}

fn ended(mut archive: Vec<u8>, directory: &[u8], count: usize) -> Vec<u8> {
    let start = u32::try_from(archive.len()).expect("small").to_le_bytes();
    let size = u32::try_from(directory.len()).expect("small").to_le_bytes();
    let count = u16::try_from(count).expect("few").to_le_bytes();
    archive.extend_from_slice(directory);
    archive.extend(
        [
            b"PK\x05\x06\0\0\0\0".as_slice(),
            &count,
            &count,
            &size,
            &start,
            &[0, 0],
        ]
        .concat(),
    );
    archive
}

/// The header of an empty file, its checksum right (POSIX.1-2017 pax, "ustar Interchange Format").
fn tar_header() -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, b"x.txt");
    put(100, b"0000644\0");
    put(124, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}
