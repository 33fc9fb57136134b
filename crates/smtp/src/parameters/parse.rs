//! Reading the parameters behind a path (RFC 5321 4.1.2 Mail-parameters, Rcpt-parameters).
//!
//! A parameter of an extension that was not offered is unknown, as RFC 5321 4.1.1.11 has it.

use std::error::Error;
use std::fmt;

use super::{Body, MailParameters, Notify, RcptParameters, Ret};
use crate::limits::{ENVID_BYTES_MAX, ORCPT_BYTES_MAX, PARAMETERS_MAX, SIZE_DIGITS_MAX};
use crate::xtext;

/// Why parameters could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// No such parameter here (555).
    Unknown,
    /// A value is malformed, missing or not permitted (501).
    Value,
    /// The same parameter came twice (501).
    Repeated,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParameterError::Unknown => "unknown parameter",
            ParameterError::Value => "malformed parameter",
            ParameterError::Repeated => "repeated parameter",
        })
    }
}

impl Error for ParameterError {}

/// The extensions with parameters that this session has offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) smtputf8: bool,
    pub(crate) dsn: bool,
    pub(crate) prdr: bool,
    pub(crate) auth: bool,
    /// Only within TLS (RFC 8689 section 2).
    pub(crate) require_tls: bool,
}

impl Offered {
    /// All of them, for what this crate itself has written.
    const ALL: Offered = Offered {
        smtputf8: true,
        dsn: true,
        prdr: true,
        auth: true,
        require_tls: true,
    };
}

impl MailParameters {
    /// Reads back what `Display` has written, whatever extension it is of.
    ///
    /// # Errors
    /// If that has not written it.
    pub fn from_wire(text: &str) -> Result<MailParameters, ParameterError> {
        MailParameters::parse(text, Offered::ALL)
    }

    /// Reads what follows the reverse-path: nothing, or blanks and parameters.
    pub(crate) fn parse(text: &str, offered: Offered) -> Result<MailParameters, ParameterError> {
        let mut parameters = MailParameters::default();
        for parameter in split(text)? {
            let (keyword, value) = parameter;
            let keyword = keyword.to_ascii_uppercase();
            match keyword.as_str() {
                "SIZE" => once(&mut parameters.size, size(value))?,
                "BODY" => once(&mut parameters.body, body(value))?,
                "SMTPUTF8" if offered.smtputf8 => flag(&mut parameters.smtputf8, value)?,
                "RET" if offered.dsn => once(&mut parameters.ret, ret(value))?,
                "ENVID" if offered.dsn => once(&mut parameters.envid, envid(value))?,
                "AUTH" if offered.auth => once(&mut parameters.auth, auth(value))?,
                "PRDR" if offered.prdr => flag(&mut parameters.prdr, value)?,
                "REQUIRETLS" if offered.require_tls => flag(&mut parameters.require_tls, value)?,
                _ => return Err(ParameterError::Unknown),
            }
        }
        Ok(parameters)
    }
}

impl RcptParameters {
    /// Reads back what `Display` has written, whatever extension it is of.
    ///
    /// # Errors
    /// If that has not written it.
    pub fn from_wire(text: &str) -> Result<RcptParameters, ParameterError> {
        RcptParameters::parse(text, Offered::ALL)
    }

    /// Reads what follows the forward-path: nothing, or blanks and parameters.
    pub(crate) fn parse(text: &str, offered: Offered) -> Result<RcptParameters, ParameterError> {
        let mut parameters = RcptParameters::default();
        for (keyword, value) in split(text)? {
            match keyword.to_ascii_uppercase().as_str() {
                "NOTIFY" if offered.dsn => once(&mut parameters.notify, notify(value))?,
                "ORCPT" if offered.dsn => once(&mut parameters.orcpt, orcpt(value))?,
                _ => return Err(ParameterError::Unknown),
            }
        }
        Ok(parameters)
    }
}

type Parameter<'a> = (&'a str, Option<&'a str>);

fn split(text: &str) -> Result<impl Iterator<Item = Parameter<'_>>, ParameterError> {
    if !text.is_empty() && !text.starts_with(' ') {
        return Err(ParameterError::Value);
    }
    let words = text.split(' ').filter(|word| !word.is_empty());
    if words.clone().nth(PARAMETERS_MAX).is_some() {
        return Err(ParameterError::Unknown);
    }
    Ok(words.map(|word| match word.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (word, None),
    }))
}

fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), ParameterError> {
    let value = value.ok_or(ParameterError::Value)?;
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParameterError::Repeated),
    }
}

fn flag(slot: &mut bool, value: Option<&str>) -> Result<(), ParameterError> {
    if value.is_some() {
        return Err(ParameterError::Value);
    }
    if std::mem::replace(slot, true) {
        return Err(ParameterError::Repeated);
    }
    Ok(())
}

/// RFC 1870 4: up to 20 digits; what exceeds a `u64` is more than any limit.
fn size(value: Option<&str>) -> Option<u64> {
    let value = value?;
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    if value.is_empty() || value.len() > SIZE_DIGITS_MAX || !digits {
        return None;
    }
    Some(value.parse().unwrap_or(u64::MAX))
}

fn body(value: Option<&str>) -> Option<Body> {
    let value = value?;
    if value.eq_ignore_ascii_case("7BIT") {
        Some(Body::SevenBit)
    } else if value.eq_ignore_ascii_case("8BITMIME") {
        Some(Body::EightBitMime)
    } else {
        // RFC 3030 3: BINARYMIME is an extension of its own, which is not offered.
        None
    }
}

fn ret(value: Option<&str>) -> Option<Ret> {
    let value = value?;
    if value.eq_ignore_ascii_case("FULL") {
        Some(Ret::Full)
    } else if value.eq_ignore_ascii_case("HDRS") {
        Some(Ret::Headers)
    } else {
        None
    }
}

fn envid(value: Option<&str>) -> Option<String> {
    let value = value.filter(|value| !value.is_empty() && value.len() <= ENVID_BYTES_MAX)?;
    xtext::decode(value)
}

/// RFC 4954 5: xtext of a mailbox, or `<>`.
fn auth(value: Option<&str>) -> Option<String> {
    let value = value.filter(|value| !value.is_empty() && value.len() <= ORCPT_BYTES_MAX)?;
    xtext::decode(value)
}

fn notify(value: Option<&str>) -> Option<Notify> {
    let value = value?;
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::NEVER);
    }
    let mut notify = Notify::default();
    for word in value.split(',') {
        let wanted = if word.eq_ignore_ascii_case("SUCCESS") {
            &mut notify.success
        } else if word.eq_ignore_ascii_case("FAILURE") {
            &mut notify.failure
        } else if word.eq_ignore_ascii_case("DELAY") {
            &mut notify.delay
        } else {
            return None;
        };
        if std::mem::replace(wanted, true) {
            return None;
        }
    }
    Some(notify)
}

/// RFC 3461 4.2: `addr-type ; xtext`; RFC 6533 3 for the type `utf-8`.
fn orcpt(value: Option<&str>) -> Option<String> {
    let value = value.filter(|value| value.len() <= ORCPT_BYTES_MAX)?;
    let (kind, address) = value.split_once(';')?;
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if kind.is_empty() || !kind.bytes().all(is_atom) || address.is_empty() {
        return None;
    }
    let address = if kind.eq_ignore_ascii_case("utf-8") {
        xtext::decode_utf8_addr(address)?
    } else {
        xtext::decode(address)?
    };
    Some(format!("{kind};{address}"))
}
