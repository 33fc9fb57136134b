//! `[[listener]]`: bound addresses with limits, TLS and trust of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

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
