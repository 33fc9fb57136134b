//! One command line of a client (RFC 5321 4.1): its verb, and its arguments by verb.
//!
//! What lives here knows no state: whether a command may come now is in `server::order`, what it
//! does in `server::execute`. Lines come without their CRLF; how they are found is `server::line`.

use std::str;

mod arguments;

pub(crate) use arguments::{
    AuthArgument, Chunk, auth, bdat, hello, mail, none, rcpt, vrfy, xclient,
};
pub use arguments::{CommandError, XclientAttribute};

#[cfg(test)]
mod tests;

/// The first word of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// RFC 5321 4.1.1.1.
    Ehlo,
    /// RFC 5321 4.1.1.1.
    Helo,
    /// RFC 5321 4.1.1.2.
    Mail,
    /// RFC 5321 4.1.1.3.
    Rcpt,
    /// RFC 5321 4.1.1.4.
    Data,
    /// RFC 3030 2.
    Bdat,
    /// RFC 5321 4.1.1.5.
    Rset,
    /// RFC 5321 4.1.1.9.
    Noop,
    /// RFC 5321 4.1.1.6.
    Vrfy,
    /// RFC 5321 4.1.1.7.
    Expn,
    /// RFC 5321 4.1.1.8.
    Help,
    /// RFC 5321 4.1.1.10.
    Quit,
    /// RFC 3207 4.
    StartTls,
    /// RFC 4954 4.
    Auth,
    /// Postfix XCLIENT_README.
    Xclient,
    /// None of these.
    Unknown,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 16] = [
        Verb::Ehlo,
        Verb::Helo,
        Verb::Mail,
        Verb::Rcpt,
        Verb::Data,
        Verb::Bdat,
        Verb::Rset,
        Verb::Noop,
        Verb::Vrfy,
        Verb::Expn,
        Verb::Help,
        Verb::Quit,
        Verb::StartTls,
        Verb::Auth,
        Verb::Xclient,
        Verb::Unknown,
    ];

    /// As it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Ehlo => "EHLO",
            Verb::Helo => "HELO",
            Verb::Mail => "MAIL",
            Verb::Rcpt => "RCPT",
            Verb::Data => "DATA",
            Verb::Bdat => "BDAT",
            Verb::Rset => "RSET",
            Verb::Noop => "NOOP",
            Verb::Vrfy => "VRFY",
            Verb::Expn => "EXPN",
            Verb::Help => "HELP",
            Verb::Quit => "QUIT",
            Verb::StartTls => "STARTTLS",
            Verb::Auth => "AUTH",
            Verb::Xclient => "XCLIENT",
            Verb::Unknown => "UNKNOWN",
        }
    }

    /// RFC 5321 2.4: verbs are not case-sensitive.
    fn of(word: &str) -> Verb {
        let known =
            |verb: &&Verb| **verb != Verb::Unknown && verb.as_str().eq_ignore_ascii_case(word);
        Verb::ALL
            .iter()
            .find(known)
            .copied()
            .unwrap_or(Verb::Unknown)
    }
}

/// A command line: verb and the text behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandLine<'a> {
    /// The verb.
    pub verb: Verb,
    /// What follows the verb and its blank, without blanks at the end.
    pub argument: &'a str,
}

impl<'a> CommandLine<'a> {
    /// Splits a line that has lost its CRLF.
    ///
    /// # Errors
    /// [`CommandError::Line`] if it holds control characters (a bare CR or LF, a NUL) or is not
    /// UTF-8, or holds UTF-8 where no argument may.
    pub fn parse(line: &'a [u8]) -> Result<CommandLine<'a>, CommandError> {
        let line = str::from_utf8(line).map_err(|_| CommandError::Line)?;
        // Those of Unicode too (U+0080 to U+009F): terminals obey them, and arguments reach logs.
        if line.contains(char::is_control) {
            return Err(CommandError::Line);
        }
        let line = line.trim_end_matches(' ');
        let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
        let verb = Verb::of(word);
        // RFC 6531 3.3 and 3.7.4: UTF-8 may stand in paths. EHLO has a reply of its own to it.
        let may_hold_utf8 = matches!(
            verb,
            Verb::Mail | Verb::Rcpt | Verb::Vrfy | Verb::Ehlo | Verb::Helo
        );
        if !may_hold_utf8 && !line.is_ascii() {
            return Err(CommandError::Line);
        }
        Ok(CommandLine { verb, argument })
    }
}

/// Whether a line is the beginning of an HTTP request: somebody makes a browser or a server
/// speak to us, and what it carries must not be taken for commands.
pub(crate) fn is_http_request(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 10] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"OPTIONS ",
        b"CONNECT ",
        b"DELETE ",
        b"TRACE ",
        b"PATCH ",
        b"PRI * HTTP/2",
    ];
    METHODS.iter().any(|method| line.starts_with(method))
}
