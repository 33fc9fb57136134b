//! Engines and findings.
