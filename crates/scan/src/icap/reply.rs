//! What an ICAP service answers: the header section (RFC 3507 section 4.3) and what it says of the message.

use crate::finding::{Unavailable, UnavailableCause};
use crate::limits;
use crate::printable::{printable, printable_bytes};

/// How long options are believed for at most, and where no `Options-TTL` is given, in seconds.
const OPTIONS_SECONDS_MAX: u64 = 3600;

/// A status line and header fields, of ICAP or of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) code: u16,
    text: String,
    /// Names in lower case; the lines of a folded body are kept apart by LF.
    fields: Vec<(String, String)>,
}

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceOptions {
    /// Its name, as it gives it.
    pub(super) service: String,
    /// How long this holds, in seconds.
    pub(super) seconds: u64,
}

/// What a service says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Clean,
    Found(String),
    /// It would not let the message pass, and does not say why.
    Blocked(String),
}

impl Head {
    /// Reads a status line of `protocol` (`ICAP/` or `HTTP/`) and the fields that follow.
    pub(super) fn parse(bytes: &[u8], protocol: &str) -> Result<Head, Unavailable> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let status = lines.next().unwrap_or_default();
        let code = status
            .strip_prefix(protocol)
            .and_then(|rest| rest.split_whitespace().nth(1));
        let code = code
            .filter(|code| code.len() == 3)
            .and_then(|code| code.parse().ok());
        let code = code.ok_or_else(|| not_understood(bytes))?;
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines.take(limits::REPLY_LINES_MAX) {
            if let Some(folded) = line.strip_prefix([' ', '\t']) {
                if let Some((_, body)) = fields.last_mut() {
                    body.push('\n');
                    body.push_str(folded.trim());
                }
            } else if let Some((name, body)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), body.trim().to_owned()));
            }
        }
        Ok(Head {
            code,
            text: printable(status, limits::DETAIL_BYTES_MAX),
            fields,
        })
    }

    /// The body of the first field of that name, which is given in lower case.
    fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, body)| body.as_str())
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.field(name)
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
    }

    pub(super) fn keeps_connection(&self) -> bool {
        !self
            .list("connection")
            .any(|option| option.eq_ignore_ascii_case("close"))
    }

    /// Whether the encapsulated message has that section (section 4.4.1).
    pub(super) fn encapsulates(&self, section: &str) -> bool {
        self.list("encapsulated").any(|entry| {
            entry
                .split('=')
                .next()
                .is_some_and(|name| name.trim() == section)
        })
    }
}

impl ServiceOptions {
    /// What an answer to OPTIONS says (section 4.10.2). A service that does not offer RESPMOD is of no use.
    pub(super) fn of(head: &Head) -> Result<ServiceOptions, Unavailable> {
        if head.code != 200 {
            return Err(refused(head));
        }
        let methods = head.field("methods").unwrap_or_default();
        if !methods
            .split([',', ' '])
            .any(|method| method.trim().eq_ignore_ascii_case("RESPMOD"))
        {
            let methods = printable(methods, limits::DETAIL_BYTES_MAX);
            let detail = format!("the ICAP service does not offer RESPMOD, only {methods:?}");
            return Err(Unavailable::new(UnavailableCause::Refused, detail));
        }
        let seconds = head
            .field("options-ttl")
            .and_then(|seconds| seconds.parse().ok());
        let service = head.field("service").unwrap_or("an ICAP service");
        Ok(ServiceOptions {
            service: printable(service, limits::DETAIL_BYTES_MAX),
            seconds: seconds
                .unwrap_or(OPTIONS_SECONDS_MAX)
                .min(OPTIONS_SECONDS_MAX),
        })
    }
}

/// What an answer to RESPMOD says of a message of `length` bytes. `response` is the HTTP header section that the service
/// would have its user see.
pub(super) fn outcome(
    head: &Head,
    response: Option<&Head>,
    length: usize,
) -> Result<Outcome, Unavailable> {
    match head.code {
        204 => return Ok(Outcome::Clean),
        200 => {}
        _ => return Err(refused(head)),
    }
    if let Some(threat) = threat(head).or_else(|| response.and_then(threat)) {
        return Ok(Outcome::Found(threat));
    }
    // Without a word on an infection: was our response passed on as it was, or something else put in its place?
    let Some(response) = response else {
        return Err(Unavailable::new(
            UnavailableCause::Protocol,
            "the ICAP service answered 200 without a response",
        ));
    };
    if response.code != 200 {
        return Ok(Outcome::Blocked(format!(
            "blocked the message (HTTP status {})",
            response.code
        )));
    }
    match response.field("content-length").map(str::parse::<usize>) {
        Some(Ok(other)) if other != length => Ok(Outcome::Blocked(
            "put other content in the message's place".to_owned(),
        )),
        _ => Ok(Outcome::Clean),
    }
}

/// The name of what was found: `X-Infection-Found: Type=0; Resolution=2; Threat=NAME;`, `X-Virus-ID: NAME`, or
/// `X-Violations-Found` with a count and then file name, description, problem and resolution, each on a line.
fn threat(head: &Head) -> Option<String> {
    let infection = head.field("x-infection-found").map(|body| {
        let threat = body
            .split(';')
            .find_map(|item| item.trim().strip_prefix("Threat="));
        threat.unwrap_or("an infection")
    });
    let virus = || {
        head.field("x-virus-id")
            .filter(|name| !name.eq_ignore_ascii_case("no threats"))
    };
    let violation = || {
        let mut lines = head.field("x-violations-found")?.lines();
        let count = lines.next()?;
        (count.trim() != "0").then(|| lines.nth(1).unwrap_or("a violation"))
    };
    let name = printable(
        infection.or_else(virus).or_else(violation)?,
        limits::NAME_BYTES_MAX,
    );
    Some(if name.is_empty() {
        "an infection".to_owned()
    } else {
        name
    })
}

fn refused(head: &Head) -> Unavailable {
    Unavailable::new(
        UnavailableCause::Refused,
        format!("the ICAP service answered {}", head.text),
    )
}

fn not_understood(bytes: &[u8]) -> Unavailable {
    let text = printable_bytes(bytes, limits::DETAIL_BYTES_MAX);
    Unavailable::new(
        UnavailableCause::Protocol,
        format!("the ICAP service answered {text:?}"),
    )
}
