//! What functions on arrays, maps and rows share: reading them, comparing their values, building
//! them, and the type that two types have in common.

pub(crate) mod common_type;
pub(crate) mod keys;
pub(crate) mod lists;
pub(crate) mod maps;
