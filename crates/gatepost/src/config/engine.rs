//! `[engine.NAME]`: the engines that are set up, where they are, and what their word counts.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use scan::address::Address;

use super::content::Content;
use super::error::Fault;
use super::reader::{Section, ToggleOrTable};
use super::value;
use super::{Reputation, Secret};
use crate::policy::{EngineRule, OnFailure};

/// One `[engine.NAME]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    /// `clamav`, `spamassassin`, ...
    pub name: String,
    /// How long it may take for one message.
    pub deadline: Duration,
    /// Connections to its daemon at one time.
    pub connections_max: usize,
    /// Bytes of the largest message that it is given.
    pub size_max: u64,
    /// What holds for a route that says nothing else.
    pub rule: EngineRule,
    /// Which engine it is, with its own settings.
    pub kind: EngineKind,
}

/// Which engine it is, with its own settings.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineKind {
    /// clamd.
    Clamav {
        /// Of clamd.
        address: Address,
    },
    /// spamd.
    Spamassassin {
        /// Of spamd.
        address: Address,
        /// Whose preferences hold.
        user: Option<String>,
        /// Asks for the report with the points of each rule, not only for their names.
        report: bool,
    },
    /// rspamd's normal worker.
    Rspamd {
        /// Of the worker.
        address: Address,
        /// The password that it wants.
        password: Option<Secret>,
    },
    /// Sophos SAVDI over SSSP.
    Sophos {
        /// Of the daemon.
        address: Address,
    },
    /// Any ICAP server (RFC 3507).
    Icap {
        /// Of the server.
        address: Address,
        /// The service path on it.
        service: String,
    },
    /// A daemon that speaks RPD's HTTP protocol.
    Ctasd {
        /// Of the daemon.
        address: Address,
    },
    /// The past of senders.
    Reputation(Box<Reputation>),
    /// Dangerous attachments, examined in this process.
    Attachment(Attachment),
    /// What messages say, judged in this process.
    Content(Content),
    /// Sender authentication, examined in this process; its settings are those of `[auth]`.
    Auth,
}

/// What the attachment engine looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// File name extensions refused besides the built-in ones, lower case without the dot.
    pub banned_extensions: Vec<String>,
    /// Built-in ones that are allowed after all.
    pub allowed_extensions: Vec<String>,
    /// What an encrypted archive brings.
    pub encrypted_archives: EncryptedArchives,
    /// Levels of archives within archives that are opened.
    pub archive_depth_max: usize,
    /// Entries that are looked at over all archives of a message.
    pub archive_entries_max: usize,
}

/// What an archive that cannot be looked into brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptedArchives {
    /// Nothing.
    Allow,
    /// It is banned.
    Refuse,
}

/// All engines that there are, in the order of the documentation.
pub(super) const NAMES: [&str; 10] = [
    "clamav",
    "spamassassin",
    "rspamd",
    "sophos",
    "icap",
    "ctasd",
    "attachment",
    "content",
    "auth",
    "reputation",
];

const ON_FAILURE: [(&str, OnFailure); 2] = [("open", OnFailure::Open), ("defer", OnFailure::Defer)];

impl Engine {
    /// The engines under `[engine]`; those of our own need no table.
    pub(super) fn read_all(section: &Section<'_, '_>, data_dir: &Path) -> BTreeMap<String, Engine> {
        let read = |name: &str| {
            let table = match name {
                _ if is_built_in(name) => section.table_or_empty(name)?,
                _ => section.table(name)?,
            };
            Some((name.to_owned(), Engine::read(&table, name, data_dir)?))
        };
        NAMES.into_iter().filter_map(read).collect()
    }

    fn read(section: &Section<'_, '_>, name: &str, data_dir: &Path) -> Option<Engine> {
        let scores = has_scores(name);
        let rule = EngineRule {
            enabled: section.toggle("enabled"),
            likely: scores.then(|| section.number_if_given("likely")).flatten(),
            sure: scores.then(|| section.number_if_given("sure")).flatten(),
            on_failure: section.choice("on_failure", &ON_FAILURE)?,
        };
        check_order(section, &rule);
        let built_in = is_built_in(name);
        Some(Engine {
            name: name.to_owned(),
            deadline: section.duration("deadline"),
            connections_max: match built_in {
                true => 0,
                false => section.integer("connections_max"),
            },
            size_max: section.bytes("size_max"),
            rule,
            kind: EngineKind::read(section, name, data_dir)?,
        })
    }

    /// Where its daemon listens; `None` for an engine that needs none.
    pub fn address(&self) -> Option<&Address> {
        match &self.kind {
            EngineKind::Clamav { address }
            | EngineKind::Spamassassin { address, .. }
            | EngineKind::Rspamd { address, .. }
            | EngineKind::Sophos { address }
            | EngineKind::Icap { address, .. }
            | EngineKind::Ctasd { address } => Some(address),
            EngineKind::Attachment(_)
            | EngineKind::Content(_)
            | EngineKind::Auth
            | EngineKind::Reputation(_) => None,
        }
    }
}

impl EngineKind {
    fn read(section: &Section<'_, '_>, name: &str, data_dir: &Path) -> Option<EngineKind> {
        if name == "attachment" {
            return Attachment::read(section).map(EngineKind::Attachment);
        }
        if name == "content" {
            return Content::read(section, data_dir).map(EngineKind::Content);
        }
        if name == "auth" {
            return Some(EngineKind::Auth);
        }
        if name == "reputation" {
            let reputation = Reputation::read(section);
            return Some(EngineKind::Reputation(Box::new(reputation)));
        }
        let address = section.form("address", value::address);
        Some(match name {
            "clamav" => EngineKind::Clamav { address: address? },
            "spamassassin" => EngineKind::Spamassassin {
                user: section.text("user"),
                report: section.toggle("report"),
                address: address?,
            },
            "rspamd" => EngineKind::Rspamd {
                password: section.secret("password"),
                address: address?,
            },
            "sophos" => EngineKind::Sophos { address: address? },
            "icap" => EngineKind::Icap {
                service: section.text("service")?,
                address: address?,
            },
            "ctasd" => EngineKind::Ctasd { address: address? },
            _ => return None,
        })
    }
}

impl Attachment {
    fn read(section: &Section<'_, '_>) -> Option<Attachment> {
        let extensions = |key| {
            let entries = section.list(key, value::extension).into_iter();
            entries.map(|(extension, _)| extension).collect()
        };
        let encrypted = [
            ("allow", EncryptedArchives::Allow),
            ("refuse", EncryptedArchives::Refuse),
        ];
        Some(Attachment {
            banned_extensions: extensions("banned_extensions"),
            allowed_extensions: extensions("allowed_extensions"),
            encrypted_archives: section.choice("encrypted_archives", &encrypted)?,
            archive_depth_max: section.integer("archive_depth_max"),
            archive_entries_max: section.integer("archive_entries_max"),
        })
    }
}

impl EngineRule {
    /// The rules of a route: those of `[engine]`, with what `engines` of the route changes.
    pub(super) fn read_of_route(
        section: Option<&Section<'_, '_>>,
        engines: &BTreeMap<String, Engine>,
    ) -> BTreeMap<String, EngineRule> {
        let mut rules: BTreeMap<String, EngineRule> = engines
            .iter()
            .map(|(name, engine)| (name.clone(), engine.rule))
            .collect();
        let Some(section) = section else { return rules };
        for name in NAMES {
            let Some(change) = section.toggle_or_table(name) else {
                continue;
            };
            match (rules.get_mut(name), change) {
                (Some(rule), ToggleOrTable::Toggle(on)) => rule.enabled = on,
                (Some(rule), ToggleOrTable::Table(table)) => rule.change(&table, name),
                // Off is off, whether it is set up or not.
                (None, ToggleOrTable::Toggle(false)) => {}
                (None, _) => section.error(name, not_set_up(name)),
            }
        }
        rules
    }

    fn change(&mut self, section: &Section<'_, '_>, name: &str) {
        self.enabled = section.toggle("enabled");
        if let Some(on_failure) = section.choice("on_failure", &ON_FAILURE) {
            self.on_failure = on_failure;
        }
        for (key, threshold) in [("likely", &mut self.likely), ("sure", &mut self.sure)] {
            if section.has(key) && !has_scores(name) {
                let fault = Fault::new(
                    format!("`{key}` means nothing for {name}, which gives no score"),
                    "remove it; only spamassassin, rspamd, content and reputation have thresholds",
                );
                section.error(key, fault);
            } else if let Some(score) = section.number_if_given(key) {
                *threshold = Some(score);
            }
        }
        check_order(section, self);
    }
}

/// Whether an engine runs in this process, without a daemon.
fn is_built_in(name: &str) -> bool {
    matches!(name, "attachment" | "auth" | "content" | "reputation")
}

fn has_scores(name: &str) -> bool {
    matches!(name, "spamassassin" | "rspamd" | "content" | "reputation")
}

fn check_order(section: &Section<'_, '_>, rule: &EngineRule) {
    if let (Some(likely), Some(sure)) = (rule.likely, rule.sure)
        && likely > sure
    {
        let key = if section.has("likely") {
            "likely"
        } else {
            "sure"
        };
        section.error(
            key,
            Fault::new(
                format!("`likely` ({likely}) is above `sure` ({sure})"),
                "give `sure` a score of at least `likely`",
            ),
        );
    }
}

fn not_set_up(name: &str) -> Fault {
    Fault::new(
        format!("{name} is not set up"),
        format!(
            "add a table `[engine.{name}]`; with `enabled = false` it works on this route only"
        ),
    )
}
