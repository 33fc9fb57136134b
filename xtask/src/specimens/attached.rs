//! What senders attach: pictures (PNG), documents (PDF 1.4) and invitations (RFC 5545), small but whole.

use std::fmt::Write as _;

use anyhow::Result;

use super::recipient::Recipient;

/// A picture of vertical bands in colours of its own, 64 by 24.
pub(super) fn png(recipient: &Recipient<'_>, name: &str) -> Vec<u8> {
    let mut random = recipient.random(name);
    let colours: Vec<[u8; 3]> = (0..4)
        .map(|_| {
            let bits = random.next().to_le_bytes();
            [bits[0], bits[1], bits[2]]
        })
        .collect();
    let mut rows = Vec::new();
    for _ in 0..24 {
        // Filter type 0: the bytes as they are.
        rows.extend([0]);
        for column in 0..64 {
            rows.extend(colours.get(column / 16).copied().unwrap_or_default());
        }
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(
        &mut file,
        b"IHDR",
        &[0, 0, 0, 64, 0, 0, 0, 24, 8, 2, 0, 0, 0],
    );
    chunk(&mut file, b"IDAT", &stored(&rows));
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let checked: Vec<u8> = kind.iter().chain(data).copied().collect();
    file.extend((data.len() as u32).to_be_bytes());
    file.extend_from_slice(&checked);
    file.extend(crc32(&checked).to_be_bytes());
}

/// A zlib stream of one stored block (RFC 1950, RFC 1951 section 3.2.4): `data` is shorter than 64 KiB.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend_from_slice(data);
    let (mut low, mut high) = (1u32, 0u32);
    for byte in data {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

fn crc32(data: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// A document of one page with these lines; letters beyond ASCII are left out, as its font is not embedded.
pub(super) fn pdf(lines: &[String]) -> Result<Vec<u8>> {
    let mut page = String::from("BT /F1 11 Tf 56 780 Td 15 TL\n");
    for line in lines {
        let line: String = line.chars().filter(char::is_ascii).take(90).collect();
        let line = line
            .replace('\\', "\\\\")
            .replace('(', "\\(")
            .replace(')', "\\)");
        writeln!(page, "({line}) Tj T*")?;
    }
    page.push_str("ET\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R\n\
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len())?;
        write!(file, "{} 0 obj\n{object}\nendobj\n", at + 1)?;
    }
    let start = file.len();
    write!(
        file,
        "xref\n0 6\n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    )?;
    Ok(file.into_bytes())
}

/// An invitation of the sender's to the recipient, in a week.
pub(super) fn invitation(recipient: &Recipient<'_>, summary: &str) -> Result<String> {
    let lines = recipient.fill(
        "BEGIN:VCALENDAR\nPRODID:-//{org}//Calendar 2.4//EN\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\n\
         UID:{hex:32:uid}@{org}\nDTSTAMP:{icsdate:0}\nDTSTART:{icsdate:7}\nDURATION:PT1H\n\
         ORGANIZER:mailto:{sender}\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{email}\n",
    )?;
    // RFC 5545 section 3.3.11: commas and semicolons are escaped.
    let summary = summary.replace(',', "\\,").replace(';', "\\;");
    Ok(format!(
        "{lines}SUMMARY:{summary}\nSEQUENCE:0\nSTATUS:CONFIRMED\nEND:VEVENT\nEND:VCALENDAR\n"
    ))
}
