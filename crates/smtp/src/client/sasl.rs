//! The client's side of AUTH (RFC 4954): the mechanisms PLAIN (RFC 4616) and LOGIN, each with its
//! base64. When it may be used is decided in `client::opening`.

use super::{Capabilities, ClientAuth};

/// What the next 334 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The response of PLAIN, if it was not sent along with the command (or was overlooked there).
    Plain,
    /// The user name of LOGIN.
    User,
    /// The password of LOGIN.
    Password,
    /// Nothing: all was said.
    Done,
}

/// The longest AUTH command with an initial response. RFC 4954 section 4 lifts the limit of 512 for
/// servers, but a long response is safer on a line of its own.
const COMMAND_BYTES_MAX: usize = 510;

/// The AUTH command, and what comes next. `None` if the peer offers no mechanism that we speak.
pub(super) fn begin(capabilities: &Capabilities, auth: &ClientAuth) -> Option<(String, Step)> {
    if capabilities.has_mechanism("PLAIN") {
        let command = format!("AUTH PLAIN {}", plain(auth));
        if command.len() > COMMAND_BYTES_MAX {
            return Some(("AUTH PLAIN".to_owned(), Step::Plain));
        }
        return Some((command, Step::Plain));
    }
    capabilities
        .has_mechanism("LOGIN")
        .then(|| ("AUTH LOGIN".to_owned(), Step::User))
}

/// The response to a 334, and what comes next. `None`: there is nothing left to say.
pub(super) fn respond(step: Step, auth: &ClientAuth) -> Option<(String, Step)> {
    match step {
        Step::Plain => Some((plain(auth), Step::Done)),
        Step::User => Some((base64(auth.user.as_bytes()), Step::Password)),
        Step::Password => Some((base64(auth.password.as_bytes()), Step::Done)),
        Step::Done => None,
    }
}

/// RFC 4616 section 2: no authorization identity, NUL, authentication identity, NUL, password.
fn plain(auth: &ClientAuth) -> String {
    base64(format!("\0{}\0{}", auth.user, auth.password).as_bytes())
}

/// RFC 4648 section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let octets = group
            .iter()
            .fold(0_u32, |octets, &byte| octets << 8 | u32::from(byte));
        let octets = octets << (8 * (3 - group.len()));
        for digit in 0..4 {
            if digit > group.len() {
                out.push('=');
                continue;
            }
            let value = octets >> (18 - 6 * digit) & 0b11_1111;
            out.push(char::from(ALPHABET[value as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
