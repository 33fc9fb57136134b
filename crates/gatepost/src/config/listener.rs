//! `[[listener]]`: bound addresses with limits, TLS and trust of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use scan::reputation::rate::Allowance;

use super::error::Fault;
use super::reader::Section;
use super::reputation::{allowance, at_connect};
use super::value;
use crate::policy::AtConnect;

/// One `[[listener]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name in logs and metrics; unique.
    pub name: String,
    /// Addresses that it accepts connections on; never empty. An IPv6 wildcard takes IPv6 only.
    pub bind: Vec<SocketAddr>,
    /// The name in its banner and EHLO reply: the node's unless changed.
    pub hostname: String,
    /// The text after the name in its banner (`220 hostname TEXT`).
    pub banner: String,
    /// Bytes of the largest message taken (RFC 1870).
    pub message_size_max: u64,
    /// Bytes of the largest header section taken.
    pub header_size_max: u64,
    /// Recipients of one transaction (RFC 5321 4.5.3.1.8: at least 100).
    pub recipients_max: usize,
    /// Commands of a session that may be refused as malformed or out of order before it is closed.
    pub bad_commands_max: u16,
    /// Transactions of one session (RFC 9422 MAILMAX).
    pub transactions_max: u32,
    /// Connections at one time.
    pub connections_max: usize,
    /// Connections at one time from one client network (IPv4 /24, IPv6 /48).
    pub connections_per_network_max: usize,
    /// Transactions of one client network in a time.
    pub rate_per_network: Option<Allowance>,
    /// What the record of senders brings a client that connects.
    pub reputation: AtConnect,
    /// TLS.
    pub tls: Tls,
    /// Networks whose connections must open with a PROXY header.
    pub proxy_networks: Vec<IpNet>,
    /// Networks whose clients may use XCLIENT.
    pub xclient_networks: Vec<IpNet>,
    /// What a bare CR or LF in the message brings.
    pub bare_newline: BareNewline,
    /// How long the banner is held back to see whether the client speaks first; zero for not at all.
    pub greeting_delay: Duration,
    /// How long the client may take.
    pub timeouts: ListenerTimeouts,
    /// Bytes per second that a client must send on average while it sends a message; zero for no floor.
    pub bytes_per_second_min: u64,
    /// How long transactions in progress may go on after the server was told to stop.
    pub stop_deadline: Duration,
    /// Offers PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// Offers SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Offers CHUNKING (RFC 3030).
    pub chunking: bool,
    /// Offers DSN (RFC 3461).
    pub dsn: bool,
    /// Offers PRDR (draft-hall-prdr).
    pub prdr: bool,
    /// Offers REQUIRETLS (RFC 8689) within TLS.
    pub requiretls: bool,
    /// Offers AUTH (RFC 4954); `None` for never.
    pub auth: Option<ListenerAuth>,
}

/// TLS of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// When TLS starts.
    pub mode: TlsMode,
    /// The default certificate, then those for other names (chosen by SNI); not empty unless the mode is off.
    pub certificates: Vec<CertificateFiles>,
}

/// When TLS starts on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Off,
    /// When the client says STARTTLS (RFC 3207).
    StartTls,
    /// With the connection (RFC 8314).
    Implicit,
}

/// The two PEM files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What a bare CR or LF in the message brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareNewline {
    /// The message is refused with 550 5.5.2.
    Refuse,
    /// It becomes CRLF, but never ends the data.
    Normalise,
}

/// How long a client may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerTimeouts {
    /// Between commands (RFC 5321 4.5.3.2.7).
    pub command: Duration,
    /// Between two pieces of the message.
    pub data: Duration,
    /// For the TLS handshake and the PROXY header.
    pub handshake: Duration,
    /// To take our replies.
    pub write: Duration,
}

/// AUTH of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerAuth {
    /// The file of users and their passwords.
    pub users_file: PathBuf,
    /// Offered without TLS too.
    pub without_tls: bool,
}

impl Listener {
    /// `None` if it has no name or address, which is noted.
    pub(super) fn read(section: &Section<'_, '_>, node_name: &str) -> Option<Listener> {
        let name = section.name("name");
        let bind = section.sockets("bind");
        if section.is_empty_list("bind") {
            section.error(
                "bind",
                Fault::new("`bind` holds no address", "add one, such as \"0.0.0.0:25\""),
            );
        }
        let hostname = section.form("hostname", value::host_name);
        let tls = section.table("tls").map(|tls| Tls::read(&tls));
        let tls = tls.unwrap_or(Tls::OFF);
        let auth = section.table("auth");
        let auth = auth.and_then(|auth| ListenerAuth::read(&auth, &tls));
        let newlines = [
            ("refuse", BareNewline::Refuse),
            ("normalise", BareNewline::Normalise),
        ];
        let bare_newline = section.choice("bare_newline", &newlines);
        let timeouts = section.table_or_empty("timeouts");
        Some(Listener {
            bind: bind.into_iter().map(|(bind, _)| bind).collect(),
            hostname: hostname.unwrap_or_else(|| node_name.to_owned()),
            banner: section.text("banner").unwrap_or_default(),
            message_size_max: section.bytes("message_size_max"),
            header_size_max: section.bytes("header_size_max"),
            recipients_max: section.integer("recipients_max"),
            bad_commands_max: section.integer("bad_commands_max"),
            transactions_max: section.integer("transactions_max"),
            connections_max: section.integer("connections_max"),
            connections_per_network_max: section.integer("connections_per_network_max"),
            rate_per_network: allowance(section, "rate_per_network"),
            reputation: at_connect(section),
            tls,
            proxy_networks: section.networks("proxy_networks"),
            xclient_networks: section.networks("xclient_networks"),
            bare_newline: bare_newline.unwrap_or(BareNewline::Refuse),
            greeting_delay: section.duration("greeting_delay"),
            timeouts: timeouts.map(|section| ListenerTimeouts::read(&section))?,
            bytes_per_second_min: section.bytes("bytes_per_second_min"),
            stop_deadline: section.duration("stop_deadline"),
            pipelining: section.toggle("pipelining"),
            smtputf8: section.toggle("smtputf8"),
            chunking: section.toggle("chunking"),
            dsn: section.toggle("dsn"),
            prdr: section.toggle("prdr"),
            requiretls: section.toggle("requiretls"),
            auth,
            name: name?,
        })
    }
}

impl Tls {
    const OFF: Tls = Tls {
        mode: TlsMode::Off,
        certificates: Vec::new(),
    };

    fn read(section: &Section<'_, '_>) -> Tls {
        let modes = [
            ("starttls", TlsMode::StartTls),
            ("implicit", TlsMode::Implicit),
            ("off", TlsMode::Off),
        ];
        let mode = section.choice("mode", &modes).unwrap_or(TlsMode::Off);
        let tables = section.tables("certificates");
        if mode != TlsMode::Off && tables.is_empty() {
            section.error(
                "certificates",
                Fault::new(
                    "TLS is on, but there is no certificate",
                    "add `certificates = [{ certificate = \"FILE\", key = \"FILE\" }]`, or `mode = \"off\"`",
                ),
            );
        }
        let files = |table: &Section<'_, '_>| {
            let (certificate, key) = (table.file("certificate"), table.file("key"));
            Some(CertificateFiles {
                certificate: certificate?,
                key: key?,
            })
        };
        Tls {
            mode,
            certificates: tables.iter().filter_map(files).collect(),
        }
    }
}

impl ListenerTimeouts {
    fn read(section: &Section<'_, '_>) -> ListenerTimeouts {
        ListenerTimeouts {
            command: section.duration("command"),
            data: section.duration("data"),
            handshake: section.duration("handshake"),
            write: section.duration("write"),
        }
    }
}

impl ListenerAuth {
    fn read(section: &Section<'_, '_>, tls: &Tls) -> Option<ListenerAuth> {
        let users_file = section.file("users_file");
        let without_tls = section.toggle("without_tls");
        if tls.mode == TlsMode::Off && !without_tls {
            section.error(
                "without_tls",
                Fault::new(
                    "AUTH would never be offered: this listener has no TLS",
                    "set up `tls`, or set `without_tls = true` if the network is safe",
                ),
            );
        }
        Some(ListenerAuth {
            users_file: users_file?,
            without_tls,
        })
    }
}
