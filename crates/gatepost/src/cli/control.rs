//! Commands to the running node, over its control socket.

use std::process::ExitCode;

use hyper::{Method, StatusCode};
use serde::de::DeserializeOwned;

use super::socket::Node;
use super::{ConfigOption, complain, say, tell};
use crate::serve::admin::{Down, NodeState, Reload};

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
            if let Some(seconds) = state.dns_down_seconds {
                say(&format!("no nameserver has answered for {seconds} s"));
            }
            for Down { name, reason } in &state.engines_down {
                say(&format!("engine {name} is down: {reason}"));
            }
            for Down { name, reason } in &state.lists_left_out {
                say(&format!("list {name} is left out: it {reason}"));
            }
            ExitCode::SUCCESS
        }
    }
}

/// The state of the node whose configuration this is, if it runs.
pub(super) fn node_state(option: &ConfigOption) -> Result<NodeState, String> {
    ask(option, Method::GET, "/api/v1/state")
}

pub(super) fn failed(error: &str) -> ExitCode {
    complain(&format!("gatepost: {error}"));
    ExitCode::FAILURE
}

/// A file with errors still tells where its socket is: `reload` must be able to say what is wrong with it.
fn ask<T: DeserializeOwned>(
    option: &ConfigOption,
    method: Method,
    path: &str,
) -> Result<T, String> {
    Node::of(option)?.ask(method, path, |code| {
        matches!(code, StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY)
    })
}
