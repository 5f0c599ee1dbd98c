//! Trino's SQL on DataFusion.

pub mod data_type;
pub mod functions;
