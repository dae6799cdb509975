//! Shared terminals: somebody who watches one, and a sharer without a program.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidepool::modules::terminals::core::{Frame, Size, Terminal};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{Person, Stream, TestServer, WAIT_TIMEOUT, dial, eventually};

impl Person {
    /// Makes a token for `tidepool share`.
    pub async fn terminal_token(&self) -> String {
        let made = self
            .submit("/account/terminals", &json!({ "name": "laptop" }))
            .await;
        made.done()["token"].as_str().expect("a token").to_owned()
    }
}

/// Somebody who watches a terminal, as a page does.
pub struct Watcher {
    stream: Stream,
    /// The screen that the frames make.
    pub screen: Terminal,
    /// All bytes of output, without those of snapshots.
    pub output: Vec<u8>,
    /// How many snapshots came.
    pub snapshots: usize,
    /// What they were told of themself last.
    pub state: Value,
    /// The code with which the socket was closed.
    pub closed: Option<u16>,
    typed: u64,
}

impl Watcher {
    /// Watches a terminal, once there is one, and has its screen.
    pub async fn of(person: &Person, room: &str, terminal: &str) -> Self {
        Self::at(person, &format!("/rooms/{room}/terminals/{terminal}/watch")).await
    }

    /// Watches at an address, once that can be done, and has the screen.
    pub async fn at(person: &Person, path: &str) -> Self {
        eventually("it can be watched", || async {
            let stream = person.try_socket(path).await?;
            let mut watcher = Self {
                stream,
                screen: Terminal::new(Size::new(80, 24)),
                output: Vec::new(),
                snapshots: 0,
                state: Value::Null,
                closed: None,
                typed: 0,
            };
            while watcher.closed.is_none() && watcher.snapshots == 0 {
                watcher.step(true).await;
            }
            // Another instance may not have the terminal yet.
            (watcher.closed.is_none() || watcher.closed == Some(4403)).then_some(watcher)
        })
        .await
    }

    /// Takes a message, and acknowledges what came.
    async fn step(&mut self, acknowledges: bool) {
        let message = timeout(WAIT_TIMEOUT, self.stream.next()).await;
        match message.expect("a message in time") {
            Some(Ok(Message::Text(text))) => {
                self.state = serde_json::from_str(&text).expect("JSON");
            }
            Some(Ok(Message::Binary(bytes))) => {
                let frame = Frame::decode(&bytes).expect("a frame");
                self.screen.apply(&frame).expect("no gap");
                match &frame {
                    Frame::Output { bytes, .. } => self.output.extend(bytes),
                    Frame::Snapshot { .. } => self.snapshots += 1,
                    _ => {}
                }
                if acknowledges {
                    self.acknowledge().await;
                }
            }
            Some(Ok(Message::Close(frame))) => {
                self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.closed = self.closed.or(Some(1006)),
        }
    }

    /// Says that all that came has arrived.
    pub async fn acknowledge(&mut self) {
        let position = self.screen.end();
        self.send(&Frame::Ack { position }).await;
    }

    async fn send(&mut self, frame: &Frame) {
        let _ = self.stream.send(Message::binary(frame.encode())).await;
    }

    /// Types.
    pub async fn keys(&mut self, text: &str) {
        let frame = Frame::Input {
            position: self.typed,
            bytes: text.as_bytes().to_vec(),
        };
        self.typed += text.len() as u64;
        self.send(&frame).await;
    }

    /// Waits for something of what comes.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&Self) -> bool) {
        while !fits(self) {
            assert!(
                self.closed.is_none(),
                "{what}: closed with {:?}",
                self.closed
            );
            self.step(true).await;
        }
    }

    /// Waits until the screen shows a text.
    pub async fn shows(&mut self, text: &str) {
        self.until(text, |watcher| watcher.screen.text().contains(text))
            .await;
    }

    /// The code with which the server closes the socket, within a time.
    pub async fn close_code(&mut self, within: Duration) -> u16 {
        let closing = async {
            while self.closed.is_none() {
                self.step(true).await;
            }
        };
        timeout(within, closing)
            .await
            .expect("it is closed in time");
        self.closed.unwrap_or_default()
    }
}

/// A sharer whose program is the test.
pub struct Sharer {
    stream: Stream,
    original: Terminal,
    /// The number of the terminal.
    pub terminal: String,
    /// From where the server expects output.
    pub position: Option<u64>,
    /// What others typed.
    pub input: Vec<u8>,
    acked: u64,
    /// What the server told beside input.
    notes: VecDeque<Value>,
    pieces: Vec<u8>,
}

impl Sharer {
    /// Shares a terminal in a room, or says with which status or code that was refused.
    pub async fn begin(server: &TestServer, token: &str, hello: Value) -> Result<Self, String> {
        let base = server.base().parse().expect("an address");
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let opened = dial(&base, "/terminals/share", &headers).await;
        let mut stream = opened.map_err(|status| status.to_string())?;
        let hello = hello.to_string();
        stream.send(Message::text(hello)).await.expect("it is open");
        let answer = timeout(WAIT_TIMEOUT, stream.next()).await;
        let Some(Ok(Message::Text(answer))) = answer.expect("an answer in time") else {
            return Err("closed".to_owned());
        };
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        if answer["type"] != "welcome" {
            return Err(answer["code"].as_str().unwrap_or_default().to_owned());
        }
        Ok(Self {
            stream,
            original: Terminal::new(Size::new(80, 24)),
            terminal: answer["terminal"].as_str().expect("a number").to_owned(),
            position: answer["position"].as_u64(),
            input: Vec::new(),
            acked: 0,
            notes: VecDeque::new(),
            pieces: Vec::new(),
        })
    }

    /// The first message of a sharer.
    pub fn hello(room: &str) -> Value {
        json!({ "version": 1, "room": room, "title": "build", "command": "make", "cols": 80,
            "rows": 24, "takes_input": true })
    }

    /// Writes output.
    pub async fn write(&mut self, text: &str) {
        let position = self.original.end();
        self.original.write(text.as_bytes());
        let bytes = text.as_bytes().to_vec();
        self.send(&Frame::Output { position, bytes }).await;
    }

    /// Tells something beside output.
    pub async fn note(&mut self, text: &str) {
        let sent = self.stream.send(Message::text(text)).await;
        sent.expect("it is open");
    }

    /// What the server tells next beside input.
    pub async fn next_note(&mut self) -> Value {
        loop {
            if let Some(note) = self.notes.pop_front() {
                return note;
            }
            assert_eq!(self.step().await, None, "closed before a note came");
        }
    }

    /// The first bytes of a file that was taken.
    pub async fn next_piece(&mut self) -> Vec<u8> {
        while self.pieces.is_empty() {
            assert_eq!(self.step().await, None, "closed before a file came");
        }
        std::mem::take(&mut self.pieces)
    }

    /// Ends the program.
    pub async fn exit(&mut self, code: i32) {
        let position = self.original.end();
        self.send(&Frame::Exit { position, code }).await;
    }

    async fn send(&mut self, frame: &Frame) {
        let sent = self.stream.send(Message::binary(frame.encode())).await;
        sent.expect("it is open");
    }

    /// The code with which the server closes the socket.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            if let Some(code) = self.step().await {
                return code;
            }
        }
    }

    async fn step(&mut self) -> Option<u16> {
        let message = timeout(WAIT_TIMEOUT, self.stream.next()).await;
        match message.expect("a message in time") {
            Some(Ok(Message::Binary(bytes))) => match Frame::decode(&bytes).expect("a frame") {
                Frame::Input { position, bytes } => {
                    assert_eq!(position, self.input.len() as u64);
                    self.input.extend(bytes);
                    let position = self.input.len() as u64;
                    self.send(&Frame::Ack { position }).await;
                    None
                }
                Frame::Ack { position } => {
                    self.acked = position;
                    None
                }
                Frame::FilePiece { position, bytes } => {
                    assert_eq!(position, self.pieces.len() as u64);
                    self.pieces.extend(bytes);
                    None
                }
                other => panic!("{other:?} for a sharer"),
            },
            Some(Ok(Message::Text(note))) => {
                self.notes
                    .push_back(serde_json::from_str(&note).expect("JSON"));
                None
            }
            Some(Ok(Message::Close(frame))) => Some(frame.map_or(1005, |frame| frame.code.into())),
            Some(Ok(_)) => None,
            Some(Err(_)) | None => Some(1006),
        }
    }

    /// Waits until exactly this was typed.
    pub async fn expect_input(&mut self, text: &str) {
        while self.input.len() < text.len() {
            assert_eq!(self.step().await, None, "closed before {text} came");
        }
        assert_eq!(String::from_utf8_lossy(&self.input), text);
    }

    /// Waits until all output has arrived.
    pub async fn until_acknowledged(&mut self) {
        while self.acked < self.original.end() {
            assert_eq!(self.step().await, None, "closed before all has arrived");
        }
    }
}
