//! Forms with files, as a browser without scripts sends them.

use reqwest::header::ACCEPT;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Answer, Person};

impl Person {
    /// Sends the beginning of a form with a file of `all` bytes, and holds the connection.
    pub async fn send_partial_form(&self, path: &str, all: usize, sent: &[u8]) -> TcpStream {
        let start = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"space\"\r\n\r\n{}\r\n\
             --edge\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n",
            self.space
        );
        let kind = "multipart/form-data; boundary=edge";
        let mut stream = self
            .send_head(
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
        let whole = request.try_clone().expect("a request without a stream");
        let whole = whole.build().expect("a request");
        let origin = whole.url().join(page).expect("paths are paths").to_string();
        self.send(request.header("referer", origin).body(body))
            .await
    }
}
