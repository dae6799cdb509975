//! A web server that others link to: answers what the test gave it, and counts what is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

#[derive(Default)]
struct Pages {
    /// Media type and content, by path.
    pages: HashMap<String, (String, Vec<u8>)>,
    asked: HashMap<String, usize>,
}

/// The server, which runs as long as the test.
#[derive(Clone)]
pub struct PageServer {
    origin: String,
    pages: Arc<Mutex<Pages>>,
}

async fn answer(State(server): State<PageServer>, uri: Uri) -> Response {
    let mut pages = server.pages.lock().expect("no panic");
    *pages.asked.entry(uri.path().to_owned()).or_default() += 1;
    match pages.pages.get(uri.path()) {
        Some((media, content)) => {
            ([(header::CONTENT_TYPE, media.clone())], content.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl PageServer {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Self {
            origin: format!("http://{address}"),
            pages: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// Has a path answer with this. Returns its address.
    pub fn add(&self, path: &str, media: &str, content: impl Into<Vec<u8>>) -> String {
        let mut pages = self.pages.lock().expect("no panic");
        let page = (media.to_owned(), content.into());
        pages.pages.insert(path.to_owned(), page);
        self.url(path)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        let pages = self.pages.lock().expect("no panic");
        pages.asked.get(path).copied().unwrap_or_default()
    }

    /// How often anything was asked for.
    pub fn asked_in_all(&self) -> usize {
        self.pages.lock().expect("no panic").asked.values().sum()
    }
}
