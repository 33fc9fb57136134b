//! Archives and messages made at test time.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use crate::view::View;

/// A file to be packed.
#[derive(Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
    pub(super) is_deflated: bool,
    pub(super) flags: u16,
    /// Claimed in place of the true size.
    pub(super) size: Option<u32>,
}

pub(super) fn file(name: &str, content: impl Into<Vec<u8>>) -> File {
    File {
        name: name.to_owned(),
        content: content.into(),
        is_deflated: true,
        flags: 0,
        size: None,
    }
}

pub(super) fn stored(name: &str, content: impl Into<Vec<u8>>) -> File {
    File {
        is_deflated: false,
        ..file(name, content)
    }
}

/// A file with the encryption flag; its content is not what a password would give, which nobody tries.
pub(super) fn encrypted(name: &str) -> File {
    File {
        flags: 1,
        ..stored(name, *b"0123456789abcdef")
    }
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(super) fn zip(files: &[File]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for file in files {
        let packed = if file.is_deflated {
            deflate(&file.content)
        } else {
            file.content.clone()
        };
        let offset = archive.len();
        let fields = fields(file, packed.len());
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&fields);
        archive.extend_from_slice(file.name.as_bytes());
        archive.extend_from_slice(&packed);
        directory.extend(central_header(file, &fields, offset));
    }
    end(&mut archive, &directory, files.len());
    archive
}

/// What local and central header have in common, from the version needed to the length of the extra field.
fn fields(file: &File, packed: usize) -> Vec<u8> {
    let mut fields = vec![20, 0];
    fields.extend_from_slice(&file.flags.to_le_bytes());
    fields.extend_from_slice(&[if file.is_deflated { 8 } else { 0 }, 0]);
    fields.extend_from_slice(&[0; 8]);
    fields.extend_from_slice(&u32_of(packed));
    let size = file
        .size
        .map_or(u32_of(file.content.len()), u32::to_le_bytes);
    fields.extend_from_slice(&size);
    fields.extend_from_slice(&u16_of(file.name.len()));
    fields.extend_from_slice(&[0, 0]);
    fields
}

fn central_header(file: &File, fields: &[u8], offset: usize) -> Vec<u8> {
    let mut header = b"PK\x01\x02\x14\x00".to_vec();
    header.extend_from_slice(fields);
    header.extend_from_slice(&[0; 10]);
    header.extend_from_slice(&u32_of(offset));
    header.extend_from_slice(file.name.as_bytes());
    header
}

fn end(archive: &mut Vec<u8>, directory: &[u8], entries: usize) {
    let start = archive.len();
    archive.extend_from_slice(directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        archive.extend_from_slice(&u16_of(entries.min(65_535)));
    }
    archive.extend_from_slice(&u32_of(directory.len()));
    archive.extend_from_slice(&u32_of(start));
    archive.extend_from_slice(&[0, 0]);
}

/// A ZIP whose `entries` names all lead to the same deflated bytes.
pub(super) fn overlapping_zip(entries: usize) -> Vec<u8> {
    let kernel = file("0", vec![0; 1 << 20]);
    let packed = deflate(&kernel.content);
    let fields = fields(&kernel, packed.len());
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend_from_slice(&fields);
    archive.extend_from_slice(b"0");
    archive.extend_from_slice(&packed);
    let header = central_header(&kernel, &fields, 0);
    end(&mut archive, &header.repeat(entries), entries);
    archive
}

pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        if name.len() > 100 {
            tar_entry(&mut archive, "././@LongLink", b'L', name.as_bytes());
        }
        tar_entry(&mut archive, name.get(..100).unwrap_or(name), b'0', content);
    }
    archive.extend_from_slice(&[0; 1_024]);
    archive
}

pub(super) fn tar_entry(archive: &mut Vec<u8>, name: &str, kind: u8, content: &[u8]) {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    archive.extend_from_slice(&header);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
}

/// A RAR 4 archive of stored entries: name field, flags, content.
pub(super) fn rar_4(main_flags: u16, files: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
    let mut archive = b"Rar!\x1a\x07\x00".to_vec();
    let mut block = |kind: u8, flags: u16, fields: &[u8], data: &[u8]| {
        archive.extend_from_slice(&[0, 0, kind]);
        archive.extend_from_slice(&flags.to_le_bytes());
        archive.extend_from_slice(&u16_of(7 + fields.len()));
        archive.extend_from_slice(fields);
        archive.extend_from_slice(data);
    };
    block(0x73, main_flags, &[0; 6], b"");
    for (name, flags, content) in files {
        let mut fields = u32_of(content.len()).to_vec();
        fields.extend_from_slice(&u32_of(content.len()));
        fields.extend_from_slice(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 29, 0x30]);
        fields.extend_from_slice(&u16_of(name.len()));
        fields.extend_from_slice(&[0x20, 0, 0, 0]);
        fields.extend_from_slice(name);
        block(0x74, *flags, &fields, content);
    }
    block(0x7b, 0, b"", b"");
    archive
}

/// A RAR 5 archive of stored entries: name, extra area, content.
pub(super) fn rar_5(files: &[(&str, &[u8], &[u8])]) -> Vec<u8> {
    let mut archive = b"Rar!\x1a\x07\x01\x00".to_vec();
    rar_5_block(&mut archive, &[1, 0, 0], b"");
    for (name, extra, content) in files {
        let mut header = vec![2, 3, u8_of(extra.len()), u8_of(content.len())];
        header.extend_from_slice(&[0, u8_of(content.len()), 0x20, 0, 1, u8_of(name.len())]);
        header.extend_from_slice(name.as_bytes());
        header.extend_from_slice(extra);
        rar_5_block(&mut archive, &header, content);
    }
    rar_5_block(&mut archive, &[5, 0, 0], b"");
    archive
}

pub(super) fn rar_5_block(archive: &mut Vec<u8>, header: &[u8], data: &[u8]) {
    archive.extend_from_slice(&[0; 4]);
    archive.push(u8_of(header.len()));
    archive.extend_from_slice(header);
    archive.extend_from_slice(data);
}

fn u8_of(number: usize) -> u8 {
    u8::try_from(number)
        .ok()
        .filter(|n| *n < 128)
        .expect("small")
}

fn u16_of(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("small").to_le_bytes()
}

fn u32_of(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("small").to_le_bytes()
}

/// The beginning of a Windows program.
pub(super) fn windows_program() -> Vec<u8> {
    let mut program = vec![0; 512];
    program[..2].copy_from_slice(b"MZ");
    program[0x3c] = 0x80;
    program[0x80..0x84].copy_from_slice(b"PE\0\0");
    program
}

/// A message with a text and one attachment.
pub(super) fn message(name: &str, content: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "From: ann@example.com\r\nSubject: invoice\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n\
         --=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlease see attached.\r\n\
         --=_b\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename*=utf-8''{}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
        percent(name)
    )
    .into_bytes();
    for line in content.chunks(57) {
        message.extend(base64(line));
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"--=_b--\r\n");
    message
}

pub(super) fn view(message: Vec<u8>) -> View {
    View::parse(&Bytes::from(message))
}

fn percent(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = Vec::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| usize::from(group.get(at).copied().unwrap_or_default());
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            encoded.push(if at <= group.len() {
                ALPHABET[word >> (18 - 6 * at) & 63]
            } else {
                b'='
            });
        }
    }
    encoded
}
