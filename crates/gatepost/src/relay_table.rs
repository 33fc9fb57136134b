//! The relay table: which route a recipient domain takes.
mod known_recipients;
pub use known_recipients::KnownRecipients;
