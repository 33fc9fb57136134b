//! Recipients of a route that stand in a file.

/// The recipients that exist.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRecipients {}
