//! Benchmarks of towpath, its fuzz targets, and the generator of the trail that is bundled in `data/`.
//!
//! [`trail::build`] makes the same files on every machine: the bundled trail is small enough to
//! look at, and every number in its manifest can be asserted by a test.
//!
//! ```
//! let trail = towpath_benches::trail::build();
//! assert!(trail.files.iter().any(|file| file.key.ends_with(".json.gz")));
//! ```

pub mod fuzz;
pub mod history;
pub mod reference;
pub mod samples;
pub mod torture;
pub mod trail;
