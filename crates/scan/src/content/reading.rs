//! What a human sees of a message: its text as the eye takes it, and where its links lead.

mod color;
pub mod fold;
pub mod html;
pub mod link;
mod style;
