//! Commands to the running node, over its control socket.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::{ConfigOption, complain, say, tell};
use crate::serve::admin::{Down, NodeState, Reload};

/// How long the node may take to answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// `gatepost reload`.
pub(super) fn reload(option: &ConfigOption, json: bool) -> ExitCode {
    match ask::<Reload>(option, Method::POST, "/api/v1/reload") {
        Err(error) => failed(&error),
        Ok(answer) => {
            if json {
                say(&serde_json::json!(answer).to_string());
            } else if answer.reloaded {
                say("reloaded");
            } else {
                tell(answer.errors.iter());
                complain("the running configuration stays in force");
            }
            if answer.reloaded {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// `gatepost state`.
pub(super) fn state(option: &ConfigOption, json: bool) -> ExitCode {
    match node_state(option) {
        Err(error) => failed(&error),
        Ok(state) => {
            if json {
                say(&serde_json::json!(state).to_string());
                return ExitCode::SUCCESS;
            }
            say(&format!(
                "{} runs gatepost {} (pid {})",
                state.node, state.version, state.pid
            ));
            say(&format!(
                "{} sessions, {} bytes of messages in memory",
                state.sessions, state.message_memory_bytes
            ));
            for Down { name, reason } in &state.nexthops_down {
                say(&format!("nexthop {name} is down: {reason}"));
            }
            for Down { name, reason } in &state.families_down {
                say(&format!(
                    "{name} does not work, the other family goes first: {reason}"
                ));
            }
            for Down { name, reason } in &state.engines_down {
                say(&format!("engine {name} is down: {reason}"));
            }
            ExitCode::SUCCESS
        }
    }
}

/// The state of the node whose configuration this is, if it runs.
pub(super) fn node_state(option: &ConfigOption) -> Result<NodeState, String> {
    ask(option, Method::GET, "/api/v1/state")
}

fn failed(error: &str) -> ExitCode {
    complain(&format!("gatepost: {error}"));
    ExitCode::FAILURE
}

/// Asks the node whose configuration this is. A file with errors still tells where its socket is, or the default is tried:
/// `reload` must be able to say what is wrong with it.
fn ask<T: DeserializeOwned>(
    option: &ConfigOption,
    method: Method,
    path: &str,
) -> Result<T, String> {
    let socket = option.control_socket()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("runtime: {error}"))?;
    runtime.block_on(async {
        tokio::time::timeout(ANSWER_WAIT_MAX, exchange(&socket, method, path))
            .await
            .map_err(|_| {
                format!(
                    "the node did not answer within {} s",
                    ANSWER_WAIT_MAX.as_secs()
                )
            })?
    })
}

async fn exchange<T: DeserializeOwned>(
    socket: &Path,
    method: Method,
    path: &str,
) -> Result<T, String> {
    let stream = UnixStream::connect(socket).await.map_err(|error| {
        format!("{}: {error}; is the node running, with the same --config, and may you open its socket?", socket.display())
    })?;
    let (mut requests, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("control socket: {error}"))?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "gatepost")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let response = requests
        .send_request(request)
        .await
        .map_err(|error| format!("control socket: {error}"))?;
    let code = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    if code != StatusCode::OK && code != StatusCode::UNPROCESSABLE_ENTITY {
        return Err(format!(
            "the node answered {code}: is it of another version?"
        ));
    }
    serde_json::from_slice(&body).map_err(|error| {
        format!("the node's answer can't be read: {error}; is it of another version?")
    })
}
