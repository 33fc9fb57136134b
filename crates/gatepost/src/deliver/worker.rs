//! One worker: one slot of the queue's schedule, at most one connection, one message after the other.
//!
//! It makes the plan, enters the site, takes an idle connection or dials, then takes, reads, transacts and settles until
//! nothing is left. What a reply means stands in `outcome`, who is told of a failure in `settling`.

use std::sync::Arc;
use std::time::Duration;

use queue::{Entered, LaneKey, Parcel, Queue, QueuedMessage, ReadError, SiteFault, Slot, Taken};
use smtp::{ForwardPath, RcptParameters, Status};
use tokio::sync::watch;

use super::connection::{Answered, Connection, Outgoing};
use super::dial::{Demand, dial};
use super::dispatch::stopped;
use super::fault::{Cause, Fault, Step};
use super::limits::limits;
use super::outcome::{self, Circumstances, Fate};
use super::plan::{NoPlan, Plan, plan};
use super::security::is_tls_optional;
use super::settling::{InHand, Settling};
use super::store_queued;
use crate::context::Context;
use crate::event::Event;

pub(super) use super::settling::{expire, warn};

/// How long a worker waits for the next message before its connection waits without it.
const LINGER: Duration = Duration::from_millis(100);
/// How long a message waits whose content can't be read.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(300);

/// Works until nothing is left to do for this slot.
pub(super) async fn work(
    cx: Arc<Context>,
    queue: Queue,
    mut slot: Slot,
    stop: watch::Receiver<Option<Duration>>,
) {
    let plan = match plan(&cx, slot.lane()).await {
        Ok(plan) => plan,
        Err(NoPlan::Transient(fault)) => return unreachable(&cx, slot, &fault),
        Err(NoPlan::Permanent { status, text }) => {
            return fail_all(&cx, &queue, slot, status, &text).await;
        }
    };
    let limits = limits(&cx, &plan);
    if slot.enter(&plan.site, &limits.site, &limits.quotas) == Entered::Full {
        return;
    }
    let worker = Worker {
        connection: cx.services.idle.take(&plan.site, cx.config.queue.idle),
        cx,
        queue,
        plan,
        stop,
        transactions_max: limits.site.parcels_per_connection_max,
    };
    worker.run(slot).await;
}

struct Worker {
    cx: Arc<Context>,
    queue: Queue,
    plan: Plan,
    stop: watch::Receiver<Option<Duration>>,
    connection: Option<Connection>,
    /// What one connection may carry, for all slots that use it one after the other.
    transactions_max: u32,
}

impl Worker {
    async fn run(mut self, mut slot: Slot) {
        loop {
            if self.connection.is_none() && self.plan.maildir.is_none() {
                match dial(&self.cx, &self.plan, Demand::default()).await {
                    Ok(connection) => self.connection = Some(connection),
                    Err(fault) => return unreachable(&self.cx, slot, &fault),
                }
            }
            let Some(parcel) = self.next(&mut slot).await else {
                break;
            };
            self.deliver(&mut slot, parcel).await;
            // What it carried for slots before this one counts too.
            if self
                .connection
                .as_ref()
                .is_some_and(|it| self.is_used_up(it))
            {
                break;
            }
        }
        // The slot first: whoever comes next finds the connection, or room for another.
        drop(slot);
        if let Some(connection) = self.connection.take() {
            if self.is_used_up(&connection) {
                tokio::spawn(connection.quit());
                return;
            }
            let idle = self.cx.config.queue.idle;
            self.cx.services.idle.put(&self.plan.site, connection, idle);
        }
    }

    fn is_used_up(&self, connection: &Connection) -> bool {
        connection.transactions >= self.transactions_max
    }

    /// The next parcel; `None` if there is nothing more to do, or the node stops.
    async fn next(&mut self, slot: &mut Slot) -> Option<Parcel> {
        let mut stop = self.stop.clone();
        loop {
            if stop.borrow().is_some() {
                return None;
            }
            let pause = match slot.take() {
                Taken::Parcel(parcel) => return Some(parcel),
                Taken::Wait(pause) => pause,
                Taken::Nothing => {
                    self.connection.as_ref()?;
                    return tokio::select! {
                        biased;
                        () = stopped(&mut stop) => None,
                        parcel = slot.take_within(LINGER) => parcel,
                    };
                }
            };
            // A rate is used up. Nobody keeps a server waiting longer than it would wait for a command.
            if pause > self.cx.config.queue.idle {
                return None;
            }
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return None,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Delivers one parcel, as far as that is possible now, and settles it.
    async fn deliver(&mut self, slot: &mut Slot, parcel: Parcel) {
        let in_hand = InHand::new(&self.queue, parcel);
        let message = match self.queue.read(in_hand.parcel()).await {
            Ok(message) => message,
            Err(error) => return unreadable(in_hand, &error),
        };
        let cx = Arc::clone(&self.cx);
        let mut settling = Settling::new(&cx, &message, in_hand.parcel());
        if let Some(maildir) = &self.plan.maildir {
            let stored = store_queued(&self.cx, maildir, &message, &settling.left()).await;
            settling.settle_all(&stored);
        } else {
            let demand = Demand {
                require_tls: message.envelope.mail.require_tls,
                tls_optional: is_tls_optional(&message.content),
            };
            if demand == Demand::default() {
                self.transact(slot, &message, &mut settling).await;
            } else {
                self.with_demand(&message, &mut settling, demand).await;
            }
        }
        settling.finish(&self.queue, in_hand).await;
    }

    /// Sends the message over the connection at hand; where that server fails before it has the message, over one to each other
    /// server of the plan (RFC 5321 5.1).
    async fn transact(
        &mut self,
        slot: &mut Slot,
        message: &QueuedMessage,
        settling: &mut Settling<'_>,
    ) {
        let mut tried: Vec<Arc<str>> = Vec::new();
        while let Some(mut connection) = self.connection.take() {
            let was_used = connection.transactions > 0;
            let label = connection.label();
            let answers = send(&mut connection, message, &settling.left()).await;
            judge(slot, &answers);
            let stale = was_used && answers.iter().all(is_stale);
            settling.note_transaction(&connection, &answers);
            self.settle(settling, &label, answers);
            if connection.is_reusable() {
                self.connection = Some(connection);
            } else {
                tokio::spawn(connection.quit());
            }
            if settling.is_done() || self.stop.borrow().is_some() {
                return;
            }
            // A server that closed while the connection was idle is dialled anew: that is no fault of its.
            if !stale {
                tried.push(label);
            }
            if let Some(unfit) = self.connection.take() {
                let idle = self.cx.config.queue.idle;
                self.cx.services.idle.put(&self.plan.site, unfit, idle);
            }
            self.connection = self.elsewhere(&tried, Demand::default()).await;
        }
    }

    /// Sends a message that demands more or less of its servers than others do, over a connection of its own.
    async fn with_demand(
        &self,
        message: &QueuedMessage,
        settling: &mut Settling<'_>,
        demand: Demand,
    ) {
        let mut tried = Vec::new();
        while !settling.is_done() {
            let left = self.without(&tried);
            if left.hosts.is_empty() {
                return;
            }
            match dial(&self.cx, &left, demand).await {
                Ok(mut connection) => {
                    let label = connection.label();
                    let answers = send(&mut connection, message, &settling.left()).await;
                    settling.note_transaction(&connection, &answers);
                    self.settle(settling, &label, answers);
                    tried.push(label);
                    tokio::spawn(connection.quit());
                }
                Err(fault) => {
                    let nexthop = fault.nexthop.clone();
                    let answers = lost(fault, settling.left().len());
                    return self.settle(settling, &nexthop, answers);
                }
            }
        }
    }

    fn settle(&self, settling: &mut Settling<'_>, nexthop: &str, answers: Vec<Answered>) {
        let queueing = &self.plan.route.route.queueing;
        let accepted = |answer: &Answered| !matches!(answer, Answered::Reply(Step::Rcpt, _));
        let at = Circumstances {
            nexthop,
            pause: outcome::pause(queueing, settling.attempts()),
            others_accepted: answers.iter().any(accepted),
        };
        let fates: Vec<Fate> = answers
            .into_iter()
            .map(|answered| outcome::fate(answered, at))
            .collect();
        settling.settle(fates);
    }

    /// A connection to a server that was not tried yet.
    async fn elsewhere(&self, tried: &[Arc<str>], demand: Demand) -> Option<Connection> {
        let left = self.without(tried);
        if left.hosts.is_empty() {
            return None;
        }
        dial(&self.cx, &left, demand).await.ok()
    }

    fn without(&self, tried: &[Arc<str>]) -> Plan {
        let mut plan = self.plan.clone();
        plan.hosts.retain(|host| !tried.contains(&host.label));
        plan
    }
}

/// Sends the message to these recipients: one answer for each.
async fn send(
    connection: &mut Connection,
    message: &QueuedMessage,
    recipients: &[(&ForwardPath, &RcptParameters)],
) -> Vec<Answered> {
    let outgoing = Outgoing {
        reverse_path: &message.envelope.reverse_path,
        mail: &message.envelope.mail,
        content: &message.content,
        eight_bit: message.envelope.eight_bit,
    };
    match connection.deliver(outgoing, recipients).await {
        Ok(answers) => answers,
        Err(unsupported) => vec![Answered::Unsupported(unsupported); recipients.len()],
    }
}

fn lost(fault: Fault, count: usize) -> Vec<Answered> {
    vec![Answered::Lost(Arc::new(fault)); count]
}

/// Tells the schedule how the server bore the transaction.
fn judge(slot: &mut Slot, answers: &[Answered]) {
    let is_busy = |answer: &Answered| match answer {
        Answered::Reply(Step::Mail, reply) => reply.is_transient(),
        Answered::Lost(fault) => !fault.is_permanent() && !is_stale(answer),
        _ => false,
    };
    if answers.iter().any(is_busy) {
        slot.busy();
    } else if !answers.iter().all(is_stale) {
        slot.worked();
    }
}

/// Whether the connection was gone before it was spoken on.
fn is_stale(answer: &Answered) -> bool {
    matches!(answer, Answered::Lost(fault)
        if fault.step == Step::Mail && matches!(fault.cause, Cause::Closed | Cause::Io(_)))
}

/// Nobody could be reached: the site, or the lane that has none, is left alone. The event tells why everything there waits.
fn unreachable(cx: &Context, slot: Slot, fault: &Fault) {
    let site = site_fault(fault);
    cx.services.journal.emit(&Event::NexthopDown {
        nexthop: site.nexthop.as_str().into(),
        detail: format!("{} {}", site.status, site.detail),
    });
    slot.failed(site);
}

fn site_fault(fault: &Fault) -> SiteFault {
    SiteFault {
        status: fault.status(),
        nexthop: fault.nexthop.clone(),
        detail: fault.what_happened().to_string(),
    }
}

/// No plan can ever be made for the lane as it stands: each of its messages fails.
async fn fail_all(cx: &Context, queue: &Queue, mut slot: Slot, status: Status, text: &str) {
    while let Taken::Parcel(parcel) = slot.take() {
        let in_hand = InHand::new(queue, parcel);
        let message = match queue.read(in_hand.parcel()).await {
            Ok(message) => message,
            Err(error) => {
                unreadable(in_hand, &error);
                continue;
            }
        };
        let lane: &LaneKey = slot.lane();
        let mut settling = Settling::new(cx, &message, in_hand.parcel());
        settling.settle_all(&queue::RecipientOutcome::Failed {
            nexthop: lane.domain.to_string(),
            status,
            diagnostic: text.to_owned(),
        });
        settling.finish(queue, in_hand).await;
    }
}

/// What can't be read can't be sent, and nobody can be told: it stays in the queue, for whoever looks after it.
fn unreadable(in_hand: InHand, error: &ReadError) {
    match error {
        // An operator removed it meanwhile.
        ReadError::Gone => in_hand.untried(),
        ReadError::Damaged(detail) | ReadError::Fault(detail) => {
            tracing::error!(detail, "a queued message can't be read");
            in_hand.delay(Status::transient(3, 0), detail, UNREADABLE_PAUSE);
        }
    }
}
