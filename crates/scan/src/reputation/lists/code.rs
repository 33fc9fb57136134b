//! What the answers of a list mean (RFC 5782 section 2.3): addresses in 127.0.0.0/8 whose meaning each list defines.
//!
//! Never a listing: an address outside 127.0.0.0/8 (a resolver that rewrites "no such name", a domain that was parked or
//! sold), 127.255.255.0/24 (by which lists say that they may not be asked this way), and 127.0.0.1 (with which some say the
//! same, and which RFC 5782 forbids as an answer), unless the operator's own codes say what that one means.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use super::List;

/// What some answers of a list mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// Which answers.
    pub answers: Answers,
    /// What such a listing weighs, in points; that of the list if it says nothing.
    pub weight: Option<f32>,
    /// In words, for the postmaster.
    pub meaning: String,
    /// It is no listing: the list says by it that it may not be asked.
    pub is_refusal: bool,
}

/// A set of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// From the first to the last.
    Range(Ipv4Addr, Ipv4Addr),
    /// Those whose last octet has all of these bits: lists that put several lists into one answer.
    Bits(u8),
}

/// A text that names no answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswersError;

/// What the answers to one question come to.
#[derive(Debug, PartialEq)]
pub(super) enum Reading<'a> {
    /// A listing: by this answer, which means this.
    Listed {
        answer: Ipv4Addr,
        code: Option<&'a Code>,
    },
    /// Answers of which the operator's codes know nothing.
    NotListed,
    /// The list may not be asked, or is none.
    Refusal(String),
}

/// Reads the answers to one question. The gravest listing counts; one answer that is a refusal spoils them all.
pub(super) fn read<'a>(list: &'a List, answers: &[Ipv4Addr]) -> Reading<'a> {
    let mut gravest: Option<(f32, Ipv4Addr, Option<&'a Code>)> = None;
    for answer in answers {
        let mut matching = list
            .codes
            .iter()
            .filter(|code| code.answers.contains(*answer));
        // In whatever order they are written: an answer to be refused is never one of trust.
        let meant = matching.clone().find(|code| code.is_refusal);
        if let Some(why) = refusal(*answer, meant.or(matching.clone().next())) {
            return Reading::Refusal(why);
        }
        let (weight, code) = if list.codes.is_empty() {
            (list.weight, None)
        } else {
            // Bits may say several things in one answer; of ranges the first that matches counts.
            let first = matching.next();
            let Some(first) = first else { continue };
            let bits = matching.filter(|_| matches!(first.answers, Answers::Bits(_)));
            let weigh = |code: &Code| code.weight.unwrap_or(list.weight);
            let gravest = bits.fold(first, |gravest, code| {
                if weigh(code).abs() > weigh(gravest).abs() {
                    code
                } else {
                    gravest
                }
            });
            (weigh(gravest), Some(gravest))
        };
        if gravest.is_none_or(|(known, ..)| weight.abs() > known.abs()) {
            gravest = Some((weight, *answer, code));
        }
    }
    gravest.map_or(Reading::NotListed, |(_, answer, code)| Reading::Listed {
        answer,
        code,
    })
}

/// Why an answer is no listing but spoils the list.
fn refusal(answer: Ipv4Addr, code: Option<&Code>) -> Option<String> {
    let [first, second, third, _] = answer.octets();
    if first != 127 {
        return Some(format!(
            "answers {answer}, which is outside 127.0.0.0/8 and no listing (RFC 5782 section 2.3)"
        ));
    }
    if (second, third) == (255, 255) {
        return Some(format!(
            "answers {answer}: it may not be asked by way of this nameserver"
        ));
    }
    match code {
        Some(code) if code.is_refusal => Some(format!("answers {answer}: {}", code.refusal())),
        Some(_) => None,
        None if answer == Ipv4Addr::LOCALHOST => Some(format!(
            "answers {answer}, which is no listing (RFC 5782 section 2.1): as a rule it may not be asked"
        )),
        None => None,
    }
}

impl Code {
    fn refusal(&self) -> &str {
        match self.meaning.as_str() {
            "" => "it may not be asked",
            meaning => meaning,
        }
    }
}

impl Answers {
    /// Whether this answer is one of them.
    pub fn contains(self, answer: Ipv4Addr) -> bool {
        match self {
            Answers::Range(first, last) => (first..=last).contains(&answer),
            Answers::Bits(bits) => {
                let [first, _, _, last] = answer.octets();
                first == 127 && last & bits == bits
            }
        }
    }
}

impl FromStr for Answers {
    type Err = AnswersError;

    /// `127.0.0.2`, `127.0.0.4-127.0.0.7`, `127.0.1.0/24`, or `&8` for the bits of the last octet.
    fn from_str(text: &str) -> Result<Answers, AnswersError> {
        if let Some(bits) = text.strip_prefix('&') {
            let bits: u8 = bits.parse().map_err(|_| AnswersError)?;
            return if bits == 0 {
                Err(AnswersError)
            } else {
                Ok(Answers::Bits(bits))
            };
        }
        let address = |text: &str| text.parse::<Ipv4Addr>().map_err(|_| AnswersError);
        let (first, last) = if let Some((first, last)) = text.split_once('-') {
            (address(first.trim())?, address(last.trim())?)
        } else if let Some((network, bits)) = text.split_once('/') {
            let bits: u32 = bits.parse().map_err(|_| AnswersError)?;
            let mask = match bits {
                8..=32 => u32::MAX << (32 - bits),
                _ => return Err(AnswersError),
            };
            let network = u32::from(address(network)?);
            if network & !mask != 0 {
                return Err(AnswersError);
            }
            (network.into(), (network | !mask).into())
        } else {
            (address(text)?, address(text)?)
        };
        let is_loopback = first.is_loopback() && last.is_loopback();
        if is_loopback && first <= last {
            Ok(Answers::Range(first, last))
        } else {
            Err(AnswersError)
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answers::Range(first, last) if first == last => write!(f, "{first}"),
            Answers::Range(first, last) => write!(f, "{first}-{last}"),
            Answers::Bits(bits) => write!(f, "&{bits}"),
        }
    }
}

impl fmt::Display for AnswersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write an answer within 127.0.0.0/8 such as 127.0.0.2, a range 127.0.0.4-127.0.0.7, a network 127.0.1.0/24, or &8 for \
             bits of the last octet",
        )
    }
}

impl std::error::Error for AnswersError {}

#[cfg(test)]
mod tests;
