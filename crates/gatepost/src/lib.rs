//! Gatepost.

pub mod decision;
pub mod event;
pub mod policy;
pub mod reference;
pub mod replies;
pub mod trace_fields;

#[cfg(test)]
mod golden;
