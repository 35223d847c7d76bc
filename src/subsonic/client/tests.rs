//! The client against canned answers of a socket: what foreign servers say, and what may never leak.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::media::{ContentRange, parse_content_range};
use super::*;
use crate::music::{TrackId, Window};

/// A server that gives one canned answer after the other and remembers the request heads.
async fn canned(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut chunk = [0; 4096];
                let read = socket.read(&mut chunk).await.unwrap();
                head.extend_from_slice(&chunk[..read]);
            }
            log.lock().unwrap().push(String::from_utf8(head).unwrap());
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
        }
    });
    (address, seen)
}

fn http(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn json(inner: &str) -> String {
    http("200 OK", "application/json", &format!("{{\"subsonic-response\":{{{inner}}}}}"))
}

fn ann() -> Credentials {
    Credentials::Password { user: "ann".into(), password: "hunter2".into() }
}

#[tokio::test]
async fn an_old_server_that_misses_p_gets_the_password_on_loopback() {
    let refusal = r#""status":"failed","version":"1.12.0","error":{"code":10,"message":"p"}"#;
    let ok = r#""status":"ok","version":"1.12.0""#;
    let (address, seen) = canned(vec![json(refusal), json(ok), json(ok)]).await;
    let client = Client::new(&address, ann()).unwrap();
    let info = client.ping().await.unwrap();
    assert_eq!((info.version.as_str(), info.open_subsonic), ("1.12.0", false));
    client.ping().await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[0].contains("&t=") && !seen[0].contains("&p="));
    assert!(seen[1].contains("p=enc%3A68756e74657232") && !seen[1].contains("&t="));
    assert!(seen[2].contains("p=enc%3A68756e74657232"));
}

#[tokio::test]
async fn a_new_server_that_misses_a_parameter_gets_no_password() {
    let refusal = r#""status":"failed","version":"1.16.1","error":{"code":10,"message":"missing"}"#;
    let (address, seen) = canned(vec![json(refusal)]).await;
    let error = Client::new(&address, ann()).unwrap().ping().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::MissingParameter));
    assert!(!seen.lock().unwrap()[0].contains("p=enc"));
}

#[test]
fn the_password_is_shown_only_where_nobody_can_listen() {
    let may = |address: &str| Client::new(address, ann()).unwrap().may_show_password().is_ok();
    assert!(may("https://music.example.org"));
    assert!(may("http://127.0.0.1:4533"));
    assert!(may("localhost:4533"));
    assert!(may("http://[::1]:4533"));
    assert!(!may("http://music.example.org"));
    assert!(!may("http://localhost.example.org"));
    assert!(!may("http://192.168.1.5:4040"));
}

#[test]
fn addresses_as_people_type_them() {
    let base = |text: &str| parse_base(text).map(String::from).map_err(|error| error.to_string());
    assert_eq!(base("music.example.org").unwrap(), "https://music.example.org/rest/");
    assert_eq!(base("localhost:4533").unwrap(), "http://localhost:4533/rest/");
    assert_eq!(base("https://x.org/sub/path/").unwrap(), "https://x.org/sub/path/rest/");
    assert_eq!(base("https://x.org/sub/rest").unwrap(), "https://x.org/sub/rest/");
    assert_eq!(base("https://x.org/?u=a#b").unwrap(), "https://x.org/rest/");
    assert!(base("ftp://x.org").is_err() && base("").is_err() && base("http://").is_err());
    let leak = base("https://ann:hunter2@x.org").unwrap_err();
    assert!(!leak.contains("hunter2"));
}

#[tokio::test]
async fn errors_come_in_odd_bodies() {
    let xml = "\u{feff}<?xml version='1.0'?><subsonic-response status='failed' version='1.16.1'>\
               <error code='70' message='no &quot;song&quot;'/></subsonic-response>";
    let (address, _) = canned(vec![
        http("200 OK", "text/xml", xml),
        http("422 Unprocessable", "application/json", r#"{"detail":[{"msg":"missing"}]}"#),
        http("200 OK", "text/html", "<!doctype html><title>login</title>"),
        http("503 Busy", "text/html", "<html>later</html>"),
        http(
            "404 Not Found",
            "application/json",
            r#"{"subsonic-response":{"status":"failed","error":{"code":0}}}"#,
        ),
        http("200 OK", "application/json", r#"{"hello":"world"}"#),
        http("200 OK", "application/json", ""),
    ])
    .await;
    let client = Client::new(&address, Credentials::ApiKey("hunter2".into())).unwrap();
    let mut errors = Vec::new();
    for _ in 0..7 {
        errors.push(client.ping().await.unwrap_err());
    }
    assert_eq!(errors[0].code(), Some(ErrorCode::NotFound));
    assert_eq!(errors[0].to_string(), "no \"song\"");
    assert!(matches!(errors[1], ClientError::Http { status: 422, .. }) && !errors[1].is_network());
    assert!(matches!(errors[2], ClientError::NotSubsonic { .. }));
    assert!(matches!(errors[3], ClientError::Http { status: 503, .. }) && errors[3].is_network());
    assert_eq!(errors[4].code(), Some(ErrorCode::Generic));
    assert!(matches!(errors[5], ClientError::NotSubsonic { .. }), "{:?}", errors[5]);
    assert!(matches!(errors[6], ClientError::NotSubsonic { .. }));
    assert!(errors.iter().all(|error| !format!("{error} {error:?}").contains("hunter2")));
}

#[tokio::test]
async fn nobody_listening_is_unreachable_and_names_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = Client::new(&address, Credentials::ApiKey("hunter2".into())).unwrap();
    let error = client.search3("", Window::first(1), Window::first(1), Window::first(1)).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }) && error.is_network());
    let all = format!("{error} {error:?} {client:?}");
    assert!(all.contains(&address) && !all.contains("hunter2"), "{all}");
}

#[tokio::test]
async fn a_refusal_never_reaches_the_decoder() {
    let refusal = r#""status":"failed","version":"1.16.1","error":{"code":70,"message":"gone"}"#;
    let part = "HTTP/1.1 206 Partial\r\nContent-Type: audio/flac\r\nContent-Length: 3\r\nETag: \"e\"\r\n\
                Content-Range: bytes 2-4/9\r\nConnection: close\r\n\r\ncde"
        .to_owned();
    let broken =
        "HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\nContent-Length: 9\r\nConnection: close\r\n\r\nabc"
            .to_owned();
    let (address, seen) =
        canned(vec![json(refusal), http("200 OK", "text/html", "<html></html>"), part, broken]).await;
    let client = Client::new(&address, Credentials::ApiKey("k".into())).unwrap();
    let id = TrackId::new("t&1");
    let options = StreamOptions { max_bit_rate: None, format: Some("raw".into()), offset_s: None };
    let error = client.stream(&id, &options, None, None).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
    assert!(matches!(client.stream(&id, &options, None, None).await, Err(ClientError::NotSubsonic { .. })));

    let reply = client.stream(&id, &options, Some((2, Some(5))), Some("\"e\"")).await.unwrap();
    assert_eq!(
        (reply.status, reply.total, reply.range, reply.accepts_ranges),
        (206, Some(9), Some((2, 5)), true)
    );
    assert_eq!(reply.etag.as_deref(), Some("\"e\""));
    let bytes: Vec<u8> = reply.body.map(|chunk| chunk.unwrap().to_vec()).concat().await;
    assert_eq!(bytes, b"cde");
    let head = seen.lock().unwrap()[2].to_ascii_lowercase();
    assert!(head.contains("range: bytes=2-4\r\n") && head.contains("if-range: \"e\"\r\n"));
    assert!(head.contains("id=t%261&format=raw"));

    let reply = client.stream(&id, &options, None, None).await.unwrap();
    assert_eq!((reply.total, reply.range, reply.accepts_ranges), (Some(9), None, false));
    let last = reply.body.collect::<Vec<_>>().await.pop().unwrap();
    assert!(matches!(last, Err(ClientError::Interrupted { .. })));
}

#[test]
fn content_ranges() {
    assert_eq!(parse_content_range("bytes 0-0/1"), Some(ContentRange { start: 0, end: 1, total: Some(1) }));
    assert_eq!(parse_content_range("bytes 5-9/*"), Some(ContentRange { start: 5, end: 10, total: None }));
    for wrong in
        ["bytes */10", "bytes 9-5/10", "bytes 0-10/10", "items 0-1/2", "bytes 0-18446744073709551615/*", ""]
    {
        assert_eq!(parse_content_range(wrong), None, "{wrong}");
    }
}

#[tokio::test]
async fn forms_are_used_where_they_are_offered_and_given_up_where_something_is_in_their_way() {
    let ok = r#""status":"ok","version":"1.16.1""#;
    let denied = http("405 Method Not Allowed", "text/html", "<html>no</html>");
    let (address, seen) = canned(vec![json(ok), json(ok), denied, json(ok), json(ok)]).await;
    let client = Client::new(&address, ann()).unwrap();
    client.ping().await.unwrap();
    client.use_forms(true);
    client.ping().await.unwrap();
    client.ping().await.unwrap();
    client.ping().await.unwrap();
    let seen = seen.lock().unwrap();
    let lines: Vec<&str> = seen.iter().map(|head| head.lines().next().unwrap_or_default()).collect();
    assert!(lines[0].starts_with("GET /rest/ping?") && lines[0].contains("u=ann"), "{lines:?}");
    assert_eq!(lines[1..3], ["POST /rest/ping HTTP/1.1"; 2], "nothing of the login is in the address");
    assert!(lines[3].starts_with("GET /rest/ping?") && lines[4].starts_with("GET /rest/ping?"), "{lines:?}");
}

#[tokio::test]
async fn an_address_that_leads_elsewhere_gets_no_forms() {
    let ok = r#""status":"ok","version":"1.16.1""#;
    let (there, asked) = canned(vec![json(ok), json(ok)]).await;
    let moved = |to: &str| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: {there}/music/rest/ping?{to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    let (address, seen) = canned(vec![moved("a=1"), moved("a=2")]).await;
    let client = Client::new(&address, ann()).unwrap();
    client.ping().await.unwrap();
    client.use_forms(true);
    client.ping().await.unwrap();
    assert!(seen.lock().unwrap()[1].starts_with("GET "), "a redirect would lose the form");
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn music_may_come_from_where_the_server_keeps_it() {
    let ended = http("403 Forbidden", "application/xml", "<Error><Code>AuthenticationFailed</Code></Error>");
    let part = "HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 5-8/20\r\n\
         ETag: \"0x8\"\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd";
    let (store, asked) = canned(vec![ended, part.to_owned()]).await;
    let led = |sig: &str| {
        format!(
            "HTTP/1.1 303 See Other\r\nLocation: {store}/box/x.flac?sig={sig}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    let ok = r#""status":"ok","version":"1.16.1""#;
    let (address, seen) = canned(vec![led("old"), led("new"), json(ok)]).await;
    let client = Client::new(&address, ann()).unwrap();
    client.use_forms(true);
    let reply =
        client.stream(&"x".into(), &StreamOptions::default(), Some((5, Some(9))), None).await.unwrap();
    assert_eq!((reply.range, reply.total, reply.etag.as_deref()), (Some((5, 9)), Some(20), Some("\"0x8\"")));
    let asked = asked.lock().unwrap().clone();
    assert!(
        asked[0].starts_with("GET /box/x.flac?sig=old ") && asked[1].starts_with("GET /box/x.flac?sig=new ")
    );
    assert!(asked.iter().all(|head| head.to_ascii_lowercase().contains("range: bytes=5-8")), "{asked:?}");
    assert!(!asked.iter().any(|head| head.contains("ann")), "the store learns nothing of who asks");
    // That the music is elsewhere says nothing about the server.
    client.ping().await.unwrap();
    assert!(seen.lock().unwrap().iter().all(|head| head.starts_with("POST ")));
}

#[tokio::test]
async fn a_wish_to_be_left_alone_comes_in_seconds_or_as_a_date() {
    let busy = |after: &str| {
        format!("HTTP/1.1 429 Busy\r\nRetry-After: {after}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    };
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(100);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&later).unwrap();
    let cases = ["7", &date, "Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-3"];
    let (address, _) = canned(cases.iter().map(|after| busy(after)).collect()).await;
    let client = Client::new(&address, ann()).unwrap();
    let mut waits = Vec::new();
    for _ in cases {
        let Err(ClientError::Http { status: 429, retry_after, .. }) = client.ping().await else { panic!() };
        waits.push(retry_after.map(|wait| wait.as_secs()));
    }
    assert!(waits[1].is_some_and(|wait| (90..=100).contains(&wait)), "{waits:?}");
    waits[1] = None;
    assert_eq!(waits, [Some(7), None, Some(0), None, None]);
}

#[tokio::test]
async fn a_portal_and_a_port_without_tls_are_explained() {
    let page = http("200 OK", "text/html", "<html>Welcome aboard</html>");
    let plain = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (address, _) = canned(vec![page]).await;
    let said = Client::new(&address, ann()).unwrap().ping().await.unwrap_err().to_string();
    assert!(said.contains("a web page") && said.contains("sign in"), "{said}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(plain.as_bytes()).await;
    });
    let client = Client::new(&format!("https://127.0.0.1:{port}"), ann()).unwrap();
    let said = client.ping().await.unwrap_err().to_string();
    assert!(said.contains("is it an http:// address?"), "{said}");
}

#[test]
fn what_tls_says_is_said_with_what_helps() {
    let helps = [
        ("invalid peer certificate: certificate expired: verification time 1764 (UNIX), but", "renew it"),
        ("invalid peer certificate: certificate not valid yet: verification time", "clock right"),
        ("invalid peer certificate: certificate not valid for name \"a\"; it is for b", "another name"),
        ("invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
        ("received corrupt message of type InvalidContentType", "http://"),
        ("received fatal alert: the handshake failed", "check its certificate"),
    ];
    for (why, help) in helps {
        let said = explain_tls(why).unwrap();
        assert!(said.contains(help) && said.contains(why), "{said}");
    }
    assert_eq!(explain_tls("connection refused"), None);
}
