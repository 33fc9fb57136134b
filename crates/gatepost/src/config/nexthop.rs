//! Nexthops: where a route hands messages on to, and how.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use scan::address::Address;
use smtp::client::StartTlsUse;

use super::Secret;
use super::error::Fault;
use super::reader::{Reader, Section};

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
    /// `mx`: the mail exchangers of the recipient domain (RFC 5321 5.1).
    Mx {
        /// Their TCP port: 25, unless `mx:PORT` says otherwise.
        port: u16,
    },
}

/// The port of SMTP between servers (RFC 5321 4.5.4.2).
const SMTP_PORT: u16 = 25;

impl fmt::Display for Nexthop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Nexthop::Smtp { host, port } => {
                write!(f, "smtp:{}", Address::Tcp(host.clone(), *port))
            }
            Nexthop::Lmtp(address) => write!(f, "lmtp:{address}"),
            Nexthop::Maildir(path) => write!(f, "maildir:{}", path.display()),
            Nexthop::Mx { port: SMTP_PORT } => f.write_str("mx"),
            Nexthop::Mx { port } => write!(f, "mx:{port}"),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NexthopTls {
    /// Never.
    Off,
    /// When offered; the certificate is not verified (RFC 7435).
    Opportunistic,
    /// Always, and the certificate is verified.
    Require,
    /// As the server's TLSA records say (RFC 7672); opportunistic if it has none.
    Dane,
    /// As the server's TLSA records say; without them it gets nothing.
    DaneOnly,
}

impl NexthopTls {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            NexthopTls::Off => "off",
            NexthopTls::Opportunistic => "opportunistic",
            NexthopTls::Require => "require",
            NexthopTls::Dane => "dane",
            NexthopTls::DaneOnly => "dane-only",
        }
    }

    /// What is made of STARTTLS where no record or policy of the server's side says more.
    pub fn starttls(self) -> StartTlsUse {
        match self {
            NexthopTls::Off => StartTlsUse::Never,
            NexthopTls::Opportunistic | NexthopTls::Dane => StartTlsUse::Opportunistic,
            NexthopTls::Require | NexthopTls::DaneOnly => StartTlsUse::Require,
        }
    }
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
    /// For the envelope as a whole, from MAIL to its reply to DATA.
    pub envelope: Duration,
    /// What it must take of the message each second, on average; 0 for no floor.
    pub bytes_per_second_min: u64,
}

impl Nexthop {
    /// A nexthop as an operator gives it to a command: as in the configuration, with absolute paths.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn from_command(text: &str) -> Result<Nexthop, String> {
        let fault = |fault: Fault| format!("{}; {}", fault.message, fault.remedy);
        let nexthop = Nexthop::parse_with(text, |path: &str| PathBuf::from(path)).map_err(fault)?;
        match &nexthop {
            Nexthop::Maildir(path) if !path.is_absolute() => {
                Err("a maildir needs its whole path: write \"maildir:/PATH\"".to_owned())
            }
            _ => Ok(nexthop),
        }
    }

    /// A nexthop as the configuration writes it.
    pub(super) fn parse(text: &str, reader: &Reader<'_>) -> Result<Nexthop, Fault> {
        Nexthop::parse_with(text, |path| reader.path(path))
    }

    fn parse_with(text: &str, path: impl Fn(&str) -> PathBuf) -> Result<Nexthop, Fault> {
        let shown = text.escape_debug();
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        match scheme {
            "smtp" => match tcp_address(rest, 25)? {
                Address::Tcp(host, port) => Ok(Nexthop::Smtp { host, port }),
                Address::Unix(_) => Err(Fault::new(
                    format!("`{shown}`: SMTP goes over TCP"),
                    "write \"smtp:HOST:PORT\"; only LMTP has unix sockets",
                )),
            },
            "lmtp" => tcp_address(rest, 24).map(Nexthop::Lmtp),
            "maildir" if !rest.is_empty() && !rest.contains('\0') => {
                Ok(Nexthop::Maildir(path(rest)))
            }
            "mx" if text == "mx" => Ok(Nexthop::Mx { port: SMTP_PORT }),
            "mx" => match rest.parse() {
                Ok(port) if port != 0 => Ok(Nexthop::Mx { port }),
                _ => Err(Fault::new(
                    format!("`{shown}`: `{}` is not a port", rest.escape_debug()),
                    "write \"mx\", or \"mx:PORT\" where servers listen elsewhere than on port 25",
                )),
            },
            _ => Err(Fault::new(
                format!("`{shown}` is not a nexthop"),
                "write \"smtp:HOST:PORT\", \"lmtp:HOST:PORT\", \"lmtp:unix:PATH\", \"maildir:PATH\" or \"mx\"",
            )),
        }
    }

    /// Whether it may stand beside others in a list.
    pub(super) fn is_listable(&self) -> bool {
        matches!(self, Nexthop::Smtp { .. } | Nexthop::Lmtp(_))
    }

    /// Whether messages go over a connection.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Nexthop::Maildir(_))
    }
}

/// `HOST:PORT` or `unix:PATH`; the port is not guessed, but suggested.
fn tcp_address(text: &str, port: u16) -> Result<Address, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            format!("`{}` is not a host and port", text.escape_debug()),
            format!("write a host and a port, such as \"mail.example.org:{port}\" or \"[2001:db8::1]:{port}\""),
        )
    })
}

impl NexthopAuth {
    pub(super) fn read(section: &Section<'_, '_>) -> Option<NexthopAuth> {
        let (user, password) = (section.text("user"), section.secret("password"));
        Some(NexthopAuth {
            user: user?,
            password: password?,
        })
    }
}

impl NexthopTimeouts {
    pub(super) fn read(section: &Section<'_, '_>) -> NexthopTimeouts {
        NexthopTimeouts {
            connect: section.duration("connect"),
            banner: section.duration("banner"),
            command: section.duration("command"),
            data: section.duration("data"),
            block: section.duration("block"),
            end: section.duration("end"),
            envelope: section.duration("envelope"),
            bytes_per_second_min: section.bytes("bytes_per_second_min"),
        }
    }
}
