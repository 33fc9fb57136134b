//! The engines of a node, made from the configuration, and which of them a route's messages are given to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use net::resolver::Resolver;
use scan::address::Address;
use scan::attachment::{Attachment, AttachmentSettings};
use scan::auth::{Auth, AuthSettings};
use scan::clamav::{Clamav, ClamavSettings};
use scan::content::Content;
use scan::ctasd::{Ctasd, CtasdSettings};
use scan::engine::{Armed, DaemonSettings, Engine, Health, Observer};
use scan::icap::{Icap, IcapSettings};
use scan::reputation::lists::{ListHealth, ListObserver, Lists};
use scan::reputation::{Reputation, ReputationSettings};
use scan::rspamd::{Rspamd, RspamdSettings};
use scan::sophos::{Sophos, SophosSettings};
use scan::spamassassin::{Spamassassin, SpamassassinReport, SpamassassinSettings};
use scan::specimen::Specimen;
use tokio::time::Instant;

use crate::config::{self, Config, EncryptedArchives, EngineKind};
use crate::event::Event;
use crate::journal::Journal;
use crate::policy;
use crate::senders::Senders;

/// The engine that gathers what is known of the sender's authentication.
pub const AUTH: &str = "auth";

/// The engine that knows the past of senders.
pub const REPUTATION: &str = "reputation";

/// The engines of a node, in the order of their names.
#[derive(Clone)]
pub struct EngineSet {
    engines: Vec<Made>,
    lists: Lists,
}

/// An engine with the configuration it was made from.
#[derive(Clone)]
struct Made {
    from: config::Engine,
    armed: Armed,
}

/// Makes the engines of `config`; those whose settings are as before are taken over from `previous` with their connections.
pub fn arm(
    config: &Config,
    previous: Option<&EngineSet>,
    journal: &Journal,
    resolver: &Resolver,
    senders: &Senders,
) -> EngineSet {
    let lists = lists(config, resolver, journal);
    let lists = match previous {
        Some(previous) => lists.taken_over(&previous.lists),
        None => lists,
    };
    let engines = config
        .engines
        .values()
        .map(|wanted| {
            let kept = previous
                .and_then(|previous| previous.engines.iter().find(|made| made.from == *wanted))
                // It has no connections, and its settings are not all in its table.
                .filter(|made| {
                    !matches!(made.from.kind, EngineKind::Auth | EngineKind::Reputation(_))
                });
            kept.cloned().unwrap_or_else(|| Made {
                from: wanted.clone(),
                armed: Armed {
                    engine: match &wanted.kind {
                        EngineKind::Reputation(settings) => {
                            reputation(wanted, settings, &lists, senders)
                        }
                        _ => make(wanted, config, resolver, &observer(journal.clone())),
                    },
                    deadline: wanted.deadline,
                },
            })
        })
        .collect();
    EngineSet { engines, lists }
}

impl EngineSet {
    /// Those whose word counts under `settings`.
    pub fn enabled(&self, settings: &policy::Settings) -> Vec<Armed> {
        self.of_any(&[settings])
    }

    /// Those whose word counts under any of `settings`.
    pub fn of_any(&self, settings: &[&policy::Settings]) -> Vec<Armed> {
        self.engines
            .iter()
            .map(|made| &made.armed)
            .filter(|armed| {
                settings
                    .iter()
                    .any(|settings| settings.rule(armed.engine.name()).enabled)
            })
            .cloned()
            .collect()
    }

    /// Lists in the DNS.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Armed> {
        self.engines.iter().map(|made| &made.armed)
    }
}

/// Leaves out what judges a sender where a message is not judged by that. Where nobody gathers facts, there are none that another
/// engine could wait for.
pub fn settle_sender(engines: &mut Vec<Armed>, specimen: &Specimen, is_judged: bool) {
    if !is_judged {
        engines.retain(|armed| ![AUTH, REPUTATION].contains(&armed.engine.name()));
    }
    if !engines.iter().any(|armed| armed.engine.name() == AUTH) {
        // Nobody has set it before.
        let _ = specimen.authentication.set(Arc::default());
    }
}

fn make(
    engine: &config::Engine,
    config: &Config,
    resolver: &Resolver,
    observer: &Observer,
) -> Arc<dyn Engine> {
    let daemon = |address: &config::Address| DaemonSettings {
        name: engine.name.clone(),
        address: address_of(address),
        connections_max: engine.connections_max,
        message_size_max: engine.size_max,
        observer: Some(observer.clone()),
    };
    match &engine.kind {
        EngineKind::Clamav { address } => Arc::new(Clamav::new(ClamavSettings {
            daemon: daemon(address),
        })),
        EngineKind::Spamassassin {
            address,
            user,
            report,
        } => Arc::new(Spamassassin::new(SpamassassinSettings {
            daemon: daemon(address),
            user: user.clone(),
            report: if *report {
                SpamassassinReport::Report
            } else {
                SpamassassinReport::Symbols
            },
        })),
        EngineKind::Rspamd { address, password } => Arc::new(Rspamd::new(RspamdSettings {
            daemon: daemon(address),
            password: password
                .as_ref()
                .map(|password| password.reveal().to_owned()),
        })),
        EngineKind::Sophos { address } => Arc::new(Sophos::new(SophosSettings {
            daemon: daemon(address),
        })),
        EngineKind::Icap { address, service } => Arc::new(Icap::new(IcapSettings {
            daemon: daemon(address),
            service: service.clone(),
        })),
        EngineKind::Ctasd { address } => Arc::new(Ctasd::new(CtasdSettings {
            daemon: daemon(address),
        })),
        EngineKind::Auth | EngineKind::Reputation(_) => auth(engine, &config.auth, resolver),
        EngineKind::Attachment(attachment) => Arc::new(Attachment::new(AttachmentSettings {
            banned_extensions: AttachmentSettings::dangerous_extensions()
                .map(str::to_owned)
                .chain(attachment.banned_extensions.iter().cloned())
                .collect(),
            allowed_extensions: attachment.allowed_extensions.clone(),
            block_encrypted: attachment.encrypted_archives == EncryptedArchives::Refuse,
            archive_depth_max: attachment.archive_depth_max,
            archive_entries_max: attachment.archive_entries_max,
            ..AttachmentSettings::default()
        })),
        EngineKind::Content(content) => {
            let rules = Arc::clone(&content.rules);
            let mut made = Content::new(rules).within(engine.deadline);
            if let Some(classifier) = &content.classifier {
                made = made.with_classifier(Arc::clone(&classifier.model), &classifier.name());
            }
            Arc::new(made)
        }
    }
}

fn auth(
    engine: &config::Engine,
    settings: &config::Authentication,
    resolver: &Resolver,
) -> Arc<dyn Engine> {
    Arc::new(Auth::new(AuthSettings {
        name: engine.name.clone(),
        resolver: resolver.clone(),
        trusted_sealers: settings.trusted_sealers.clone(),
        trusted_forwarders: settings.trusted_forwarders.iter().copied().collect(),
        trusted_lists: settings.trusted_lists.clone(),
    }))
}

/// The record belongs to the node and outlives this snapshot; it goes by these settings from now on.
fn reputation(
    engine: &config::Engine,
    settings: &config::Reputation,
    lists: &Lists,
    senders: &Senders,
) -> Arc<dyn Engine> {
    senders.record.set(settings.record);
    Arc::new(Reputation::new(ReputationSettings {
        name: engine.name.clone(),
        record: Arc::clone(&senders.record),
        lists: lists.clone(),
        lists_deadline: settings.lists_deadline,
        deadline: engine.deadline,
    }))
}

/// The lists in the DNS that the configuration names.
fn lists(config: &Config, resolver: &Resolver, journal: &Journal) -> Lists {
    let engine = config.engines.get(REPUTATION);
    let lists = match engine.map(|engine| &engine.kind) {
        Some(EngineKind::Reputation(settings)) => settings.lists.clone(),
        _ => Vec::new(),
    };
    let observer = list_observer(journal.clone());
    Lists::new(lists, resolver.clone(), Some(observer))
}

/// Tells of lists that are left out or taken in again.
fn list_observer(journal: Journal) -> ListObserver {
    Arc::new(move |list: &str, health: &ListHealth| {
        let list = Arc::from(list);
        journal.emit(&match health.trouble() {
            Some(detail) => Event::ListLeftOut { list, detail },
            None => Event::ListBack { list },
        });
    })
}

fn address_of(address: &config::Address) -> Address {
    match address {
        config::Address::Tcp(host, port) => Address::Tcp(host.clone(), *port),
        config::Address::Unix(path) => Address::Unix(path.clone()),
    }
}

/// Turns changes of health into events, with the time an engine was away.
fn observer(journal: Journal) -> Observer {
    let down_since: Mutex<HashMap<String, Instant>> = Mutex::default();
    Arc::new(move |name: &str, health: &Health| {
        let mut down_since = down_since.lock().unwrap_or_else(PoisonError::into_inner);
        let event = match health {
            Health::Down(unavailable) => {
                down_since
                    .entry(name.to_owned())
                    .or_insert_with(Instant::now);
                Event::EngineDown {
                    engine: Arc::from(name),
                    cause: unavailable.cause,
                    detail: unavailable.detail.clone(),
                }
            }
            Health::Up => Event::EngineUp {
                engine: Arc::from(name),
                down_seconds: down_since
                    .remove(name)
                    .map_or(0.0, |since| since.elapsed().as_secs_f64()),
            },
        };
        drop(down_since);
        journal.emit(&event);
    })
}

#[cfg(test)]
mod tests;
