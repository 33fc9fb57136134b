//! The header field `TLS-Required: No` (RFC 8689 section 3), by which a sender says that getting there matters more than how.

/// Bytes of a header section that are looked at.
const HEADER_BYTES_MAX: usize = 1024 * 1024;

/// Whether the message has the field with its one value. Any other value is none.
pub fn is_tls_optional(message: &[u8]) -> bool {
    let message = message.get(..HEADER_BYTES_MAX).unwrap_or(message);
    for line in message.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return false;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        if name.trim_ascii_end().eq_ignore_ascii_case(b"TLS-Required")
            && value.trim_ascii().eq_ignore_ascii_case(b"No")
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
