//! One request over HTTPS (RFC 9110, RFC 9112, RFC 9325): to get a policy (RFC 8461 section 3.3) or to give a report (RFC 8460
//! section 3).
//!
//! The server must have a certificate for its name. Redirects are not followed. Time and bytes are bounded.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use net::resolver::Resolver;
use net::stream::Stream;
use net::tls::{Connector, TlsFault};

/// The whole of it (RFC 8461 section 3.3 proposes a minute).
const EXCHANGE_SECONDS_MAX: u64 = 60;
/// One address.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// Addresses that are tried.
const ADDRESSES_MAX: usize = 4;
/// Bytes of the header section of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Asks servers over HTTPS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Https {
    resolver: Resolver,
    connector: Connector,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Host name.
    pub host: String,
    /// 443, mostly.
    pub port: u16,
    /// Path and query, beginning with a slash.
    pub path: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The media type without parameters, in lower case; empty if there is none.
    pub media_type: String,
    /// The content.
    pub content: Bytes,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpsError {
    /// The name has no address, or DNS failed.
    Dns(String),
    /// No address could be connected to, or the connection broke.
    Connection(String),
    /// The server did not prove who it is, or speaks no TLS that we know.
    Tls {
        /// The kind of the fault.
        kind: TlsFault,
        /// In words.
        detail: String,
    },
    /// It is no HTTP, or too large.
    Protocol(String),
    /// It takes too long.
    Timeout,
}

impl Https {
    /// Asks servers that `connector` believes, by their name.
    pub fn new(resolver: Resolver, connector: Connector) -> Https {
        Https {
            resolver,
            connector,
        }
    }

    /// Gets a resource of at most `bytes_max`.
    ///
    /// # Errors
    /// [`HttpsError`]; an answer with any status is none.
    pub async fn get(&self, resource: &Resource, bytes_max: usize) -> Result<Answer, HttpsError> {
        let request = Request::get(resource.path.as_str()).header(header::ACCEPT, "text/plain");
        self.exchange(resource, request, Bytes::new(), bytes_max)
            .await
    }

    /// Posts `content` of this media type; of the answer's content only its beginning is of interest.
    ///
    /// # Errors
    /// [`HttpsError`]; an answer with any status is none.
    pub async fn post(
        &self,
        resource: &Resource,
        media_type: &str,
        content: Bytes,
        bytes_max: usize,
    ) -> Result<Answer, HttpsError> {
        let request = Request::post(resource.path.as_str())
            .header(header::CONTENT_TYPE, media_type)
            .header(header::CONTENT_LENGTH, content.len());
        self.exchange(resource, request, content, bytes_max).await
    }

    async fn exchange(
        &self,
        resource: &Resource,
        request: hyper::http::request::Builder,
        content: Bytes,
        bytes_max: usize,
    ) -> Result<Answer, HttpsError> {
        let limit = Duration::from_secs(EXCHANGE_SECONDS_MAX);
        let host = match resource.port {
            443 => resource.host.clone(),
            port => format!("{}:{port}", resource.host),
        };
        let request = request
            .header(header::HOST, host)
            .header(
                header::USER_AGENT,
                concat!("gatepost/", env!("CARGO_PKG_VERSION")),
            )
            .body(Full::new(content))
            .map_err(|error| HttpsError::Protocol(error.to_string()))?;
        // Boxed: it is large, short and rare.
        let exchange = Box::pin(async {
            let stream = self.connect(resource).await?;
            talk(stream, request, bytes_max).await
        });
        tokio::time::timeout(limit, exchange)
            .await
            .unwrap_or(Err(HttpsError::Timeout))
    }

    async fn connect(&self, resource: &Resource) -> Result<Stream, HttpsError> {
        let addresses = self.resolver.ip(&resource.host).await;
        let addresses = addresses.map_err(|error| HttpsError::Dns(error.to_string()))?;
        let mut last = HttpsError::Dns("the name has no address".to_owned());
        for ip in addresses.into_iter().take(ADDRESSES_MAX) {
            let address = (ip, resource.port).into();
            let stream = match net::socket::connect(address, None, CONNECT_TIME_MAX).await {
                Ok(stream) => stream,
                Err(error) => {
                    last = HttpsError::Connection(error.to_string());
                    continue;
                }
            };
            match self.connector.connect(&resource.host, stream).await {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    last = match TlsFault::of(&error) {
                        TlsFault::Connection => HttpsError::Connection(error.to_string()),
                        kind => HttpsError::Tls {
                            kind,
                            detail: error.to_string(),
                        },
                    };
                }
            }
        }
        Err(last)
    }
}

async fn talk(
    stream: Stream,
    request: Request<Full<Bytes>>,
    bytes_max: usize,
) -> Result<Answer, HttpsError> {
    let protocol = |error: hyper::Error| HttpsError::Protocol(error.to_string());
    let (mut requests, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(protocol)?;
    let driving = tokio::spawn(connection);
    let answered = async {
        let answer = requests.send_request(request).await.map_err(protocol)?;
        let (head, body) = answer.into_parts();
        let media_type = head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map_or_else(String::new, |value| value.trim().to_ascii_lowercase());
        let content = Limited::new(body, bytes_max).collect().await;
        let content = content.map_err(|error| {
            HttpsError::Protocol(if error.is::<LengthLimitError>() {
                format!("it is larger than {bytes_max} bytes")
            } else {
                error.to_string()
            })
        })?;
        Ok(Answer {
            status: head.status,
            media_type,
            content: content.to_bytes(),
        })
    };
    let answered = answered.await;
    driving.abort();
    answered
}

impl fmt::Display for HttpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpsError::Dns(detail) => write!(f, "DNS: {detail}"),
            HttpsError::Connection(detail) | HttpsError::Tls { detail, .. } => f.write_str(detail),
            HttpsError::Protocol(detail) => write!(f, "HTTP: {detail}"),
            HttpsError::Timeout => write!(f, "no answer within {EXCHANGE_SECONDS_MAX} s"),
        }
    }
}

impl std::error::Error for HttpsError {}
