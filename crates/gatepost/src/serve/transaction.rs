//! A mail transaction (RFC 5321 3.3) in progress: envelope, content, and what was found out about each recipient.
//!
//! Recipients that share a policy and a nexthop form a group; a message has one verdict for each group and one reply for each
//! transaction, so that without PRDR there is only one group.

use std::sync::Arc;

use jiff::Timestamp;
use queue::{Announcement, MessageId, Queue};
use scan::finding::Finding;
use smtp::Reply;
use smtp::{ForwardPath, ReversePath};
use smtp::{MailParameters, RcptParameters};
use tokio::time::Instant;

use super::content::{Content, ContentError};
use super::conversation::{Client, milliseconds};
use crate::context::{Context, ListenerContext, RouteContext};
use crate::decision::{self, Decision, Disposition, EndedBy, Protocol, Sizes, Stage, Timings};
use crate::deliver::fault::Fault;
use crate::deliver::nexthops::Lease;
use crate::event::Time;
use crate::policy::{ListMatch, RecipientClass, Verdict};
use crate::reference::Reference;

/// A mail transaction in progress.
pub struct Transaction {
    /// Its id.
    pub reference: Reference,
    /// When MAIL came.
    pub begun_at: Timestamp,
    begun: Instant,
    /// The name that the client had given by then.
    ehlo: String,
    /// The reverse-path.
    pub reverse_path: ReversePath,
    /// What came with MAIL.
    pub mail: MailParameters,
    /// The list entries that match the client and the reverse-path; later also the header field From.
    pub lists: Vec<ListMatch>,
    /// Each recipient that was named, in order, refused ones too.
    pub recipients: Vec<Recipient>,
    /// The accepted ones by policy and nexthop.
    pub groups: Vec<Group>,
    /// That a submission to the queue will follow soon, while one is likely.
    announcement: Option<Announcement>,
    /// The content so far.
    content: Option<Content>,
    content_error: Option<ContentError>,
    content_begun: Option<Instant>,
    /// The last stage reached.
    pub stage: Stage,
    /// What is recorded when the transaction ends.
    pub outcome: Outcome,
}

/// What is recorded of the message when the transaction ends.
#[derive(Default)]
pub struct Outcome {
    /// How large it was.
    pub sizes: Sizes,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// What the engines said.
    pub findings: Vec<Finding>,
    /// The verdict on the whole.
    pub verdict: Option<Verdict>,
    /// The last reply.
    pub reply: Option<Reply>,
    /// How long the steps took.
    pub timings: Timings,
}

/// A recipient that was named.
pub struct Recipient {
    /// The forward-path.
    pub forward_path: ForwardPath,
    /// What came with RCPT.
    pub parameters: RcptParameters,
    /// Its route.
    pub route: Option<Arc<RouteContext>>,
    /// No route has its domain: it is relayed for a client that may.
    pub trusted: bool,
    /// The list entries that match it.
    pub lists: Vec<ListMatch>,
    /// Its group, if it was accepted.
    pub group: Option<usize>,
    /// What was decided for it.
    pub verdict: Option<Verdict>,
    /// The last reply that concerned it.
    pub reply: Option<Reply>,
    /// The nexthop that was spoken to.
    pub nexthop: Option<String>,
    /// Its last reply about this recipient.
    pub nexthop_reply: Option<Reply>,
    /// What kept the nexthop from having the message, where the message was queued for it.
    pub nexthop_fault: Option<String>,
    /// The message in the queue.
    pub queue_id: Option<MessageId>,
    /// What became of the message for it.
    pub disposition: Disposition,
}

/// Recipients that share a verdict and a nexthop.
pub struct Group {
    /// What they have in common.
    pub class: RecipientClass,
    /// Their route.
    pub route: Arc<RouteContext>,
    /// The nexthop's transaction, if it was begun at RCPT time.
    pub lease: Option<Lease>,
    /// The message goes into the queue: the route says so, or its nexthop failed and the route says so then.
    pub queues: bool,
    /// What kept it from cut-through.
    pub fault: Option<Arc<Fault>>,
}

impl Transaction {
    /// A transaction that begins with MAIL.
    pub fn new(
        reference: Reference,
        ehlo: String,
        reverse_path: ReversePath,
        mail: MailParameters,
        lists: Vec<ListMatch>,
    ) -> Transaction {
        Transaction {
            reference,
            begun_at: Timestamp::now(),
            begun: Instant::now(),
            ehlo,
            reverse_path,
            mail,
            lists,
            recipients: Vec::new(),
            groups: Vec::new(),
            announcement: None,
            content: None,
            content_error: None,
            content_begun: None,
            stage: Stage::Mail,
            outcome: Outcome::default(),
        }
    }

    /// The content begins.
    pub fn begin_content(&mut self, cx: &Context) {
        self.stage = Stage::Data;
        self.content_begun = Some(Instant::now());
        self.announce(cx);
        self.content = Some(Content::new(cx.content.clone(), self.mail.size));
    }

    /// A piece of content. After an error the rest is let go: the end of data is answered with the error.
    pub async fn append(&mut self, piece: &[u8]) {
        if let Some(content) = &mut self.content
            && let Err(error) = content.append(piece).await
        {
            self.content = None;
            self.content_error = Some(error);
        }
    }

    /// The content is complete, or could not be kept.
    pub fn end_content(&mut self) -> Result<Content, ContentError> {
        self.stage = Stage::Message;
        self.outcome.timings.receive = self.content_begun.map_or(0.0, milliseconds);
        match (self.content.take(), self.content_error.take()) {
            (Some(content), None) => Ok(content),
            (_, Some(error)) => Err(error),
            (None, None) => Err(ContentError::Spool(std::io::ErrorKind::NotFound.into())),
        }
    }

    /// Announces the message to the queue, if it is sure to be queued.
    pub fn announce(&mut self, cx: &Context) {
        if self.announcement.is_none() && self.groups.iter().any(|group| group.queues) {
            self.announcement = cx.services.queue().ok().map(Queue::announce);
        }
    }

    /// What was announced to the queue comes now.
    pub fn take_announcement(&mut self) -> Option<Announcement> {
        self.announcement.take()
    }

    /// The accepted recipients of a group, with their places among all recipients.
    pub fn members(&self, group: usize) -> impl Iterator<Item = (usize, &Recipient)> {
        self.recipients
            .iter()
            .enumerate()
            .filter(move |(_, recipient)| recipient.group == Some(group))
    }

    /// How many recipients were accepted.
    pub fn accepted(&self) -> usize {
        self.recipients
            .iter()
            .filter(|recipient| recipient.group.is_some())
            .count()
    }

    /// The record of the transaction, whose nexthops' transactions end with it.
    pub fn into_decision(
        self,
        cx: &Context,
        listener: &ListenerContext,
        client: &Client,
        ended_by: EndedBy,
    ) -> Decision {
        for lease in self.groups.into_iter().filter_map(|group| group.lease) {
            lease.abandon();
        }
        let mut timings = self.outcome.timings;
        timings.total = milliseconds(self.begun);
        Decision {
            reference: self.reference,
            begun: Time::new(self.begun_at),
            node: Arc::clone(&cx.node),
            listener: Arc::clone(&listener.name),
            client: client.facts(),
            tls: client.tls_facts(),
            ehlo: self.ehlo,
            authenticated_as: client.authenticated_as.clone(),
            protocol: protocol(client, &self.mail),
            reverse_path: match &self.reverse_path {
                ReversePath::Null => "<>".to_owned(),
                ReversePath::Mailbox(mailbox) => mailbox.to_string(),
            },
            mail_parameters: (&self.mail).into(),
            recipients: self
                .recipients
                .into_iter()
                .map(Recipient::into_record)
                .collect(),
            sizes: self.outcome.sizes,
            message_id: self.outcome.message_id,
            stage: self.stage,
            lists: self.lists,
            findings: self.outcome.findings,
            verdict: self.outcome.verdict,
            reply: self.outcome.reply.as_ref().map(Into::into),
            timings,
            ended_by,
        }
    }
}

/// The protocol of a session, as the Received field has it.
pub fn protocol(client: &Client, mail: &MailParameters) -> Protocol {
    Protocol::new(
        client.extended,
        mail.smtputf8,
        client.tls.is_some(),
        client.authenticated_as.is_some(),
    )
}

impl Recipient {
    /// A recipient that was just named.
    pub fn new(forward_path: ForwardPath, parameters: RcptParameters) -> Recipient {
        Recipient {
            forward_path,
            parameters,
            route: None,
            trusted: false,
            lists: Vec::new(),
            group: None,
            verdict: None,
            reply: None,
            nexthop: None,
            nexthop_reply: None,
            nexthop_fault: None,
            queue_id: None,
            disposition: Disposition::Abandoned,
        }
    }

    /// Notes the reply that the client is given, unless it is positive.
    pub fn refused_with(&mut self, reply: &Reply) {
        self.disposition = if reply.is_permanent() {
            Disposition::Refused
        } else {
            Disposition::Deferred
        };
        self.reply = Some(reply.clone());
    }

    fn into_record(self) -> decision::Recipient {
        decision::Recipient {
            forward_path: self.forward_path.to_string(),
            route: self.route.as_ref().map(|route| Arc::clone(&route.label)),
            customer: self.route.as_ref().and_then(|route| route.customer.clone()),
            policy: self
                .route
                .as_ref()
                .map(|route| Arc::clone(&route.fingerprint)),
            lists: self.lists,
            verdict: self.verdict,
            reply: self.reply.as_ref().map(Into::into),
            nexthop: self.nexthop,
            nexthop_reply: self.nexthop_reply.as_ref().map(Into::into),
            nexthop_fault: self.nexthop_fault,
            queue_id: self.queue_id.map(|id| id.to_string()),
            disposition: self.disposition,
        }
    }
}
