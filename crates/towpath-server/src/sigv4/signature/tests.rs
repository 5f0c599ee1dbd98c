//! AWS's published test suite for Signature Version 4, and what must be refused.

use hyper::Request;
use hyper::http::request::Parts;

use super::{Claim, Secret, to_hex};
use crate::wire::ApiError;
use chrono::{DateTime, TimeDelta, Utc};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The time of all requests of the suite.
fn suite_time() -> DateTime<Utc> {
    "2015-08-30T12:36:00Z".parse().unwrap()
}

fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target);
    request = request.header("host", "example.amazonaws.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// `headers` and the claim of the suite's key that they, `host` and the date are signed.
fn claimed(method: &str, target: &str, headers: &[(&str, &str)], signature: &str) -> Parts {
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.extend(["host".to_owned(), "x-amz-date".to_owned()]);
    names.sort();
    names.dedup();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={}, Signature={signature}",
        names.join(";")
    );
    let mut all = headers.to_vec();
    all.push(("authorization", &authorization));
    all.push(("x-amz-date", "20150830T123600Z"));
    parts(method, target, &all)
}

fn verify(request: &Parts, body: &str, now: DateTime<Utc>) -> Result<(), ApiError> {
    let claim = Claim::read(request, "service", now)?;
    claim.verify(request, body.as_bytes(), &Secret::new(SECRET))
}

const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

#[test]
fn requests_of_the_published_suite_are_accepted() {
    let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let query = format!("/?{unreserved}={unreserved}");
    let path = format!("/{unreserved}");
    // The suite has the space and the letter as no HTTP request can; these two signatures are
    // botocore's for the path as it is sent, which all services but S3 encode once more.
    let cases = [
        ("GET", "/", VANILLA),
        ("GET", "/example/..", VANILLA),
        ("GET", "/example1/example2/../..", VANILLA),
        ("GET", "/./", VANILLA),
        ("GET", "//", VANILLA),
        ("GET", "//example//", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("GET", "/./example", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
        (
            "GET",
            "/example%20space/",
            "446b817944c553435b35e813c261ff4e161fff982d1bacdef1c87f6785dd1662",
        ),
        ("GET", path.as_str(), "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        ("GET", "/%E1%88%B4", "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d"),
        (
            "GET",
            "/?Param1=value1",
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("GET", query.as_str(), "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        (
            "GET",
            "/?%E1%88%B4=bar",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            "/?Param1=value1",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
    ];
    for (method, target, signature) in cases {
        let request = claimed(method, target, &[], signature);
        let found = verify(&request, "", suite_time());
        assert!(found.is_ok(), "{method} {target}: {found:?}");
    }
}

#[test]
fn headers_and_bodies_of_the_published_suite_are_accepted() {
    let cases = [
        (
            "GET",
            vec![("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
            "",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET",
            vec![
                ("My-Header1", "value4"),
                ("My-Header1", "value1"),
                ("My-Header1", "value3"),
                ("My-Header1", "value2"),
            ],
            "",
            "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        ),
        (
            "GET",
            vec![("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "POST",
            vec![("My-Header1", "VALUE1")],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "POST",
            vec![("Content-Type", "application/x-www-form-urlencoded")],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ];
    for (method, headers, body, signature) in cases {
        let request = claimed(method, "/", &headers, signature);
        let found = verify(&request, body, suite_time());
        assert!(found.is_ok(), "{headers:?}: {found:?}");
    }
}

#[test]
fn a_request_that_was_altered_is_refused() {
    let altered = [
        (claimed("PUT", "/", &[], VANILLA), ""),
        (claimed("GET", "/x", &[], VANILLA), ""),
        (claimed("GET", "/?a=b", &[], VANILLA), ""),
        (claimed("GET", "/", &[], VANILLA), "body"),
        (claimed("GET", "/", &[], &VANILLA.replace('5', "6")), ""),
        (claimed("GET", "/", &[("x-other", "1")], VANILLA), ""),
    ];
    for (request, body) in altered {
        let error = verify(&request, body, suite_time()).unwrap_err();
        assert_eq!(error.code.status, 403);
        assert_eq!(error.code.name, "InvalidSignatureException");
    }
}

#[test]
fn what_a_request_does_must_be_signed() {
    let mut request = claimed("GET", "/", &[], VANILLA);
    request.headers.insert("x-amz-target", "DeleteEventDataStore".parse().unwrap());
    let error = verify(&request, "", suite_time()).unwrap_err();
    assert_eq!(error.message, "'x-amz-target' must be a signed header");

    let hash = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let request = claimed("GET", "/", &hash, VANILLA);
    assert!(verify(&request, "", suite_time()).unwrap_err().message.contains("must be signed"));
}

#[test]
fn a_request_counts_for_five_minutes_on_each_side_of_its_time() {
    let request = claimed("GET", "/", &[], VANILLA);
    for (secs, is_accepted) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let now = suite_time() + TimeDelta::seconds(secs);
        assert_eq!(verify(&request, "", now).is_ok(), is_accepted, "{secs}");
    }
}

#[test]
fn claims_that_are_not_whole_are_refused() {
    let date = ("x-amz-date", "20150830T123600Z");
    let whole = "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=";
    let whole = format!("{whole}{}", "0".repeat(64));
    let cases = [
        ("", "IncompleteSignatureException"),
        ("Basic dXNlcjpwYXNz", "IncompleteSignatureException"),
        (&whole.replace("SHA256 ", "SHA512 "), "IncompleteSignatureException"),
        (&whole.replace("Signature=", "Signature=g"), "IncompleteSignatureException"),
        (&whole.replace("Credential=A/", "Credential="), "IncompleteSignatureException"),
        (&whole.replace("host;x-amz-date", "x-amz-date"), "IncompleteSignatureException"),
        (&whole.replace("host;x-amz-date", "x-amz-date;host"), "IncompleteSignatureException"),
        (&whole.replace("/service/", "/s3/"), "InvalidSignatureException"),
        (&whole.replace("/20150830/", "/20150829/"), "InvalidSignatureException"),
        (&whole.replace("aws4_request", "aws5_request"), "InvalidSignatureException"),
        (&whole, "InvalidSignatureException"),
    ];
    for (authorization, code) in cases {
        let request = parts("GET", "/", &[("authorization", authorization), date]);
        let error = verify(&request, "", suite_time()).unwrap_err();
        assert_eq!((error.code.name.as_ref(), error.code.status), (code, 403), "{authorization}");
    }
    let error = verify(&parts("GET", "/", &[date]), "", suite_time()).unwrap_err();
    assert_eq!(error.code.name, "MissingAuthenticationTokenException");
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(format!("{:?}", Secret::new(SECRET)), "Secret");
    assert_eq!(to_hex(&[0, 15, 16, 255]), "000f10ff");
}
