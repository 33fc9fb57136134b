//! Takes one message through the stages as `serve` would: connect, MAIL, RCPT, the mail data, the engines, the verdict.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use jiff::Zoned;
use jiff::tz::TimeZone;
use scan::finding::Finding;
use scan::message::Message;
use scan::specimen::Specimen;
use smtp::server::{Answer, Defect, Request, Session, Settings, Step, Trust};
use smtp::{ForwardPath, Reply, ReversePath};

use super::CLIENT_DEFAULT;
use super::source::Found;
use crate::config::BareNewline;
use crate::context::{Context, ListenerContext, RouteContext};
use crate::decision::{Protocol, Stage};
use crate::engines::settle_sender;
use crate::explain::{self, Admission, Envelope, Told};
use crate::mbox::Stored;
use crate::policy::{self, Kind, Likelihood, MessageFacts, Reason, Verdict};
use crate::reference::Reference;
use crate::trace_fields::{self, ReceivedFacts};

/// Who sends the messages.
#[derive(Debug)]
pub(super) struct Client {
    /// Its address.
    pub(super) ip: IpAddr,
    /// Its name in the DNS, confirmed.
    pub(super) name: Option<String>,
    /// What it says with EHLO.
    pub(super) helo: String,
}

/// Examines messages for one recipient.
pub(super) struct Examiner {
    cx: Context,
    listener: Arc<ListenerContext>,
    /// The listener's settings, with BDAT: what is refused is the same, and nothing has to be dot-stuffed.
    smtp: Arc<Settings>,
    client: Client,
    reverse_path: Option<ReversePath>,
    forward_path: ForwardPath,
}

/// What became of what was found.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was examined.
    Examined(Box<Examined>),
    /// It can't be read.
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        error: String,
    },
}

/// A message and what would happen to it.
#[derive(Debug)]
pub(super) struct Examined {
    /// The file.
    pub(super) path: String,
    /// The number in an mbox.
    pub(super) number: Option<usize>,
    /// Its size.
    pub(super) bytes: u64,
    /// LF became CRLF.
    pub(super) was_unix: bool,
    /// The reference that it was examined under; daemons log it.
    pub(super) reference: Reference,
    /// The envelope.
    pub(super) reverse_path: ReversePath,
    /// The recipient that counts.
    pub(super) recipient: ForwardPath,
    /// The client.
    pub(super) client: IpAddr,
    /// The listener.
    pub(super) listener: Arc<str>,
    /// The route, if one has the recipient.
    pub(super) route: Option<Arc<str>>,
    /// Where the verdict fell.
    pub(super) stage: Stage,
    /// Accepted, or why not.
    pub(super) verdict: Verdict,
    /// What the client would read, unless accepted.
    pub(super) reply: Option<Reply>,
    /// What the engines said, each with what it means here: as spam, as a virus.
    pub(super) findings: Vec<(Finding, Likelihood, Likelihood)>,
    /// How long it took.
    pub(super) milliseconds: f64,
}

/// Postmaster at the first domain that stands in the configuration itself.
///
/// # Errors
/// None does.
pub(super) fn recipient_of_first_route(cx: &Context) -> Result<ForwardPath, String> {
    let domains = cx.routes.iter().flat_map(|route| &route.route.domains);
    let domain = domains.into_iter().find_map(|domain| {
        let domain = match domain.strip_prefix("*.") {
            Some(above) => format!("any.{above}"),
            None => domain.clone(),
        };
        format!("postmaster@{domain}").parse().ok()
    });
    domain.map(ForwardPath::Mailbox).ok_or_else(|| {
        "all domains of the routes stand in files: say whose policy holds by --to ADDRESS"
            .to_owned()
    })
}

impl Examiner {
    pub(super) fn new(
        cx: Context,
        listener: Arc<ListenerContext>,
        client: Client,
        reverse_path: Option<ReversePath>,
        forward_path: ForwardPath,
    ) -> Examiner {
        Examiner {
            smtp: Arc::new(Settings {
                chunking: true,
                ..(*listener.smtp).clone()
            }),
            cx,
            listener,
            client,
            reverse_path,
            forward_path,
        }
    }

    /// Bytes of a message that have to be kept to examine it.
    pub(super) fn bytes_max(&self) -> u64 {
        self.listener.settings.message_size_max
    }

    /// Examines what was found.
    pub(super) async fn examine(&self, found: Found) -> Outcome {
        match found {
            Found::Message { path, stored } => {
                Outcome::Examined(Box::new(self.message(path, stored).await))
            }
            Found::Unreadable { path, error } => Outcome::Unreadable {
                path,
                error: error.to_string(),
            },
        }
    }

    fn admission(&self, reverse_path: &ReversePath) -> Admission {
        let envelope = Envelope {
            client: Some(self.client.ip),
            authenticated: false,
            reverse_path: Some(reverse_path.clone()),
            forward_path: self.forward_path.clone(),
        };
        explain::admit(&self.cx, &envelope)
    }

    async fn message(&self, path: String, mut stored: Stored) -> Examined {
        let begun = Instant::now();
        let bytes = std::mem::take(&mut stored.bytes);
        let received = self.as_received(bytes, stored.bytes_total);
        let message = Message::new(
            received
                .as_ref()
                .map_or_else(|_| Bytes::new(), Bytes::clone),
        );
        let reverse_path = match &self.reverse_path {
            Some(path) => path.clone(),
            None => reverse_path_of(&message, &stored),
        };
        let admission = self.admission(&reverse_path);
        let reference = explain::reference(&self.cx);
        let (stage, verdict, findings) = match (&admission.route, received) {
            (Some(taken), Ok(_)) if admission.verdict.is_accept() => {
                let specimen = self.specimen(message, &reverse_path, &admission, reference);
                let (verdict, findings) = self.scan(&taken.route, specimen, &admission).await;
                (Stage::Message, verdict, findings)
            }
            (Some(_), Err(defect)) if admission.verdict.is_accept() => {
                let verdict = Verdict::because(defective(defect));
                (Stage::Message, verdict, Vec::new())
            }
            _ => (admission.stage, admission.verdict.clone(), Vec::new()),
        };
        let reply = verdict.reason().map(|reason| {
            let told = Told {
                listener: &self.listener,
                client: Some(self.client.ip),
                reference,
                language: match (&admission.route, stage) {
                    (Some(taken), Stage::Message) => &taken.route.language,
                    _ => admission.language(),
                },
                recipient: (stage >= Stage::Rcpt).then_some(&admission.recipient),
            };
            explain::refusal(&self.cx, stage, reason, &told)
        });
        Examined {
            path,
            number: stored.number,
            bytes: stored.bytes_total,
            was_unix: stored.was_unix,
            reference,
            reverse_path,
            client: self.client.ip,
            listener: Arc::clone(&self.listener.name),
            route: admission.route.map(|taken| Arc::clone(&taken.route.label)),
            recipient: admission.recipient,
            stage,
            verdict,
            reply,
            findings,
            milliseconds: begun.elapsed().as_secs_f64() * 1000.0,
        }
    }

    /// The verdict on a message that goes round in circles.
    fn circle(&self, message: &Message) -> Option<Verdict> {
        let config = &self.cx.config;
        let hops = trace_fields::hops(message, &config.node.name);
        policy::hops(hops.received, hops.own, &config.loops.limits()).map(Verdict::because)
    }

    /// The message as the listener would have received it, or why it would not have.
    fn as_received(&self, bytes: Vec<u8>, bytes_total: u64) -> Result<Bytes, Defect> {
        if bytes_total > self.bytes_max() {
            return Err(Defect::TooLarge);
        }
        let normalises = self.listener.settings.bare_newline == BareNewline::Normalise;
        let (content, defect) = dialog(&self.smtp, &bytes, normalises);
        match defect {
            Some(defect) => Err(defect),
            None => Ok(Bytes::from(if normalises { content } else { bytes })),
        }
    }

    fn specimen(
        &self,
        message: Message,
        reverse_path: &ReversePath,
        admission: &Admission,
        reference: Reference,
    ) -> Arc<Specimen> {
        let hostname = &self.cx.config.node.name;
        let recipient = admission.recipient.to_string();
        let received = trace_fields::received(&ReceivedFacts {
            ehlo: &self.client.helo,
            client_name: self.client.name.as_deref(),
            client_ip: self.client.ip,
            hostname,
            protocol: Protocol::Esmtp,
            tls: None,
            reference,
            recipient: Some(&recipient),
            time: &Zoned::new(jiff::Timestamp::now(), TimeZone::system()),
        });
        Arc::new(Specimen {
            reference: reference.to_string(),
            message,
            client_ip: self.client.ip,
            client_name: self.client.name.clone(),
            helo: self.client.helo.clone(),
            reverse_path: reverse_path.clone(),
            recipients: vec![admission.recipient.clone()],
            authenticated_as: None,
            authentication: Arc::default(),
            hostname: hostname.clone(),
            received,
        })
    }

    /// One wave of the route's engines, ended early once the verdict is certain.
    async fn scan(
        &self,
        route: &RouteContext,
        specimen: Arc<Specimen>,
        admission: &Admission,
    ) -> (Verdict, Vec<(Finding, Likelihood, Likelihood)>) {
        if let Some(verdict) = self.circle(&specimen.message) {
            return (verdict, Vec::new());
        }
        let mut lists = admission.entries();
        lists.extend(self.cx.lists.authors(&specimen.message));
        let facts = MessageFacts { lists };
        // Without the client that it came from there is nothing to say of a message's sender.
        let mut engines = route.engines.clone();
        settle_sender(&mut engines, &specimen, self.client.ip != CLIENT_DEFAULT);
        let names: Vec<&str> = engines.iter().map(|armed| armed.engine.name()).collect();
        let mut certain = |findings: &[Finding]| {
            let unheard = |name: &&&str| findings.iter().all(|finding| finding.engine != **name);
            let awaited: Vec<&str> = names.iter().filter(unheard).copied().collect();
            policy::certain(&facts, findings, &awaited, &route.settings)
        };
        let deadline = self.cx.config.scan.deadline;
        let findings = scan::wave::scan(&engines, specimen, deadline, &mut certain).await;
        let verdict = policy::message(&facts, &findings, &route.settings);
        let rated = findings.into_iter().map(|finding| {
            let rule = route.settings.rule(&finding.engine);
            let spam = policy::likelihood(&finding, &rule);
            let virus = policy::virus_likelihood(&finding, &rule);
            (finding, spam, virus)
        });
        (verdict, rated.collect())
    }
}

/// Plays the message to a session of the listener, which finds what no message may have. The content is collected only if
/// it may come out changed.
fn dialog(settings: &Arc<Settings>, bytes: &[u8], collect: bool) -> (Vec<u8>, Option<Defect>) {
    let mut session = Session::new(Arc::clone(settings), Trust::default());
    let opening = format!(
        "HELO scan\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nBDAT {} LAST\r\n",
        bytes.len()
    );
    let mut inputs = [opening.as_bytes(), bytes].into_iter();
    let mut input: &[u8] = &[];
    let mut content = Vec::new();
    loop {
        match session.next(&mut input) {
            Step::Request(Request::End(facts)) => return (content, facts.defect),
            Step::Request(_) => session.answer(Answer::Accept),
            Step::Content(piece) if collect => content.extend_from_slice(piece),
            Step::Content(_) | Step::Reset => {}
            Step::Read => match inputs.next() {
                Some(next) => input = next,
                None => return (content, None),
            },
            // A session that has read such a message would say no more.
            Step::StartTls | Step::Close(_) => return (content, Some(Defect::TooLarge)),
        }
    }
}

/// Whom the message says it came from: the Return-Path field of the last delivery (RFC 5321 4.4), or the line of the mbox.
fn reverse_path_of(message: &Message, stored: &Stored) -> ReversePath {
    let field = message
        .header_fields()
        .find(|field| field.name.eq_ignore_ascii_case("Return-Path"))
        .map(|field| String::from_utf8_lossy(field.body).into_owned());
    let address = field.or_else(|| stored.envelope_address.clone());
    let address = address.unwrap_or_default();
    crate::cli::envelope::reverse_path(&address).unwrap_or(ReversePath::Null)
}

fn defective(defect: Defect) -> Reason {
    let (kind, detail) = match defect {
        Defect::BareNewline => (Kind::BareNewline, "a bare CR or LF"),
        Defect::LineTooLong => (Kind::Line, "a line longer than 8192 bytes"),
        Defect::TooLarge => (Kind::Size, "larger than message_size_max"),
        Defect::HeaderTooLarge => (Kind::Size, "header section larger than header_size_max"),
    };
    Reason::new(kind).with_detail(detail)
}
