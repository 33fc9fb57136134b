//! The arguments of each verb, and every way in which they can be wrong.
//!
//! Which reply an error gets is in `server::replies`.

use std::error::Error;
use std::fmt;

use crate::limits::{CHUNK_SIZE_DIGITS_MAX, DOMAIN_BYTES_MAX, PATH_BYTES_MAX};
use crate::parameters::{MailParameters, Offered, ParameterError, RcptParameters};
use crate::path::{ForwardPath, PathError, ReversePath};
use crate::xtext;

/// Why a command could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The line holds control characters or is not UTF-8.
    Line,
    /// An argument is missing.
    ArgumentMissing,
    /// The command takes no argument.
    ArgumentUnexpected,
    /// The argument is malformed.
    Argument,
    /// The reverse-path is malformed.
    ReversePath(PathError),
    /// The forward-path is malformed.
    ForwardPath(PathError),
    /// A parameter is wrong.
    Parameter(ParameterError),
    /// A path is not ASCII, and SMTPUTF8 was not given.
    NonAsciiPath,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Line => f.write_str("not a command line"),
            CommandError::ArgumentMissing => f.write_str("argument missing"),
            CommandError::ArgumentUnexpected => f.write_str("unexpected argument"),
            CommandError::Argument => f.write_str("malformed argument"),
            CommandError::ReversePath(error) => write!(f, "reverse-path: {error}"),
            CommandError::ForwardPath(error) => write!(f, "forward-path: {error}"),
            CommandError::Parameter(error) => error.fmt(f),
            CommandError::NonAsciiPath => f.write_str("non-ASCII path without SMTPUTF8"),
        }
    }
}

impl Error for CommandError {}

/// A chunk that BDAT announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Bytes that follow the command.
    pub(crate) size: u64,
    /// Whether the message ends with it.
    pub(crate) last: bool,
}

/// What follows AUTH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AuthArgument<'a> {
    pub(crate) mechanism: &'a str,
    /// As sent, in base64; `=` is the empty response (RFC 4954 4).
    pub(crate) initial_response: Option<&'a str>,
}

/// What a trusted peer tells about the client behind it (Postfix XCLIENT_README).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XclientAttribute {
    /// The client's host name.
    Name,
    /// Its address: `192.0.2.1` or `IPV6:2001:db8::1`.
    Addr,
    /// Its port.
    Port,
    /// `SMTP` or `ESMTP`.
    Proto,
    /// What it said with EHLO or HELO.
    Helo,
    /// Whom it authenticated as.
    Login,
    /// The address that it connected to.
    DestAddr,
    /// The port that it connected to.
    DestPort,
}

impl XclientAttribute {
    /// All of them, in the order in which EHLO lists them.
    pub const ALL: [XclientAttribute; 8] = [
        XclientAttribute::Name,
        XclientAttribute::Addr,
        XclientAttribute::Port,
        XclientAttribute::Proto,
        XclientAttribute::Helo,
        XclientAttribute::Login,
        XclientAttribute::DestAddr,
        XclientAttribute::DestPort,
    ];

    /// As it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            XclientAttribute::Name => "NAME",
            XclientAttribute::Addr => "ADDR",
            XclientAttribute::Port => "PORT",
            XclientAttribute::Proto => "PROTO",
            XclientAttribute::Helo => "HELO",
            XclientAttribute::Login => "LOGIN",
            XclientAttribute::DestAddr => "DESTADDR",
            XclientAttribute::DestPort => "DESTPORT",
        }
    }
}

/// RFC 5321 4.1.1.1 wants a domain or an address literal. Too many clients give something else
/// for us to be strict: any printable ASCII is taken.
pub(crate) fn hello(argument: &str) -> Result<&str, CommandError> {
    let name = argument.trim_start_matches(' ');
    if name.is_empty() {
        return Err(CommandError::ArgumentMissing);
    }
    if name.len() > DOMAIN_BYTES_MAX || !name.is_ascii() {
        return Err(CommandError::Argument);
    }
    Ok(name)
}

/// RFC 5321 4.1.1.2.
pub(crate) fn mail(
    argument: &str,
    offered: Offered,
) -> Result<(ReversePath, MailParameters), CommandError> {
    let path = after_keyword(argument, "FROM:")?;
    let (path, rest) = ReversePath::parse_prefix(path).map_err(CommandError::ReversePath)?;
    let parameters = MailParameters::parse(rest, offered).map_err(CommandError::Parameter)?;
    if !parameters.smtputf8 && !path.is_ascii() {
        return Err(CommandError::NonAsciiPath);
    }
    Ok((path, parameters))
}

/// RFC 5321 4.1.1.3. Whether the path may hold UTF-8 was said with MAIL.
pub(crate) fn rcpt(
    argument: &str,
    offered: Offered,
    smtputf8: bool,
) -> Result<(ForwardPath, RcptParameters), CommandError> {
    let path = after_keyword(argument, "TO:")?;
    let (path, rest) = ForwardPath::parse_prefix(path).map_err(CommandError::ForwardPath)?;
    let parameters = RcptParameters::parse(rest, offered).map_err(CommandError::Parameter)?;
    if !smtputf8 && !argument.is_ascii() {
        return Err(CommandError::NonAsciiPath);
    }
    Ok((path, parameters))
}

/// RFC 3030 2: `BDAT size [LAST]`.
pub(crate) fn bdat(argument: &str) -> Result<Chunk, CommandError> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let size = words.next().ok_or(CommandError::ArgumentMissing)?;
    let digits = size.bytes().all(|byte| byte.is_ascii_digit());
    if size.len() > CHUNK_SIZE_DIGITS_MAX || !digits {
        return Err(CommandError::Argument);
    }
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(CommandError::Argument),
    };
    if words.next().is_some() {
        return Err(CommandError::Argument);
    }
    // What exceeds a u64 is never read to its end anyway.
    let size = size.parse().unwrap_or(u64::MAX);
    Ok(Chunk { size, last })
}

/// RFC 5321 4.1.1.6. RFC 6531 3.7.4.2 permits UTF-8 with the parameter SMTPUTF8.
pub(crate) fn vrfy(argument: &str, offered: Offered) -> Result<&str, CommandError> {
    let (text, smtputf8) = match argument.strip_suffix(" SMTPUTF8") {
        Some(text) if offered.smtputf8 => (text, true),
        _ => (argument, false),
    };
    let text = text.trim_matches(' ');
    if text.is_empty() {
        return Err(CommandError::ArgumentMissing);
    }
    if text.len() > PATH_BYTES_MAX {
        return Err(CommandError::Argument);
    }
    if !smtputf8 && !text.is_ascii() {
        return Err(CommandError::NonAsciiPath);
    }
    Ok(text)
}

/// RFC 4954 4: `AUTH mechanism [initial-response]`.
pub(crate) fn auth(argument: &str) -> Result<AuthArgument<'_>, CommandError> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let mechanism = words.next().ok_or(CommandError::ArgumentMissing)?;
    let initial_response = words.next();
    if words.next().is_some() {
        return Err(CommandError::Argument);
    }
    Ok(AuthArgument {
        mechanism,
        initial_response,
    })
}

/// Postfix XCLIENT_README: `XCLIENT name=xtext ...`. What is not known is `None`.
pub(crate) fn xclient(
    argument: &str,
) -> Result<Vec<(XclientAttribute, Option<String>)>, CommandError> {
    let words = argument.split(' ').filter(|word| !word.is_empty());
    let attributes: Vec<_> = words.map(attribute).collect::<Result<_, _>>()?;
    if attributes.is_empty() {
        return Err(CommandError::ArgumentMissing);
    }
    if attributes.len() > XclientAttribute::ALL.len() {
        return Err(CommandError::Argument);
    }
    Ok(attributes)
}

fn attribute(word: &str) -> Result<(XclientAttribute, Option<String>), CommandError> {
    let (name, value) = word.split_once('=').ok_or(CommandError::Argument)?;
    let attribute = XclientAttribute::ALL
        .into_iter()
        .find(|attribute| attribute.as_str().eq_ignore_ascii_case(name))
        .ok_or(CommandError::Argument)?;
    let is_unknown =
        value.eq_ignore_ascii_case("[UNAVAILABLE]") || value.eq_ignore_ascii_case("[TEMPUNAVAIL]");
    if is_unknown {
        return Ok((attribute, None));
    }
    let value = xtext::decode(value).ok_or(CommandError::Argument)?;
    Ok((attribute, Some(value)))
}

/// DATA, RSET, QUIT and STARTTLS stand alone.
pub(crate) fn none(argument: &str) -> Result<(), CommandError> {
    if argument.is_empty() {
        Ok(())
    } else {
        Err(CommandError::ArgumentUnexpected)
    }
}

/// `FROM:` or `TO:`. RFC 5321 3.3 forbids a blank behind the colon; one is tolerated, since many
/// clients send it and it leaves no doubt.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Result<&'a str, CommandError> {
    let (start, rest) = argument
        .split_at_checked(keyword.len())
        .ok_or(CommandError::Argument)?;
    if !start.eq_ignore_ascii_case(keyword) {
        return Err(CommandError::Argument);
    }
    Ok(rest.strip_prefix(' ').unwrap_or(rest))
}
