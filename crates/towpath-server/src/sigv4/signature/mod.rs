//! [`Claim`]: what the `Authorization` header says, and whether it is true.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hyper::HeaderMap;
use hyper::http::request::Parts;

use super::canonical::canonical_request;
use crate::wire::ApiError;

/// How far the time of a request may lie from the server's, before or after: AWS's own bound.
const SKEW_SECS_MAX: i64 = 5 * 60;

/// Bytes of an `Authorization` header. SDKs send some 300.
const AUTHORIZATION_BYTES_MAX: usize = 8 * 1024;

/// Headers that a request may sign, far more than any client does.
const SIGNED_HEADERS_MAX: usize = 64;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// A secret access key. Printed as nothing but its kind.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Who a request says that it is from, and the proof that it offers.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The key that it says it was signed with.
    pub(crate) access_key_id: String,
    /// What the key was narrowed to: date, region, service and `aws4_request`.
    scope: [String; 4],
    signed_headers: Vec<String>,
    signature: Vec<u8>,
    /// The request's own time, as text and as such.
    date_text: String,
    date: DateTime<Utc>,
}

impl Claim {
    /// Reads the claim of a request to `service` and checks all of it that needs no secret.
    ///
    /// # Errors
    ///
    /// 403: no claim, one that is not complete or not for `service`, or a time too far from `now`.
    pub(crate) fn read(
        request: &Parts,
        service: &str,
        now: DateTime<Utc>,
    ) -> Result<Claim, ApiError> {
        let authorization = single(&request.headers, "authorization")?.ok_or_else(|| {
            refused("MissingAuthenticationTokenException", "Missing Authentication Token")
        })?;
        let claim = Claim::parse(authorization, &request.headers)?;
        let [date, _region, for_service, terminator] = &claim.scope;
        if terminator != "aws4_request" {
            return Err(unfit(
                "Credential should be scoped with a valid terminator: 'aws4_request'",
            ));
        }
        if for_service != service {
            return Err(unfit(&format!(
                "Credential should be scoped to correct service: '{service}'"
            )));
        }
        if !claim.date_text.starts_with(date) {
            return Err(unfit("Date in Credential scope does not match YYYYMMDD from X-Amz-Date"));
        }
        claim.check_headers(&request.headers)?;
        claim.check_age(now)?;
        Ok(claim)
    }

    fn parse(authorization: &str, headers: &HeaderMap) -> Result<Claim, ApiError> {
        if authorization.len() > AUTHORIZATION_BYTES_MAX {
            return Err(incomplete("Authorization header is too long"));
        }
        let fields = authorization.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' '));
        let fields = fields
            .ok_or_else(|| incomplete("Authorization header must begin with 'AWS4-HMAC-SHA256'"))?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .filter(|value| !value.is_empty())
                .ok_or_else(|| {
                    incomplete(&format!("Authorization header requires '{name}' parameter"))
                })
        };
        let mut scope = field("Credential")?.split('/').map(str::to_owned);
        let scope_is_short =
            || incomplete("Credential must have exactly 5 slash-delimited elements");
        let mut next = || scope.next().ok_or_else(scope_is_short);
        let access_key_id = next()?;
        let parts = [next()?, next()?, next()?, next()?];
        if scope.next().is_some() {
            return Err(scope_is_short());
        }
        let signed_headers: Vec<String> =
            field("SignedHeaders")?.split(';').map(str::to_owned).collect();
        let signature = from_hex(field("Signature")?)
            .ok_or_else(|| incomplete("Signature must be 64 hexadecimal digits"))?;
        let date_text = single(headers, "x-amz-date")?
            .ok_or_else(|| incomplete("Authorization header requires existence of 'X-Amz-Date'"))?
            .to_owned();
        let date = NaiveDateTime::parse_from_str(&date_text, DATE_FORMAT)
            .map_err(|_| incomplete("X-Amz-Date must be in the form YYYYMMDD'T'HHMMSS'Z'"))?
            .and_utc();
        Ok(Claim { access_key_id, scope: parts, signed_headers, signature, date_text, date })
    }

    /// What decides what a request does must be signed: `host`, and every `x-amz-` header.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let signed = &self.signed_headers;
        let is_sorted = signed.is_sorted_by(|a, b| a < b);
        let is_lower =
            signed.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase()));
        if signed.len() > SIGNED_HEADERS_MAX || !is_sorted || !is_lower {
            return Err(incomplete("SignedHeaders must be lower case, sorted and without repeats"));
        }
        let must_be_signed = |name: &str| {
            name == "host" || (name.starts_with("x-amz-") && name != "x-amz-user-agent")
        };
        let unsigned = headers
            .keys()
            .map(hyper::header::HeaderName::as_str)
            .find(|name| must_be_signed(name) && !signed.iter().any(|header| header == name));
        match unsigned {
            Some(name) => Err(incomplete(&format!("'{name}' must be a signed header"))),
            None if !signed.iter().any(|header| header == "host") => {
                Err(incomplete("'Host' must be a 'SignedHeader' in the AWS Authorization"))
            }
            None => Ok(()),
        }
    }

    fn check_age(&self, now: DateTime<Utc>) -> Result<(), ApiError> {
        let skew = TimeDelta::seconds(SKEW_SECS_MAX);
        let [date, now_text] = [self.date, now].map(|time| time.format(DATE_FORMAT));
        if self.date < now - skew {
            let oldest = (now - skew).format(DATE_FORMAT);
            return Err(unfit(&format!(
                "Signature expired: {date} is now earlier than {oldest} ({now_text} - 5 min.)"
            )));
        }
        if self.date > now + skew {
            let newest = (now + skew).format(DATE_FORMAT);
            return Err(unfit(&format!(
                "Signature not yet current: {date} is still later than {newest} ({now_text} + 5 min.)"
            )));
        }
        Ok(())
    }

    /// When the request's own time is too old to be served.
    pub(crate) fn usable_until(&self) -> DateTime<Utc> {
        self.date + TimeDelta::seconds(SKEW_SECS_MAX)
    }

    /// The signature, which is that of the request once [`Claim::verify`] says so.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Checks that the holder of `secret` signed this request with this body.
    ///
    /// # Errors
    ///
    /// 403 if not, and for a body whose hash is not the one that the request names. A request that
    /// leaves its body unsigned is refused too.
    pub(crate) fn verify(
        &self,
        request: &Parts,
        body: &[u8],
        secret: &Secret,
    ) -> Result<(), ApiError> {
        let payload_hash = to_hex(digest(&SHA256, body).as_ref());
        if let Some(named) = single(&request.headers, "x-amz-content-sha256")?
            && verify_slices_are_equal(named.as_bytes(), payload_hash.as_bytes()).is_err()
        {
            return Err(refused(
                "InvalidSignatureException",
                "The value of 'x-amz-content-sha256' is not the SHA-256 of the body; the body must \
                 be signed",
            ));
        }
        let names: Vec<&str> = self.signed_headers.iter().map(String::as_str).collect();
        let canonical = canonical_request(request, &names, &payload_hash);
        let canonical = canonical.ok_or_else(|| incomplete("a signed header is missing"))?;
        let expected = self.expected_signature(&canonical, secret);
        verify_slices_are_equal(expected.as_ref(), &self.signature).map_err(|_| {
            refused(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
            )
        })
    }

    fn expected_signature(&self, canonical: &str, secret: &Secret) -> aws_lc_rs::hmac::Tag {
        let scope = self.scope.join("/");
        let canonical_hash = to_hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{canonical_hash}", self.date_text);
        let first = format!("AWS4{}", secret.0);
        let mut key = Key::new(HMAC_SHA256, first.as_bytes());
        for part in &self.scope {
            key = Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref());
        }
        sign(&key, to_sign.as_bytes())
    }
}

/// The value of a header that may stand once only.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(incomplete(&format!("'{name}' stands more than once")));
    }
    let text = first.map(|value| value.to_str());
    text.transpose().map_err(|_| incomplete(&format!("'{name}' is not text")))
}

fn refused(code: &'static str, message: &str) -> ApiError {
    ApiError::with_status(403, code, message)
}

fn incomplete(message: &str) -> ApiError {
    refused("IncompleteSignatureException", message)
}

fn unfit(message: &str) -> ApiError {
    refused("InvalidSignatureException", message)
}

/// Lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
    bytes.iter().flat_map(digits).collect()
}

/// The 32 bytes of a signature.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests;
