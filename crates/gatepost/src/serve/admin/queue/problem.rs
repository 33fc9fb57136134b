//! What is told to whoever asked for something that can't be done: one JSON object with what is wrong and what to do.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use queue::{ReadError, SubmitError};
use serde::{Deserialize, Serialize};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub error: String,
    /// What to do.
    pub remedy: String,
    #[serde(skip, default)]
    code: Code,
}

/// The status of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Code {
    #[default]
    BadRequest,
    NotFound,
    Conflict,
    Busy,
    Fault,
}

impl Problem {
    /// The request is wrong.
    pub fn bad(error: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem::new(Code::BadRequest, error, remedy)
    }

    /// What it is about is not there.
    pub fn missing(error: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem::new(Code::NotFound, error, remedy)
    }

    /// It can't be done as things are.
    pub fn conflict(error: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem::new(Code::Conflict, error, remedy)
    }

    /// Too much of it at once.
    pub fn busy(error: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem::new(Code::Busy, error, remedy)
    }

    /// The disk, or this process.
    pub fn fault(error: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem::new(Code::Fault, error, remedy)
    }

    fn new(code: Code, error: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem {
            error: visible(error.into()),
            remedy: visible(remedy.into()),
            code,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)?;
        match self.remedy.as_str() {
            "" => Ok(()),
            remedy => write!(f, "; {remedy}"),
        }
    }
}

/// What was asked is told in part, and may end on a terminal: nothing there obeys it.
fn visible(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c.is_control() {
            true => visible.extend(c.escape_default()),
            false => visible.push(c),
        }
    }
    visible
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Problem {
        match error {
            ReadError::Gone => Problem::missing(
                "the message is not in the queue any more",
                "the decision log tells what became of it: look for its reference there",
            ),
            ReadError::Damaged(detail) => Problem::conflict(
                format!("the record of the message is damaged: {detail}"),
                "look into `corrupt/` in the folder of the queue, where what is left of it was set aside",
            ),
            ReadError::Exporting => Problem::conflict(
                "the message is being exported: nothing was changed",
                "wait for the end, or abort the export",
            ),
            ReadError::Fault(detail) => Problem::fault(
                format!("the disk of the queue fails: {detail}"),
                "look at the disk and at the log of the system, then ask again",
            ),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Problem {
        Problem::fault(
            error.to_string(),
            "see the events `disk-full` and `disk-fault`, then ask again",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let code = match self.code {
            Code::BadRequest => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Conflict => StatusCode::CONFLICT,
            Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Code::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (code, Json(self)).into_response()
    }
}
