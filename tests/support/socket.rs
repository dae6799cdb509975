//! A socket as a page or a program has it. It reads all the time, so that pings are answered while
//! a test does something else. Every wait is for a message, and ends after [`WAIT_TIMEOUT`].

use std::time::Instant;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;
use tokio_tungstenite::tungstenite::Message;

use super::{Message as ChatMessage, Stream, WAIT_TIMEOUT, dial};

/// What comes in.
enum Incoming {
    Text(String),
    /// The end, with the code of the closing frame.
    End(Option<u16>),
}

/// An open socket. Dropping it closes the connection without a closing frame.
pub struct Socket {
    sink: SplitSink<Stream, Message>,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    is_reading: watch::Sender<bool>,
    reader: JoinHandle<()>,
    /// The account it speaks for.
    pub account: String,
    /// The server's instance.
    pub instance: String,
    /// The code it was closed with, once it is.
    pub closed: Option<u16>,
    next_act: u64,
}

impl Socket {
    pub(super) async fn open(base: &Url, path: &str, cookies: &str) -> Self {
        let stream = dial(base, path, &[("cookie", cookies)])
            .await
            .unwrap_or_else(|status| panic!("{path} is refused with {status}"));
        let (sink, stream) = stream.split();
        let (received, incoming) = mpsc::unbounded_channel();
        let is_reading = watch::Sender::new(true);
        let reader = tokio::spawn(read_all(stream, received, is_reading.subscribe()));
        let mut socket = Self {
            sink,
            incoming,
            is_reading,
            reader,
            account: String::new(),
            instance: String::new(),
            closed: None,
            next_act: 1,
        };
        let hello = socket.wait_for("hello").await;
        socket.account = hello["account"]
            .as_str()
            .expect("hello names the account")
            .to_owned();
        socket.instance = hello["instance"]
            .as_str()
            .expect("hello names the instance")
            .to_owned();
        socket
    }

    /// Says something in JSON.
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Says this, whatever it is. A socket the server has closed swallows it.
    pub async fn send_text(&mut self, text: &str) {
        let _ = self.sink.send(Message::text(text)).await;
    }

    /// Sends bytes, which is no text.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.sink.send(Message::binary(bytes.to_vec())).await;
    }

    /// The next thing the server says, or nothing when it closes. A frame of `/live` becomes
    /// `{"type":"frame","feed":…,"cursor":…,"html":…}`.
    pub async fn next(&mut self) -> Option<Value> {
        self.receive_before(Instant::now() + WAIT_TIMEOUT)
            .await
            .expect("the server says something in time")
    }

    async fn receive_before(&mut self, until: Instant) -> Result<Option<Value>, Elapsed> {
        match timeout_at(until.into(), self.incoming.recv()).await? {
            Some(Incoming::Text(text)) => Ok(Some(decode(&text))),
            Some(Incoming::End(code)) => {
                self.closed = code;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Takes no byte from now on, so that no ping is answered and the server's writes fill up.
    pub fn pause_reading(&self) {
        self.is_reading.send_replace(false);
    }

    /// Reads again.
    pub fn resume_reading(&self) {
        self.is_reading.send_replace(true);
    }

    /// Waits for something that fits, letting go by what does not.
    pub async fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + WAIT_TIMEOUT;
        let mut others = Vec::new();
        loop {
            match self.receive_before(until).await {
                Ok(Some(message)) if fits(&message) => return message,
                Ok(Some(message)) => others.push(message),
                Ok(None) => panic!(
                    "closed ({:?}) before {what}, after {others:#?}",
                    self.closed
                ),
                Err(_) => panic!("no {what}, but {others:#?}"),
            }
        }
    }

    /// Waits for a message of this type.
    pub async fn wait_for(&mut self, kind: &str) -> Value {
        self.expect(kind, |message| message["type"] == kind).await
    }

    /// Waits for an event of this topic; the whole message.
    pub async fn event(&mut self, topic: &str) -> Value {
        self.expect(topic, |message| message["topic"] == topic)
            .await
    }

    /// Waits for the next post, edit or deletion: its topic and message.
    pub async fn next_change(&mut self) -> (String, ChatMessage) {
        let is_change = |received: &Value| {
            let topic = received["topic"].as_str();
            topic.is_some_and(|topic| topic.starts_with("chat.message."))
        };
        let event = self.expect("a change of a message", is_change).await;
        (
            event["topic"].as_str().expect("a topic").to_owned(),
            ChatMessage::of(&event["event"]["message"]),
        )
    }

    /// Waits for a frame of HTML that holds this.
    pub async fn frame(&mut self, part: &str) -> String {
        let frame = self
            .expect(part, |message| {
                message["html"]
                    .as_str()
                    .is_some_and(|html| html.contains(part))
            })
            .await;
        frame["html"].as_str().expect("frames hold HTML").to_owned()
    }

    /// Asks to follow a feed from a cursor or from now on. The answer: `subscribed`, `refresh` or
    /// `refused`.
    pub async fn subscribe(&mut self, feed: &str, cursor: Option<&str>) -> Value {
        let mut message = json!({ "type": "subscribe", "feed": feed });
        if let Some(cursor) = cursor {
            message["cursor"] = json!(cursor);
        }
        self.send(message).await;
        let answers = ["subscribed", "refresh", "refused"];
        let is_answer = |received: &Value| {
            received["feed"] == feed && answers.iter().any(|kind| received["type"] == *kind)
        };
        self.expect("answer to a subscription", is_answer).await
    }

    /// Follows a feed from now on. The cursor.
    pub async fn follow(&mut self, feed: &str) -> String {
        let answer = self.subscribe(feed, None).await;
        assert_eq!(answer["type"], "subscribed", "{answer}");
        answer["cursor"].as_str().expect("a cursor").to_owned()
    }

    /// Does an action and waits for its `reply` or `error`.
    pub async fn act(&mut self, action: &str, fields: Value) -> Value {
        let id = self.next_act.to_string();
        self.next_act += 1;
        self.send(json!({ "type": "act", "id": id, "action": action, "fields": fields }))
            .await;
        self.expect("an answer", |message| message["id"] == id.as_str())
            .await
    }

    /// All that was said until now: everything before the answer to a ping.
    pub async fn drain(&mut self) -> Vec<Value> {
        self.send(json!({ "type": "ping" })).await;
        let mut received = Vec::new();
        loop {
            match self.next().await {
                Some(message) if message["type"] == "pong" => return received,
                Some(message) => received.push(message),
                None => panic!("closed ({:?}) after {received:#?}", self.closed),
            }
        }
    }

    /// Waits until the server has closed it. What it said until then.
    pub async fn read_until_closed(&mut self) -> Vec<Value> {
        let mut received = Vec::new();
        while let Some(message) = self.next().await {
            received.push(message);
        }
        received
    }

    /// Waits until the server has closed it; with which code.
    pub async fn close_code(&mut self) -> Option<u16> {
        self.read_until_closed().await;
        self.closed
    }

    /// Closes it from this side.
    pub async fn close(mut self) {
        let _ = self.sink.close().await;
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read_all(
    mut stream: SplitStream<Stream>,
    received: mpsc::UnboundedSender<Incoming>,
    mut is_reading: watch::Receiver<bool>,
) {
    let mut code = None;
    loop {
        if is_reading.wait_for(|is_reading| *is_reading).await.is_err() {
            return;
        }
        let next = tokio::select! {
            biased;
            _ = is_reading.wait_for(|is_reading| !is_reading) => continue,
            next = stream.next() => next,
        };
        match next {
            Some(Ok(Message::Text(text))) => {
                let _ = received.send(Incoming::Text(text.to_string()));
            }
            Some(Ok(Message::Close(reason))) => code = reason.map(|reason| reason.code.into()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                let _ = received.send(Incoming::End(code));
                return;
            }
        }
    }
}

fn decode(text: &str) -> Value {
    let Some((head, html)) = text
        .strip_prefix("<!--")
        .and_then(|rest| rest.split_once("-->"))
    else {
        return serde_json::from_str(text)
            .unwrap_or_else(|_| panic!("neither JSON nor a frame: {text}"));
    };
    let (feed, cursor) = head.split_once(' ').expect("a frame names feed and cursor");
    json!({ "type": "frame", "feed": feed, "cursor": cursor, "html": html })
}
