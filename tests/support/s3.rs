//! A bucket that lives as long as its test: as much of an S3 server as ours asks of one, and the
//! ways in which one fails.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::folder::Folder;

/// What it does to those who ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// What they ask.
    #[default]
    Nothing,
    /// It answers 500.
    Fails,
    /// It takes the request and never answers.
    Stalls,
    /// It sends half of what it announces and hangs up, and keeps half of what it is given.
    Truncates,
    /// It sends half as if that were all, and keeps half of what it is given.
    Shortens,
    /// It puts parts together and answers that it failed.
    Mumbles,
    /// It says that there is no such bucket.
    Vanishes,
}

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, Vec<u8>>,
    parts: HashMap<String, BTreeMap<u32, Vec<u8>>>,
    begun: usize,
    completed: usize,
    refused: usize,
    fault: Fault,
}

/// The server. It ends with the test's process.
#[derive(Clone)]
pub struct Bucket {
    inner: Arc<Mutex<Inner>>,
    endpoint: String,
    /// The file with the certificate of one behind TLS.
    certificate: Option<String>,
}

impl Bucket {
    /// An empty one.
    pub fn start() -> Self {
        let (listener, port) = listen();
        let bucket = Self {
            inner: Arc::default(),
            endpoint: format!("http://127.0.0.1:{port}"),
            certificate: None,
        };
        bucket
            .clone()
            .serve(|| tokio::net::TcpListener::from_std(listener).expect("a listener"));
        bucket
    }

    /// An empty one behind TLS, with a certificate that it keeps in the folder and that nobody else
    /// vouches for.
    pub fn behind_tls(folder: &Folder) -> Self {
        let (listener, port) = listen();
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::create_dir_all(folder.path()).expect("a folder can be made");
        let file = folder.path().join("certificate.pem");
        std::fs::write(&file, made.cert.pem()).expect("it can be written");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("known versions")
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.into()], key)
                .expect("a key that fits");
        let certificate = Some(file.display().to_string());
        let bucket = Self {
            inner: Arc::default(),
            endpoint: format!("https://localhost:{port}"),
            certificate,
        };
        bucket.clone().serve(|| Tls {
            listener: tokio::net::TcpListener::from_std(listener).expect("a listener"),
            acceptor: Arc::new(config).into(),
        });
        bucket
    }

    /// On a thread of its own: tests wait for their server with theirs.
    fn serve<L: Listener<Addr: Debug>>(self, listener: impl FnOnce() -> L + Send + 'static) {
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let router = Router::new().fallback(answer).with_state(self);
            runtime
                .block_on(async move { axum::serve(listener(), router).await.expect("it serves") });
        });
    }

    /// The settings with which a server keeps its files here.
    pub fn settings(&self) -> Vec<(&'static str, &str)> {
        let mut settings = vec![
            ("TIDEPOOL_S3_BUCKET", "tides"),
            ("TIDEPOOL_S3_ENDPOINT", self.endpoint.as_str()),
            ("TIDEPOOL_S3_ACCESS_KEY", "key"),
            ("TIDEPOOL_S3_SECRET_KEY", "secret"),
        ];
        settings.extend(
            self.certificate
                .as_deref()
                .map(|file| ("SSL_CERT_FILE", file)),
        );
        settings
    }

    /// From now on it does this.
    pub fn set_fault(&self, fault: Fault) {
        self.inner.lock().expect("the bucket is whole").fault = fault;
    }

    /// What is in it: names and sizes.
    pub fn objects(&self) -> BTreeMap<String, usize> {
        let inner = self.inner.lock().expect("the bucket is whole");
        inner
            .objects
            .iter()
            .map(|(name, content)| (name.clone(), content.len()))
            .collect()
    }

    /// Puts something in that no server put there.
    pub fn put(&self, name: &str, content: &[u8]) {
        self.inner
            .lock()
            .expect("the bucket is whole")
            .objects
            .insert(name.to_owned(), content.to_vec());
    }

    /// How many requests it has answered with an error of its own.
    pub fn refused(&self) -> usize {
        self.inner.lock().expect("the bucket is whole").refused
    }

    /// How many objects came in parts.
    pub fn completed(&self) -> usize {
        self.inner.lock().expect("the bucket is whole").completed
    }
}

fn listen() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener
        .set_nonblocking(true)
        .expect("it can be waited for");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Takes in those with whom a handshake succeeds.
struct Tls {
    listener: tokio::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = Listener::accept(&mut self.listener).await;
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn xml(text: String) -> Response {
    (
        [(header::CONTENT_TYPE, "application/xml")],
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{text}"),
    )
        .into_response()
}

async fn answer(State(bucket): State<Bucket>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let fault = bucket.inner.lock().expect("the bucket is whole").fault;
    match fault {
        Fault::Fails => {
            bucket.inner.lock().expect("the bucket is whole").refused += 1;
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Fault::Vanishes => return StatusCode::NOT_FOUND.into_response(),
        Fault::Stalls => std::future::pending::<()>().await,
        _ => {}
    }
    if !head
        .headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| {
            value
                .as_bytes()
                .starts_with(b"AWS4-HMAC-SHA256 Credential=key/")
        })
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(mut body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(key) = head
        .uri
        .path()
        .strip_prefix("/tides")
        .map(|key| key.trim_start_matches('/').to_owned())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let query: HashMap<String, String> =
        serde_html_form::from_str(head.uri.query().unwrap_or_default()).expect("a query");
    let is_broken = matches!(fault, Fault::Truncates | Fault::Shortens);
    if is_broken && head.method == Method::PUT {
        body.truncate(body.len() / 2);
    }
    let mut inner = bucket.inner.lock().expect("the bucket is whole");
    let upload = query.get("uploadId").cloned().unwrap_or_default();
    match head.method {
        Method::GET if key.is_empty() => list(&inner),
        Method::GET => match inner.objects.get(&key) {
            Some(content) => get(content, &head.headers, fault),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::HEAD => match inner.objects.get(&key) {
            Some(content) => (
                [
                    (header::CONTENT_LENGTH, content.len().to_string()),
                    (header::ETAG, tag()),
                    modified(),
                ],
                (),
            )
                .into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::PUT => {
            match query
                .get("partNumber")
                .and_then(|number| number.parse().ok())
            {
                Some(number) => match inner.parts.get_mut(&upload) {
                    Some(parts) => drop(parts.insert(number, body.into())),
                    None => return StatusCode::NOT_FOUND.into_response(),
                },
                None => drop(inner.objects.insert(key, body.into())),
            }
            [(header::ETAG, tag())].into_response()
        }
        Method::POST if query.contains_key("uploads") => {
            inner.begun += 1;
            let id = format!("parts-{}", inner.begun);
            inner.parts.insert(id.clone(), BTreeMap::new());
            let name = format!("<Bucket>tides</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>");
            xml(format!(
                "<InitiateMultipartUploadResult>{name}</InitiateMultipartUploadResult>"
            ))
        }
        Method::POST if query.contains_key("uploadId") => {
            let Some(parts) = inner.parts.remove(&upload) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            inner.completed += 1;
            let whole = parts.into_values().collect::<Vec<_>>().concat();
            inner.objects.insert(key.clone(), whole);
            if fault == Fault::Mumbles {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            let name = format!(
                "<Bucket>tides</Bucket><Key>{key}</Key><ETag>{}</ETag>",
                tag()
            );
            xml(format!(
                "<CompleteMultipartUploadResult>{name}</CompleteMultipartUploadResult>"
            ))
        }
        Method::POST if query.contains_key("delete") => {
            let asked = String::from_utf8_lossy(&body).into_owned();
            let keys = asked
                .split("<Key>")
                .skip(1)
                .filter_map(|rest| rest.split_once("</Key>"))
                .map(|(key, _)| key.to_owned());
            let mut deleted = String::new();
            for key in keys {
                inner.objects.remove(&key);
                deleted.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
            }
            xml(format!("<DeleteResult>{deleted}</DeleteResult>"))
        }
        Method::DELETE if !upload.is_empty() => match inner.parts.remove(&upload) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::DELETE => {
            inner.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn tag() -> String {
    "\"whole\"".to_owned()
}

fn modified() -> (header::HeaderName, String) {
    (
        header::LAST_MODIFIED,
        "Thu, 01 Jan 2026 00:00:00 GMT".to_owned(),
    )
}

fn list(inner: &Inner) -> Response {
    let object = |(key, content): (&String, &Vec<u8>)| {
        let size = content.len();
        format!(
            "<Contents><Key>{key}</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified><Size>{size}</Size></Contents>"
        )
    };
    let contents: String = inner.objects.iter().map(object).collect();
    xml(format!(
        "<ListBucketResult><Name>tides</Name><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    ))
}

fn get(content: &[u8], headers: &HeaderMap, fault: Fault) -> Response {
    let size = content.len();
    let asked = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let (from, to) = asked.map_or((0, size), |(from, to)| {
        (
            from.parse().expect("a number"),
            to.parse().map_or(size, |to: usize| (to + 1).min(size)),
        )
    });
    let part = &content[from.min(size)..to];
    let is_cut = matches!(fault, Fault::Truncates | Fault::Shortens);
    let sent = if is_cut { part.len() / 2 } else { part.len() };
    let announced = if fault == Fault::Shortens {
        sent
    } else {
        part.len()
    };
    let first = Bytes::copy_from_slice(&part[..sent]);
    let body = match fault {
        Fault::Truncates => {
            let gone = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "gone");
            Body::from_stream(futures_util::stream::iter([Ok(first), Err(gone)]))
        }
        _ => Body::from(first),
    };
    let range = format!("bytes {from}-{}/{size}", to.saturating_sub(1));
    let status = if asked.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let told = [
        (header::CONTENT_LENGTH, announced.to_string()),
        (header::CONTENT_RANGE, range),
        (header::ETAG, tag()),
        modified(),
    ];
    (status, told, body).into_response()
}
