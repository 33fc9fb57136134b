//! The bodies of the fuzz targets, here so that the tests run them over the seed corpora in
//! `fuzz/corpus` and over mutations of them.
//!
//! Each takes any bytes and panics if something does not hold that must.

use crate::command::{self, CommandLine};
use crate::limits::PATH_BYTES_MAX;
use crate::parameters::{MailParameters, Offered, RcptParameters};
use crate::path::{ForwardPath, Mailbox, ReversePath};
use crate::reply::Reply;
use crate::reply::parse::ReplyParser;
use crate::status::{Class, Status};

pub use crate::client::fuzzing::client;
pub use crate::server::fuzzing::{bdat, data, session};

#[cfg(test)]
mod tests;

/// A command line, CRLF removed: what is understood is written and understood alike.
pub fn command(bytes: &[u8]) {
    let Ok(line) = CommandLine::parse(bytes) else {
        return;
    };
    assert!(!line.argument.contains(char::is_control));
    let argument = line.argument;
    let all = Offered {
        smtputf8: true,
        dsn: true,
        prdr: true,
        auth: true,
        require_tls: true,
    };
    if let Ok((path, parameters)) = command::mail(argument, all) {
        let again = format!("FROM:{}{parameters}", path.to_wire());
        assert_eq!(command::mail(&again, all), Ok((path, parameters)));
    }
    if let Ok((path, parameters)) = command::rcpt(argument, all, true) {
        let again = format!("TO:{}{parameters}", path.to_wire());
        assert_eq!(command::rcpt(&again, all, true), Ok((path, parameters)));
    }
    if let Ok(name) = command::hello(argument) {
        assert!(!name.is_empty() && name.is_ascii());
    }
    if let Ok(chunk) = command::bdat(argument) {
        let last = if chunk.last { " LAST" } else { "" };
        let again = format!("{}{last}", chunk.size);
        assert_eq!(command::bdat(&again), Ok(chunk));
    }
    if let Ok(attributes) = command::xclient(argument) {
        let values = attributes.iter().filter_map(|(_, value)| value.as_ref());
        assert!(
            values
                .flat_map(|value| value.chars())
                .all(|c| !c.is_control())
        );
    }
    if let Ok(text) = command::vrfy(argument, all) {
        assert!(!text.is_empty());
    }
    let _ = command::auth(argument);
    let none = Offered {
        smtputf8: false,
        dsn: false,
        prdr: false,
        auth: false,
        require_tls: false,
    };
    let plain = MailParameters::parse(argument, none);
    assert!(plain.is_err() || MailParameters::parse(argument, all) == plain);
    let plain = RcptParameters::parse(argument, none);
    assert!(plain.is_err() || RcptParameters::parse(argument, all) == plain);
}

/// A reply: whatever its text, what is written is read back with the same codes and can forge
/// none. Then the bytes themselves as the replies of a peer.
pub fn reply(bytes: &[u8]) {
    crate::client::fuzzing::reply(bytes);
    let [code, subject, detail, text @ ..] = bytes else {
        return;
    };
    let code = 200 + u16::from(*code) % 400;
    let class = Class::from_digit(code / 100);
    let status = class.map(|class| Status::new(class, u16::from(*subject), u16::from(*detail)));
    let reply = Reply::new(code, status, String::from_utf8_lossy(text));
    for utf8 in [false, true] {
        let mut wire = Vec::new();
        if utf8 {
            reply.write_utf8_to(&mut wire);
        } else {
            reply.write_to(&mut wire);
            assert!(wire.is_ascii());
        }
        let mut input = wire.as_slice();
        let read = ReplyParser::new().next(&mut input);
        assert!(input.is_empty(), "one reply and no more");
        let Ok(Some(read)) = read else {
            panic!("not read back: {read:?}");
        };
        assert_eq!(read.code(), code);
        if status.is_some() {
            assert_eq!(read.status(), status);
        }
    }
}

/// A path: what is read is bounded and written alike.
pub fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok((path, rest)) = ReversePath::parse_prefix(text) {
        assert!(text.len() - rest.len() <= PATH_BYTES_MAX);
        assert_eq!(ReversePath::parse_prefix(&path.to_wire()), Ok((path, "")));
    }
    if let Ok((path, _)) = ForwardPath::parse_prefix(text) {
        let wire = path.to_wire();
        assert!(!wire.contains(char::is_control));
        assert_eq!(ForwardPath::parse_prefix(&wire), Ok((path, "")));
    }
    if let Ok(mailbox) = text.parse::<Mailbox>() {
        assert_eq!(mailbox.to_string().parse(), Ok(mailbox.clone()));
        let key = mailbox.domain.ascii();
        assert!(key.is_ascii() && !key.bytes().any(|byte| byte.is_ascii_uppercase()));
    }
}
