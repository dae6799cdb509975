//! Fetching from a hostile server on loopback. It listens on an address that counts as public; on
//! the same port of another address, which does not, a second one counts who connects.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const DOUBLE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const INSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

#[derive(Clone, Default)]
struct Seen {
    requests: Arc<Mutex<Vec<String>>>,
    inside: Arc<AtomicUsize>,
    lookups: Arc<AtomicUsize>,
}

struct Hostile {
    fetch: SafeFetch,
    port: u16,
    seen: Seen,
}

impl Hostile {
    async fn start() -> Self {
        Self::with_timeout(FETCH_TIMEOUT).await
    }

    async fn with_timeout(timeout: Duration) -> Self {
        let seen = Seen::default();
        let (double, inside) = loop {
            let double = TcpListener::bind((DOUBLE, 0)).await.unwrap();
            let port = double.local_addr().unwrap().port();
            if let Ok(inside) = TcpListener::bind((INSIDE, port)).await {
                break (double, inside);
            }
        };
        let port = double.local_addr().unwrap().port();
        let requests = seen.requests.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = double.accept().await.unwrap();
                tokio::spawn(serve(stream, port, requests.clone()));
            }
        });
        let connections = seen.inside.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = inside.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, port, Arc::default()));
            }
        });
        let targets = Targets::PublicOr(DOUBLE, port);
        let lookups = seen.lookups.clone();
        let lookup = move |name: &str| -> Vec<IpAddr> {
            let before = lookups.fetch_add(1, Ordering::SeqCst);
            match name {
                "page.test" => vec![DOUBLE.into()],
                "rebound.test" if before == 0 => vec![DOUBLE.into()],
                "mixed.test" => vec![INSIDE.into(), DOUBLE.into()],
                "mapped.test" => vec![INSIDE.to_ipv6_mapped().into()],
                _ => vec![INSIDE.into()],
            }
        };
        let resolver = PublicResolver::with_lookup(targets, Arc::new(lookup));
        let fetch = SafeFetch::with(resolver, targets, timeout).unwrap();
        Self { fetch, port, seen }
    }

    async fn get(&self, host: &str, path: &str) -> Result<Fetched, FetchProblem> {
        let url = format!("http://{host}:{}{path}", self.port);
        self.fetch.get(&url, Accepts::PageOrPicture).await
    }

    fn inside(&self) -> usize {
        self.seen.inside.load(Ordering::SeqCst)
    }
}

/// Keeps connections open, for a client that would use one again.
async fn serve(mut stream: TcpStream, port: u16, requests: Arc<Mutex<Vec<String>>>) {
    while answer(&mut stream, port, &requests).await.is_some() {}
}

async fn answer(stream: &mut TcpStream, port: u16, requests: &Mutex<Vec<String>>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push(request);
    let (path, rest) = path.split_once('?').unwrap_or((&path, ""));
    let html = |body: &[u8]| typed("text/html; charset=utf-8", body);
    let whole = match path {
        "/page" => html("<title>潮だまり مد ไทย 🌊</title>".as_bytes()),
        "/full" => html(&vec![b'a'; MAX_FETCHED_BYTES]),
        "/large" => html(&vec![b'a'; MAX_FETCHED_BYTES + 1]),
        "/png" => typed("image/png", PNG),
        "/pdf" => typed("application/pdf", b"%PDF-1.7"),
        "/svg" => typed("image/svg+xml", b"<svg/>"),
        "/untyped" => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi".to_vec(),
        "/png-as-text" => typed("text/plain", PNG),
        "/png-as-html" => html(PNG),
        "/zeros-as-html" => html(b"a\0b"),
        "/html-as-png" => typed("image/png", b"<html><script>"),
        "/missing" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
        "/gzip" => encoded(
            "text/html",
            "gzip",
            &gzip(b"<title>small</title>".iter(), 1),
        ),
        "/bomb" => encoded("text/html", "gzip", &gzip([b'a'; 1 << 20].iter(), 64)),
        "/picture-bomb" => encoded("image/png", "gzip", &gzip([0u8; 1 << 20].iter(), 64)),
        "/large-gzip" => {
            let noise: Vec<u8> = (0..1 << 22).map(noise_at).collect();
            encoded("text/html", "gzip", &gzip(noise.iter(), 1))
        }
        "/large-png" => typed("image/png", &[PNG, &vec![0; MAX_FETCHED_BYTES]].concat()),
        "/brotli" => encoded("text/html", "br", b"\x0b\x02\x80a\x03"),
        "/damaged" => encoded("text/html", "gzip", b"no gzip"),
        "/nowhere" => b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
        "/loop" => redirect("/loop"),
        "/to" => redirect(rest),
        "/to-host" => redirect(&format!("http://{rest}:{port}/page")),
        "/slow-head" => return drip(stream, b"HTTP/1.1 200 OK\r\nx: ").await,
        "/slow-body" => return drip(stream, ENDLESS).await,
        "/endless" => {
            let _ = stream.write_all(ENDLESS).await;
            while stream.write_all(&[b'a'; 65_536]).await.is_ok() {}
            return None;
        }
        _ => panic!("{path}"),
    };
    // A client that has seen enough closes the connection.
    stream.write_all(&whole).await.ok()
}

const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n";

fn typed(media: &str, body: &[u8]) -> Vec<u8> {
    answer_with(&format!("content-type: {media}"), body)
}

/// A letter that the letters before it do not tell, so that it can hardly be compressed.
fn noise_at(index: u32) -> u8 {
    let mixed = index.wrapping_add(1).wrapping_mul(0x9e37_79b1);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b);
    b' ' + ((mixed ^ (mixed >> 13)) % 90) as u8
}

fn encoded(media: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let headers = format!("content-type: {media}\r\ncontent-encoding: {encoding}");
    answer_with(&headers, body)
}

fn answer_with(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn redirect(target: &str) -> Vec<u8> {
    let head = "HTTP/1.1 302 Found\r\nset-cookie: a=b\r\ncontent-length: 0\r\nlocation: ";
    format!("{head}{target}\r\n\r\n").into_bytes()
}

fn gzip<'a>(bytes: impl Iterator<Item = &'a u8>, times: usize) -> Vec<u8> {
    let bytes: Vec<u8> = bytes.copied().collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..times {
        encoder.write_all(&bytes).unwrap();
    }
    encoder.finish().unwrap()
}

async fn drip(stream: &mut TcpStream, head: &[u8]) -> Option<()> {
    let _ = stream.write_all(head).await;
    while stream.write_all(b"a").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

#[tokio::test]
async fn page_and_picture_are_fetched() {
    let hostile = Hostile::start().await;
    let page = hostile.get("page.test", "/page").await.unwrap();
    assert!(matches!(page.content, Content::Page(header) if header.contains("utf-8")));
    assert!(
        String::from_utf8(page.body)
            .unwrap()
            .contains("潮だまり مد ไทย 🌊")
    );
    let picture = hostile.get("page.test", "/png").await.unwrap();
    assert_eq!(picture.content, Content::Picture("image/png"));
    let url = format!("http://page.test:{}/page", hostile.port);
    let problem = hostile.fetch.get(&url, Accepts::Picture).await.unwrap_err();
    assert!(matches!(problem, FetchProblem::WrongType));
    let compressed = hostile.get("page.test", "/gzip").await.unwrap();
    assert_eq!(compressed.body, b"<title>small</title>");
    let redirected = hostile.get("page.test", "/to?/page").await.unwrap();
    assert_eq!(redirected.url.path(), "/page");
}

#[tokio::test]
async fn addresses_in_any_notation_are_refused() {
    let fetch = SafeFetch::new(Targets::Public).unwrap();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "１２７.0.0.1",
        "%31%32%37.0.0.1",
        "10.0.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
        "localhost",
    ] {
        let url = format!("http://{host}/");
        let problem = fetch.get(&url, Accepts::PageOrPicture).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::NotPublic),
            "{host}: {problem}"
        );
    }
    let long = format!("http://1.1.1.1/{}", "a".repeat(MAX_FETCHED_URL_BYTES));
    for url in [
        "file:///etc/passwd",
        "ftp://1.1.1.1/",
        "gopher://1.1.1.1/",
        "http://1.1.1.1:22/",
        "http://1.1.1.1:6379/",
        "http://ann@1.1.1.1/",
        "http://ann:word@1.1.1.1/",
        "http://",
        "page",
        &long,
    ] {
        let problem = fetch.get(url, Accepts::PageOrPicture).await.unwrap_err();
        assert!(matches!(problem, FetchProblem::BadUrl), "{url}: {problem}");
    }
}

#[tokio::test]
async fn redirects_to_private_addresses_connect_nowhere() {
    let hostile = Hostile::start().await;
    for host in [
        "127.0.0.2",
        "2130706434",
        "0177.0.0.2",
        "0x7f.2",
        "[::ffff:127.0.0.2]",
        "[::ffff:7f00:2]",
        "inside.test",
        "mapped.test",
    ] {
        let path = format!("/to-host?{host}");
        let problem = hostile.get("page.test", &path).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::NotPublic),
            "{host}: {problem}"
        );
    }
    let path = "/to?file:///etc/passwd";
    let problem = hostile.get("page.test", path).await.unwrap_err();
    assert!(matches!(problem, FetchProblem::BadUrl));
    assert_eq!(hostile.inside(), 0);
}

#[tokio::test]
async fn redirects_are_counted() {
    let hostile = Hostile::start().await;
    for path in ["/loop", "/nowhere"] {
        let problem = hostile.get("page.test", path).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::BadRedirect),
            "{path}: {problem}"
        );
    }
    let requests = hostile.seen.requests.lock().unwrap();
    let loops = requests.iter().filter(|request| request.contains("/loop"));
    assert_eq!(loops.count(), MAX_REDIRECTS + 1);
}

#[tokio::test]
async fn name_that_resolves_differently_connects_nowhere() {
    let hostile = Hostile::start().await;
    // What was checked is what is connected to: one look-up.
    hostile.get("rebound.test", "/page").await.unwrap();
    assert_eq!(hostile.seen.lookups.load(Ordering::SeqCst), 1);
    // And no connection outlives the check of its address.
    let problem = hostile.get("rebound.test", "/page").await.unwrap_err();
    assert!(matches!(problem, FetchProblem::NotPublic));

    let hostile = Hostile::start().await;
    let problem = hostile.get("rebound.test", "/to?/page").await.unwrap_err();
    assert!(matches!(problem, FetchProblem::NotPublic));
    assert_eq!(hostile.inside(), 0);
}

#[tokio::test]
async fn private_addresses_of_a_name_are_left_out() {
    let hostile = Hostile::start().await;
    hostile.get("mixed.test", "/page").await.unwrap();
    assert_eq!(hostile.inside(), 0);
}

#[tokio::test]
async fn slow_answers_time_out() {
    let hostile = Hostile::with_timeout(Duration::from_millis(300)).await;
    for path in ["/slow-head", "/slow-body"] {
        let problem = hostile.get("page.test", path).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::TimedOut),
            "{path}: {problem}"
        );
    }
}

#[tokio::test]
async fn bombs_and_large_bodies_are_cut_or_refused() {
    let hostile = Hostile::start().await;
    for path in ["/full", "/large", "/endless", "/bomb"] {
        let page = hostile.get("page.test", path).await.unwrap();
        assert_eq!(page.body.len(), MAX_FETCHED_BYTES, "{path}");
    }
    // What was not read of it is missing from the end, not the whole.
    let page = hostile.get("page.test", "/large-gzip").await.unwrap();
    let expected: Vec<u8> = (0..100).map(noise_at).collect();
    assert!(page.body.starts_with(&expected));
    for path in ["/large-png", "/picture-bomb"] {
        let problem = hostile.get("page.test", path).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::TooLarge),
            "{path}: {problem}"
        );
    }
    for path in ["/brotli", "/damaged"] {
        let problem = hostile.get("page.test", path).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::BadEncoding),
            "{path}: {problem}"
        );
    }
}

#[tokio::test]
async fn wrong_types_are_refused() {
    let hostile = Hostile::start().await;
    for path in [
        "/pdf",
        "/svg",
        "/untyped",
        "/png-as-text",
        "/png-as-html",
        "/zeros-as-html",
        "/html-as-png",
    ] {
        let problem = hostile.get("page.test", path).await.unwrap_err();
        assert!(
            matches!(problem, FetchProblem::WrongType),
            "{path}: {problem}"
        );
    }
    let problem = hostile.get("page.test", "/missing").await.unwrap_err();
    assert!(matches!(problem, FetchProblem::BadStatus(404)));
}

#[tokio::test]
async fn requests_carry_no_cookie_or_referrer() {
    let hostile = Hostile::start().await;
    hostile.get("page.test", "/to?/page").await.unwrap();
    let requests = hostile.seen.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    for request in requests.iter().map(|request| request.to_lowercase()) {
        assert!(request.contains("user-agent: tidepool/"), "{request}");
        for header in ["cookie:", "referer:", "authorization:"] {
            assert!(!request.contains(header), "{request}");
        }
    }
}

/// Settings of the environment are read when a client is made, so another process has them.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args([
        "--exact",
        "engine::safe_fetch::tests::page_and_picture_are_fetched",
    ]);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        again.env(name, "http://127.0.0.1:1");
        again.env(name.to_uppercase(), "http://127.0.0.1:1");
    }
    let output = again.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("1 passed"), "{text}");
}
