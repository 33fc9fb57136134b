//! What a visit to a server means, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use net::socket::is_unreachable;
use smtp::Reply;
use smtp::client::Capabilities;

use super::{Dialog, Target, ipv6};
use crate::config::NexthopTls;
use crate::doctor::{Check, Grade};
use crate::explain::words::reply_words;

/// What is told of a fixup.
const FIXUP_REMEDY: &str = "switch it off in the firewall: `no fixup protocol smtp 25` on a PIX, `no inspect esmtp` on an ASA; \
    meanwhile messages go by HELO, without TLS and extensions";

/// One connection to one address.
pub(super) struct Visit {
    /// The address; none for a unix socket.
    pub(super) address: Option<SocketAddr>,
    /// What was said.
    pub(super) dialog: Dialog,
    /// Whether a transaction could have begun.
    pub(super) outcome: Result<(), Trouble>,
    /// How long it took to connect.
    pub(super) connect: Duration,
    /// How long everything took.
    pub(super) total: Duration,
}

/// Why no transaction could have begun.
pub(super) enum Trouble {
    /// There was no connection.
    Connect(io::Error),
    /// There was one, but it went wrong.
    Session(String),
}

impl Visit {
    pub(super) fn is_ready(&self) -> bool {
        self.outcome.is_ok()
    }

    /// The check that it makes. `spared`: another address of the same server works.
    pub(super) fn judge(&self, target: &Target, spared: bool) -> Check {
        let name = match self.address {
            Some(address) if !target.label.ends_with(&address.to_string()) => {
                format!("{} at {}", target.label, address.ip())
            }
            _ => target.label.clone(),
        };
        match &self.outcome {
            Ok(()) => self.works(target, &name),
            Err(trouble) => {
                let (text, remedy) = self.trouble(target, trouble);
                // The error of connecting names the address itself.
                let name = match trouble {
                    Trouble::Connect(_) => &target.label,
                    Trouble::Session(_) => &name,
                };
                let check = Check {
                    grade: if spared {
                        Grade::Warning
                    } else {
                        Grade::Failed
                    },
                    ..Check::failed(target.area, format!("{name}: {text}"), remedy)
                };
                check.quoting(self.quoted())
            }
        }
    }

    fn works(&self, target: &Target, name: &str) -> Check {
        let text = format!(
            "{name}: {}, {} (connected in {} ms, {} ms in all)",
            self.security(),
            offers(&self.dialog.capabilities),
            self.connect.as_millis(),
            self.total.as_millis()
        );
        if self.dialog.is_masked {
            let what = if self.is_starttls_masked() {
                "an SMTP fixup of a firewall stands in the path, and strips STARTTLS"
            } else {
                "an SMTP fixup of a firewall stands in the path"
            };
            let check = Check::warning(target.area, format!("{text}: {what}"), FIXUP_REMEDY);
            return check.quoting(self.quoted());
        }
        if let Some(refusal) = self
            .dialog
            .reply_to("STARTTLS")
            .filter(|reply| !reply.is_positive())
        {
            let said = reply_words(refusal);
            let check = Check::warning(
                target.area,
                format!("{text}: it offers STARTTLS and refuses it: {said}"),
                "look at its TLS settings; messages go to it in clear",
            );
            return check.quoting(self.quoted());
        }
        Check::ok(target.area, text).quoting(self.quoted())
    }

    fn trouble(&self, target: &Target, trouble: &Trouble) -> (String, String) {
        match trouble {
            Trouble::Connect(error) => connect_trouble(self.address, error),
            Trouble::Session(why) if self.dialog.exchanges.is_empty() => (
                format!("connected, but no banner came: {why}"),
                "is it a mail server, and does a firewall hold the connection up?".to_owned(),
            ),
            Trouble::Session(_) if self.is_refused() => {
                let reply = self
                    .dialog
                    .exchanges
                    .last()
                    .map(|(_, reply)| reply_words(reply));
                (
                    format!("it refuses us: {}", reply.unwrap_or_default()),
                    "let it take mail from this machine, and look at its log".to_owned(),
                )
            }
            Trouble::Session(_)
                if target.tls == NexthopTls::Require && self.is_starttls_masked() =>
            {
                (
                    "TLS is required, but a firewall in the path strips STARTTLS".to_owned(),
                    FIXUP_REMEDY.to_owned(),
                )
            }
            Trouble::Session(why) => (
                why.clone(),
                if why.starts_with("TLS") {
                    "mend its certificate or TLS settings, or set nexthop_tls for the route"
                        .to_owned()
                } else {
                    "look at its log, at this time".to_owned()
                },
            ),
        }
    }

    /// Whether its last word was a refusal.
    fn is_refused(&self) -> bool {
        let last = self.dialog.exchanges.last();
        last.is_some_and(|(_, reply)| reply.is_transient() || reply.is_permanent())
    }

    fn security(&self) -> String {
        match &self.dialog.tls {
            Some(tls) => format!("{} ({})", tls.version, tls.cipher),
            None if self.dialog.capabilities.starttls => "in clear".to_owned(),
            None => "in clear, no STARTTLS offered".to_owned(),
        }
    }

    /// Whether an extension was written over that is as long as STARTTLS.
    fn is_starttls_masked(&self) -> bool {
        let Some(reply) = self.dialog.first_ehlo().filter(|reply| reply.is_positive()) else {
            return false;
        };
        let mut words = reply
            .lines()
            .skip(1)
            .filter_map(|line| line.split(' ').next());
        words.any(|word| word.len() == "STARTTLS".len() && word.starts_with("XXXX"))
    }

    /// The banner, and the answer to EHLO where something writes over it, as they came.
    fn quoted(&self) -> Vec<String> {
        let banner = self.dialog.reply_to("").into_iter();
        let ehlo = self.dialog.first_ehlo().filter(|_| self.dialog.is_masked);
        banner.chain(ehlo).flat_map(wire_lines).collect()
    }
}

fn connect_trouble(address: Option<SocketAddr>, error: &io::Error) -> (String, String) {
    let is_ipv6 = address.is_some_and(|address| address.is_ipv6());
    if is_ipv6 && is_unreachable(error) {
        return (
            format!("{error}: this machine has no way to that IPv6 address; nothing was sent"),
            ipv6::REMEDY.to_owned(),
        );
    }
    let remedy = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing listens there: is it running, and on this port?"
        }
        io::ErrorKind::TimedOut => {
            "no answer at all: a firewall drops the packets, or the address is wrong (many networks block port 25)"
        }
        io::ErrorKind::NotFound => "the socket is not there: is the server running?",
        io::ErrorKind::PermissionDenied => {
            "run this command as the user that Gatepost runs as, or open the socket to it"
        }
        _ => "mend the network, or the address",
    };
    (error.to_string(), remedy.to_owned())
}

/// The extensions by name, or that there are none.
fn offers(capabilities: &Capabilities) -> String {
    if !capabilities.extended {
        return "no EHLO, only HELO".to_owned();
    }
    let size = match capabilities.size_max {
        Some(bytes) => format!("SIZE {bytes}"),
        None => "SIZE".to_owned(),
    };
    let offered = [
        (capabilities.pipelining, "PIPELINING"),
        (capabilities.size, size.as_str()),
        (capabilities.eight_bit_mime, "8BITMIME"),
        (capabilities.smtputf8, "SMTPUTF8"),
        (capabilities.dsn, "DSN"),
        (capabilities.chunking, "CHUNKING"),
        (!capabilities.auth.is_empty(), "AUTH"),
    ];
    let offered: Vec<&str> = offered
        .into_iter()
        .filter_map(|(is_offered, name)| is_offered.then_some(name))
        .collect();
    if offered.is_empty() {
        "EHLO without extensions".to_owned()
    } else {
        offered.join(" ")
    }
}

/// A reply as it stood on the wire, but for an enhanced status.
fn wire_lines(reply: &Reply) -> Vec<String> {
    let lines: Vec<&str> = reply.lines().collect();
    let last = lines.len().saturating_sub(1);
    let line = |(at, line): (usize, &&str)| {
        let mark = if at == last { ' ' } else { '-' };
        format!("{}{mark}{line}", reply.code())
    };
    lines.iter().enumerate().map(line).collect()
}
