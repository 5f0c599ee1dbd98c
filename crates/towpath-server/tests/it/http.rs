//! Signatures, sizes, faces.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::sleep;
use towpath::{Lake, LakeOptions};
use towpath_server::{Error, Server, ServerOptions};

use crate::support::{Request, SECRET, TestServer};

fn list() -> Request<'static> {
    Request::operation("ListEventDataStores", &json!({}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_request_is_answered_with_an_id() {
    let server = TestServer::start().await;
    let answer = server.send(&list()).await;
    assert_eq!((answer.status, answer.body), (200, json!({"EventDataStores": []})));
    assert!(answer.head.contains("x-amzn-requestid: "), "{}", answer.head);
    assert!(answer.head.contains("content-type: application/x-amz-json-1.1"), "{}", answer.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_prefixes_of_targets_name_the_operation() {
    let server = TestServer::start().await;
    for prefix in ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"]
    {
        let target = Some(format!("{prefix}.ListEventDataStores"));
        assert_eq!(server.send(&Request { target, ..list() }).await.status, 200);
    }
    let target = Some("CloudTrail_20131101.NoSuchOperation".to_owned());
    let answer = server.send(&Request { target, ..list() }).await;
    assert_eq!((answer.status, answer.error()), (404, "UnknownOperationException"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_by_a_key_is_forbidden() {
    let server = TestServer::start().await;
    let old = Utc::now() - TimeDelta::minutes(6);
    let early = Utc::now() + TimeDelta::minutes(6);
    for (request, code) in [
        (Request { secret: "other", ..list() }, "InvalidSignatureException"),
        (Request { key: "AKIDUNKNOWN", ..list() }, "UnrecognizedClientException"),
        (Request { service: "s3", ..list() }, "InvalidSignatureException"),
        (Request { at: old, ..list() }, "InvalidSignatureException"),
        (Request { at: early, ..list() }, "InvalidSignatureException"),
    ] {
        let answer = server.send(&request).await;
        assert_eq!((answer.status, answer.error()), (403, code), "{request:?}");
        assert!(!answer.body.to_string().contains(SECRET));
    }
    let text = list().signed(server.address).replace("authorization", "x-other");
    let answer = server.send_text(&text).await;
    assert_eq!((answer.status, answer.error()), (403, "MissingAuthenticationTokenException"));
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_and_repeated_requests_are_forbidden() {
    let server = TestServer::start().await;
    let request = Request::operation("CreateEventDataStore", &json!({"Name": "aaaa"}));
    let text = request.signed(server.address);
    for altered in [
        text.replace("aaaa", "bbbb"),
        text.replace("CreateEventDataStore", "DeleteEventDataStore"),
        text.replace("eu-west-1", "eu-west-2"),
    ] {
        assert_ne!(altered, text);
        assert_eq!(server.send_text(&altered).await.status, 403);
    }
    assert_eq!(server.send_text(&text).await.status, 200);
    let again = server.send_text(&text).await;
    assert_eq!((again.status, again.error()), (403, "InvalidSignatureException"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_make_the_same_call_twice_in_a_second() {
    let server = TestServer::start().await;
    let first = Request::operation("CreateEventDataStore", &json!({"Name": "aaaa"}));
    let second = Request {
        unsigned: vec![("amz-sdk-invocation-id", "another".to_owned())],
        ..first.clone()
    };
    assert_eq!(server.send(&first).await.status, 200);
    let answer = server.send(&second).await;
    assert_eq!(answer.error(), "EventDataStoreAlreadyExistsException");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_objects_are_refused() {
    let server = TestServer::start().await;
    for body in ["[]", "{", "null", "\u{0}", "\"x\""] {
        let answer = server.send(&Request { body: body.to_owned(), ..list() }).await;
        assert_eq!((answer.status, answer.error()), (400, "SerializationException"), "{body}");
    }
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    let answer = server.send(&Request { body: deep, ..list() }).await;
    assert_eq!(answer.error(), "SerializationException");
    let empty = server.send(&Request { body: String::new(), ..list() }).await;
    assert_eq!(empty.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = TestServer::start().await;
    let text =
        list().signed(server.address).replace("content-length: 2", "content-length: 9999999");
    let answer = server.send_text(&text).await;
    assert_eq!((answer.status, answer.error()), (413, "RequestEntityTooLargeException"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_need_no_key() {
    let server = TestServer::start().await;
    server.send(&list()).await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(server.send_text(&get("/healthz")).await.status, 200);
    let metrics = server.send_text(&get("/metrics")).await;
    let line = "towpath_request_seconds_count{operation=\"ListEventDataStores\",code=\"OK\"} 1";
    assert!(metrics.body.as_str().unwrap().contains(line), "{}", metrics.body);
    assert_eq!(server.send_text(&get("/")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_only_this_machine_is_served() {
    let server = TestServer::with(|options| options.keys.clear()).await;
    let request = Request { secret: "any", ..list() };
    assert_eq!(server.send(&request).await.status, 200);
    // A web page elsewhere whose name was made to point here.
    let host = server.address.to_string();
    let text =
        request.signed(server.address).replace(&format!("host: {host}"), "host: evil.example");
    assert_eq!(server.send_text(&text).await.status, 403);

    let mut options = ServerOptions::new("0.0.0.0:0".parse().unwrap(), Utc::now);
    let refused = Server::bind(server.lake().await, options.clone()).await;
    assert!(matches!(refused, Err(Error::NoKeys { .. })), "{refused:?}");
    options.listen = "127.0.0.1:0".parse().unwrap();
    options.account_id = "12".to_owned();
    let refused = Server::bind(server.lake().await, options).await;
    assert!(matches!(refused, Err(Error::Option { option: "account_id", .. })), "{refused:?}");
}

/// A client that sends `text` and then a byte now and then; what it was told in the end.
async fn trickle(address: std::net::SocketAddr, text: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = Vec::new();
    // A connection that is reset has been ended as well as one that is closed.
    drop(reader.read_to_end(&mut answer).await);
    drip.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_and_do_not_block_others() {
    let server = TestServer::with(|options| options.limits.request_secs_max = 1).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned();
    let signed = list().signed(server.address);
    let body = signed.replace("content-length: 2", "content-length: 1000");
    let heads = (0..50).map(|_| tokio::spawn(trickle(server.address, head.clone())));
    let bodies = (0..50).map(|_| tokio::spawn(trickle(server.address, body.clone())));
    let slow: Vec<_> = heads.chain(bodies).collect();
    assert_eq!(server.send(&list()).await.status, 200);
    let limit = Duration::from_secs(60);
    let told = tokio::time::timeout(limit, futures::future::join_all(slow)).await.unwrap();
    let told: Vec<String> = told.into_iter().map(Result::unwrap).collect();
    for (index, answer) in told.iter().enumerate() {
        let is_expected = match index < 50 {
            true => answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            false => {
                answer.contains("RequestTimeoutException") || answer.contains("InvalidSignature")
            }
        };
        assert!(is_expected, "{index}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_until_slow_ones_are_cut() {
    let server = TestServer::with(|options| {
        options.limits.request_secs_max = 1;
        options.limits.connections_max = 4;
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        idle.push(stream);
    }
    assert_eq!(server.send(&list()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_large_are_refused() {
    let server = TestServer::start().await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(200_000));
    for headers in [many, long] {
        let text = format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The server may close before it has read everything.
        drop(stream.write_all(text.as_bytes()).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(server.send(&list()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_ends_what_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lake");
    let lake =
        Lake::open_or_create(path.to_str().unwrap(), LakeOptions::new(Utc::now)).await.unwrap();
    let options = ServerOptions::new("127.0.0.1:0".parse().unwrap(), Utc::now);
    let server = Server::bind(lake, options).await.unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = list().signed(address);
    let (head, body) = text.split_at(text.len() - 2);
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server has the head now, and waits for the body.
    sleep(Duration::from_millis(200)).await;
    stop.send(()).unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
