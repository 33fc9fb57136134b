//! What a message says to those who read it, and what that tells of it: the reading, which every judgement of content
//! starts from.

pub mod reading;
pub mod rules;
