//! `gatepost check`: all errors of the configuration at once.

use std::process::ExitCode;

use super::{ConfigOption, say, tell};
use crate::context::{Context, Services};

/// Reads the configuration, and what it names, as a start would.
pub(super) fn run(option: &ConfigOption, json: bool) -> ExitCode {
    let problems = match option.load() {
        Err(errors) => {
            if json {
                let errors: Vec<_> = errors
                    .iter()
                    .map(|error| {
                        serde_json::json!({
                            "file": error.file, "line": error.line, "column": error.column, "key": error.key,
                            "message": error.message, "remedy": error.remedy,
                        })
                    })
                    .collect();
                say(&serde_json::json!({ "ok": false, "errors": errors }).to_string());
            } else {
                tell(errors.iter());
            }
            return ExitCode::FAILURE;
        }
        Ok(config) => {
            let summary = format!(
                "ok: {} listeners, {} routes, {} engines",
                config.listeners.len(),
                config.routes.len(),
                config.engines.len()
            );
            Services::unopened(&config)
                .map_err(|error| vec![error.to_string()])
                .and_then(|services| {
                    Context::new(config, services, None)
                        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
                })
                .map(|_| summary)
        }
    };
    match problems {
        Ok(summary) => {
            say(&if json { serde_json::json!({ "ok": true, "errors": [] }).to_string() } else { summary });
            ExitCode::SUCCESS
        }
        Err(errors) => {
            if json {
                let errors: Vec<_> = errors.iter().map(|error| serde_json::json!({ "message": error })).collect();
                say(&serde_json::json!({ "ok": false, "errors": errors }).to_string());
            } else {
                tell(errors.iter());
            }
            ExitCode::FAILURE
        }
    }
}
