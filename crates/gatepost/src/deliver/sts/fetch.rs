//! Fetching a policy from `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 section 3.3).

use std::fmt;

use super::policy::Policy;
use crate::deliver::https::{Https, HttpsError, Resource};

/// Bytes of a policy (RFC 8461 section 3.3 proposes this limit).
const POLICY_BYTES_MAX: usize = 64 * 1024;
/// Where policies are served.
pub const PORT: u16 = 443;

/// Why there is no policy although the domain says that there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError {
    /// The kind of the fault.
    pub kind: FetchFault,
    /// What happened.
    pub detail: String,
}

/// The kinds that reports tell apart (RFC 8460 section 4.3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchFault {
    /// It could not be got.
    Fetch,
    /// The web server did not prove who it is.
    WebPki,
    /// It is no policy.
    Invalid,
}

/// Fetches the policy of `domain` from its web server's `port`, which is [`PORT`].
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(https: &Https, domain: &str, port: u16) -> Result<Policy, FetchError> {
    let resource = Resource {
        host: format!("mta-sts.{domain}"),
        port,
        path: "/.well-known/mta-sts.txt".to_owned(),
    };
    let failed = |kind, detail: String| FetchError { kind, detail };
    let answer = https.get(&resource, POLICY_BYTES_MAX).await;
    let answer = answer.map_err(|error| {
        let kind = match &error {
            HttpsError::Tls { .. } => FetchFault::WebPki,
            _ => FetchFault::Fetch,
        };
        failed(kind, error.to_string())
    })?;
    // A redirect is none too: whoever may write on the web server's behalf must not point elsewhere.
    if answer.status != hyper::StatusCode::OK {
        let detail = format!("the web server answers {}", answer.status);
        return Err(failed(FetchFault::Fetch, detail));
    }
    if answer.media_type != "text/plain" {
        let shown: String = answer.media_type.chars().take(80).collect();
        let detail = format!(
            "its media type is `{}`, not text/plain",
            shown.escape_debug()
        );
        return Err(failed(FetchFault::Invalid, detail));
    }
    let text = std::str::from_utf8(&answer.content)
        .map_err(|_| failed(FetchFault::Invalid, "it is not UTF-8".to_owned()))?;
    text.parse().map_err(|error: super::policy::InvalidPolicy| {
        failed(FetchFault::Invalid, error.to_string())
    })
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for FetchError {}

#[cfg(test)]
mod tests;
