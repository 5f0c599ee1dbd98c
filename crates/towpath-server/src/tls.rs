//! TLS by rustls.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{Error, Result};
use crate::options::TlsOptions;

/// What makes a TLS connection of a TCP one: TLS 1.2 and 1.3, no client certificates.
///
/// # Errors
///
/// [`Error::Certificate`] for PEM without a certificate or a key, or a key of another certificate.
pub(crate) fn acceptor(options: &TlsOptions) -> Result<TlsAcceptor> {
    let unusable =
        |reason: &dyn std::fmt::Display| Error::Certificate { reason: reason.to_string() };
    let certificates: std::result::Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&options.certificates_pem).collect();
    let certificates = certificates.map_err(|error| unusable(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&options.key_pem).map_err(|error| unusable(&error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| unusable(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
