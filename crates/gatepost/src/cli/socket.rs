//! One request to the running node over its control socket: an answer as a whole, or line by line while it is written.
//!
//! Both sides are of the same version as a rule; where they are not, the error says that this may be the cause.

use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::ConfigOption;
use crate::serve::admin::queue::Problem;

/// How long the node may take to answer, or to go on with an answer.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Bytes of an answer that is read as a whole, but for the content of a message.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Bytes of a line.
const LINE_BYTES_MAX: usize = 16 << 20;

/// The running node.
pub(super) struct Node {
    socket: PathBuf,
    runtime: tokio::runtime::Runtime,
}

/// An answer, not yet read.
pub(super) struct Answer {
    /// Its status.
    pub(super) code: StatusCode,
    body: Incoming,
}

impl Node {
    /// The node whose configuration this is. A file with errors still tells where its socket is, or the default is tried.
    pub(super) fn of(option: &ConfigOption) -> Result<Node, String> {
        Ok(Node {
            socket: option.control_socket()?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| format!("runtime: {error}"))?,
        })
    }

    /// The answer as a whole. Whatever its status is, it is read as `T`, if `is_expected` says so.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        is_expected: impl Fn(StatusCode) -> bool,
    ) -> Result<T, String> {
        self.runtime.block_on(async {
            let answer = self.request(method, path, Bytes::new()).await?;
            if !is_expected(answer.code) {
                return Err(problem(answer).await);
            }
            read_json(answer).await
        })
    }

    /// The answer to a question, as a whole.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        self.ask(Method::GET, path, |code| code == StatusCode::OK)
    }

    /// The bytes of the answer, of any number.
    pub(super) fn get_bytes(&self, path: &str, mut part: impl FnMut(&[u8])) -> Result<(), String> {
        self.runtime.block_on(async {
            let mut answer = self.successful(Method::GET, path, Bytes::new()).await?;
            while let Some(bytes) = next(&mut answer.body).await? {
                part(&bytes);
            }
            Ok(())
        })
    }

    /// The answer to an order, as a whole.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        order: &impl Serialize,
    ) -> Result<T, String> {
        let order = serde_json::to_vec(order).map_err(|error| error.to_string())?;
        self.runtime.block_on(async {
            read_json(self.successful(Method::POST, path, order.into()).await?).await
        })
    }

    /// The answer line by line, each given as it comes; empty ones, which are signs of life, are left out. The lines end with the
    /// first error that `line` gives.
    pub(super) fn lines(
        &self,
        method: Method,
        path: &str,
        order: Option<&impl Serialize>,
        mut line: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let order = order.map(serde_json::to_vec).transpose();
        let order = order
            .map_err(|error| error.to_string())?
            .unwrap_or_default();
        self.runtime.block_on(async {
            let mut answer = self.successful(method, path, order.into()).await?;
            let mut rest = Vec::new();
            while let Some(bytes) = next(&mut answer.body).await? {
                rest.extend_from_slice(&bytes);
                let mut start = 0;
                while let Some(end) = memchr::memchr(b'\n', rest.get(start..).unwrap_or_default()) {
                    let whole = rest.get(start..start + end).unwrap_or_default();
                    if !whole.is_empty() {
                        line(whole)?;
                    }
                    start += end + 1;
                }
                rest.drain(..start);
                if rest.len() > LINE_BYTES_MAX {
                    return Err(unreadable("a line of its answer is too long"));
                }
            }
            if rest.is_empty() {
                Ok(())
            } else {
                Err("the node broke off in the middle of a line: does it still run?".to_owned())
            }
        })
    }

    async fn successful(&self, method: Method, path: &str, order: Bytes) -> Result<Answer, String> {
        let answer = self.request(method, path, order).await?;
        if answer.code != StatusCode::OK {
            return Err(problem(answer).await);
        }
        Ok(answer)
    }

    async fn request(&self, method: Method, path: &str, order: Bytes) -> Result<Answer, String> {
        within(async {
            let stream = UnixStream::connect(&self.socket).await.map_err(|error| {
                format!(
                    "{}: {error}; is the node running, with the same --config, and may you open its socket?",
                    self.socket.display()
                )
            })?;
            let said = |error: hyper::Error| format!("control socket: {error}");
            let (mut requests, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(said)?;
            tokio::spawn(connection);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", "gatepost")
                .header("content-type", "application/json")
                .body(Full::new(order))
                .map_err(|error| error.to_string())?;
            let (head, body) = requests.send_request(request).await.map_err(said)?.into_parts();
            Ok(Answer {
                code: head.status,
                body,
            })
        })
        .await
    }
}

/// The next bytes of an answer.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, String> {
    within(async {
        loop {
            match body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(format!("the node broke off: {error}; does it still run?"));
                }
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    })
    .await
}

async fn read_json<T: DeserializeOwned>(answer: Answer) -> Result<T, String> {
    let bytes = read(answer).await?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error.to_string()))
}

async fn read(answer: Answer) -> Result<Bytes, String> {
    let whole = Limited::new(answer.body, ANSWER_BYTES_MAX).collect();
    within(async {
        whole
            .await
            .map_err(|error| format!("control socket: {error}"))
    })
    .await
    .map(http_body_util::Collected::to_bytes)
}

/// What the node has against the request.
async fn problem(answer: Answer) -> String {
    let code = answer.code;
    let bytes = read(answer).await.unwrap_or_default();
    match serde_json::from_slice::<Problem>(&bytes) {
        Ok(problem) => problem.to_string(),
        Err(_) => format!("the node answered {code}: is it of another version?"),
    }
}

fn unreadable(why: &str) -> String {
    format!("the node's answer can't be read: {why}; is it of another version?")
}

async fn within<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(WAIT_MAX, work)
        .await
        .map_err(|_| format!("the node did not answer within {} s", WAIT_MAX.as_secs()))?
}
