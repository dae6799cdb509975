//! Uploads over tus as a careful client sends them, and the ways in which a careless one does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::ACCEPT;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Answer, DOCUMENT, Person, TestServer, eventually};

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
    pub async fn try_create_upload(
        &self,
        kind: &str,
        place: &str,
        name: &str,
        size: u64,
    ) -> Answer {
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
    pub async fn create_upload(&self, name: &str, size: usize) -> Upload {
        let begun = self
            .try_create_upload(DOCUMENT, &self.space, name, size as u64)
            .await
            .expect(201);
        Upload {
            person: self.clone(),
            path: begun.header("location").to_owned(),
        }
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
    pub fn as_person(&self, person: &Person) -> Self {
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
    pub async fn send_partial(&self, all: usize, sent: &[u8]) -> TcpStream {
        let headers = "tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: \
            application/offset+octet-stream\r\n";
        let mut stream = self
            .person
            .send_head(
                "PATCH",
                &self.path,
                &format!("{headers}content-length: {all}\r\n"),
            )
            .await;
        stream.write_all(sent).await.expect("the beginning is sent");
        stream
    }

    /// Waits until at least so much of it lies on the disk. How much does.
    pub async fn wait_for_bytes_on_disk(&self, server: &TestServer, least: u64) -> u64 {
        let path = server.data().join("uploads").join(self.name());
        eventually("bytes on the disk", || async {
            let length = std::fs::metadata(&path).map_or(0, |data| data.len());
            (length >= least).then_some(length)
        })
        .await
    }
}
