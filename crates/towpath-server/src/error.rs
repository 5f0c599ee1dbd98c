//! [`Error`]: why a server cannot start or go on.

use std::io;
use std::net::SocketAddr;

/// The result of starting and running a server.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a server does not run. What its clients do wrong is told to them and is none of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Others than this machine could do everything.
    #[error(
        "will not listen on {address} without access keys; set TOWPATH_ACCESS_KEY_ID and \
         TOWPATH_SECRET_ACCESS_KEY, or listen on 127.0.0.1"
    )]
    NoKeys {
        /// The address that can be reached from elsewhere.
        address: SocketAddr,
    },

    /// The address is taken, or not of this machine.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },

    /// The certificate or its key is not usable.
    #[error("could not use the TLS certificate: {reason}")]
    Certificate {
        /// What is wrong with it.
        reason: String,
    },

    /// An option is not one that a server can have.
    #[error("option `{option}` must be {expected}")]
    Option {
        /// The name of the option.
        option: &'static str,
        /// What it must be.
        expected: &'static str,
    },

    /// The lake could not be used.
    #[error(transparent)]
    Lake(#[from] towpath::Error),
}
