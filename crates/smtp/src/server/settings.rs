//! What a listener permits and offers. Every number's default and reason is in `limits`.

use crate::limits;
use crate::parameters::Offered;
use crate::server::data::Bounds;

/// The settings of a listener, shared by its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Our name in the banner and in the answer to EHLO.
    pub hostname: String,
    /// Bytes of a message (SIZE, RFC 1870); not 0, which would announce that there is no limit.
    pub message_size_max: u64,
    /// Recipients of one transaction (LIMITS RCPTMAX, RFC 9422).
    pub recipients_max: usize,
    /// Bytes of a header section.
    pub header_bytes_max: usize,
    /// Bad commands since the last accepted message; the next one ends the session.
    pub bad_commands_max: u16,
    /// Transactions of one session (LIMITS MAILMAX, RFC 9422).
    pub transactions_max: u32,
    /// What becomes of a bare CR or LF in mail data.
    pub bare_newline: BareNewline,
    /// Offer STARTTLS: there is a certificate.
    pub starttls: bool,
    /// Offer CHUNKING (RFC 3030).
    pub chunking: bool,
    /// Offer SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Offer DSN (RFC 3461).
    pub dsn: bool,
    /// Offer PRDR.
    pub prdr: bool,
    /// Offer PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// Offer REQUIRETLS (RFC 8689), within TLS. Whoever takes such a message promises to pass it on
    /// over TLS to servers that prove who they are, or to give it back.
    pub require_tls: bool,
    /// When to offer AUTH (RFC 4954).
    pub auth: AuthOffer,
}

/// What becomes of a bare CR or LF in mail data. Neither ever ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareNewline {
    /// The message is refused.
    Refuse,
    /// Each becomes CRLF.
    Normalise,
}

/// When AUTH is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthOffer {
    /// Not at all.
    Never,
    /// Once TLS is established: both mechanisms send the password as it is.
    OverTls,
    /// In clear too.
    Always,
}

/// What this client is trusted with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// To say by XCLIENT for whom it speaks.
    pub xclient: bool,
}

impl Settings {
    /// The default settings under this host name: everything offered but STARTTLS, REQUIRETLS
    /// and AUTH, which need something that only the caller has.
    pub fn new(hostname: impl Into<String>) -> Settings {
        Settings {
            hostname: hostname.into(),
            message_size_max: limits::MESSAGE_BYTES_MAX_DEFAULT,
            recipients_max: limits::RECIPIENTS_MAX_DEFAULT,
            header_bytes_max: limits::HEADER_BYTES_MAX_DEFAULT,
            bad_commands_max: limits::BAD_COMMANDS_MAX_DEFAULT,
            transactions_max: limits::TRANSACTIONS_MAX_DEFAULT,
            bare_newline: BareNewline::Refuse,
            starttls: false,
            chunking: true,
            smtputf8: true,
            dsn: true,
            prdr: true,
            pipelining: true,
            require_tls: false,
            auth: AuthOffer::Never,
        }
    }

    /// What a client may use; `tls`: the session is under TLS.
    pub(super) fn offered(&self, tls: bool) -> Offered {
        Offered {
            smtputf8: self.smtputf8,
            dsn: self.dsn,
            prdr: self.prdr,
            auth: self.auth != AuthOffer::Never,
            require_tls: self.require_tls && tls,
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            message_bytes_max: self.message_size_max,
            header_bytes_max: self.header_bytes_max as u64,
            normalise: self.bare_newline == BareNewline::Normalise,
        }
    }
}
