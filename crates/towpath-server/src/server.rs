//! [`Server`]: listens, and serves each connection in a task of its own.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use towpath::Lake;
use tracing::{debug, info, warn};

use crate::error::{Error, Result};
use crate::options::ServerOptions;
use crate::service::Service;
use crate::tls;

/// Headers of a request. SDKs send a dozen.
const HEADERS_MAX: usize = 100;

/// Bytes of a connection's read buffer, and so of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long one connection is served, in seconds. Clients open another; one that has stopped
/// reading must not keep its place for ever.
const CONNECTION_SECS_MAX: u64 = 15 * 60;

/// How long a stopping server waits for what it has begun.
const STOP_SECS_MAX: u64 = 30;

/// Pause after the system could not accept a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server that listens and is ready to [run](Server::run).
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    service: Arc<Service>,
}

impl Server {
    /// Listens as `options` say, to serve `lake`.
    ///
    /// # Errors
    ///
    /// [`Error::NoKeys`] beyond loopback without access keys, and errors of the other options.
    pub async fn bind(lake: Lake, options: ServerOptions) -> Result<Server> {
        options.check()?;
        let acceptor = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let cannot_listen = |source| Error::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let service = Arc::new(Service::new(&lake, options));
        Ok(Server { listener, address, acceptor, service })
    }

    /// The address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` completes, then waits for the requests that have begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let connections_max = self.service.limits().connections_max.max(1);
        let places = Arc::new(Semaphore::new(connections_max));
        let (stopping, stopped) = watch::channel(false);
        let background = self.service.start_background(stopped.clone());
        info!(address = %self.address, tls = self.acceptor.is_some(), "server listens");
        tokio::pin!(stop);
        loop {
            let accepted = async {
                // A closed semaphore would be the only error, and nobody closes it.
                let place = Arc::clone(&places).acquire_owned().await.ok();
                (self.listener.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(error = %error, "connection not accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let service = Arc::clone(&self.service);
            let (acceptor, stopped) = (self.acceptor.clone(), stopped.clone());
            tokio::spawn(async move {
                connection(service, acceptor, stream, peer, stopped).await;
                drop(place);
            });
        }
        drop(self.listener);
        stopping.send_replace(true);
        let all = u32::try_from(connections_max).unwrap_or(u32::MAX);
        let begun = async {
            drop(places.acquire_many(all).await);
            for task in background {
                drop(task.await);
            }
        };
        match timeout(Duration::from_secs(STOP_SECS_MAX), begun).await {
            Ok(()) => info!("server stopped"),
            Err(_) => warn!("server stopped with requests that had not ended"),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Serves one connection to its end.
async fn connection(
    service: Arc<Service>,
    acceptor: Option<TlsAcceptor>,
    stream: TcpStream,
    peer: SocketAddr,
    stopped: watch::Receiver<bool>,
) {
    // An answer is one write; there is nothing to wait for.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(error = %error, "socket option not set");
    }
    let Some(acceptor) = acceptor else {
        return serve(service, stream, peer, stopped).await;
    };
    match timeout(service.limits().request_max(), acceptor.accept(stream)).await {
        Ok(Ok(stream)) => serve(service, stream, peer, stopped).await,
        Ok(Err(error)) => debug!(peer = %peer, error = %error, "no TLS connection was made"),
        Err(_) => debug!(peer = %peer, "TLS handshake took too long"),
    }
}

async fn serve(
    service: Arc<Service>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    mut stopped: watch::Receiver<bool>,
) {
    let counted = Arc::clone(&service);
    let _connection = counted.metrics().connected();
    let request_max = service.limits().request_max();
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { service.answer(request, peer).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(request_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopped.wait_for(|stopped| *stopped) => None,
        () = sleep(Duration::from_secs(CONNECTION_SECS_MAX)) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            match timeout(Duration::from_secs(STOP_SECS_MAX) + request_max, connection).await {
                Ok(ended) => ended,
                Err(_) => return debug!(peer = %peer, "connection cut"),
            }
        }
    };
    if let Err(error) = ended {
        debug!(peer = %peer, error = %error, "connection ended early");
    }
}
