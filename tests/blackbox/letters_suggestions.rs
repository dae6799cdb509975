//! Questions to begin a letter with, from a service that the host configures.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};

use super::letters::{begin, draft, has};
use super::letters_by_hand::{act, refused};
use crate::support::TestServer;

/// A service like OpenAI's: what it answers, and what it was sent, with the key.
#[derive(Clone, Default)]
struct Service {
    answer: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Service {
    /// Starts it. Gives the address of its API.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answer =
            async |State(service): State<Self>, headers: axum::http::HeaderMap, body: String| {
                let key = headers.get("authorization").map(|key| key.as_bytes());
                let key = String::from_utf8_lossy(key.unwrap_or_default()).into_owned();
                let body = serde_json::from_str(&body).expect("JSON");
                service.asked.lock().expect("no panic").push((key, body));
                service.answer.lock().expect("no panic").clone()
            };
        let router = Router::new()
            .route("/v1/chat/completions", post(answer))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/v1")
    }

    fn answer(&self, text: &str) {
        let answer = json!({ "choices": [{ "message": { "content": text } }] });
        *self.answer.lock().expect("no panic") = answer.to_string();
    }

    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().expect("no panic").clone()
    }
}

#[tokio::test]
async fn suggestions_are_questions_of_configured_service() {
    let service = Service::default();
    let address = service.start().await;
    let settings = [
        ("TIDEPOOL_LETTERS_PROMPTS_URL", &*address),
        ("TIDEPOOL_LETTERS_PROMPTS_MODEL", "small"),
        ("TIDEPOOL_LETTERS_PROMPTS_KEY", "a-key"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bobby").await;
    let letter = begin(&ann, json!({ "kind": "person", "to": bob.id })).await;
    let desk = format!("/letters/{letter}/desk");
    act(&ann, "save", draft(&letter, 0, "a secret beginning")).await;
    service
        .answer("Of course!\n1. Was there snow?\n2. 何を見ましたか？\nDear Bob, I write for you.");
    let fields = [("letter", &*letter), ("mood", "quiet"), ("topic", "winter")];
    let asked = ann.form_from(&desk, "/act/letters.suggest", &fields).await;
    assert_eq!(asked.location(), format!("{desk}#letter-suggestions"));
    let page = has(&ann, &desk, "Was there snow?").await;
    assert!(
        page.contains("何を見ましたか？") && page.contains("Made by a machine"),
        "{page}"
    );
    assert!(!page.contains("I write for you"), "{page}");
    let (key, body) = service.asked().pop().expect("it was asked");
    assert_eq!((&*key, &body["model"]), ("Bearer a-key", &json!("small")));
    let sent = body.to_string();
    assert!(sent.contains("quiet") && sent.contains("winter"), "{sent}");
    assert!(
        !sent.contains("secret") && !sent.contains("bobby"),
        "{sent}"
    );

    // Words for what goes wrong; and no more in a day than one may.
    let this = json!({ "letter": letter });
    service.answer("I cannot help with that.");
    assert_eq!(refused(&ann, "suggest", this.clone()).await, "conflict");
    *service.answer.lock().expect("no panic") = "x".repeat(100_000);
    let asked = ann
        .form_from(&desk, "/act/letters.suggest", &[("letter", &letter)])
        .await;
    assert!(asked.body.contains("does not answer now"), "{}", asked.body);
    assert_eq!(refused(&bob, "suggest", this.clone()).await, "not_found");
    service.answer("Who was there?");
    for _ in 3..10 {
        act(&ann, "suggest", this.clone()).await;
    }
    let before = service.asked().len();
    let asked = ann
        .form_from(&desk, "/act/letters.suggest", &[("letter", &letter)])
        .await;
    assert!(asked.body.contains("Come back tomorrow"), "{}", asked.body);
    assert_eq!((before, service.asked().len()), (10, 10));
    act(&ann, "seal", draft(&letter, 1, "a secret beginning")).await;
    let sheet = ann.page(&format!("/letters/{letter}")).await;
    assert!(!sheet.contains("Who was there?"), "{sheet}");
}

#[tokio::test]
async fn nothing_is_asked_without_a_service() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let letter = begin(&ann, json!({ "kind": "open" })).await;
    let desk = ann.page(&format!("/letters/{letter}/desk")).await;
    assert!(!desk.contains("letters.suggest"), "{desk}");
    assert_eq!(
        refused(&ann, "suggest", json!({ "letter": letter })).await,
        "conflict"
    );
}
