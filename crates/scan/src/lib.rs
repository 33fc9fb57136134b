//! Engines that examine a message, the wave that runs them, and the findings they give.
//!
//! Engines gather facts and know nothing of each other; what is refused is decided by the policy, elsewhere.

pub mod address;
pub mod engine;
pub mod finding;
pub mod limits;
pub mod message;
pub mod specimen;
