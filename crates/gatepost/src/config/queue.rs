//! `[queue]`, `[[pool]]`, `[[destination]]`, and what a route says about delivery from the queue.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Fault;
use super::keys::RATE_SECONDS_MAX;
use super::reader::Section;
use super::value;
use crate::relay_table::domain_key;

mod destinations;

pub use destinations::{Destination, Destinations};

/// Pools and destinations at most: each connection looks at them.
const TABLES_MAX: usize = 10_000;

/// `[queue]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Where it lies.
    pub folder: PathBuf,
    /// Bytes of the disk that are left free.
    pub reserve_bytes: u64,
    /// How long a sync waits for messages that are just arriving.
    pub gather: Duration,
    /// Bytes of a segment.
    pub segment_bytes_max: u64,
    /// Bytes from which on a message lies in a file of its own.
    pub large_message_bytes_min: u64,
    /// Bytes of content kept in memory for delivery.
    pub memory_bytes_max: u64,
    /// Bytes of content that deliveries have read from the disk and still hold.
    pub delivery_memory_bytes_max: u64,
    /// Connections at one time.
    pub connections_max: u32,
    /// How long a connection is kept for the next message.
    pub idle: Duration,
}

/// Messages in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At most so many; at least 1.
    pub messages: u32,
    /// In this time.
    pub per: Duration,
}

/// `[[pool]]`: where connections come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What routes call it.
    pub name: String,
    /// Addresses that connections come from; empty for those that the system chooses.
    pub bind: Vec<IpAddr>,
    /// The name in EHLO; `None` for the node's.
    pub ehlo_name: Option<String>,
    /// Connections of the pool at one time.
    pub connections_max: Option<u32>,
    /// Messages of the pool in a time.
    pub rate: Option<Rate>,
}

/// What a route says about messages in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queueing {
    /// How long a message is tried.
    pub lifetime: Duration,
    /// When its sender is told of the delay; zero for never.
    pub delay_warning: Duration,
    /// The first pause after a failure.
    pub retry_min: Duration,
    /// The longest pause.
    pub retry_max: Duration,
    /// The pool that delivers.
    pub pool: Option<String>,
    /// Connections to one destination at one time.
    pub connections_max: u32,
    /// And at first.
    pub connections_first: u32,
    /// Messages over one connection.
    pub messages_per_connection: u32,
    /// Messages of the route in a time.
    pub rate: Option<Rate>,
}

impl Queue {
    pub(super) fn read(section: &Section<'_, '_>, data_dir: &Path) -> Queue {
        Queue {
            folder: section
                .path("folder")
                .unwrap_or_else(|| data_dir.join("queue")),
            reserve_bytes: section.bytes("reserve"),
            gather: section.duration("gather"),
            segment_bytes_max: section.bytes("segment_max"),
            large_message_bytes_min: section.bytes("large_message_min"),
            memory_bytes_max: section.bytes("memory_max"),
            delivery_memory_bytes_max: section.bytes("delivery_memory_max"),
            connections_max: section.integer("connections_max"),
            idle: section.duration("idle"),
        }
    }
}

impl Pool {
    /// All pools; each name once.
    pub(super) fn read_all(file: &Section<'_, '_>) -> Vec<Pool> {
        let mut pools: Vec<Pool> = Vec::new();
        for section in file.tables("pool") {
            let Some(pool) = Pool::read(&section) else {
                continue;
            };
            if pools.iter().any(|other| other.name == pool.name) {
                let fault = Fault::new(
                    format!("there is another pool named `{}`", pool.name),
                    "give each pool a name of its own",
                );
                section.error("name", fault);
            } else if pools.len() < TABLES_MAX {
                pools.push(pool);
            }
        }
        pools
    }

    fn read(section: &Section<'_, '_>) -> Option<Pool> {
        let bind = section.list("bind", |text| {
            text.parse::<IpAddr>().map_err(|_| {
                Fault::new(
                    format!("`{}` is not an IP address", text.escape_debug()),
                    "write an address of this machine, such as \"192.0.2.1\" or \"2001:db8::1\"",
                )
            })
        });
        let pool = Pool {
            name: section.name("name").unwrap_or_default(),
            bind: bind.into_iter().map(|(ip, _)| ip).collect(),
            ehlo_name: section.form("ehlo_name", value::host_name),
            connections_max: section.integer_if_given("connections_max"),
            rate: section.form("rate", rate),
        };
        (!pool.name.is_empty()).then_some(pool)
    }
}

impl Queueing {
    /// Reads what a `[[route]]` says; `pools` are those of the file.
    pub(super) fn read(section: &Section<'_, '_>, pools: &[Pool]) -> Queueing {
        let pool = section.name("pool");
        if let Some(name) = &pool
            && pools.iter().all(|pool| pool.name != *name)
        {
            let fault = Fault::new(
                format!("there is no pool `{name}`"),
                "add a table `[[pool]]` with this name, or leave `pool` out",
            );
            section.error("pool", fault);
        }
        let mut queueing = Queueing {
            lifetime: section.duration("lifetime"),
            delay_warning: section.duration("delay_warning"),
            retry_min: section.duration("retry_min"),
            retry_max: section.duration("retry_max"),
            pool,
            connections_max: section.integer("connections_max"),
            connections_first: section.integer("connections_first"),
            messages_per_connection: section.integer("messages_per_connection"),
            rate: section.form("rate", rate),
        };
        if section.has("connections_first") {
            let fits = queueing.connections_first <= queueing.connections_max;
            ordered(section, "connections_first", fits);
        }
        queueing.connections_first = queueing.connections_first.min(queueing.connections_max);
        if queueing.retry_min > queueing.retry_max
            && (section.has("retry_min") || section.has("retry_max"))
        {
            let key = if section.has("retry_min") {
                "retry_min"
            } else {
                "retry_max"
            };
            let fault = Fault::new(
                "`retry_min` is longer than `retry_max`",
                "write the longer of the two as `retry_max`",
            );
            section.error(key, fault);
        }
        if queueing.delay_warning >= queueing.lifetime && section.has("delay_warning") {
            let fault = Fault::new(
                "`delay_warning` is not shorter than `lifetime`",
                "make it shorter, or write \"0s\" for no warning",
            );
            section.error("delay_warning", fault);
        }
        queueing
    }
}

fn ordered(section: &Section<'_, '_>, key: &str, fits: bool) {
    if !fits {
        let fault = Fault::new(
            "`connections_first` is more than `connections_max`",
            "begin with as many connections or fewer",
        );
        section.error(key, fault);
    }
}

/// The key of an entry of `match`; that of a wildcard starts with a dot.
fn pattern(text: &str) -> Result<String, Fault> {
    let (dot, name) = match text.strip_prefix("*.") {
        Some(name) => (".", name),
        None => ("", text),
    };
    match domain_key(name) {
        Some(key) if dot.is_empty() || !key.starts_with('[') => Ok(format!("{dot}{key}")),
        _ => Err(Fault::new(
            format!("`{}` is not a domain or host", text.escape_debug()),
            "write a name such as \"example.org\", or \"*.example.org\" for all below it",
        )),
    }
}

/// `100/1m`: messages and the time in which they may go.
pub(super) fn rate(text: &str) -> Result<Rate, Fault> {
    let fault = || {
        Fault::new(
            format!("`{}` is not a rate", text.escape_debug()),
            "write a number of messages and a time of at most a day, such as \"100/1m\" or \"5000/1h\"",
        )
    };
    let (messages, per) = text.split_once('/').ok_or_else(fault)?;
    let messages: u32 = messages.trim().parse().map_err(|_| fault())?;
    let per = value::duration(per).map_err(|_| fault())?;
    if messages == 0 || per.is_zero() || per.as_secs() > RATE_SECONDS_MAX {
        return Err(fault());
    }
    Ok(Rate { messages, per })
}

#[cfg(test)]
mod tests;
