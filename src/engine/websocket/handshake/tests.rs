//! Handshakes of clients, right and wrong.

use super::*;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

fn request(changes: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "server.example.com"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
    for (name, _) in changes {
        headers.remove(*name);
    }
    for (name, value) in changes {
        if !value.is_empty() {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
    }
    headers
}

fn ask(changes: &[(&'static str, &str)]) -> Result<(Response<()>, Agreed), Refused> {
    accept(&Method::GET, Version::HTTP_11, &request(changes))
}

#[test]
fn rfc_example_is_accepted() {
    let (response, agreed) = ask(&[]).unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"], "upgrade");
    assert_eq!(
        response.headers()["sec-websocket-accept"],
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
    assert_eq!(agreed, Agreed { deflate: None });
}

#[test]
fn header_tokens_match_lists_in_any_case() {
    assert!(
        ask(&[
            ("upgrade", "h2c, WebSocket"),
            ("connection", "keep-alive, UPGRADE")
        ])
        .is_ok()
    );
    assert!(ask(&[("connection", "keep-alive"), ("connection", "upgrade")]).is_ok());
}

#[test]
fn malformed_handshake_is_refused() {
    for (changes, refused) in [
        (&[("upgrade", "")] as &[_], Refused::NotAnUpgrade),
        (&[("upgrade", "h2c")], Refused::NotAnUpgrade),
        (&[("connection", "close")], Refused::NotAnUpgrade),
        (&[("connection", "upgraded")], Refused::NotAnUpgrade),
        (&[("sec-websocket-version", "")], Refused::Version),
        (&[("sec-websocket-version", "8")], Refused::Version),
        (
            &[
                ("sec-websocket-version", "13"),
                ("sec-websocket-version", "8"),
            ],
            Refused::Version,
        ),
        (&[("sec-websocket-key", "")], Refused::Malformed),
        (&[("sec-websocket-key", "c2hvcnQ=")], Refused::Malformed),
        (
            &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZSE=")],
            Refused::Malformed,
        ), // 17 bytes
        (
            &[("sec-websocket-key", "not base64 of anything..")],
            Refused::Malformed,
        ),
        (
            &[("sec-websocket-key", KEY), ("sec-websocket-key", KEY)],
            Refused::Malformed,
        ),
    ] {
        assert_eq!(ask(changes).unwrap_err(), refused, "{changes:?}");
    }
    assert_eq!(
        accept(&Method::POST, Version::HTTP_11, &request(&[])).unwrap_err(),
        Refused::Method
    );
    assert_eq!(
        accept(&Method::GET, Version::HTTP_10, &request(&[])).unwrap_err(),
        Refused::Malformed
    );
}

#[test]
fn refusal_names_method_and_version() {
    assert_eq!(Refused::Method.response().headers()["allow"], "GET");
    for refused in [Refused::Version, Refused::NotAnUpgrade] {
        assert_eq!(refused.response().status(), 426);
        assert_eq!(refused.response().headers()["sec-websocket-version"], "13");
    }
    assert_eq!(Refused::Malformed.response().status(), 400);
}

/// What is offered, what is answered (nothing: declined) and the window in bits.
#[test]
fn compression_offers_are_negotiated() {
    let narrow = |bits: u8| format!("{BOTH}; server_max_window_bits={bits}");
    for (offered, answered, bits) in [
        ("permessage-deflate", BOTH.to_owned(), 15),
        (
            "permessage-deflate; client_max_window_bits",
            BOTH.to_owned(),
            15,
        ),
        (
            "permessage-deflate; client_max_window_bits=9",
            BOTH.to_owned(),
            15,
        ),
        (
            "permessage-deflate;client_max_window_bits = \"15\" ; server_no_context_takeover",
            BOTH.to_owned(),
            15,
        ),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            BOTH.to_owned(),
            15,
        ),
        ("permessage-deflate; server_max_window_bits=8", narrow(8), 8),
        (
            "permessage-deflate; server_max_window_bits=\"10\"",
            narrow(10),
            10,
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            narrow(15),
            15,
        ),
        (
            "x-webkit-deflate-frame, permessage-deflate",
            BOTH.to_owned(),
            15,
        ),
        (
            "x-odd; of=\"a, permessage-deflate; \\\", b\", permessage-deflate; server_max_window_bits=9",
            narrow(9),
            9,
        ),
        (
            "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=12",
            narrow(12),
            12,
        ),
        (
            "permessage-deflate; server_max_window_bits=7, permessage-deflate",
            BOTH.to_owned(),
            15,
        ),
        ("", String::new(), 0),
        ("permessage-bzip2", String::new(), 0),
        ("permessage-deflate; unknown", String::new(), 0),
        ("permessage-deflate;", String::new(), 0),
        (
            "permessage-deflate; server_max_window_bits",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; server_max_window_bits=7",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; server_max_window_bits=16",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; server_max_window_bits=08",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; server_max_window_bits=+9",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; client_max_window_bits=16",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; client_max_window_bits=",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; server_no_context_takeover=1",
            String::new(),
            0,
        ),
        (
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            String::new(),
            0,
        ),
    ] {
        let (response, agreed) = ask(&[("sec-websocket-extensions", offered)]).unwrap();
        let answer = response
            .headers()
            .get("sec-websocket-extensions")
            .map_or("", |answer| answer.to_str().unwrap());
        assert_eq!(answer, answered, "{offered}");
        assert_eq!(
            agreed.deflate.map_or(0, |window| window.bits),
            bits,
            "{offered}"
        );
    }
}

#[test]
fn offers_on_several_lines_are_read() {
    let lines = [
        ("sec-websocket-extensions", "permessage-deflate; odd"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    assert_eq!(ask(&lines).unwrap().1.deflate, Some(Window::MAX));
}

#[test]
fn narrow_window_takes_small_messages() {
    let narrow = Window { bits: 9 };
    assert!(narrow.takes(512) && !narrow.takes(513));
    assert!(Window::MAX.takes(1 << 20));
}
