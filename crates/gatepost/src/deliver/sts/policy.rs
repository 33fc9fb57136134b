//! A policy and how it is read (RFC 8461 section 3.2), and which servers it permits (section 4.1).
//!
//! Where it comes from is in `fetch`, how long it is kept in `cache`.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Seconds that a policy may hold: a year and a quarter of a day (RFC 8461 section 3.2). What says more is cut to it.
const MAX_AGE_SECONDS_MAX: u64 = 31_557_600;
/// Digits of `max_age`.
const MAX_AGE_DIGITS_MAX: usize = 10;

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What follows if a server is not as the policy says.
    pub mode: Mode,
    /// How long it holds from when it was fetched.
    pub max_age: Duration,
    /// The servers that may take messages: names, or `*.` and a domain. Lower case; not empty unless the mode is `none`.
    pub mx: Vec<String>,
    /// The text that it was read from, line by line, for reports (RFC 8460 section 4.4).
    pub lines: Vec<String>,
}

/// What a policy wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A server that is not as it says gets nothing.
    Enforce,
    /// It is told in reports, and gets the message all the same.
    Testing,
    /// There is no policy, and none of before holds any longer.
    None,
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy(String);

impl Policy {
    /// Whether a server of this name may take messages. A wildcard stands for one label (RFC 8461 section 4.1).
    pub fn permits(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.mx
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(domain) => parent == Some(domain),
                None => *pattern == host,
            })
    }
}

impl FromStr for Policy {
    type Err = InvalidPolicy;

    /// Lines end with LF or CRLF. Unknown fields are passed over; of a repeated one the first counts.
    fn from_str(text: &str) -> Result<Policy, InvalidPolicy> {
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let (mut mx, mut lines) = (Vec::new(), Vec::new());
        for line in text.split('\n') {
            let line = line
                .strip_suffix('\r')
                .unwrap_or(line)
                .trim_end_matches([' ', '\t']);
            if line.is_empty() {
                continue;
            }
            let (key, value) = field(line).ok_or_else(|| invalid("no field", line))?;
            match key {
                "version" => _ = version.get_or_insert(value),
                "mode" if mode.is_none() => mode = Some(Mode::read(value)?),
                "max_age" if max_age.is_none() => max_age = Some(seconds(value)?),
                "mx" => mx.push(pattern(value).ok_or_else(|| invalid("no host name", value))?),
                _ => {}
            }
            lines.push(line.to_owned());
        }
        if version != Some("STSv1") {
            return Err(InvalidPolicy("the version is not STSv1".to_owned()));
        }
        let mode = mode.ok_or_else(|| InvalidPolicy("there is no mode".to_owned()))?;
        let max_age = max_age.ok_or_else(|| InvalidPolicy("there is no max_age".to_owned()))?;
        if mx.is_empty() && mode != Mode::None {
            return Err(InvalidPolicy("it names no mx".to_owned()));
        }
        Ok(Policy {
            mode,
            max_age,
            mx,
            lines,
        })
    }
}

impl Mode {
    fn read(value: &str) -> Result<Mode, InvalidPolicy> {
        match value {
            "enforce" => Ok(Mode::Enforce),
            "testing" => Ok(Mode::Testing),
            "none" => Ok(Mode::None),
            other => Err(invalid("no mode", other)),
        }
    }
}

/// `key: value`, as `sts-policy-term` has it.
fn field(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let (key, value) = (
        key.trim_end_matches([' ', '\t']),
        value.trim_start_matches([' ', '\t']),
    );
    let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_key = key.starts_with(|first: char| first.is_ascii_alphanumeric())
        && key.len() <= 32
        && key.bytes().all(within);
    let is_value = !value.is_empty() && !value.contains(char::is_control);
    (is_key && is_value).then_some((key, value))
}

fn seconds(value: &str) -> Result<Duration, InvalidPolicy> {
    let digits = value.len() <= MAX_AGE_DIGITS_MAX && value.bytes().all(|b| b.is_ascii_digit());
    let seconds = value.parse::<u64>().ok().filter(|_| digits);
    let seconds = seconds.ok_or_else(|| invalid("no max_age", value))?;
    Ok(Duration::from_secs(seconds.min(MAX_AGE_SECONDS_MAX)))
}

/// A host name, or `*.` and a domain, in lower case.
fn pattern(value: &str) -> Option<String> {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    is_name.then(|| value.to_ascii_lowercase())
}

fn invalid(what: &str, text: &str) -> InvalidPolicy {
    let shown: String = text.chars().take(80).collect();
    InvalidPolicy(format!("`{}` is {what}", shown.escape_debug()))
}

impl Mode {
    /// As a policy has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        }
    }
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidPolicy {}

#[cfg(test)]
mod tests;
