//! One worker: one slot of the queue's schedule, at most one connection, one message after the other.
//!
//! It makes the plan, enters the site, takes an idle connection or dials, then takes, reads, transacts and settles until
//! nothing is left. What a reply means stands in `outcome`, who is told of a failure in `settling`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use queue::{Entered, Parcel, Queue, QueuedMessage, RecipientOutcome, SiteFault, Slot, Taken};
use smtp::{ForwardPath, RcptParameters, ReversePath};
use tokio::sync::watch;

use super::connection::{Answered, Connection, Outgoing};
use super::dial::{Demand, dial};
use super::dispatch::stopped;
use super::failing::{fail, fail_all, is_ownerless, ownerless, unreadable};
use super::fault::{Cause, Fault, Step};
use super::fitting::{fits, is_own};
use super::limits::{back_off, limits};
use super::outcome::{self, Circumstances, Fate};
use super::plan::{NoPlan, Plan, plan, route};
use super::security::is_tls_optional;
use super::settling::{InHand, Settling};
use super::store_queued;
use crate::context::Context;
use crate::event::Event;

/// How long a worker waits for the next message before its connection waits without it.
const LINGER: Duration = Duration::from_millis(100);
/// How long one waits whose way was lost while it was in a worker's hands.
const LOST_WAY_PAUSE: Duration = Duration::from_secs(60);
/// Waiting connections that are looked at for one message.
const LOOKED_AT_MAX: usize = 20;

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
            return fail_all(&cx, &queue, slot, (status, &text), &stop).await;
        }
    };
    let limits = limits(&cx, &plan);
    if slot.enter(&plan.site, &limits.site, &limits.quotas) == Entered::Full {
        return;
    }
    let mut worker = Worker {
        cx,
        queue,
        nexthop: slot.lane().nexthop.clone(),
        plan: Arc::new(plan),
        stop,
        connection: None,
        barred: HashMap::new(),
        transactions_max: limits.site.parcels_per_connection_max,
    };
    worker.connection = worker.waiting(&worker.plan, Demand::default()).await;
    worker.run(slot).await;
}

struct Worker {
    cx: Arc<Context>,
    queue: Queue,
    plan: Arc<Plan>,
    /// What an operator chose for the slot's lane.
    nexthop: Option<Arc<str>>,
    stop: watch::Receiver<Option<Duration>>,
    connection: Option<Connection>,
    /// Domains whose records or policies no server meets now: dialling for each of their messages would be vain.
    barred: HashMap<Arc<str>, Arc<Fault>>,
    /// What one connection may carry, for all slots that use it one after the other.
    transactions_max: u32,
}

impl Worker {
    async fn run(mut self, mut slot: Slot) {
        loop {
            if let Err(fault) = self.prepare().await {
                return unreachable(&self.cx, slot, &fault);
            }
            let Some(parcel) = self.next(&mut slot).await else {
                break;
            };
            if let Err(fault) = self.deliver(&mut slot, parcel).await {
                return unreachable(&self.cx, slot, &fault);
            }
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
            self.put(connection);
        }
    }

    fn is_used_up(&self, connection: &Connection) -> bool {
        connection.transactions >= self.transactions_max
    }

    fn put(&self, connection: Connection) {
        if self.is_used_up(&connection) {
            tokio::spawn(connection.quit());
            return;
        }
        let idle = self.cx.config.queue.idle;
        self.cx.services.idle.put(&self.plan.site, connection, idle);
    }

    /// Has a connection for the slot's own lane, before a message is taken: servers that are down cost none an attempt. Where
    /// the domain's records or policies are not met, messages are taken all the same, since those of others may go.
    async fn prepare(&mut self) -> Result<(), Fault> {
        let is_barred = self.barred.contains_key(&self.plan.domain);
        // Most of what waits there must not leave this way: no stranger is dialled for it.
        let is_ownerless = self.nexthop.is_none() && is_ownerless(&self.cx, &self.plan.domain);
        if self.connection.is_some() || self.plan.maildir.is_some() || is_barred || is_ownerless {
            return Ok(());
        }
        match dial(&self.cx, &self.plan, Demand::default()).await {
            Ok(connection) => self.connection = Some(connection),
            Err(fault) if is_own(&self.plan, Demand::default(), &fault) => {
                self.bar(Arc::clone(&self.plan.domain), Arc::new(fault));
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn bar(&mut self, domain: Arc<str>, fault: Arc<Fault>) {
        tell_down(&self.cx, &site_fault(&fault));
        self.barred.insert(domain, fault);
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
    ///
    /// # Errors
    /// Nobody can be reached; the parcel is as it was.
    async fn deliver(&mut self, slot: &mut Slot, parcel: Parcel) -> Result<(), Fault> {
        let mut in_hand = InHand::new(&self.queue, parcel);
        let plan = match self.plan_of(in_hand.parcel()).await {
            Ok(plan) => plan,
            Err(NoPlan::Permanent { status, text }) => {
                fail(&self.cx, &self.queue, in_hand, status, &text).await;
                return Ok(());
            }
            Err(NoPlan::Transient(fault)) => {
                let detail = fault.what_happened().to_string();
                in_hand.delay(fault.status(), &detail, LOST_WAY_PAUSE);
                return Ok(());
            }
        };
        let message = match self.queue.read(in_hand.parcel()).await {
            Ok(message) => message,
            Err(error) => {
                unreadable(in_hand, &error);
                return Ok(());
            }
        };
        let cx = Arc::clone(&self.cx);
        let mut settling = Settling::new(&cx, &message, in_hand.parcel());
        if let Some(waits) = ownerless(&cx, in_hand.parcel(), &message) {
            settling.settle_all(&waits);
        } else if let Some(maildir) = &plan.maildir {
            let stored = store_queued(&cx, maildir, &message, &settling.left()).await;
            match stored {
                RecipientOutcome::Delivered { .. } => slot.worked(),
                _ => slot.busy(),
            }
            settling.settle_all(&stored);
        } else if let Err(fault) = self
            .transact(slot, &plan, &message, (&mut settling, &mut in_hand))
            .await
        {
            in_hand.untried();
            return Err(fault);
        }
        settling.finish(&self.queue, in_hand).await;
        Ok(())
    }

    /// The plan of the parcel's own lane, which shares the site with that of the slot but not its domain or route.
    async fn plan_of(&self, parcel: &Parcel) -> Result<Arc<Plan>, NoPlan> {
        let is_same = parcel.lane.domain == self.plan.domain && parcel.lane.nexthop == self.nexthop;
        if is_same {
            return Ok(Arc::clone(&self.plan));
        }
        plan(&self.cx, &parcel.lane).await.map(Arc::new)
    }

    /// Whether the plan leads to the site that the slot has entered. A lane whose way has changed meanwhile does not, until it
    /// has a slot of its own: what it has is delivered over connections that nobody shares.
    fn is_here(&self, plan: &Plan) -> bool {
        plan.site == self.plan.site
    }

    /// Sends the message over a connection that fits it; where that server fails before it has the message, over one to each
    /// other server of the plan (RFC 5321 5.1).
    ///
    /// # Errors
    /// Nobody can be reached; nothing was tried.
    async fn transact(
        &mut self,
        slot: &mut Slot,
        plan: &Plan,
        message: &QueuedMessage,
        (settling, in_hand): (&mut Settling, &mut InHand),
    ) -> Result<(), Fault> {
        let demand = demand(message);
        let mut tried: Vec<Arc<str>> = Vec::new();
        let mut connection = match self.connect(plan, demand).await {
            Ok(connection) => connection,
            Err(NoConnection::Site(fault)) => return Err(fault),
            Err(NoConnection::Own(fault)) => {
                let answers = vec![Answered::Lost(Arc::clone(&fault)); settling.left().len()];
                settle(plan, settling, &fault.nexthop, answers);
                return Ok(());
            }
        };
        loop {
            connection.adopt(plan.route.route.nexthop_timeouts);
            let was_used = connection.transactions > 0;
            let label = connection.label();
            let answers = send(&mut connection, message, &settling.left()).await;
            judge(slot, &answers);
            let stale = was_used && answers.iter().all(is_stale);
            settling.note_transaction(&connection, &answers);
            settle(plan, settling, &label, answers);
            in_hand.note(settling);
            let is_over = settling.is_done() || self.stop.borrow().is_some();
            match connection.is_reusable() && self.is_here(plan) {
                true if is_over => self.connection = Some(connection),
                true => self.put(connection),
                false => drop(tokio::spawn(connection.quit())),
            }
            if is_over {
                settling.leave_unasked();
                return Ok(());
            }
            // A server that closed while the connection was idle is dialled anew: that is no fault of its.
            if !stale {
                tried.push(label);
            }
            match self.elsewhere(plan, &tried, demand).await {
                Ok(other) => connection = other,
                Err(unasked) => {
                    if let Some(fault) = unasked {
                        let queueing = &plan.route.route.queueing;
                        let pause = outcome::pause(queueing, settling.attempts());
                        settling.wait_for(&fault, pause);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// The connection at hand if it fits, else one that waits and does, else a new one.
    async fn connect(&mut self, plan: &Plan, demand: Demand) -> Result<Connection, NoConnection> {
        if self.is_here(plan) {
            if let Some(connection) = self.connection.take() {
                if fits(&self.cx, plan, &connection, demand).await {
                    return Ok(connection);
                }
                self.put(connection);
            }
            if let Some(connection) = self.waiting(plan, demand).await {
                return Ok(connection);
            }
        }
        if demand == Demand::default()
            && let Some(fault) = self.barred.get(&plan.domain)
        {
            return Err(NoConnection::Own(Arc::clone(fault)));
        }
        match dial(&self.cx, plan, demand).await {
            Ok(connection) => Ok(connection),
            Err(fault) if is_own(plan, demand, &fault) || !self.is_here(plan) => {
                let fault = Arc::new(fault);
                if demand == Demand::default() {
                    self.bar(Arc::clone(&plan.domain), Arc::clone(&fault));
                }
                Err(NoConnection::Own(fault))
            }
            Err(fault) => Err(NoConnection::Site(fault)),
        }
    }

    /// A connection that waits and fits.
    async fn waiting(&self, plan: &Plan, demand: Demand) -> Option<Connection> {
        let (idle, services) = (self.cx.config.queue.idle, &self.cx.services);
        let mut unfit = Vec::new();
        let mut found = None;
        while unfit.len() < LOOKED_AT_MAX
            && let Some(connection) = services.idle.take(&plan.site, idle)
        {
            if fits(&self.cx, plan, &connection, demand).await {
                found = Some(connection);
                break;
            }
            unfit.push(connection);
        }
        services.idle.put_back(&plan.site, unfit);
        found
    }

    /// A connection to a server that was not tried yet.
    ///
    /// # Errors
    /// Why one of them could not be asked; `None` if all of the plan were, or no waiting makes one of use.
    async fn elsewhere(
        &self,
        plan: &Plan,
        tried: &[Arc<str>],
        demand: Demand,
    ) -> Result<Connection, Option<Fault>> {
        let mut left = plan.clone();
        left.hosts.retain(|host| !tried.contains(&host.label));
        if left.hosts.is_empty() {
            return Err(None);
        }
        let connected = dial(&self.cx, &left, demand).await;
        connected.map_err(|fault| Some(fault).filter(|fault| !fault.is_permanent()))
    }
}

/// Why there is no connection for a message.
enum NoConnection {
    /// The site has none.
    Site(Fault),
    /// The domain or the message demands what no server there meets.
    Own(Arc<Fault>),
}

/// What the message demands. Reports are rather sent than kept (RFC 8689 section 5).
fn demand(message: &QueuedMessage) -> Demand {
    let envelope = &message.envelope;
    Demand {
        require_tls: envelope.mail.require_tls && envelope.reverse_path != ReversePath::Null,
        tls_optional: is_tls_optional(&message.content),
    }
}

/// What the answers mean goes by the parcel's own route.
fn settle(plan: &Plan, settling: &mut Settling, nexthop: &str, answers: Vec<Answered>) {
    let queueing = &plan.route.route.queueing;
    let accepted =
        |answer: &Answered| matches!(answer, Answered::Reply(step, _) if *step != Step::Rcpt);
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
    tell_down(cx, &site);
    let back_off = back_off(&route(cx, slot.lane()).route);
    slot.failed(site, back_off);
}

fn tell_down(cx: &Context, site: &SiteFault) {
    cx.services.journal.emit(&Event::NexthopDown {
        nexthop: site.nexthop.as_str().into(),
        detail: format!("{} {}", site.status, site.detail),
    });
}

fn site_fault(fault: &Fault) -> SiteFault {
    SiteFault {
        status: fault.status(),
        nexthop: fault.nexthop.clone(),
        detail: fault.what_happened().to_string(),
    }
}
