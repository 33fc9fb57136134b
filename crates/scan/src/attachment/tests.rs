use std::sync::Arc;

use proptest::prelude::*;

use super::fixture::{
    self, encrypted, file, gzip, message, overlapping_zip, rar_4, rar_5, stored, tar, view,
    windows_program, zip,
};
use super::{Attachment, AttachmentSettings, NAME, test_string};
use crate::engine::Engine;
use crate::finding::{Finding, SpamClass, VirusClass};
use crate::message::Message;
use crate::specimen::Specimen;

fn inspect(message: Vec<u8>) -> Finding {
    inspect_with(AttachmentSettings::default(), message)
}

fn inspect_with(settings: AttachmentSettings, message: Vec<u8>) -> Finding {
    Attachment::new(settings).inspect(&view(message))
}

fn attached(name: &str, content: &[u8]) -> Finding {
    inspect(message(name, content))
}

fn symbols(finding: &Finding) -> Vec<&str> {
    let symbols = finding.symbols.iter();
    symbols.map(|symbol| symbol.name.as_str()).collect()
}

/// What is banned and why, in one line.
fn banned(finding: &Finding) -> Option<String> {
    let banned = finding.banned.as_ref()?;
    Some(format!("{}: {}", banned.what, banned.why))
}

#[test]
fn harmless_messages() {
    let plain = inspect(b"From: a@example.com\r\n\r\nhello".to_vec());
    assert_eq!(plain.reason, "no attachments");
    assert_eq!(plain.engine, NAME);
    assert_eq!((plain.spam, plain.virus), (None, None));
    assert_eq!(symbols(&plain), [""; 0]);

    let pdf = attached("report.pdf", b"%PDF-1.7\n");
    assert_eq!(pdf.reason, "nothing forbidden in 1 attachment");
    assert_eq!(banned(&pdf), None);
}

#[test]
fn names() {
    let program = "executable program (.exe)";
    let document = "executable program (.exe) under the name of a document";
    let cases = [
        ("setup.exe", Some(format!("setup.exe: {program}"))),
        ("SETUP.EXE", Some(format!("SETUP.EXE: {program}"))),
        ("setup.exe. . ", Some(format!("setup.exe. .: {program}"))),
        (
            "C:\\temp\\setup.exe",
            Some(format!("C:\\temp\\setup.exe: {program}")),
        ),
        (
            "invoice.pdf.exe",
            Some(format!("invoice.pdf.exe: {document}")),
        ),
        (
            "invoice.pdf .exe",
            Some(format!("invoice.pdf .exe: {document}")),
        ),
        (
            "invoice                 .exe",
            Some(format!("invoice .exe: {document}")),
        ),
        (
            "invoice\u{202e}fdp.exe",
            Some("invoicefdp.exe: file name with reversed characters".to_owned()),
        ),
        (
            "invoice.\u{200b}exe",
            Some(format!("invoice.exe: {program}")),
        ),
        ("invoice.exe.xz", Some(format!("invoice.exe.xz: {program}"))),
        ("run.js", Some("run.js: script (.js)".to_owned())),
        ("exe", None),
        ("notes.exe.txt", None),
        ("index.html", None),
        ("Report for example.com", None),
        ("", None),
    ];
    for (name, expected) in cases {
        let finding = attached(name, b"some text");
        assert_eq!(banned(&finding), expected, "{name:?}");
    }
    let finding = attached("invoice.pdf.exe", b"x");
    assert_eq!(symbols(&finding), ["DOUBLE_EXTENSION", "EXECUTABLE_NAME"]);
    assert_eq!(finding.reason, format!("invoice.pdf.exe: {document}"));
}

#[test]
fn every_name_of_a_part_counts() {
    let finding = inspect(
        b"From: a@example.com\r\nContent-Type: text/plain; name=evil.exe\r\n\
          Content-Disposition: attachment; filename=good.txt\r\n\r\nx"
            .to_vec(),
    );
    assert_eq!(
        banned(&finding).as_deref(),
        Some("evil.exe: executable program (.exe)")
    );
    let message = inspect(
        b"From: a@example.com\r\nContent-Type: message/rfc822; name=evil.scr\r\n\r\nx".to_vec(),
    );
    assert_eq!(symbols(&message), ["EXECUTABLE_NAME"]);
}

#[test]
fn shortcuts() {
    let web = b"[InternetShortcut]\r\nURL=https://example.com/\r\n";
    assert_eq!(banned(&attached("page.url", web)), None);
    for content in [
        &b"[InternetShortcut]\r\nURL=file://198.51.100.7/share/x.exe\r\n"[..],
        b"[InternetShortcut]\r\nURL=https://example.com/\r\nIconFile=\\\\198.51.100.7\\x.ico\r\n",
        b"[InternetShortcut]\r\nURL=https://example.com/\r\nURL=file:x\r\n",
        b"nothing",
    ] {
        assert!(banned(&attached("page.url", content)).is_some());
    }
}

#[test]
fn content_under_another_name() {
    let finding = attached("invoice.pdf", &windows_program());
    assert_eq!(
        banned(&finding).as_deref(),
        Some("invoice.pdf: Windows program by its content")
    );
    assert_eq!(symbols(&finding), ["EXECUTABLE_CONTENT"]);
    // Its own name says the same: the name is what the reply tells.
    let finding = attached("setup.exe", &windows_program());
    assert_eq!(symbols(&finding), ["EXECUTABLE_NAME", "EXECUTABLE_CONTENT"]);
    assert_eq!(
        banned(&finding).as_deref(),
        Some("setup.exe: executable program (.exe)")
    );

    let script = attached("build", b"#!/bin/sh\nrm -rf /\n");
    assert_eq!(symbols(&script), ["SCRIPT_CONTENT"]);
    assert_eq!(banned(&script), None);

    let picture = attached("photo.jpg", &zip(&[file("a.txt", "x")]));
    assert_eq!(symbols(&picture), ["NAME_CONTENT_MISMATCH"]);
    assert_eq!(banned(&picture), None);
    assert_eq!(
        picture.reason,
        "nothing forbidden; seen: NAME_CONTENT_MISMATCH"
    );
}

#[test]
fn disc_image_by_content() {
    let mut image = vec![0; 40_000];
    image[32_769..32_774].copy_from_slice(b"CD001");
    let finding = attached("scan.dat", &image);
    assert_eq!(
        banned(&finding).as_deref(),
        Some("scan.dat: disc image by its content")
    );
}

#[test]
fn inside_of_archives() {
    let program = windows_program();
    let inner = zip(&[
        file("docs/readme.txt", "x"),
        file("docs/setup.exe", program.clone()),
    ]);
    let archives: [(&str, Vec<u8>); 9] = [
        ("a.zip", inner.clone()),
        ("a.zip", [b"prefix".as_slice(), &inner].concat()),
        ("a.zip", zip(&[stored("inner.zip", inner.clone())])),
        ("a.zip", zip(&[file("inner.zip", inner.clone())])),
        ("a.tar", tar(&[("readme", b"x"), ("setup.exe", &program)])),
        ("a.tar.gz", gzip(&tar(&[("setup.exe", &program)]))),
        ("a.tgz", gzip(&tar(&[("x.zip", &inner)]))),
        ("a.rar", rar_4(0, &[(b"setup.exe", 0, b"x")])),
        ("a.rar", rar_5(&[("setup.exe", b"", b"x")])),
    ];
    for (name, archive) in archives {
        let finding = attached(name, &archive);
        let banned = banned(&finding).unwrap_or_default();
        assert!(
            banned.contains(&format!("setup.exe in {name}: executable program")),
            "{banned}"
        );
    }
    // By content alone.
    let finding = attached("setup.gz", &gzip(&program));
    assert_eq!(
        banned(&finding).as_deref(),
        Some("setup in setup.gz: Windows program by its content")
    );
    // Under the name that only the gzip header has.
    let named = flate2::GzBuilder::new()
        .filename("evil.js")
        .read(&b"x"[..], flate2::Compression::fast());
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut { named }, &mut bytes).expect("memory");
    assert_eq!(
        banned(&attached("data.gz", &bytes)).as_deref(),
        Some("evil.js in data.gz: script (.js)")
    );
}

#[test]
fn seven_zip() {
    let program = include_bytes!("../../tests/archives/program.7z");
    let finding = attached("a.7z", program);
    assert_eq!(
        banned(&finding).as_deref(),
        Some("setup.exe in a.7z: executable program (.exe)")
    );
    let sealed = attached("a.7z", include_bytes!("../../tests/archives/sealed.7z"));
    assert_eq!(symbols(&sealed), ["ENCRYPTED_ARCHIVE"]);
    let encrypted = attached("a.7z", include_bytes!("../../tests/archives/encrypted.7z"));
    assert_eq!(
        symbols(&encrypted),
        ["ENCRYPTED_ARCHIVE", "EXECUTABLE_NAME"]
    );
}

#[test]
fn office_documents_are_no_archives() {
    let entries = [
        file("[Content_Types].xml", "<Types/>"),
        file("word/embeddings/tool.exe", "x"),
        file("word/vbaProject.bin", "x"),
    ];
    let document = zip(&entries);
    let finding = attached("letter.docx", &document);
    assert_eq!(banned(&finding), None);
    assert_eq!(symbols(&finding), ["OFFICE_MACRO"]);
    // The same archive under an archive's name is one.
    assert!(banned(&attached("letter.zip", &document)).is_some());
    // And an archive under a document's name is not a document.
    let finding = attached("letter.docx", &zip(&entries[1..]));
    assert!(banned(&finding).is_some());
}

#[test]
fn encrypted_archives() {
    let archives = [
        (
            "a.zip",
            zip(&[file("readme.txt", "x"), encrypted("report.pdf")]),
        ),
        ("a.rar", rar_4(0, &[(b"report.pdf", 4, b"x")])),
        ("a.rar", rar_4(0x80, &[])),
        ("a.rar", rar_5(&[("report.pdf", &[3, 1, 0, 0], b"x")])),
    ];
    for (name, archive) in archives {
        let finding = attached(name, &archive);
        assert_eq!(symbols(&finding), ["ENCRYPTED_ARCHIVE"]);
        assert_eq!(banned(&finding), None);
        let settings = AttachmentSettings {
            block_encrypted: true,
            ..AttachmentSettings::default()
        };
        let finding = inspect_with(settings, message(name, &archive));
        assert_eq!(
            banned(&finding),
            Some(format!(
                "{name}: encrypted archive, which cannot be examined"
            ))
        );
    }
    // Names are seen all the same.
    let finding = attached("a.zip", &zip(&[encrypted("report.pdf.exe")]));
    assert_eq!(
        symbols(&finding),
        ["ENCRYPTED_ARCHIVE", "DOUBLE_EXTENSION", "EXECUTABLE_NAME"]
    );
}

const BOMB: &str = "archive made to unpack to an excessive size";

#[test]
fn bombs() {
    // Ten megabytes of zeros in one another: each level shrinks a thousandfold.
    let mut nested = zip(&[file("zeros", vec![0; 10 << 20])]);
    for level in 0..4 {
        let copies: Vec<_> = (0..16)
            .map(|copy| file(&format!("{level}-{copy}.zip"), nested.clone()))
            .collect();
        nested = zip(&copies);
    }
    // Inner archives that exceed the budget by themselves.
    let large = zip(&[file("inner.tar", tar(&[("zeros", &vec![0; 70 << 20])]))]);
    let claimed = zip(&[fixture::File {
        size: Some(u32::MAX),
        ..file("zeros", vec![0; 1 << 20])
    }]);
    for (name, bomb) in [
        ("large.zip", large),
        ("claimed.zip", claimed.clone()),
        ("overlap.zip", overlapping_zip(2)),
        ("overlap.zip", overlapping_zip(60_000)),
        ("claimed.docx", claimed),
    ] {
        let finding = attached(name, &bomb);
        assert_eq!(
            banned(&finding),
            Some(format!("{name}: {BOMB}")),
            "{finding:?}"
        );
    }
    let finding = attached("nested.zip", &nested);
    let is_seen = symbols(&finding)
        .iter()
        .any(|name| matches!(*name, "ARCHIVE_BOMB" | "ARCHIVE_UNEXAMINED"));
    assert!(is_seen, "{finding:?}");

    let settings = AttachmentSettings {
        block_bombs: false,
        ..AttachmentSettings::default()
    };
    let finding = inspect_with(settings, message("overlap.zip", &overlapping_zip(2)));
    assert_eq!(
        (banned(&finding), symbols(&finding)),
        (None, vec!["ARCHIVE_BOMB"])
    );
}

#[test]
fn deep_archives() {
    let mut archive = zip(&[file("readme.txt", "x")]);
    let depth_max = AttachmentSettings::default().archive_depth_max;
    for level in 1..40 {
        let finding = attached("a.zip", &archive);
        if level <= depth_max {
            assert_eq!(symbols(&finding), [""; 0], "level {level}");
        } else {
            assert_eq!(symbols(&finding), ["ARCHIVE_DEEP"], "level {level}");
            assert_eq!(
                banned(&finding).as_deref(),
                Some("a.zip: archives nested more than 6 levels deep")
            );
        }
        archive = zip(&[file("inner.zip", archive)]);
    }
    // A setting beyond the limit is cut to it.
    let settings = AttachmentSettings {
        archive_depth_max: 1_000_000,
        ..AttachmentSettings::default()
    };
    let finding = inspect_with(settings, message("a.zip", &archive));
    assert_eq!(symbols(&finding), ["ARCHIVE_DEEP"]);
}

#[test]
fn more_entries_than_are_looked_at() {
    let settings = AttachmentSettings {
        archive_entries_max: 10,
        ..AttachmentSettings::default()
    };
    let files: Vec<_> = (0..11).map(|n| stored(&format!("{n}.txt"), "x")).collect();
    let finding = inspect_with(settings.clone(), message("a.zip", &zip(&files)));
    assert_eq!(
        (banned(&finding), symbols(&finding)),
        (None, vec!["ARCHIVE_UNEXAMINED"])
    );
    let finding = inspect_with(settings.clone(), message("a.zip", &zip(&files[..10])));
    assert_eq!(symbols(&finding), [""; 0]);
    let settings = AttachmentSettings {
        block_unexamined: true,
        ..settings
    };
    assert!(
        inspect_with(settings, message("a.zip", &zip(&files)))
            .banned
            .is_some()
    );
}

#[test]
fn eicar() {
    let eicar = test_string::eicar();
    let mut padded = eicar.clone();
    padded.extend_from_slice(b" \t\r\n\x1a");
    let mut body = b"From: a@example.com\r\n\r\n".to_vec();
    body.extend_from_slice(&eicar);
    body.extend_from_slice(b"\r\n");
    for message in [
        message("eicar.com", &eicar),
        message("note.txt", &padded),
        message("eicar.zip", &zip(&[file("eicar.com", eicar.clone())])),
        message(
            "eicar.zip",
            &zip(&[stored("a.zip", zip(&[stored("a", eicar.clone())]))]),
        ),
        message("eicar.gz", &gzip(&eicar)),
        message("eicar.tar.gz", &gzip(&tar(&[("eicar", &eicar)]))),
        message("eicar.rar", &rar_5(&[("eicar.txt", b"", &eicar)])),
        body,
    ] {
        let finding = inspect(message);
        assert_eq!(finding.virus, Some(VirusClass::Virus));
        assert_eq!(finding.virus_name.as_deref(), Some("EICAR-Test-File"));
        assert!(symbols(&finding).contains(&"EICAR"));
        assert_eq!(finding.reason, "EICAR-Test-File found");
    }
    for no_eicar in [
        [b"x", eicar.as_slice()].concat(),
        [eicar.as_slice(), b"x"].concat(),
        [eicar.as_slice(), &[b' '; 61]].concat(),
    ] {
        assert_eq!(attached("eicar.txt", &no_eicar).virus, None);
    }
}

#[test]
fn gtube() {
    let gtube = String::from_utf8(test_string::gtube()).expect("ASCII");
    let plain = format!("From: a@example.com\r\n\r\nHello\r\n{gtube}\r\n");
    let quoted = format!(
        "From: a@example.com\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>{}=\r\n{}",
        &gtube[..30],
        &gtube[30..]
    );
    for message in [plain, quoted] {
        let finding = inspect(message.into_bytes());
        assert_eq!(finding.spam, Some(SpamClass::Confirmed));
        assert_eq!(symbols(&finding), ["GTUBE"]);
    }
    // Not in a header field, nor in a file that is no text.
    let subject = format!("From: a@example.com\r\nSubject: {gtube}\r\n\r\nx");
    assert_eq!(inspect(subject.into_bytes()).spam, None);
    assert_eq!(attached("a.bin", gtube.as_bytes()).spam, None);
}

#[test]
fn settings_change_what_is_banned() {
    let settings = AttachmentSettings {
        banned_extensions: vec![".XYZ".to_owned(), "exe".to_owned(), "js".to_owned()],
        allowed_extensions: vec!["Exe".to_owned()],
        ..AttachmentSettings::default()
    };
    let name = |name: &str, content: &[u8]| {
        banned(&inspect_with(settings.clone(), message(name, content)))
    };
    assert_eq!(
        name("a.xyz", b"x").as_deref(),
        Some("a.xyz: file of a type that is not accepted (.xyz)")
    );
    assert_eq!(name("a.js", b"x").as_deref(), Some("a.js: script (.js)"));
    assert_eq!(name("a.vbs", b"x"), None);
    assert_eq!(name("a.exe", &windows_program()), None);
    assert!(name("a.pdf", &windows_program()).is_some());
}

#[test]
fn over_deep_message_is_banned() {
    let finding = inspect(
        "Content-Type: message/rfc822\r\n\r\n"
            .repeat(1_000)
            .into_bytes(),
    );
    assert_eq!(
        symbols(&finding),
        ["MIME_LIMIT", "MISSING_FROM", "MIME_OVER_DEEP"]
    );
    assert_eq!(
        banned(&finding).as_deref(),
        Some("the message: more parts, or parts nested deeper, than can be examined")
    );
}

#[tokio::test]
async fn engine_examines_specimens() {
    let engine = Attachment::new(AttachmentSettings::default());
    assert_eq!(engine.name(), NAME);
    let banner = engine.probe().await.expect("built in");
    assert!(banner.starts_with("built in: "), "{banner}");
    for message in [
        message("setup.exe", b"x"),
        message("setup.zip", &zip(&[file("setup.exe", "x")])),
        message("setup.exe", &vec![b'x'; 200_000]),
    ] {
        let finding = engine
            .examine(Arc::new(specimen(message)))
            .await
            .expect("finding");
        assert!(finding.banned.is_some());
    }
}

fn specimen(message: Vec<u8>) -> Specimen {
    Specimen {
        reference: "K7QX-3M9D-2F".to_owned(),
        message: Message::new(message.into()),
        client_ip: [198, 51, 100, 7].into(),
        client_name: None,
        helo: "client.example".to_owned(),
        reverse_path: smtp::ReversePath::Null,
        recipients: Vec::new(),
        authenticated_as: None,
        authentication: Arc::default(),
        hostname: "mx.example.net".to_owned(),
        received: Vec::new(),
    }
}

/// An archive of some format with a few files in it.
fn any_archive() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let inner = zip(&[
        file("setup.exe", windows_program()),
        stored("b", "y"),
        encrypted("c"),
    ]);
    prop::sample::select(vec![
        ("a.zip", inner.clone()),
        (
            "a.zip",
            zip(&[
                stored("inner.zip", inner.clone()),
                file("d/e.zip", inner.clone()),
            ]),
        ),
        (
            "a.tar",
            tar(&[("x".repeat(120).as_str(), b"x"), ("in.zip", &inner)]),
        ),
        ("a.tgz", gzip(&tar(&[("in.zip", &inner)]))),
        (
            "a.rar",
            rar_4(
                0,
                &[
                    (b"name\0\x04\x50text", 0x200, b"x"),
                    (b"in.zip", 0x100, &inner),
                ],
            ),
        ),
        (
            "a.rar",
            rar_5(&[("name", &[3, 1, 0, 0], b"x"), ("b", b"", b"y")]),
        ),
        (
            "a.7z",
            include_bytes!("../../tests/archives/program.7z").to_vec(),
        ),
        (
            "a.7z",
            include_bytes!("../../tests/archives/sealed.7z").to_vec(),
        ),
        ("a.docx", overlapping_zip(3)),
    ])
}

proptest! {
    #[test]
    fn mutated_archives_stay_within_bounds(
        (name, mut archive) in any_archive(),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        for (index, byte) in mutations {
            let at = index.index(archive.len());
            archive[at] = byte;
        }
        if is_cut {
            archive.truncate(cut.index(archive.len()));
        }
        let finding = attached(name, &archive);
        prop_assert!(finding.symbols.len() <= crate::limits::SYMBOLS_MAX);
        prop_assert!(finding.reason.len() < 500);
        prop_assert!(!finding.reason.contains(['\r', '\n']));
    }

    #[test]
    fn any_bytes_under_any_name(
        name in ".{0,40}",
        extension in prop::sample::select(vec!["zip", "gz", "tar", "7z", "rar", "pdf", "com", "url"]),
        magic in prop::sample::select(vec![
            &b"PK\x03\x04"[..], b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"7z\xbc\xaf\x27\x1c\x00\x04",
            b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00", b"MZ", b"",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let content = [magic, &tail].concat();
        let finding = attached(&format!("{name}.{extension}"), &content);
        prop_assert_eq!(finding.engine.as_str(), NAME);
    }
}
