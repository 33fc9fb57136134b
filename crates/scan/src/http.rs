//! HTTP/1.1 (RFC 9112) to a daemon over a kept connection, for the engines that speak it. Replies are bounded.
//!
//! Messages go out as they are, the daemon's own prefix before them, without being copied.

use bytes::{Buf, Bytes, buf::Chain};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use net::stream::Stream;

use crate::finding::{Unavailable, UnavailableCause};
use crate::limits;
use crate::pool::{Dialogue, Exchanged};
use crate::wire;

/// Bytes of the header section of a reply.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A request: a prefix and the message make up its content.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) fields: HeaderMap,
    pub(crate) prefix: Bytes,
    pub(crate) message: Bytes,
}

/// A reply with its whole content.
#[derive(Clone, Debug)]
pub(crate) struct HttpReply {
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    pub(crate) content: Bytes,
}

/// HTTP to the daemon with this `Host`.
pub(crate) struct Http {
    host: HeaderValue,
}

/// A kept connection. hyper drives it in a task that ends when this is dropped.
pub(crate) struct Connection {
    requests: SendRequest<Content>,
    unanswered: bool,
}

type Content = Full<Chain<Bytes, Bytes>>;

impl HttpRequest {
    /// A request for a short resource.
    pub(crate) fn resource(path: &'static str) -> HttpRequest {
        HttpRequest {
            method: Method::GET,
            path,
            fields: HeaderMap::new(),
            prefix: Bytes::new(),
            message: Bytes::new(),
        }
    }
}

impl Http {
    pub(crate) fn new(host: &str) -> Http {
        // A unix domain socket's path may not fit a header field; the daemon does not look at it.
        let host = HeaderValue::from_str(host).unwrap_or(HeaderValue::from_static("localhost"));
        Http { host }
    }

    fn request(&self, request: &HttpRequest) -> Result<Request<Content>, Unavailable> {
        let content = Full::new(request.prefix.clone().chain(request.message.clone()));
        let built = Request::builder()
            .method(&request.method)
            .uri(request.path)
            .body(content);
        let mut built = built
            .map_err(|error| Unavailable::new(UnavailableCause::Protocol, error.to_string()))?;
        built.headers_mut().extend(request.fields.clone());
        built.headers_mut().insert(header::HOST, self.host.clone());
        Ok(built)
    }
}

impl Dialogue for Http {
    type Connection = Connection;
    type Request = HttpRequest;
    type Reply = HttpReply;

    async fn open(&self, stream: Stream) -> Result<Connection, Unavailable> {
        let mut builder = http1::Builder::new();
        let handshake = builder
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await;
        let (requests, connection) = handshake.map_err(|error| failed(&error))?;
        tokio::spawn(async move {
            // Its errors reach the one who waits for the reply.
            let _ = connection.await;
        });
        Ok(Connection {
            requests,
            unanswered: true,
        })
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        request: &HttpRequest,
    ) -> Result<Exchanged<HttpReply>, Unavailable> {
        connection.unanswered = true;
        let requests = &mut connection.requests;
        requests.ready().await.map_err(|error| failed(&error))?;
        let reply = requests
            .send_request(self.request(request)?)
            .await
            .map_err(|error| failed(&error))?;
        connection.unanswered = false;
        let (head, content) = reply.into_parts();
        let content = Limited::new(content, limits::REPLY_BYTES_MAX)
            .collect()
            .await;
        let content = content.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => wire::too_long(),
            None => Unavailable::new(
                UnavailableCause::Connect,
                format!("the connection broke: {error}"),
            ),
        })?;
        let reply = HttpReply {
            status: head.status,
            fields: head.headers,
            content: content.to_bytes(),
        };
        Ok(Exchanged { reply, keep: true })
    }

    fn is_usable(&self, connection: &mut Connection) -> bool {
        !connection.requests.is_closed()
    }

    fn is_unanswered(&self, connection: &Connection) -> bool {
        connection.unanswered
    }
}

/// Adds a field unless its value holds what HTTP does not carry (RFC 9110 section 5.5).
pub(crate) fn append(fields: &mut HeaderMap, name: &'static str, value: &str) {
    if value.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        fields.append(HeaderName::from_static(name), value);
    }
}

fn failed(error: &hyper::Error) -> Unavailable {
    let cause = if error.is_parse() || error.is_parse_too_large() {
        UnavailableCause::Protocol
    } else {
        UnavailableCause::Connect
    };
    let source = std::error::Error::source(error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    Unavailable::new(cause, format!("HTTP failed: {error}{source}"))
}
