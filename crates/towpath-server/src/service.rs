//! [`Service`]: from an HTTP request to its answer.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use towpath::Lake;
use tracing::{error, info};
use uuid::Uuid;

use crate::access::{AccessKey, AccessKeys};
use crate::api::{Api, Call};
use crate::audit::Audited;
use crate::metrics::Metrics;
use crate::operations;
use crate::options::{ServerLimits, ServerOptions};
use crate::sigv4::{Claim, Replays, Sighting};
use crate::throttle::Throttle;
use crate::wire::{ApiError, Operation};

/// Bytes of a request's body. AWS's limit for `PutAuditEvents`; of the others, none that is within
/// the model's limits and that anybody sends is larger.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Path of the one operation of `cloudtrail-data`.
const PUT_AUDIT_EVENTS: &str = "/PutAuditEvents";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Service {
    api: Arc<Api>,
    keys: AccessKeys,
    replays: Mutex<Replays>,
    throttle: Throttle,
    metrics: Metrics,
    limits: ServerLimits,
}

/// Which of the two services a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    /// AWS JSON 1.1 at `/`.
    CloudTrail,
    /// REST-JSON at `/PutAuditEvents`.
    CloudTrailData,
}

impl Face {
    /// The name that requests to it are signed for.
    fn signing_name(self) -> &'static str {
        match self {
            Face::CloudTrail => "cloudtrail",
            Face::CloudTrailData => "cloudtrail-data",
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Face::CloudTrail => "application/x-amz-json-1.1",
            Face::CloudTrailData => "application/json",
        })
    }
}

/// What is known of a request when it is answered, for the log and the counters.
#[derive(Debug, Default)]
struct Known {
    operation: Option<&'static str>,
    principal: Option<String>,
}

impl Service {
    pub(crate) fn new(lake: &Lake, options: ServerOptions) -> Service {
        let limits = options.limits;
        Service {
            keys: AccessKeys::new(options.keys.clone()),
            api: Arc::new(Api::new(lake, options)),
            replays: Mutex::default(),
            throttle: Throttle::new(limits.requests_per_sec_max),
            metrics: Metrics::default(),
            limits,
        }
    }

    pub(crate) fn limits(&self) -> &ServerLimits {
        &self.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Starts what the server does by itself until `stopped` says so.
    pub(crate) fn start_background(&self, stopped: watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        Api::start_background(&self.api, stopped)
    }

    /// Answers one request. Never fails: an error is an answer.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let face = match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/") => Face::CloudTrail,
            (&Method::POST, PUT_AUDIT_EVENTS) => Face::CloudTrailData,
            (&Method::GET, "/healthz") => return Ok(plain(StatusCode::OK, "ok\n".to_owned())),
            (&Method::GET, "/metrics") if peer.ip().is_loopback() => {
                return Ok(plain(StatusCode::OK, self.metrics.render()));
            }
            _ => {
                let error = ApiError::with_status(
                    404,
                    "UnknownOperationException",
                    "POST AWS JSON 1.1 to `/`, or PutAuditEvents to `/PutAuditEvents`",
                );
                return Ok(response(Face::CloudTrail, Uuid::new_v4(), &Err(error)));
            }
        };
        let (begun, request_id) = (Instant::now(), Uuid::new_v4());
        let mut known = Known::default();
        let result = self.serve(face, (parts, peer), body, &mut known).await;
        let took = begun.elapsed();
        let code = match &result {
            Ok(_) => "OK",
            Err(error) => error.code.name.as_ref(),
        };
        let operation = known.operation.unwrap_or("none");
        self.metrics.answered(operation, code, took);
        let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let principal = known.principal.unwrap_or_default();
        info!(%request_id, operation, principal, code, elapsed_ms, %peer, "request answered");
        if let Err(ApiError { internal: Some(cause), .. }) = &result {
            error!(%request_id, operation, cause, "request failed");
        }
        Ok(response(face, request_id, &result))
    }

    async fn serve(
        &self,
        face: Face,
        (parts, peer): (Parts, SocketAddr),
        body: Incoming,
        known: &mut Known,
    ) -> Result<Value, ApiError> {
        let operation = operation_of(face, &parts.headers);
        known.operation = operation.as_ref().ok().map(|operation| operation.name());
        let is_read_only = operation.as_ref().is_ok_and(|operation| operation.is_read_only());
        let (key, body) = self.authenticate(face, &parts, body, is_read_only).await?;
        known.principal = Some(key.principal.clone());
        let operation = operation?;
        let input = read_input(&body)?;
        let audited = Audited::new(
            (&self.api.own_lake, &self.api.options),
            (&key, peer, &parts.headers),
            (operation.name(), is_read_only),
            &input,
        );
        let call = Call { api: Arc::clone(&self.api), key, operation: operation.name() };
        let work = operation.run(call, input, parts);
        if is_read_only {
            // Dropped with the connection: nobody waits for what it would find.
            let work = Box::pin(audited.read(work));
            return timeout(self.limits.request_max(), work).await.map_err(|_| too_slow())?;
        }
        // A change that has begun goes on to its end even if the client goes away.
        let work = tokio::spawn(audited.change(work));
        match timeout(self.limits.request_max(), work).await {
            Ok(Ok(result)) => result,
            Ok(Err(panicked)) => Err(ApiError::failure(panicked.to_string())),
            Err(_) => Err(too_slow()),
        }
    }

    /// The key that the request was signed with, and its body.
    ///
    /// Of a body, nothing is read before the request says who it is from and for when: a client
    /// without a key cannot make the server hold anything.
    async fn authenticate(
        &self,
        face: Face,
        parts: &Parts,
        body: Incoming,
        is_read_only: bool,
    ) -> Result<(Arc<AccessKey>, Bytes), ApiError> {
        if self.keys.is_empty() {
            check_host(&parts.headers)?;
            let (key, body) = (AccessKey::anonymous(), self.read_body(parts, body).await?);
            self.check_rate(&key)?;
            return Ok((Arc::new(key), body));
        }
        let now = self.api.now();
        let claim = Claim::read(parts, face.signing_name(), now)?;
        let key = Arc::clone(self.keys.key(&claim.access_key_id)?);
        let body = self.read_body(parts, body).await?;
        claim.verify(parts, &body, key.secret())?;
        let invocation = parts.headers.get("amz-sdk-invocation-id").map(HeaderValue::as_bytes);
        let sighting = Sighting { signature: claim.signature(), invocation, is_read_only };
        // Nothing in there can panic half-way.
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        if !replays.is_first(sighting, now, claim.usable_until()) {
            return Err(ApiError::with_status(
                403,
                "InvalidSignatureException",
                "This request has been made before; sign each request anew",
            ));
        }
        if let Err(error) = self.check_rate(&key) {
            // The client waits and sends it again, maybe within the second of this one.
            replays.undo(sighting);
            return Err(error);
        }
        drop(replays);
        Ok((key, body))
    }

    fn check_rate(&self, key: &AccessKey) -> Result<(), ApiError> {
        match self.throttle.admits(&key.access_key_id, Instant::now()) {
            true => Ok(()),
            false => Err(ApiError::user("ThrottlingException", "Rate exceeded")),
        }
    }

    async fn read_body(&self, parts: &Parts, body: Incoming) -> Result<Bytes, ApiError> {
        let too_large = || {
            let message = format!("The request body is larger than {BODY_BYTES_MAX} bytes");
            ApiError::with_status(413, "RequestEntityTooLargeException", message)
        };
        let length = parts.headers.get("content-length").and_then(|value| value.to_str().ok());
        let length = length.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        if length > BODY_BYTES_MAX as u64 {
            return Err(too_large());
        }
        let read = Limited::new(body, BODY_BYTES_MAX).collect();
        match timeout(self.limits.request_max(), read).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(ApiError::user(
                "RequestAbortedException",
                "The request was cut before its body was complete",
            )),
            Err(_) => Err(ApiError::with_status(
                408,
                "RequestTimeoutException",
                "The request body did not come in time",
            )),
        }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    CloudTrail(&'static Operation),
    PutAuditEvents,
}

impl Asked {
    fn name(self) -> &'static str {
        match self {
            Asked::CloudTrail(operation) => operation.name,
            Asked::PutAuditEvents => "PutAuditEvents",
        }
    }

    fn is_read_only(self) -> bool {
        match self {
            Asked::CloudTrail(operation) => operation.is_read_only(),
            Asked::PutAuditEvents => false,
        }
    }

    async fn run(
        self,
        call: Call,
        input: Map<String, Value>,
        parts: Parts,
    ) -> Result<Value, ApiError> {
        match self {
            Asked::CloudTrail(operation) => operations::run(call, operation, input).await,
            Asked::PutAuditEvents => {
                operations::put_audit_events(call, input, parts.uri.query().unwrap_or_default())
                    .await
            }
        }
    }
}

fn operation_of(face: Face, headers: &HeaderMap) -> Result<Asked, ApiError> {
    if face == Face::CloudTrailData {
        return Ok(Asked::PutAuditEvents);
    }
    // botocore and the JavaScript SDK send different prefixes; the name ends both.
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let name = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
    Operation::named(name).map(Asked::CloudTrail).ok_or_else(|| {
        ApiError::with_status(
            404,
            "UnknownOperationException",
            "X-Amz-Target names no operation of CloudTrail",
        )
    })
}

fn read_input(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(input)) => Ok(input),
        _ => Err(ApiError::user("SerializationException", "The request body is not a JSON object")),
    }
}

/// Without keys, a web page must not reach the server by a name that its owner lets point here.
fn check_host(headers: &HeaderMap) -> Result<(), ApiError> {
    let host = headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_local = name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_local {
        return Ok(());
    }
    let message = "Without access keys, this server answers to `localhost` only";
    Err(ApiError::with_status(403, "AccessDeniedException", message))
}

fn too_slow() -> ApiError {
    ApiError::with_status(503, "ServiceUnavailable", "The request took too long; try again later")
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn response(
    face: Face,
    request_id: Uuid,
    result: &Result<Value, ApiError>,
) -> Response<Full<Bytes>> {
    let (status, body, error_type) = match result {
        Ok(value) => (200, value.to_string(), None),
        Err(error) => (error.code.status, error.body().to_string(), Some(&error.code.name)),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, face.content_type());
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(error_type) = error_type.and_then(|name| HeaderValue::from_str(name).ok()) {
        headers.insert(ERROR_TYPE, error_type);
    }
    response
}
