//! What the driver wants of a client session. Whom to connect to, and how long to wait, it knows
//! by itself.

use std::fmt;

/// How to talk to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// Our name for EHLO: a domain name or an address literal (RFC 5321 section 4.1.4).
    pub ehlo_name: String,
    /// Whether to ask for TLS. Without meaning where TLS is there from the start.
    pub starttls: StartTlsUse,
    /// Whom to authenticate as. With it, a session without authentication is a failure.
    pub auth: Option<ClientAuth>,
    /// Use PIPELINING where offered.
    pub pipelining: bool,
    /// Use BDAT in place of DATA where CHUNKING and PIPELINING are offered. Without PIPELINING each
    /// chunk would wait for a reply.
    pub chunking: bool,
    /// What to do about an SMTP fixup of a firewall.
    pub pix: PixWorkaround,
}

/// The protocol of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 5321.
    Smtp,
    /// RFC 2033: LHLO, and one final reply for each accepted recipient.
    Lmtp,
}

/// Whether STARTTLS (RFC 3207) is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartTlsUse {
    /// Not even if offered.
    Never,
    /// If offered; in clear if not, or if the peer refuses it after all.
    Opportunistic,
    /// Without it the session fails.
    Require,
}

/// Credentials for AUTH (RFC 4954).
#[derive(Clone, PartialEq, Eq)]
pub struct ClientAuth {
    /// The authentication identity.
    pub user: String,
    /// The password.
    pub password: String,
    /// Send them also where no TLS protects them.
    pub in_clear: bool,
}

/// Whether the SMTP fixup of Cisco PIX and ASA firewalls is worked around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixWorkaround {
    /// Where one is recognised: HELO in place of EHLO, so no extensions, and the final dot in a write
    /// of its own (`Event::Pause`).
    Detect,
    /// As with `Detect` where one is recognised, and from the start: one was recognised at this peer
    /// before. TLS is out of reach then, so this is not for peers that need it.
    Known,
    /// Recognised (`Session::is_pix`), but nothing is done about it.
    Off,
}

impl Settings {
    /// SMTP with opportunistic TLS and pipelining, DATA, and the workaround.
    #[must_use]
    pub fn new(ehlo_name: impl Into<String>) -> Self {
        Self {
            protocol: Protocol::Smtp,
            ehlo_name: ehlo_name.into(),
            starttls: StartTlsUse::Opportunistic,
            auth: None,
            pipelining: true,
            chunking: false,
            pix: PixWorkaround::Detect,
        }
    }
}

impl fmt::Debug for ClientAuth {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuth")
            .field("user", &self.user)
            .field("in_clear", &self.in_clear)
            .finish_non_exhaustive()
    }
}
