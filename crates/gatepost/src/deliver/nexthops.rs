//! The nexthops of all routes: idle connections that can be used again, and which of them are down.
//!
//! A transaction gets a connection by opening it at the first nexthop of its route that works. A pooled connection that
//! turns out dead before any reply is replaced by the next one; a nexthop that fails is left alone for a while, longer each
//! time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use net::resolver::Resolver;
use net::tls::Connector;
use smtp::Reply;
use smtp::client::Unsupported;
use smtp::{ForwardPath, ReversePath};
use smtp::{MailParameters, RcptParameters};
use tokio::time::Instant;

mod manner;

pub(super) use self::manner::Server;
use self::manner::manner;
use super::connection::{Connection, Manner};
use super::dial::{Attempt, Ways};
use super::fault::{Cause, Fault, Step};
use super::mx;
use super::security::TlsPolicies;
use crate::config::{Address, Delivery, Destinations, Nexthop, NexthopOrder, NexthopTls, Route};

/// Idle connections kept for each nexthop.
const IDLE_CONNECTIONS_MAX: usize = 100;
/// An idle connection is closed after this time.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Transactions on one connection, after which it is closed.
const TRANSACTIONS_MAX: u32 = 1000;
/// How long a nexthop is left alone after its first failure; doubled with each further one.
const BACK_OFF_MIN: Duration = Duration::from_secs(1);
/// At most this long.
const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// A nexthop went down or came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// The nexthop as configured.
    pub nexthop: String,
    /// Why it is down; `None` when it is back.
    pub fault: Option<String>,
    /// How long it was down.
    pub down: Duration,
}

/// Told of each change of health.
pub type Observer = Arc<dyn Fn(HealthChange) + Send + Sync>;

/// All nexthops that were used so far.
pub struct Nexthops {
    pools: Mutex<HashMap<Key, Arc<Pool>>>,
    observer: Observer,
}

/// What two routes must share to share connections.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    nexthop: Nexthop,
    tls: NexthopTls,
    login: Option<(String, String)>,
    ehlo_name: String,
    bind: Arc<[IpAddr]>,
}

struct Pool {
    label: Arc<str>,
    tls: NexthopTls,
    idle: Mutex<Vec<Connection>>,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    failures: u32,
    down_since: Option<Instant>,
    down_until: Option<Instant>,
    last_fault: String,
}

/// The first words of a transaction: who sends to whom.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// The MAIL command.
    pub reverse_path: &'a ReversePath,
    /// Its parameters.
    pub mail: &'a MailParameters,
    /// The first RCPT command.
    pub forward_path: &'a ForwardPath,
    /// Its parameters.
    pub rcpt: &'a RcptParameters,
}

/// A transaction that a nexthop has begun.
pub struct Opened {
    /// The connection, ready for more recipients or the message.
    pub lease: Lease,
    /// The reply to MAIL.
    pub mail_reply: Reply,
    /// The reply to RCPT; `None` if MAIL was refused.
    pub rcpt_reply: Option<Reply>,
}

/// Why no transaction was begun.
pub enum NotOpened {
    /// No nexthop of the route works; the last fault.
    Fault(Fault),
    /// The nexthop works, but lacks what the message needs.
    Unsupported(Unsupported),
}

/// A connection that belongs to one transaction.
pub struct Lease {
    /// The connection.
    pub connection: Connection,
    pool: Arc<Pool>,
}

/// Where connections come from, and what we call ourselves over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Our name in EHLO.
    pub ehlo_name: String,
    /// Our addresses; empty for those that the system chooses.
    pub bind: Arc<[IpAddr]>,
}

/// What a route needs to be dialled, besides itself.
#[derive(Clone)]
pub struct Dialling {
    /// Where connections come from on routes without a pool.
    pub source: Source,
    /// Where those of each pool come from.
    pub pools: HashMap<String, Source>,
    /// What is said of destinations, in order.
    pub destinations: Arc<Destinations>,
    /// Which address families, and which first.
    pub delivery: Delivery,
    /// What is remembered of the ways to servers.
    pub ways: Arc<Ways>,
    /// Which TLSA records nexthops have, where a route wants that.
    pub tls_policies: Arc<TlsPolicies>,
    /// Resolves names of nexthops.
    pub resolver: Resolver,
    /// For routes whose TLS is opportunistic.
    pub opportunistic: Connector,
    /// For routes that require TLS.
    pub verified: Connector,
}

impl Nexthops {
    /// None used so far.
    pub fn new(observer: Observer) -> Nexthops {
        Nexthops {
            pools: Mutex::default(),
            observer,
        }
    }

    /// Begins a transaction at the first nexthop of `route` that works.
    pub async fn open(
        &self,
        route: &Route,
        dialling: &Dialling,
        opening: Opening<'_>,
    ) -> Result<Opened, NotOpened> {
        let mut last = None;
        let tls = dialling.tls_for(route, opening.forward_path);
        for nexthop in ordered(route) {
            let Some(manner) = manner(nexthop, route, dialling, tls) else {
                continue;
            };
            match self.open_at(nexthop, &manner, dialling, opening).await {
                Ok(opened) => return Ok(opened),
                Err(NotOpened::Fault(fault)) => last = Some(NotOpened::Fault(fault)),
                Err(unsupported) => return Err(unsupported),
            }
        }
        Err(last.unwrap_or_else(|| {
            let cause = Cause::Dns("the route has no nexthop that takes SMTP or LMTP".to_owned());
            NotOpened::Fault(Fault::new(route.origin.clone(), Step::Resolve, cause))
        }))
    }

    async fn open_at(
        &self,
        nexthop: &Nexthop,
        manner: &Manner,
        dialling: &Dialling,
        opening: Opening<'_>,
    ) -> Result<Opened, NotOpened> {
        let pool = self.pool(nexthop, manner);
        while let Some(mut connection) = pool.take_idle() {
            connection.adopt(manner.timeouts);
            match begin(connection, &pool, opening).await {
                // It had been closed meanwhile: nothing was lost, the next one serves as well.
                Err(NotOpened::Fault(fault))
                    if fault.step == Step::Mail
                        && matches!(
                            fault.cause,
                            Cause::Closed | Cause::Io(_) | Cause::Refused(_)
                        ) => {}
                done => {
                    self.judge(&pool, &done);
                    return done;
                }
            }
        }
        if let Some(fault) = pool.back_off() {
            return Err(NotOpened::Fault(fault));
        }
        let opened = match dial(nexthop, manner, dialling).await {
            Ok(connection) => begin(connection, &pool, opening).await,
            Err(fault) => Err(NotOpened::Fault(fault)),
        };
        self.judge(&pool, &opened);
        opened
    }

    /// A nexthop works if it answers MAIL and RCPT, whatever the answer; greeting alone is not enough.
    fn judge(&self, pool: &Pool, opened: &Result<Opened, NotOpened>) {
        match opened {
            Err(NotOpened::Fault(fault)) => self.fails(pool, fault),
            Ok(_) | Err(NotOpened::Unsupported(_)) => self.works(pool),
        }
    }

    /// Closes connections that were idle for long, and forgets nexthops that are no longer used.
    pub fn tidy_up(&self) {
        let mut closing = Vec::new();
        lock(&self.pools).retain(|_, pool| {
            let mut idle = lock(&pool.idle);
            let (keep, close) = idle
                .drain(..)
                .partition(|connection| connection.idle_since.elapsed() < IDLE_MAX);
            *idle = keep;
            closing.extend::<Vec<Connection>>(close);
            !idle.is_empty() || Arc::strong_count(pool) > 1 || lock(&pool.health).failures > 0
        });
        for connection in closing {
            tokio::spawn(connection.quit());
        }
    }

    /// The nexthops that are down, with the reason.
    pub fn down(&self) -> Vec<(String, String)> {
        let pools = lock(&self.pools);
        let mut down: Vec<_> = pools
            .values()
            .filter_map(|pool| {
                let health = lock(&pool.health);
                (health.failures > 0).then(|| (pool.label.to_string(), health.last_fault.clone()))
            })
            .collect();
        down.sort();
        down
    }

    fn pool(&self, nexthop: &Nexthop, manner: &Manner) -> Arc<Pool> {
        let key = Key {
            nexthop: nexthop.clone(),
            tls: manner.tls,
            login: manner
                .auth
                .as_ref()
                .map(|auth| (auth.user.clone(), auth.password.clone())),
            ehlo_name: manner.ehlo_name.clone(),
            bind: Arc::clone(&manner.bind),
        };
        let mut pools = lock(&self.pools);
        let pool = pools.entry(key).or_insert_with(|| {
            Arc::new(Pool {
                label: Arc::clone(&manner.label),
                tls: manner.tls,
                idle: Mutex::default(),
                health: Mutex::default(),
            })
        });
        Arc::clone(pool)
    }

    fn works(&self, pool: &Pool) {
        let mut health = lock(&pool.health);
        if health.failures > 0 {
            let down = health
                .down_since
                .map_or(Duration::ZERO, |since| since.elapsed());
            *health = Health::default();
            drop(health);
            (self.observer)(HealthChange {
                nexthop: pool.label.to_string(),
                fault: None,
                down,
            });
        }
    }

    fn fails(&self, pool: &Pool, fault: &Fault) {
        let mut health = lock(&pool.health);
        let pause = BACK_OFF_MIN
            .saturating_mul(1 << health.failures.min(10))
            .min(BACK_OFF_MAX);
        health.down_until = Some(Instant::now() + pause);
        health.down_since.get_or_insert_with(Instant::now);
        health.failures = health.failures.saturating_add(1);
        health.last_fault = fault.what_happened().to_string();
        if health.failures == 1 {
            drop(health);
            (self.observer)(HealthChange {
                nexthop: pool.label.to_string(),
                fault: Some(fault.what_happened().to_string()),
                down: Duration::ZERO,
            });
        }
    }
}

impl Pool {
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        while let Some(mut connection) = idle.pop() {
            if connection.idle_since.elapsed() < IDLE_MAX && connection.is_alive() {
                return Some(connection);
            }
        }
        None
    }

    fn back_off(&self) -> Option<Fault> {
        let health = lock(&self.health);
        let until = health.down_until?;
        (Instant::now() < until).then(|| {
            Fault::new(
                &*self.label,
                Step::Connect,
                Cause::BackOff(health.last_fault.clone()),
            )
        })
    }
}

impl Lease {
    /// What was asked of the connection; it may have been given more or less.
    pub fn tls(&self) -> NexthopTls {
        self.pool.tls
    }

    /// Gives the connection back after a transaction that was finished.
    pub fn give_back(mut self) {
        if self.connection.transactions >= TRANSACTIONS_MAX || !self.connection.is_reusable() {
            tokio::spawn(self.connection.quit());
            return;
        }
        self.connection.idle_since = Instant::now();
        let mut idle = lock(&self.pool.idle);
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(self.connection);
        }
    }

    /// Ends a transaction that was not finished: RSET, then the connection can serve another.
    pub fn abandon(mut self) {
        tokio::spawn(async move {
            if self.connection.reset().await {
                self.give_back();
            }
        });
    }

    /// The nexthop as configured.
    pub fn nexthop(&self) -> &str {
        &self.pool.label
    }
}

async fn begin(
    mut connection: Connection,
    pool: &Arc<Pool>,
    opening: Opening<'_>,
) -> Result<Opened, NotOpened> {
    let Opening {
        reverse_path,
        mail,
        forward_path,
        rcpt,
    } = opening;
    let begun = connection
        .begin(reverse_path, mail, forward_path, rcpt)
        .await;
    let lease = Lease {
        connection,
        pool: Arc::clone(pool),
    };
    match begun.map_err(NotOpened::Fault)? {
        Ok((mail_reply, rcpt_reply)) => Ok(Opened {
            lease,
            mail_reply,
            rcpt_reply,
        }),
        Err(unsupported) => {
            lease.abandon();
            Err(NotOpened::Unsupported(unsupported))
        }
    }
}

/// Connects to the first address of the nexthop that answers.
async fn dial(
    nexthop: &Nexthop,
    manner: &Manner,
    dialling: &Dialling,
) -> Result<Connection, Fault> {
    let mut attempt = Attempt::new(&dialling.ways, dialling.delivery);
    let connected = match nexthop {
        Nexthop::Smtp { host, port } | Nexthop::Lmtp(Address::Tcp(host, port)) => {
            let place = mx::place(&dialling.resolver, host).await.map_err(|error| {
                Fault::new(&*manner.label, Step::Resolve, Cause::Dns(error.to_string()))
            })?;
            let policies = &dialling.tls_policies;
            let manner = policies.of_nexthop(&place, *port, manner).await?;
            attempt.host(&place.ips, *port, &manner).await
        }
        Nexthop::Lmtp(Address::Unix(path)) => attempt.unix(path, manner).await,
        Nexthop::Maildir(_) | Nexthop::Mx { .. } => None,
    };
    connected.ok_or_else(|| {
        let cause = Cause::Unroutable("the nexthop is no server".to_owned());
        let none = || Fault::new(&*manner.label, Step::Resolve, cause);
        attempt.into_fault().unwrap_or_else(none)
    })
}

fn ordered(route: &Route) -> impl Iterator<Item = &Nexthop> {
    let count = route.nexthops.len();
    let first = match route.nexthop_order {
        NexthopOrder::Failover => 0,
        NexthopOrder::Random => fastrand::usize(..count.max(1)),
    };
    (0..count).filter_map(move |i| route.nexthops.get((first + i) % count))
}

/// The maildir of a route, if it delivers into one.
pub fn maildir(route: &Route) -> Option<&PathBuf> {
    route.nexthops.iter().find_map(|nexthop| match nexthop {
        Nexthop::Maildir(path) => Some(path),
        _ => None,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
