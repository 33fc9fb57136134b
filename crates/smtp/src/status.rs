//! Enhanced mail system status codes, class.subject.detail (RFC 3463).
//!
//! The codes in use here have names as constants (RFC 3463 3, RFC 5248 and the IANA registry).
//! What a reply says beside its status is in `reply`.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// A status code: `5.7.1` is class permanent, subject 7 (security or policy), detail 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Status {
    /// Whether the failure, if it is one, lasts.
    pub class: Class,
    /// What the status is about: 0 undefined, 1 addressing, 2 mailbox, 3 mail system, 4 network,
    /// 5 protocol, 6 content, 7 security or policy. At most three digits.
    pub subject: u16,
    /// The precise condition. At most three digits.
    pub detail: u16,
}

/// The first number of a status (RFC 3463 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// 2: done.
    Success,
    /// 4: try again later.
    Transient,
    /// 5: do not try again.
    Permanent,
}

impl Status {
    /// 2.0.0, nothing more to say.
    pub const OK: Status = Status::success(0, 0);
    /// 2.1.0, the reverse-path is accepted.
    pub const MAIL_ACCEPTED: Status = Status::success(1, 0);
    /// 2.1.5, the forward-path is accepted.
    pub const RCPT_ACCEPTED: Status = Status::success(1, 5);
    /// 2.6.0, the content is accepted.
    pub const CONTENT_ACCEPTED: Status = Status::success(6, 0);
    /// 2.7.0, authenticated.
    pub const AUTHENTICATED: Status = Status::success(7, 0);
    /// 4.3.0, a fault of this mail system that will pass.
    pub const SYSTEM_FAULT: Status = Status::transient(3, 0);
    /// 4.3.2, this system takes no messages now.
    pub const NOT_ACCEPTING: Status = Status::transient(3, 2);
    /// 4.5.3, too many recipients.
    pub const TOO_MANY_RECIPIENTS: Status = Status::transient(5, 3);
    /// 4.7.0, refused for now by a rule.
    pub const POLICY_TRANSIENT: Status = Status::transient(7, 0);
    /// 5.1.1, no such mailbox.
    pub const NO_SUCH_MAILBOX: Status = Status::permanent(1, 1);
    /// 5.1.3, the forward-path is no valid one.
    pub const BAD_FORWARD_PATH: Status = Status::permanent(1, 3);
    /// 5.1.7, the reverse-path is no valid one.
    pub const BAD_REVERSE_PATH: Status = Status::permanent(1, 7);
    /// 5.3.4, the message is too big.
    pub const MESSAGE_TOO_BIG: Status = Status::permanent(3, 4);
    /// 5.5.1, the command is unknown or comes out of order.
    pub const INVALID_COMMAND: Status = Status::permanent(5, 1);
    /// 5.5.2, the line is no command.
    pub const SYNTAX_ERROR: Status = Status::permanent(5, 2);
    /// 5.5.4, an argument or parameter is wrong.
    pub const INVALID_ARGUMENTS: Status = Status::permanent(5, 4);
    /// 5.6.0, the content is at fault.
    pub const CONTENT_FAULT: Status = Status::permanent(6, 0);
    /// 5.6.3, the conversion needed is not supported.
    pub const CONVERSION_UNSUPPORTED: Status = Status::permanent(6, 3);
    /// 5.6.7, a non-ASCII address is not permitted here (RFC 6531 3.5).
    pub const NON_ASCII_ADDRESS: Status = Status::permanent(6, 7);
    /// 5.7.0, refused by a rule.
    pub const POLICY: Status = Status::permanent(7, 0);
    /// 5.7.1, delivery is not authorised.
    pub const NOT_AUTHORISED: Status = Status::permanent(7, 1);
    /// 5.7.8, the credentials are wrong (RFC 4954 6).
    pub const BAD_CREDENTIALS: Status = Status::permanent(7, 8);
    /// 5.7.11, the mechanism needs encryption (RFC 4954 6).
    pub const ENCRYPTION_NEEDED: Status = Status::permanent(7, 11);
    /// 5.7.30, no server on the way supports REQUIRETLS, which the message needs (RFC 8689 8).
    pub const REQUIRETLS_NEEDED: Status = Status::permanent(7, 30);

    /// A status of class 2.
    pub const fn success(subject: u16, detail: u16) -> Status {
        Status::new(Class::Success, subject, detail)
    }

    /// A status of class 4.
    pub const fn transient(subject: u16, detail: u16) -> Status {
        Status::new(Class::Transient, subject, detail)
    }

    /// A status of class 5.
    pub const fn permanent(subject: u16, detail: u16) -> Status {
        Status::new(Class::Permanent, subject, detail)
    }

    /// A status. Subject and detail have at most three digits (RFC 3463 2).
    pub const fn new(class: Class, subject: u16, detail: u16) -> Status {
        Status {
            class,
            subject,
            detail,
        }
    }
}

impl Class {
    /// The digit on the wire: 2, 4 or 5. A reply code begins with the same one (RFC 2034 4).
    pub const fn digit(self) -> u16 {
        match self {
            Class::Success => 2,
            Class::Transient => 4,
            Class::Permanent => 5,
        }
    }

    /// The class whose digit this is.
    pub const fn from_digit(digit: u16) -> Option<Class> {
        match digit {
            2 => Some(Class::Success),
            4 => Some(Class::Transient),
            5 => Some(Class::Permanent),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class.digit(), self.subject, self.detail)
    }
}

/// The text is not a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidStatus;

impl fmt::Display for InvalidStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an enhanced status code")
    }
}

impl Error for InvalidStatus {}

impl FromStr for Status {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Status, InvalidStatus> {
        let mut numbers = text.split('.');
        let (Some(class), Some(subject), Some(detail), None) = (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) else {
            return Err(InvalidStatus);
        };
        let class = number(class).and_then(Class::from_digit);
        match (class, number(subject), number(detail)) {
            (Some(class), Some(subject), Some(detail)) => Ok(Status::new(class, subject, detail)),
            _ => Err(InvalidStatus),
        }
    }
}

/// RFC 3463 2: one to three digits without leading zeros.
fn number(text: &str) -> Option<u16> {
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if text.len() > 3 || leading_zero || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
