//! A bucket that lives as long as its test: as much of an S3 server as ours asks of one, and the
//! ways in which one fails.

mod service;
mod tls;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::serve::Listener;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, ServerConfig};

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
    FailsAfterCompleting,
    /// It says that there is no such bucket.
    BucketMissing,
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
        bucket.clone().serve(|| tls::Tls {
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
            let router = Router::new().fallback(service::answer).with_state(self);
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

    /// The same, and a bucket that stalls is given up after two seconds instead of twenty: for
    /// tests of [`Fault::Stalls`]. Others must not depend on how soon a busy machine answers.
    pub fn settings_with_short_timeout(&self) -> Vec<(&'static str, &str)> {
        let mut settings = self.settings();
        settings.push(("TIDEPOOL_S3_PATIENCE_SECONDS", "2"));
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
