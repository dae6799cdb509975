//! A socket as a page or a program has it. Every wait is for a message and ends after
//! [`PATIENCE`].

use std::time::Instant;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{PATIENCE, Person};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where messages come from.
enum Incoming {
    /// Read by a task, so that pings are answered also while the test does something else. A
    /// server closes a socket that answers none for 17 seconds.
    Queue(
        mpsc::UnboundedReceiver<Result<Message, Error>>,
        JoinHandle<()>,
    ),
    /// Read only while the test waits for a message.
    Direct(Box<SplitStream<Stream>>),
}

impl Incoming {
    fn queue(mut stream: SplitStream<Stream>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let read = async move {
            while let Some(message) = stream.next().await {
                if sender.send(message).is_err() {
                    return;
                }
            }
        };
        Self::Queue(receiver, tokio::spawn(read))
    }

    fn direct(stream: SplitStream<Stream>) -> Self {
        Self::Direct(Box::new(stream))
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        match self {
            Self::Queue(receiver, _) => receiver.recv().await,
            Self::Direct(stream) => stream.next().await,
        }
    }
}

impl Drop for Incoming {
    /// Closes the connection: the task holds half of it.
    fn drop(&mut self) {
        if let Self::Queue(_, task) = self {
            task.abort();
        }
    }
}

/// An open socket.
pub struct Socket {
    outgoing: SplitSink<Stream, Message>,
    incoming: Incoming,
    /// The account it speaks for.
    pub account: String,
    /// The server's instance.
    pub instance: String,
    /// The code it was closed with, once it is.
    pub closed: Option<u16>,
    next_act: u64,
}

/// Opens a socket with these headers, or says with which status it was refused.
pub async fn dial(base: &Url, path: &str, headers: &[(&str, &str)]) -> Result<Stream, u16> {
    let mut url = base.join(path).expect("paths are paths");
    url.set_scheme("ws").expect("http becomes ws");
    let mut request = url.as_str().into_client_request().expect("an address");
    for (name, value) in headers {
        let name: tokio_tungstenite::tungstenite::http::HeaderName =
            name.parse().expect("a header's name");
        request
            .headers_mut()
            .insert(name, value.parse().expect("a header's value"));
    }
    match connect_async(request).await {
        Ok((stream, _)) => Ok(stream),
        Err(Error::Http(refused)) => Err(refused.status().as_u16()),
        Err(other) => panic!("no socket: {other}"),
    }
}

impl Socket {
    /// Opens a socket that answers pings all the time.
    pub(super) async fn open(base: &Url, path: &str, cookies: &str) -> Self {
        Self::open_with(base, path, cookies, Incoming::queue).await
    }

    /// Opens a socket that reads, and answers pings, only while the test waits for a message.
    pub(super) async fn open_stalled(base: &Url, path: &str, cookies: &str) -> Self {
        Self::open_with(base, path, cookies, Incoming::direct).await
    }

    async fn open_with(
        base: &Url,
        path: &str,
        cookies: &str,
        incoming: impl FnOnce(SplitStream<Stream>) -> Incoming,
    ) -> Self {
        let stream = dial(base, path, &[("cookie", cookies)])
            .await
            .unwrap_or_else(|status| panic!("{path} is refused with {status}"));
        let (outgoing, stream) = stream.split();
        let mut socket = Self {
            outgoing,
            incoming: incoming(stream),
            account: String::new(),
            instance: String::new(),
            closed: None,
            next_act: 1,
        };
        let hello = socket.message_of_type("hello").await;
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
        let _ = self.outgoing.send(Message::text(text)).await;
    }

    /// Sends bytes, which is no text.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.outgoing.send(Message::binary(bytes.to_vec())).await;
    }

    /// The next thing the server says, or nothing when it closes. A frame of `/live` becomes
    /// `{"type":"frame","feed":…,"cursor":…,"html":…}`.
    pub async fn next(&mut self) -> Option<Value> {
        self.receive(Instant::now() + PATIENCE)
            .await
            .expect("the server says something in time")
    }

    async fn receive(&mut self, until: Instant) -> Result<Option<Value>, Elapsed> {
        loop {
            match timeout_at(until.into(), self.incoming.next()).await? {
                Some(Ok(Message::Text(text))) => return Ok(Some(read(&text))),
                Some(Ok(Message::Close(reason))) => {
                    self.closed = reason.map(|reason| reason.code.into())
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }

    /// Waits for a message that fits; others are dropped.
    pub async fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        let mut others = Vec::new();
        loop {
            match self.receive(until).await {
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
    pub async fn message_of_type(&mut self, kind: &str) -> Value {
        self.expect(kind, |message| message["type"] == kind).await
    }

    /// Waits for an event of this topic; the whole message.
    pub async fn event(&mut self, topic: &str) -> Value {
        self.expect(topic, |message| message["topic"] == topic)
            .await
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
    pub async fn try_follow(&mut self, feed: &str, cursor: Option<&str>) -> Value {
        let mut message = json!({ "type": "subscribe", "feed": feed });
        if let Some(cursor) = cursor {
            message["cursor"] = json!(cursor);
        }
        self.send(message).await;
        let answers = ["subscribed", "refresh", "refused"];
        let is_answer =
            |said: &Value| said["feed"] == feed && answers.iter().any(|kind| said["type"] == *kind);
        self.expect("answer to a subscription", is_answer).await
    }

    /// Follows a feed from now on. The cursor.
    pub async fn follow(&mut self, feed: &str) -> String {
        let answer = self.try_follow(feed, None).await;
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
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                Some(message) if message["type"] == "pong" => return heard,
                Some(message) => heard.push(message),
                None => panic!("closed ({:?}) after {heard:#?}", self.closed),
            }
        }
    }

    /// Waits until the server has closed it. What it said until then.
    pub async fn until_closed(&mut self) -> Vec<Value> {
        let mut heard = Vec::new();
        while let Some(message) = self.next().await {
            heard.push(message);
        }
        heard
    }

    /// Waits until the server has closed it; with which code.
    pub async fn close_code(&mut self) -> Option<u16> {
        self.until_closed().await;
        self.closed
    }

    /// Closes it from this side.
    pub async fn close(mut self) {
        let _ = self.outgoing.send(Message::Close(None)).await;
    }
}

impl Person {
    /// A socket that speaks JSON.
    pub async fn socket(&self) -> Socket {
        self.socket_at("/live/data").await
    }

    /// A socket that speaks HTML, as pages have it.
    pub async fn html_socket(&self) -> Socket {
        self.socket_at("/live").await
    }

    /// A socket at this path, which may name feeds.
    pub async fn socket_at(&self, path: &str) -> Socket {
        Socket::open(&self.base, path, &self.cookies()).await
    }

    /// A socket that speaks JSON and reads only while the test waits for a message.
    pub async fn stalled_socket(&self) -> Socket {
        Socket::open_stalled(&self.base, "/live/data", &self.cookies()).await
    }

    /// A JSON socket that follows a feed; `room/general` may name the room.
    pub async fn following(&self, feed: &str) -> Socket {
        let mut socket = self.socket().await;
        socket.follow(&self.feed(feed)).await;
        socket
    }

    /// A feed's name with its room's name replaced by the id.
    pub fn feed(&self, feed: &str) -> String {
        let Some(rest) = feed.strip_prefix("room/") else {
            return feed.to_owned();
        };
        let (room, rest) = rest
            .split_once('/')
            .map_or((rest, String::new()), |(room, rest)| {
                (room, format!("/{rest}"))
            });
        format!("room/{}{rest}", self.room(room))
    }
}

fn read(text: &str) -> Value {
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
