//! A socket that follows one feed.

use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::WAIT_TIMEOUT;

/// A followed feed. What happens from the moment it is followed is kept until it is waited for.
pub struct Feed {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Feed {
    /// Nothing when following it is refused.
    pub(crate) async fn open(base: &Url, path: &str, cookies: &str, feed: &str) -> Option<Self> {
        let mut url = base.join(path).expect("a path");
        url.set_scheme("ws").expect("http becomes ws");
        let mut request = url.as_str().into_client_request().expect("an address");
        let cookies = cookies.parse().expect("a header's value");
        request.headers_mut().insert("cookie", cookies);
        let (stream, _) = connect_async(request).await.expect("the socket opens");
        let mut followed = Self { stream };
        let message = json!({ "type": "subscribe", "feed": feed });
        let sent = followed.stream.send(Message::text(message.to_string()));
        sent.await.expect("the socket takes a message");
        let is_answer = |said: &Value| {
            said["feed"] == feed && (said["type"] == "subscribed" || said["type"] == "refused")
        };
        let answer = followed.expect("an answer", is_answer).await;
        (answer["type"] == "subscribed").then_some(followed)
    }

    /// Waits for an event of this topic: its fields.
    pub async fn event(&mut self, topic: &str) -> Value {
        let mut message = self.expect(topic, |said| said["topic"] == topic).await;
        message["event"].take()
    }

    /// Waits for a frame whose HTML contains `part`.
    pub async fn frame(&mut self, part: &str) -> String {
        let holds = |said: &Value| said["html"].as_str().is_some_and(|it| it.contains(part));
        let frame = self.expect(part, holds).await;
        frame["html"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a message that fits; others are dropped.
    async fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + WAIT_TIMEOUT;
        let mut others = Vec::new();
        loop {
            let next = timeout_at(until, self.stream.next()).await;
            match next.unwrap_or_else(|_| panic!("no {what}, but {others:#?}")) {
                Some(Ok(Message::Text(text))) => match decode(&text) {
                    message if fits(&message) => return message,
                    message => others.push(message),
                },
                Some(Ok(Message::Close(reason))) => {
                    panic!("closed ({reason:?}) before {what}, after {others:#?}")
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("{error} before {what}, after {others:#?}"),
                None => panic!("closed before {what}, after {others:#?}"),
            }
        }
    }
}

/// JSON, or a frame of HTML: `<!--FEED CURSOR-->HTML`.
fn decode(text: &str) -> Value {
    match text
        .strip_prefix("<!--")
        .and_then(|rest| rest.split_once("-->"))
    {
        Some((_, html)) => json!({ "html": html }),
        None => serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}")),
    }
}
