//! One daemon: its idle connections, the bound on their number, its health.
//!
//! A connection is kept only after a complete exchange. Whoever is cancelled in the middle drops it, so that one
//! message's reply can never be taken for another's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use net::stream::Stream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::back_off::{BackOff, Failure, Leave};
use crate::engine::{DaemonSettings, Health};
use crate::finding::{Unavailable, UnavailableCause};
use crate::limits;
use crate::wire;

/// A protocol of questions and answers over a connection.
pub(crate) trait Dialogue: Send + Sync + 'static {
    /// A connection that is ready for a question.
    type Connection: Send + 'static;
    /// A question.
    type Request: Sync;
    /// Its answer.
    type Reply: Send;

    /// Makes a connection ready for its first question.
    fn open(
        &self,
        stream: Stream,
    ) -> impl Future<Output = Result<Self::Connection, Unavailable>> + Send;

    /// Asks one question. An error leaves the connection unusable.
    fn exchange(
        &self,
        connection: &mut Self::Connection,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Exchanged<Self::Reply>, Unavailable>> + Send;

    /// Whether an idle connection may be used again.
    fn is_usable(&self, connection: &mut Self::Connection) -> bool;

    /// Whether nothing of a reply to the last question was received.
    fn is_unanswered(&self, connection: &Self::Connection) -> bool;
}

/// An answer, and whether its connection is fit for the next question.
pub(crate) struct Exchanged<T> {
    pub(crate) reply: T,
    pub(crate) keep: bool,
}

/// The connections to one daemon.
pub(crate) struct Pool<D: Dialogue> {
    dialogue: D,
    settings: DaemonSettings,
    slots: Semaphore,
    idle: Mutex<Vec<Idle<D::Connection>>>,
    back_off: Mutex<BackOff>,
}

struct Idle<C> {
    connection: C,
    since: Instant,
}

impl<D: Dialogue> Pool<D> {
    pub(crate) fn new(dialogue: D, settings: DaemonSettings) -> Pool<D> {
        Pool {
            dialogue,
            slots: Semaphore::new(settings.connections_max.clamp(1, Semaphore::MAX_PERMITS)),
            settings,
            idle: Mutex::new(Vec::new()),
            back_off: Mutex::new(BackOff::default()),
        }
    }

    pub(crate) fn settings(&self) -> &DaemonSettings {
        &self.settings
    }

    pub(crate) fn dialogue(&self) -> &D {
        &self.dialogue
    }

    pub(crate) fn health(&self) -> Health {
        locked(&self.back_off).health()
    }

    /// Asks the daemon, on an idle connection if there is one.
    pub(crate) async fn ask(&self, request: &D::Request) -> Result<D::Reply, Unavailable> {
        locked(&self.back_off).check(Instant::now())?;
        let slot = self.slots.acquire().await;
        // The semaphore is never closed; if it were, the daemon would simply not be asked.
        let _slot =
            slot.map_err(|error| Unavailable::new(UnavailableCause::Connect, error.to_string()))?;
        let visit = Visit::begin(self)?;
        if let Some(mut connection) = self.take_idle() {
            match self.dialogue.exchange(&mut connection, request).await {
                Ok(exchanged) => return Ok(visit.succeeded(connection, exchanged)),
                Err(why)
                    if why.cause == UnavailableCause::Connect
                        && self.dialogue.is_unanswered(&connection) =>
                {
                    // The daemon had closed it, or was restarted: the others are no better.
                    locked(&self.idle).clear();
                }
                Err(why) => return Err(visit.failed(Failure::Talk, why)),
            }
        }
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(why) => return Err(visit.failed(Failure::Away, why)),
        };
        match self.dialogue.exchange(&mut connection, request).await {
            Ok(exchanged) => Ok(visit.succeeded(connection, exchanged)),
            Err(why) => Err(visit.failed(Failure::Talk, why)),
        }
    }

    /// Bounds the time of a conversation on a connection of its own: for a probe.
    pub(crate) async fn aside<T>(
        &self,
        talk: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<T, Unavailable> {
        timeout(limits::ENGINE_DEADLINE, talk)
            .await
            .unwrap_or_else(|_| {
                let detail = format!("{} did not answer in time", self.settings.address);
                Err(Unavailable::new(UnavailableCause::Timeout, detail))
            })
    }

    /// Asks on a connection of its own, past back-off and bounds: for a probe.
    pub(crate) async fn ask_aside(&self, request: &D::Request) -> Result<D::Reply, Unavailable> {
        let mut connection = self.connect().await?;
        let exchanged = self.dialogue.exchange(&mut connection, request).await?;
        Ok(exchanged.reply)
    }

    /// A new connection, ready for a question.
    pub(crate) async fn connect(&self) -> Result<D::Connection, Unavailable> {
        let address = &self.settings.address;
        let opened = async { self.dialogue.open(wire::dial(address).await?).await };
        timeout(limits::CONNECT_DEADLINE, opened)
            .await
            .unwrap_or_else(|_| {
                let detail = format!("cannot connect to {address}: no answer");
                Err(Unavailable::new(UnavailableCause::Connect, detail))
            })
    }

    /// Told that an examination was given up at its deadline.
    pub(crate) fn timed_out(&self) {
        let change = locked(&self.back_off).timed_out(Instant::now());
        self.observe(change);
    }

    fn take_idle(&self) -> Option<D::Connection> {
        let mut idle = locked(&self.idle);
        let now = Instant::now();
        while let Some(Idle {
            mut connection,
            since,
        }) = idle.pop()
        {
            if now.duration_since(since) > limits::IDLE_MAX {
                // The last one used is the youngest: the others are older still.
                idle.clear();
                return None;
            }
            if self.dialogue.is_usable(&mut connection) {
                return Some(connection);
            }
        }
        None
    }

    fn put_idle(&self, connection: D::Connection) {
        let since = Instant::now();
        let mut idle = locked(&self.idle);
        if idle.len() < self.settings.connections_max {
            idle.push(Idle { connection, since });
        }
    }

    /// Called without a lock held, since the observer may ask for the health.
    fn observe(&self, change: Option<Health>) {
        if let (Some(health), Some(observer)) = (change, &self.settings.observer) {
            observer(&self.settings.name, &health);
        }
    }
}

/// One examination as the back-off sees it. Dropped without an outcome it was cancelled, which says nothing of the daemon.
struct Visit<'a, D: Dialogue> {
    pool: &'a Pool<D>,
    leave: Leave,
}

impl<'a, D: Dialogue> Visit<'a, D> {
    fn begin(pool: &'a Pool<D>) -> Result<Visit<'a, D>, Unavailable> {
        let leave = locked(&pool.back_off).admit(Instant::now())?;
        Ok(Visit { pool, leave })
    }

    fn succeeded(self, connection: D::Connection, exchanged: Exchanged<D::Reply>) -> D::Reply {
        if exchanged.keep {
            self.pool.put_idle(connection);
        }
        let change = locked(&self.pool.back_off).succeeded();
        self.pool.observe(change);
        exchanged.reply
    }

    fn failed(self, failure: Failure, why: Unavailable) -> Unavailable {
        let change = locked(&self.pool.back_off).failed(self.leave, failure, &why, Instant::now());
        self.pool.observe(change);
        why
    }
}

impl<D: Dialogue> Drop for Visit<'_, D> {
    fn drop(&mut self) {
        locked(&self.pool.back_off).abandoned(self.leave);
    }
}

/// What the locks guard stays sound if a holder panics: each change is made at once.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
