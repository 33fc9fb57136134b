//! What the session says in its own words: one table of fixed replies, and one from errors.

use crate::command::{CommandError, Verb};
use crate::parameters::ParameterError;
use crate::path::PathError;
use crate::reply::{Reply, write_reply};
use crate::status::Status;

/// A reply that needs no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) code: u16,
    status: Option<Status>,
    text: &'static str,
}

impl Fixed {
    pub(super) fn write_to(self, out: &mut Vec<u8>) {
        write_reply(out, self.code, self.status, self.text, false);
    }

    pub(super) fn to_reply(self) -> Reply {
        Reply::new(self.code, self.status, self.text)
    }
}

const fn fixed(code: u16, status: Status, text: &'static str) -> Fixed {
    Fixed {
        code,
        status: Some(status),
        text,
    }
}

pub(super) const OK: Fixed = fixed(250, Status::OK, "OK");
pub(super) const MAIL_OK: Fixed = fixed(250, Status::MAIL_ACCEPTED, "OK");
pub(super) const RCPT_OK: Fixed = fixed(250, Status::RCPT_ACCEPTED, "OK");
pub(super) const QUIT: Fixed = fixed(221, Status::OK, "Bye");
pub(super) const HELP: Fixed = fixed(
    214,
    Status::OK,
    "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS AUTH (RFC 5321)",
);
pub(super) const START_TLS: Fixed = fixed(220, Status::OK, "Ready to start TLS");
pub(super) const AUTHENTICATED: Fixed = fixed(235, Status::AUTHENTICATED, "Authenticated");
pub(super) const VRFY: Fixed = fixed(
    252,
    Status::OK,
    "Cannot verify a mailbox, but will take messages and attempt delivery",
);
/// RFC 2034 4 has no status for 3xx.
pub(super) const DATA: Fixed = Fixed {
    code: 354,
    status: None,
    text: "Send the message, end with <CRLF>.<CRLF>",
};
pub(super) const PRDR: Fixed = Fixed {
    code: 353,
    status: None,
    text: "One reply for each recipient follows",
};

pub(super) const UNKNOWN_COMMAND: Fixed =
    fixed(500, Status::INVALID_COMMAND, "Command not recognised");
pub(super) const LINE_TOO_LONG: Fixed = fixed(500, Status::SYNTAX_ERROR, "Line too long");
/// RFC 4954 6.
pub(super) const AUTH_LINE_TOO_LONG: Fixed = fixed(
    500,
    Status::permanent(5, 6),
    "Authentication response too long",
);
pub(super) const BAD_LINE: Fixed = fixed(
    500,
    Status::SYNTAX_ERROR,
    "Not a command: control characters, bare CR or LF, or octets that are not UTF-8",
);
pub(super) const BAD_ARGUMENT: Fixed = fixed(501, Status::INVALID_ARGUMENTS, "Malformed argument");
const ARGUMENT_MISSING: Fixed = fixed(501, Status::INVALID_ARGUMENTS, "Argument missing");
const ARGUMENT_UNEXPECTED: Fixed = fixed(
    501,
    Status::INVALID_ARGUMENTS,
    "This command takes no argument",
);
const BRACKETS: Fixed = fixed(
    501,
    Status::INVALID_ARGUMENTS,
    "The path must stand in angle brackets",
);
const BAD_PARAMETER: Fixed = fixed(501, Status::INVALID_ARGUMENTS, "Malformed parameter");
const REPEATED_PARAMETER: Fixed = fixed(501, Status::INVALID_ARGUMENTS, "Repeated parameter");
const UNKNOWN_PARAMETER: Fixed = fixed(555, Status::INVALID_ARGUMENTS, "Unknown parameter");
const NON_ASCII: Fixed = fixed(
    553,
    Status::NON_ASCII_ADDRESS,
    "A non-ASCII address needs SMTPUTF8",
);
pub(super) const NOT_OFFERED: Fixed =
    fixed(502, Status::INVALID_COMMAND, "Command not implemented");
pub(super) const EHLO_FIRST: Fixed = fixed(503, Status::INVALID_COMMAND, "Send EHLO first");
pub(super) const MAIL_FIRST: Fixed = fixed(503, Status::INVALID_COMMAND, "Send MAIL first");
pub(super) const RCPT_FIRST: Fixed = fixed(503, Status::INVALID_COMMAND, "No valid recipients");
pub(super) const NESTED_MAIL: Fixed = fixed(
    503,
    Status::INVALID_COMMAND,
    "A transaction is in progress already",
);
pub(super) const CHUNKS_IN_PROGRESS: Fixed = fixed(
    503,
    Status::INVALID_COMMAND,
    "The content has begun with BDAT",
);
pub(super) const RSET_FIRST: Fixed = fixed(
    503,
    Status::INVALID_COMMAND,
    "A chunk was refused, send RSET",
);
pub(super) const TRANSACTION_IN_PROGRESS: Fixed =
    fixed(503, Status::INVALID_COMMAND, "Not within a transaction");
pub(super) const TLS_ALREADY: Fixed = fixed(503, Status::INVALID_COMMAND, "TLS is active already");
pub(super) const AUTH_ALREADY: Fixed = fixed(503, Status::INVALID_COMMAND, "Authenticated already");
pub(super) const AUTH_MECHANISM: Fixed =
    fixed(504, Status::INVALID_ARGUMENTS, "Mechanism not supported");
pub(super) const AUTH_NEEDS_TLS: Fixed = fixed(
    538,
    Status::ENCRYPTION_NEEDED,
    "Encryption is required: send STARTTLS first",
);
pub(super) const AUTH_MALFORMED: Fixed = fixed(
    501,
    Status::SYNTAX_ERROR,
    "Malformed authentication response",
);
pub(super) const AUTH_CANCELLED: Fixed = fixed(501, Status::POLICY, "Authentication cancelled");
pub(super) const XCLIENT_UNTRUSTED: Fixed =
    fixed(550, Status::NOT_AUTHORISED, "XCLIENT is not for you");
pub(super) const SIZE_TOO_LARGE: Fixed = fixed(
    552,
    Status::MESSAGE_TOO_BIG,
    "The message is larger than permitted",
);
pub(super) const TOO_MANY_RECIPIENTS: Fixed =
    fixed(452, Status::TOO_MANY_RECIPIENTS, "Too many recipients");
pub(super) const INTERNAL: Fixed = fixed(451, Status::SYSTEM_FAULT, "Internal error, try later");

pub(super) const TOO_MANY_ERRORS: Fixed = closing("Too many errors");
pub(super) const TOO_MANY_COMMANDS: Fixed = closing("Too many commands without a message");
pub(super) const TOO_MANY_TRANSACTIONS: Fixed = closing("Too many transactions in this session");
pub(super) const TOO_MANY_REFUSED: Fixed = closing("Too many unknown recipients");
pub(super) const TOO_MANY_AUTH_FAILURES: Fixed = closing("Too many failed authentications");
pub(super) const ENDLESS_LINE: Fixed = closing("Endless line");
pub(super) const FOREIGN_PROTOCOL: Fixed = closing("This is SMTP");
pub(super) const TOO_MUCH_DATA: Fixed = fixed(
    552,
    Status::MESSAGE_TOO_BIG,
    "The message is larger than permitted, closing",
);

const fn closing(text: &'static str) -> Fixed {
    fixed(421, Status::POLICY_TRANSIENT, text)
}

/// The reply to a command that could not be understood.
pub(super) fn of_error(error: CommandError) -> Fixed {
    match error {
        CommandError::Line => BAD_LINE,
        CommandError::ArgumentMissing => ARGUMENT_MISSING,
        CommandError::ArgumentUnexpected => ARGUMENT_UNEXPECTED,
        CommandError::Argument => BAD_ARGUMENT,
        CommandError::ReversePath(error) => of_path(error, Status::BAD_REVERSE_PATH),
        CommandError::ForwardPath(error) => of_path(error, Status::BAD_FORWARD_PATH),
        CommandError::Parameter(ParameterError::Unknown) => UNKNOWN_PARAMETER,
        CommandError::Parameter(ParameterError::Value) => BAD_PARAMETER,
        CommandError::Parameter(ParameterError::Repeated) => REPEATED_PARAMETER,
        CommandError::NonAsciiPath => NON_ASCII,
    }
}

fn of_path(error: PathError, status: Status) -> Fixed {
    match error {
        PathError::Brackets => BRACKETS,
        // RFC 5321 4.5.3.1.10.
        PathError::TooLong => fixed(501, status, "Path too long"),
        PathError::LocalPart => fixed(553, status, "Malformed local-part"),
        PathError::Domain => fixed(553, status, "Malformed domain"),
        PathError::DomainMissing => fixed(553, status, "The mailbox has no domain"),
    }
}

/// What answers a request that the caller accepts. EHLO, XCLIENT and BDAT have words of their own.
pub(super) fn of_acceptance(verb: Verb) -> Fixed {
    match verb {
        Verb::Mail => MAIL_OK,
        Verb::Rcpt => RCPT_OK,
        Verb::Data => DATA,
        Verb::Auth => AUTHENTICATED,
        Verb::Vrfy => VRFY,
        _ => OK,
    }
}
