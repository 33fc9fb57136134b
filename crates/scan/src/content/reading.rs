//! What a human sees of a message: its text as the eye takes it, and where its links lead.

pub mod fold;
pub mod link;
