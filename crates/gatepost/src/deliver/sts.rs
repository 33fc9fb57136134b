//! MTA-STS (RFC 8461): which policy a recipient domain has, from its TXT record, its web server, or what is kept of before.
//!
//! The record is asked for each time (the resolver remembers), the web server only when the record's id is new. A policy that was
//! fetched holds until its `max_age`, whatever becomes of record and web server. What follows from a policy is in `security`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use net::resolver::{DnsError, Resolver};
use tokio::sync::Mutex as AsyncMutex;

use crate::expiring::Expiring;

pub mod cache;
pub mod fetch;
pub mod policy;
pub mod record;

use super::https::Https;
use cache::{Damaged, Kept, unix_seconds};
use fetch::{FetchError, fetch};
use policy::{Mode, Policy};

/// Domains whose policies are kept.
const DOMAINS_MAX: usize = 50_000;
/// A web server that failed is left alone for so long (RFC 8461 section 3.3).
const FAILURE_LIFETIME: Duration = Duration::from_secs(300);
/// Policies are fetched again after a day, so that one in use never runs out (RFC 8461 section 3.3), or after half of their time.
const REFRESH_SECONDS: u64 = 86_400;
/// A policy that nobody has asked for since is not refreshed.
const USED_SECONDS_MAX: u64 = 7 * 86_400;
/// Policies that one round refreshes.
const REFRESHES_MAX: usize = 100;

/// The policies of recipient domains. Survives reloads.
pub struct StsPolicies {
    /// Where they are kept; `None` for commands that write nothing.
    folder: Option<PathBuf>,
    /// Where web servers serve policies.
    port: u16,
    kept: Mutex<HashMap<String, Remembered>>,
    failures: Expiring<(String, String), FetchError>,
    /// Domains whose policy is being fetched: who comes second waits for the first.
    fetching: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
}

struct Remembered {
    kept: Arc<Kept>,
    /// When it was last asked for, in seconds since 1970 UTC.
    used: u64,
}

/// What is known of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The policy that holds. `None`: there is none.
    pub policy: Option<Arc<Kept>>,
    /// Why a policy that the domain announces could not be had. One of before may hold all the same.
    pub failure: Option<FetchError>,
}

impl StsPolicies {
    /// Reads what is kept in `folder`. It blocks on the file system. A folder that cannot be read is told as damaged: policies are
    /// fetched anew.
    pub fn open(folder: PathBuf) -> (StsPolicies, Vec<Damaged>) {
        let (policies, damaged) = cache::read_all(&folder).unwrap_or_else(|error| {
            let damaged = Damaged {
                path: folder.clone(),
                detail: error.to_string(),
            };
            (Vec::new(), vec![damaged])
        });
        let all = StsPolicies {
            folder: Some(folder),
            ..StsPolicies::unwritten()
        };
        for kept in policies {
            all.remember(Arc::new(kept));
        }
        (all, damaged)
    }

    /// None known, and none kept on disk: for commands that take no messages.
    pub fn unwritten() -> StsPolicies {
        StsPolicies {
            folder: None,
            port: fetch::PORT,
            kept: Mutex::default(),
            failures: Expiring::new(DOMAINS_MAX),
            fetching: Mutex::default(),
        }
    }

    /// Has policies fetched from another port.
    #[cfg(test)]
    pub(super) fn set_port(&mut self, port: u16) {
        self.port = port;
    }

    /// The policy of `domain` (lower case, A-labels). At worst it takes the minute that a web server has.
    pub async fn find(&self, resolver: &Resolver, https: &Https, domain: &str) -> Found {
        self.touch(domain);
        let kept = self.kept(domain);
        let id = match resolver.txt(&format!("_mta-sts.{domain}")).await {
            Ok(records) => record::policy_id(&records).map(str::to_owned),
            Err(DnsError::NoSuchName | DnsError::NoRecord | DnsError::Temporary { .. }) => None,
        };
        let failure = match id {
            // RFC 8461 section 3.1: what was fetched holds although the record is gone.
            None => None,
            Some(id) if kept.as_ref().is_some_and(|kept| kept.id == id) => None,
            Some(id) => match self.renew(https, domain, &id).await {
                Ok(()) => return self.found(self.kept(domain), None),
                Err(error) => Some(error),
            },
        };
        self.found(kept, failure)
    }

    fn found(&self, kept: Option<Arc<Kept>>, failure: Option<FetchError>) -> Found {
        Found {
            policy: kept.filter(|kept| kept.policy.mode != Mode::None),
            failure,
        }
    }

    /// Fetches policies again that are in use and would not hold much longer; one round of many.
    pub async fn refresh(&self, resolver: &Resolver, https: &Https) {
        for domain in self.due(unix_seconds()) {
            let records = resolver.txt(&format!("_mta-sts.{domain}")).await;
            let Ok(records) = records else { continue };
            // A failure leaves things as they are until the next round.
            if let Some(id) = record::policy_id(&records) {
                let _ = self.renew(https, &domain, id).await;
            }
        }
    }

    fn due(&self, now: u64) -> Vec<String> {
        let mut kept = lock(&self.kept);
        let mut gone = Vec::new();
        kept.retain(|domain, remembered| {
            let holds = remembered.kept.holds(now);
            if !holds {
                gone.push(domain.clone());
            }
            holds
        });
        let due = kept.iter().filter(|(_, remembered)| {
            let age = now.saturating_sub(remembered.kept.fetched);
            let half = remembered.kept.policy.max_age.as_secs() / 2;
            age > REFRESH_SECONDS.min(half)
                && now.saturating_sub(remembered.used) < USED_SECONDS_MAX
        });
        let due = due.map(|(domain, _)| domain.clone()).take(REFRESHES_MAX);
        let due = due.collect();
        drop(kept);
        if let (Some(folder), false) = (self.folder.clone(), gone.is_empty()) {
            tokio::task::spawn_blocking(move || {
                for domain in gone {
                    cache::remove(&folder, &domain);
                }
            });
        }
        due
    }

    /// Fetches the policy with this id, unless somebody else just has, or it just failed.
    async fn renew(&self, https: &Https, domain: &str, id: &str) -> Result<(), FetchError> {
        let before = self.kept(domain).map(|kept| kept.fetched);
        let turn = Arc::clone(lock(&self.fetching).entry(domain.to_owned()).or_default());
        let held = turn.lock().await;
        let key = (domain.to_owned(), id.to_owned());
        let renewed = if let Some(error) = self.failures.find(&key) {
            Err(error)
        } else if self
            .kept(domain)
            .is_some_and(|kept| kept.id == id && Some(kept.fetched) != before)
        {
            Ok(())
        } else {
            self.fetch(https, domain, id).await
        };
        if let Err(error) = &renewed {
            self.failures.insert(key, error.clone(), FAILURE_LIFETIME);
        }
        drop(held);
        // The map and `turn` hold it: nobody else waits.
        let mut fetching = lock(&self.fetching);
        if Arc::strong_count(&turn) <= 2 {
            fetching.remove(domain);
        }
        renewed
    }

    async fn fetch(&self, https: &Https, domain: &str, id: &str) -> Result<(), FetchError> {
        let policy: Policy = fetch(https, domain, self.port).await?;
        let kept = Arc::new(Kept {
            domain: domain.to_owned(),
            id: id.to_owned(),
            fetched: unix_seconds(),
            policy,
        });
        self.remember(Arc::clone(&kept));
        if let Some(folder) = self.folder.clone() {
            // A disk that fails costs the policy's protection across a restart, not the message.
            let _ = tokio::task::spawn_blocking(move || cache::write(&folder, &kept)).await;
        }
        Ok(())
    }

    fn remember(&self, kept: Arc<Kept>) {
        let mut all = lock(&self.kept);
        if all.len() >= DOMAINS_MAX && !all.contains_key(&kept.domain) {
            // Rare beyond measure; any place will do, on disk it stays.
            let any = all.keys().next().cloned();
            any.map(|any| all.remove(&any));
        }
        let used = kept.fetched;
        match all.entry(kept.domain.clone()) {
            Entry::Occupied(mut entry) => entry.get_mut().kept = kept,
            Entry::Vacant(entry) => _ = entry.insert(Remembered { kept, used }),
        }
    }

    /// Notes that `domain` is sent to.
    fn touch(&self, domain: &str) {
        if let Some(remembered) = lock(&self.kept).get_mut(domain) {
            remembered.used = unix_seconds();
        }
    }

    /// What is kept of `domain` and holds.
    fn kept(&self, domain: &str) -> Option<Arc<Kept>> {
        let now = unix_seconds();
        let all = lock(&self.kept);
        let remembered = all.get(domain).filter(|it| it.kept.holds(now))?;
        Some(Arc::clone(&remembered.kept))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
