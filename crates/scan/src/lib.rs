//! Engines that examine a message, the wave that runs them, and the findings they give.
//!
//! Engines gather facts and know nothing of each other; what is refused is decided by the policy, elsewhere.

pub mod address;
pub mod attachment;
pub mod auth;
mod back_off;
pub mod clamav;
mod compute;
pub mod content;
pub mod ctasd;
#[cfg(test)]
mod double;
pub mod engine;
pub mod finding;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod http;
pub mod icap;
pub mod limits;
pub mod message;
mod pool;
mod printable;
pub mod reputation;
pub mod rspamd;
pub mod sophos;
pub mod spamassassin;
pub mod specimen;
pub mod view;
pub mod wave;
mod wire;
