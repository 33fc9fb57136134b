//! Gatepost.

pub mod config;
pub mod relay_table;
