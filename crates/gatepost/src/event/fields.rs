//! The description of every field of every event.
