//! Files that were uploaded: fetched, listed, and as they lie in the data folder.

use reqwest::header::{ACCEPT, HeaderMap};
use serde_json::{Value, json};

use super::{Answer, Person, TestServer, eventually};

/// An answer whose body is bytes.
#[derive(Debug)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Fetched {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("headers are text"))
    }
}

/// Bytes that repeat nowhere, so that a piece in the wrong place is seen.
pub fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

impl Person {
    /// Uploads something to one's space in one piece. The file's id.
    pub async fn upload(&self, name: &str, content: &[u8]) -> String {
        self.begin(name, content.len())
            .await
            .patch(0, content)
            .await
            .expect(204)
            .header("tidepool-file")
            .to_owned()
    }

    /// Uploads something and puts it in the cabinet. The file's id.
    pub async fn file(&self, name: &str, content: &[u8]) -> String {
        let file = self.upload(name, content).await;
        self.act(
            "cabinet.file",
            json!({ "space": self.space, "files": [file] }),
        )
        .await
        .done();
        file
    }

    /// What is in the cabinet of one's space.
    pub async fn cabinet(&self) -> Vec<Value> {
        let listed = self
            .act("cabinet.list", json!({ "space": self.space }))
            .await
            .done();
        listed["files"].as_array().expect("a list").clone()
    }

    /// What the cabinet says of a file once its picture is made, or is not going to be.
    pub async fn picture_result(&self, file: &str) -> Value {
        eventually("end of the making of a picture", || async {
            let found = self
                .cabinet()
                .await
                .into_iter()
                .find(|one| one["id"] == file)
                .expect("it is in the cabinet");
            (found["picture"] != "waiting").then_some(found)
        })
        .await
    }

    /// Fetches something with these headers.
    pub async fn fetch_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Fetched {
        let request = headers
            .iter()
            .fold(self.request("GET", path), |request, (name, value)| {
                request.header(*name, *value)
            });
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Fetched {
            status,
            headers,
            body: response.bytes().await.expect("the body arrives").to_vec(),
        }
    }

    /// Fetches something.
    pub async fn fetch(&self, path: &str) -> Fetched {
        self.fetch_with(path, &[]).await
    }

    /// Fetches a file that must be there, whole.
    pub async fn content(&self, file: &str) -> Vec<u8> {
        let fetched = self.fetch(&format!("/files/{file}/it")).await;
        assert_eq!(fetched.status, 200);
        fetched.body
    }

    /// Posts a form with files as a browser without JavaScript does.
    pub async fn form_with_files(
        &self,
        path: &str,
        page: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!(
                    "--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .bytes(),
            );
        }
        for (name, content) in files {
            let head = format!(
                "--edge\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n"
            );
            body.extend(format!("{head}content-type: application/octet-stream\r\n\r\n").bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        let request = self
            .request("POST", path)
            .header(ACCEPT, "text/html")
            .header("content-type", "multipart/form-data; boundary=edge");
        let origin = self
            .request("GET", page)
            .build()
            .expect("a request")
            .url()
            .to_string();
        self.send(request.header("referer", origin).body(body))
            .await
    }
}

impl TestServer {
    /// The contents in its folder, by their names.
    pub fn contents(&self) -> Vec<String> {
        fn names(folder: &std::path::Path, into: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => names(&path, into),
                    path => into.push(
                        path.file_name()
                            .expect("a name")
                            .to_string_lossy()
                            .into_owned(),
                    ),
                }
            }
        }
        let mut all = Vec::new();
        names(&self.data().join("files"), &mut all);
        all
    }

    /// How many uploads lie in its spool.
    pub fn spooled(&self) -> usize {
        std::fs::read_dir(self.data().join("uploads")).map_or(0, Iterator::count)
    }
}
