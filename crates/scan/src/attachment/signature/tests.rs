use super::{
    Executable, Format, HEAD_BYTES, ISO_SIGNATURE_AT, executable, format, may_be_disc_image,
};

fn padded(start: &[u8], bytes: usize) -> Vec<u8> {
    let mut head = start.to_vec();
    head.resize(bytes, 0);
    head
}

#[test]
fn executables() {
    let mut pe = padded(b"MZ", 512);
    pe[0x3c..0x3e].copy_from_slice(&[0xf0, 0]);
    pe[0xf0..0xf4].copy_from_slice(b"PE\0\0");
    let mut far = padded(b"MZ", HEAD_BYTES);
    far[0x3c..0x3f].copy_from_slice(&[0, 0, 1]);
    let dos = padded(b"MZ\x90\x00\x03\x00\x00\x00\x04\x00", 64);
    let mut iso = padded(b"", ISO_SIGNATURE_AT);
    iso.extend_from_slice(b"CD001");
    let shortcut = [0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0];
    for (head, expected) in [
        (pe, Executable::Windows),
        (far, Executable::Windows),
        (dos, Executable::Dos),
        (padded(b"\x7fELF\x02\x01\x01", 64), Executable::Elf),
        (
            padded(b"\xcf\xfa\xed\xfe\x07\x00\x00\x01", 64),
            Executable::MachO,
        ),
        (
            padded(b"\xca\xfe\xba\xbe\x00\x00\x00\x02", 64),
            Executable::MachO,
        ),
        (shortcut.to_vec(), Executable::Shortcut),
        (
            padded(b"ITSF\x03\x00\x00\x00", 64),
            Executable::CompiledHelp,
        ),
        (padded(b"dex\n035\0", 64), Executable::Android),
        (b"#!/usr/bin/env python3\n".to_vec(), Executable::Script),
        (b"#! /bin/sh".to_vec(), Executable::Script),
        (iso, Executable::DiscImage),
    ] {
        assert_eq!(executable(&head), Some(expected));
    }
}

#[test]
fn what_only_looks_like_a_program() {
    let text = "MZ is the sign of programs, and this text is long enough to have something where the header would be pointed to.";
    for head in [
        text.as_bytes(),
        b"MZ",
        b"",
        b"\x7fELF",
        b"#!",
        b"#!shebang-less list item",
        b"\xca\xfe\xba\xbe\x00\x00\x00\x34", // Java class
        b"ITSF",
        b"\x4c\0\0\0",
    ] {
        assert_eq!(executable(head), None, "{head:?}");
    }
}

#[test]
fn archives() {
    for (head, expected) in [
        (&b"PK\x03\x04"[..], Some(Format::Zip)),
        (b"PK\x05\x06", Some(Format::Zip)),
        (b"PK\x07\x08PK\x03\x04", Some(Format::Zip)),
        (b"\x1f\x8b\x08\x08", Some(Format::Gzip)),
        (b"\x1f\x8b\x07\x08", None),
        (b"7z\xbc\xaf\x27\x1c", Some(Format::SevenZip)),
        (b"Rar!\x1a\x07\x00", Some(Format::Rar4)),
        (b"Rar!\x1a\x07\x01\x00", Some(Format::Rar5)),
        (b"PK", None),
        (b"", None),
    ] {
        assert_eq!(format(head), expected, "{head:?}");
    }
    let tar = crate::attachment::fixture::tar(&[("a", b"x")]);
    assert_eq!(format(&tar), Some(Format::Tar));
    assert_eq!(format(&tar[..511]), None);
}

#[test]
fn empty_first_sectors_may_be_a_disc_image() {
    assert!(may_be_disc_image(&[0; 4_096]));
    let mut boot = vec![7; 4_096];
    assert!(!may_be_disc_image(&boot));
    boot[510..512].copy_from_slice(&[0x55, 0xaa]);
    assert!(may_be_disc_image(&boot));
    assert!(!may_be_disc_image(b""));
}
