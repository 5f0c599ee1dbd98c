//! [`ApiError`]: an error as AWS's clients know it.

use std::borrow::Cow;

use serde_json::{Value, json};

/// The name that a client raises the error under, and the HTTP status that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) name: Cow<'static, str>,
    pub(crate) status: u16,
}

/// Why a request is not served.
///
/// What the client is told is `message`; `internal`, if there is one, goes to the log and never
/// leaves the process.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) internal: Option<String>,
}

impl ApiError {
    /// An error of the user, HTTP 400. `name` is as on the wire, mostly with `Exception` at the
    /// end.
    pub(crate) fn user(name: impl Into<Cow<'static, str>>, message: impl Into<String>) -> ApiError {
        ApiError::with_status(400, name, message)
    }

    /// An error with another status than 400.
    pub(crate) fn with_status(
        status: u16,
        name: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> ApiError {
        let code = Code { name: name.into(), status };
        ApiError { code, message: message.into(), internal: None }
    }

    /// The server cannot do it, through no fault of the client. The cause is for the log only.
    pub(crate) fn failure(internal: impl Into<String>) -> ApiError {
        let mut error = ApiError::with_status(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error. The server's log says \
             why, under the request id.",
        );
        error.internal = Some(internal.into());
        error
    }

    /// `InvalidParameterException`.
    pub(crate) fn invalid_parameter(message: impl Into<String>) -> ApiError {
        ApiError::user("InvalidParameterException", message)
    }

    /// The body of the response.
    pub(crate) fn body(&self) -> Value {
        json!({"__type": self.code.name, "message": self.message})
    }
}

#[cfg(test)]
mod tests {
    use super::ApiError;

    #[test]
    fn the_internal_text_is_not_in_the_response() {
        let error = ApiError::failure("disk /var/lib/secret is broken");
        assert!(!error.body().to_string().contains("secret"));
        assert_eq!(error.body()["__type"], "InternalFailure");
    }
}
