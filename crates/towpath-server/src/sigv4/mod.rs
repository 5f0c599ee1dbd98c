//! AWS Signature Version 4: is this request, whole and unaltered, from someone who has the key?
//!
//! The server computes the signature that the client must have computed and compares in constant
//! time. A request counts for five minutes on each side of its own time; its signature is
//! remembered for as long, so that a copy of it is refused.

mod canonical;
mod replay;
mod signature;

pub(crate) use self::replay::{Replays, Sighting};
pub(crate) use self::signature::{Claim, Secret};
