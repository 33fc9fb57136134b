//! Numbered messages whose content follows from the number, so that the sink can tell an unharmed one.

use crate::random::Random;

/// The header field that carries the number.
const NUMBER: &str = "X-Crash-Number: ";
/// Lines of the body are about that long.
const LINE: u64 = 72;

/// A message on the wire, with its final dot: few are large, most are small.
pub(super) fn wire(seed: u64, number: u64) -> Vec<u8> {
    let mut wire = format!(
        "From: <a@example.org>\r\nTo: <b@example.com>\r\nSubject: crash\r\n{NUMBER}{number}\r\n\r\n"
    )
    .into_bytes();
    for line in body(seed, number).split_inclusive(|&byte| byte == b'\n') {
        // RFC 5321 4.5.2.
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// The number of a message as it arrived, without stuffed dots, if it is one of ours and unharmed.
pub(super) fn number_of_unharmed(seed: u64, content: &[u8]) -> Result<u64, String> {
    let end = content
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .ok_or("no header section")?;
    let (head, rest) = content.split_at(end);
    let head = String::from_utf8_lossy(head);
    let number = head
        .lines()
        .find_map(|line| line.strip_prefix(NUMBER))
        .and_then(|number| number.parse().ok())
        .ok_or("no number")?;
    if rest.get(4..) != Some(body(seed, number).as_slice()) {
        return Err(format!("message {number} is not what was sent"));
    }
    Ok(number)
}

/// The body of a message: lines of letters, some of which begin with a dot.
fn body(seed: u64, number: u64) -> Vec<u8> {
    let mut random = Random::new(seed ^ number.wrapping_mul(0x1000_0001));
    let bytes = match random.below(100) {
        0..80 => random.below(6_000),
        80..98 => random.below(40_000),
        _ => 60_000 + random.below(200_000),
    };
    let mut body = Vec::with_capacity(bytes as usize + LINE as usize);
    while (body.len() as u64) < bytes {
        if random.percent(5) {
            body.push(b'.');
        }
        let letter = b'a' + random.below(26) as u8;
        body.extend(std::iter::repeat_n(letter, random.below(LINE) as usize));
        body.extend_from_slice(random.next().to_string().as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    body
}

#[cfg(test)]
mod tests;
