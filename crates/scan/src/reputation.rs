//! The engine that knows senders by their past: what lists in the DNS say of them (`lists`), and what came from them
//! before.
//!
//! It gives facts and points, as every engine does; what is refused is decided by the policy.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod lists;
pub mod record;
