//! Gatepost.

pub mod config;
pub mod lists;
pub mod relay_table;
