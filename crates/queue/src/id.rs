//! The name of a message in one queue.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// A message in this node's queue. Ids grow in the order of submission and are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for MessageId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<MessageId, ParseIntError> {
        text.parse().map(MessageId)
    }
}
