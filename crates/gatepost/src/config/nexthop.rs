//! Nexthops: where a route hands messages on to, and how.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{Address, Secret};

/// One nexthop of a route. `Display` gives the form of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Nexthop {
    /// `smtp:HOST:PORT` (RFC 5321).
    Smtp {
        /// Name or IP address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// `lmtp:HOST:PORT` or `lmtp:unix:PATH` (RFC 2033).
    Lmtp(Address),
    /// `maildir:PATH`.
    Maildir(PathBuf),
}

impl fmt::Display for Nexthop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Nexthop::Smtp { host, port } => {
                write!(f, "smtp:{}", Address::Tcp(host.clone(), *port))
            }
            Nexthop::Lmtp(address) => write!(f, "lmtp:{address}"),
            Nexthop::Maildir(path) => write!(f, "maildir:{}", path.display()),
        }
    }
}

/// Which nexthop of a list is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NexthopOrder {
    /// The first of the list; the others when it fails.
    Failover,
    /// Any of them, and the others when it fails.
    Random,
}

/// TLS towards a nexthop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NexthopTls {
    /// Never.
    Off,
    /// When offered; the certificate is not verified (RFC 7435).
    Opportunistic,
    /// Always, and the certificate is verified.
    Require,
}

/// What we log in with at a nexthop (RFC 4954).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NexthopAuth {
    /// The authentication identity.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// How long a nexthop may take (RFC 5321 4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NexthopTimeouts {
    /// To accept the connection.
    pub connect: Duration,
    /// For its banner.
    pub banner: Duration,
    /// For its reply to EHLO, MAIL, RCPT and the other commands.
    pub command: Duration,
    /// For its reply to DATA.
    pub data: Duration,
    /// To take a block of the message.
    pub block: Duration,
    /// For its reply to the end of the message.
    pub end: Duration,
}
