//! Tests of the trace fields.
