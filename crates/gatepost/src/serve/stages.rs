//! One short function for each stage of a session: it gathers facts, asks the policy, and only then lets something change.
//!
//! Syntax and order have been checked by the session before (crate `smtp`). The stages with more to do have files of their
//! own: `rcpt` and `message`.

use std::net::IpAddr;
use std::sync::Arc;

use scan::auth::facts::SpfFact;
use scan::auth::{Identity, spf_of};
use smtp::MailParameters;
use smtp::Reply;
use smtp::ReversePath;
use smtp::Status;
use smtp::server::{Answer, Credentials, Ehlo, Request, XclientAttribute};

use super::conversation::{Conversation, End};
use super::refusals::{Concerned, refusal};
use super::transaction::Transaction;
use crate::context::{Context, ListenerContext};
use crate::decision::{EndedBy, Stage};
use crate::policy::{self, ListMatch, Reason, Verdict};
use crate::replies::{LANGUAGE_DEFAULT, Values};

mod message;
mod rcpt;
mod sender;

/// Answers what the session asks.
pub async fn answer(conversation: &mut Conversation, request: Request) -> Answer {
    match request {
        Request::Ehlo(ehlo) => self::ehlo(conversation, ehlo),
        Request::Auth(credentials) => auth(conversation, &credentials).await,
        Request::Xclient(attributes) => xclient(conversation, attributes).await,
        Request::Mail(reverse_path, parameters) => {
            mail(conversation, reverse_path, parameters).await
        }
        Request::Rcpt(forward_path, parameters) => {
            rcpt::rcpt(conversation, forward_path, parameters).await
        }
        Request::Data => data(conversation),
        Request::End(content) => message::message(conversation, content).await,
        // RFC 5321 3.5.3: 252, neither yes nor no.
        Request::Vrfy(_) => Answer::Accept,
    }
}

/// Whether this client may speak at all: the entries that match it, or the reply in place of the banner.
pub async fn connect(
    cx: &Context,
    listener: &ListenerContext,
    ip: IpAddr,
) -> Result<Vec<ListMatch>, (Reason, Reply)> {
    let lists: Vec<ListMatch> = cx.lists.client(ip).into_iter().collect();
    let mut verdict = policy::connect(&lists);
    if verdict.is_accept() {
        verdict = sender::standing(cx, listener, ip, &lists).await;
    }
    match verdict.reason() {
        None => Ok(lists),
        Some(reason) => {
            let (client, postmaster) = (ip.to_string(), cx.config.node.postmaster.to_string());
            let values = Values {
                client: &client,
                reason: &reason.told,
                postmaster: &postmaster,
                ..Values::default()
            };
            let reply = cx
                .templates
                .render_at_connect(reason.kind, LANGUAGE_DEFAULT, &values);
            Err((reason.clone(), reply))
        }
    }
}

/// The last words to a client that we leave (RFC 5321 3.8), if it may be listening.
pub fn farewell(conversation: &Conversation, end: End) -> Option<Reply> {
    let hostname = &conversation.listener.settings.hostname;
    match end {
        End::Timeout => Some(Reply::new(
            421,
            Status::transient(4, 2),
            format!("{hostname} closing: nothing came in time"),
        )),
        End::TooSlow => Some(Reply::new(
            421,
            Status::transient(4, 2),
            format!("{hostname} closing: the message comes too slowly"),
        )),
        End::Stop => Some(Reply::new(
            421,
            Status::NOT_ACCEPTING,
            format!("{hostname} is shutting down, please try again"),
        )),
        End::Quit
        | End::Disconnect
        | End::Errors
        | End::Refused
        | End::TlsFailed
        | End::EarlyTalker
        | End::Limit => None,
    }
}

fn ehlo(conversation: &mut Conversation, ehlo: Ehlo) -> Answer {
    let client = &mut conversation.client;
    client.ehlo = ehlo.name;
    client.extended = ehlo.extended;
    conversation.stage = conversation.stage.max(Stage::Ehlo);
    Answer::Accept
}

async fn auth(conversation: &mut Conversation, credentials: &Credentials) -> Answer {
    conversation.stage = conversation.stage.max(Stage::Auth);
    let Some(users) = &conversation.listener.users else {
        return Answer::Reply(Reply::new(
            535,
            Status::BAD_CREDENTIALS,
            "Authentication credentials invalid",
        ));
    };
    match users.verify(credentials).await {
        Some(identity) => {
            conversation.client.authenticated_as = Some(identity);
            Answer::Accept
        }
        None => Answer::Reply(Reply::new(
            535,
            Status::BAD_CREDENTIALS,
            "Authentication credentials invalid",
        )),
    }
}

/// A trusted peer tells who is behind it (Postfix's XCLIENT): from here on that client is meant. All of it holds or nothing.
///
/// A client on a block list is refused at MAIL: the session belongs to the peer, which may name another client next.
async fn xclient(
    conversation: &mut Conversation,
    attributes: Vec<(XclientAttribute, Option<String>)>,
) -> Answer {
    let cx = Arc::clone(&conversation.cx);
    let peer = conversation.client.ip;
    let (mut ip, mut port, mut helo, mut login) = (None, None, None, None);
    for (attribute, value) in attributes {
        match (attribute, value) {
            (XclientAttribute::Addr, Some(address)) => {
                let text = address.strip_prefix("IPV6:").unwrap_or(&address);
                let Ok(address) = text.parse::<IpAddr>() else {
                    let text = "XCLIENT ADDR is not an IP address";
                    return Answer::Reply(Reply::new(501, Status::INVALID_ARGUMENTS, text));
                };
                ip = Some(address.to_canonical());
            }
            (XclientAttribute::Port, Some(value)) => port = value.parse().ok(),
            (XclientAttribute::Helo, value) => helo = value,
            (XclientAttribute::Login, value) => login = value,
            // The name is looked up by ourselves; the rest does not concern us.
            _ => {}
        }
    }
    let client = &mut conversation.client;
    client.authenticated_as = login;
    client.ehlo = helo.unwrap_or_default();
    client.port = port.unwrap_or(client.port);
    if let Some(ip) = ip {
        client.ip = ip;
        client.proxied_by = Some(peer);
        client.name = cx.services.reverse_names.ask(&cx.resolver, ip);
        client.lists = cx.lists.client(ip).into_iter().collect();
        client.standing = match &client.authenticated_as {
            Some(_) => Verdict::ACCEPT,
            None => sender::standing(&cx, &conversation.listener, ip, &client.lists).await,
        };
    }
    Answer::Accept
}

async fn mail(
    conversation: &mut Conversation,
    reverse_path: ReversePath,
    parameters: MailParameters,
) -> Answer {
    let cx = Arc::clone(&conversation.cx);
    let mut lists = conversation.client.lists.clone();
    lists.extend(cx.lists.reverse_path(&reverse_path));
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
    let reference = cx.services.references.next(now);
    let mut verdict = policy::mail(&lists, None);
    if cx.config.auth.spf_fail_at_mail && verdict.is_accept() {
        let spf = spf(conversation, &reverse_path).await;
        verdict = policy::mail(&lists, spf.as_ref());
    }
    if verdict.is_accept() {
        verdict = conversation.client.standing.clone();
    }
    if verdict.is_accept() {
        verdict = sender::network_rate(&cx, &conversation.listener, &conversation.client, &lists);
    }
    let ehlo = conversation.client.ehlo.clone();
    let mut transaction = Transaction::new(reference, ehlo, reverse_path, parameters, lists);
    let Some(reason) = verdict.reason() else {
        conversation.client.ask_name(&cx);
        conversation.transaction = Some(Box::new(transaction));
        return Answer::Accept;
    };
    let reply = refusal(conversation, &transaction, reason, Concerned::default());
    transaction.outcome.reply = Some(reply.clone());
    transaction.outcome.verdict = Some(verdict);
    conversation.record(transaction, EndedBy::Reply);
    Answer::Reply(reply)
}

/// What SPF says of a reverse-path, unless the client may send whatever it likes.
async fn spf(conversation: &Conversation, reverse_path: &ReversePath) -> Option<SpfFact> {
    let (cx, client) = (&conversation.cx, &conversation.client);
    if client.may_relay(cx) || cx.trusted_forwarders.contains(client.ip) {
        return None;
    }
    let identity = Identity {
        ip: client.ip,
        helo: &client.ehlo,
        reverse_path,
        receiver: &cx.config.node.name,
    };
    Some(spf_of(&cx.resolver, identity).await)
}

fn data(conversation: &mut Conversation) -> Answer {
    let cx = Arc::clone(&conversation.cx);
    match &mut conversation.transaction {
        Some(transaction) => {
            transaction.begin_content(&cx);
            Answer::Accept
        }
        None => Answer::Reply(Reply::new(503, Status::INVALID_COMMAND, "MAIL first")),
    }
}
