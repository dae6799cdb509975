//! Uploads over tus, whole and interrupted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::ACCEPT;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, PATIENCE, Person, TestServer, eventually};

/// The kind of files of the example that tests upload to.
pub const DOCUMENT: &str = "cabinet.document";

/// An upload that was begun.
#[derive(Clone)]
pub struct Upload {
    /// Whose.
    pub person: Person,
    /// Its path.
    pub path: String,
}

impl Person {
    /// Asks to upload something somewhere; what comes back.
    pub async fn try_begin(&self, kind: &str, place: &str, name: &str, size: u64) -> Answer {
        let pair = |key: &str, value: &str| format!("{key} {}", STANDARD.encode(value));
        let metadata = [
            pair("filename", name),
            pair("kind", kind),
            pair("place", place),
        ]
        .join(",");
        let request = self
            .request("POST", "/uploads")
            .header(ACCEPT, "application/json")
            .header("tus-resumable", "1.0.0");
        self.send(
            request
                .header("upload-length", size)
                .header("upload-metadata", metadata),
        )
        .await
    }

    /// Begins an upload to the cabinet of one's space.
    pub async fn begin(&self, name: &str, size: usize) -> Upload {
        let begun = self
            .try_begin(DOCUMENT, &self.space, name, size as u64)
            .await
            .expect(201);
        Upload {
            person: self.clone(),
            path: begun.header("location").to_owned(),
        }
    }

    /// Sends the beginning of a form with a file of `all` bytes, and holds the connection.
    pub async fn start_form_and_stall(&self, path: &str, all: usize, sent: &[u8]) -> TcpStream {
        let start = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"space\"\r\n\r\n{}\r\n\
             --edge\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n",
            self.space
        );
        let kind = "multipart/form-data; boundary=edge";
        let mut stream = self
            .raw(
                "POST",
                path,
                &format!(
                    "content-type: {kind}\r\ncontent-length: {}\r\n",
                    all + start.len()
                ),
            )
            .await;
        stream
            .write_all(start.as_bytes())
            .await
            .expect("the fields are sent");
        stream.write_all(sent).await.expect("the beginning is sent");
        stream
    }

    /// A connection on which the head of a request was sent, with these further headers.
    async fn raw(&self, method: &str, path: &str, headers: &str) -> TcpStream {
        let url = self
            .request(method, path)
            .build()
            .expect("a request")
            .url()
            .clone();
        let host = format!(
            "{}:{}",
            url.host_str().expect("a host"),
            url.port().expect("a port")
        );
        let mut stream = TcpStream::connect(&host).await.expect("the server listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\n{headers}\r\n",
            self.cookies()
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the head is sent");
        stream
    }
}

impl Upload {
    /// A request about it.
    pub fn request(&self, method: &str) -> reqwest::RequestBuilder {
        self.person
            .request(method, &self.path)
            .header(ACCEPT, "application/json")
            .header("tus-resumable", "1.0.0")
    }

    /// The same upload as somebody else asks for it.
    pub fn as_seen_by(&self, person: &Person) -> Self {
        Self {
            person: person.clone(),
            path: self.path.clone(),
        }
    }

    /// Its last part, which names it on the disk, too.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().expect("a path")
    }

    /// Where it stands. A connection to a server that was killed may look alive once: asking again
    /// does no harm.
    pub async fn head(&self) -> Answer {
        let response = eventually("answer", || async {
            self.request("HEAD").send().await.ok()
        })
        .await;
        Answer::of(response).await
    }

    /// How many bytes have come.
    pub async fn offset(&self) -> usize {
        self.head()
            .await
            .expect(200)
            .header("upload-offset")
            .parse()
            .expect("an offset")
    }

    /// A request that sends these bytes from there on.
    pub fn piece(&self, at: usize, bytes: &[u8]) -> reqwest::RequestBuilder {
        self.request("PATCH")
            .header("upload-offset", at)
            .header("content-type", "application/offset+octet-stream")
            .body(bytes.to_vec())
    }

    /// Sends these bytes from there on.
    pub async fn patch(&self, at: usize, bytes: &[u8]) -> Answer {
        self.person.send(self.piece(at, bytes)).await
    }

    /// Ends it.
    pub async fn delete(&self) -> Answer {
        self.person.send(self.request("DELETE")).await
    }

    /// Announces `all` bytes from the beginning, sends only these, and holds the connection.
    pub async fn start_and_stall(&self, all: usize, sent: &[u8]) -> TcpStream {
        let headers = "tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: \
            application/offset+octet-stream\r\n";
        let mut stream = self
            .person
            .raw(
                "PATCH",
                &self.path,
                &format!("{headers}content-length: {all}\r\n"),
            )
            .await;
        stream.write_all(sent).await.expect("the beginning is sent");
        stream
    }

    /// Waits until at least so much of it lies on the disk. How much does.
    pub async fn on_disk(&self, server: &TestServer, least: u64) -> u64 {
        let path = server.data().join("uploads").join(self.name());
        eventually("bytes on the disk", || async {
            let length = std::fs::metadata(&path).map_or(0, |data| data.len());
            (length >= least).then_some(length)
        })
        .await
    }
}

/// What a raw connection is answered, as far as it says.
pub async fn answer_of(mut stream: TcpStream) -> String {
    let mut buffer = vec![0; 4096];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer))
        .await
        .expect("an answer in time")
        .unwrap_or(0);
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}
