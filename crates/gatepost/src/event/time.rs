//! Points in time as events carry them: RFC 3339 in UTC with milliseconds, `2026-03-01T12:00:00.250Z`.
//!
//! Only `Time::now` reads a clock.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, exact to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

impl Time {
    /// The time now.
    pub fn now() -> Time {
        Time::new(Timestamp::now())
    }

    /// The point in time without what is finer than a millisecond.
    pub fn new(time: Timestamp) -> Time {
        Time(Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time))
    }

    /// As jiff has it.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// Appends the text.
    pub fn write_to(self, out: &mut Vec<u8>) {
        // A Vec takes everything; no other error is possible for a timestamp.
        let _ = PRINTER.print_timestamp(&self.0, jiff::fmt::StdIoWrite(out));
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        PRINTER
            .print_timestamp(&self.0, jiff::fmt::StdFmtWrite(f))
            .map_err(|_| std::fmt::Error)
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Time {
        Time::new(time)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let time: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Time::new(time))
    }
}
