//! What is known of a sender's authentication: facts with the result words of RFC 8601 section 2.7, recorded as they are.

use serde::{Deserialize, Serialize};

/// What SPF says (RFC 7208 section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpfResult {
    /// No record, or no domain that could have one.
    None,
    /// The domain says nothing of this client.
    Neutral,
    /// The client may send for the domain.
    Pass,
    /// It may not.
    Fail,
    /// Probably not.
    Softfail,
    /// The DNS does not answer.
    Temperror,
    /// The record is wrong.
    Permerror,
}

impl SpfResult {
    /// The word of RFC 8601.
    pub fn word(self) -> &'static str {
        match self {
            SpfResult::None => "none",
            SpfResult::Neutral => "neutral",
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::Softfail => "softfail",
            SpfResult::Temperror => "temperror",
            SpfResult::Permerror => "permerror",
        }
    }
}
