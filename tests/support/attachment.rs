//! Attachments of messages, as programs upload and post them.

use serde_json::json;

use super::{Answer, Person, eventually, new_key};

impl Person {
    /// Uploads a file to a room. Its id.
    pub async fn attach(&self, room: &str, name: &str, content: &[u8]) -> String {
        let size = content.len() as u64;
        let begun = self
            .try_create_upload("chat.attachment", &self.room(room), name, size)
            .await
            .expect(201);
        let piece = self
            .request("PATCH", begun.header("location"))
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", "0")
            .header("content-type", "application/offset+octet-stream")
            .body(content.to_vec());
        let sent = self.send(piece).await.expect(204);
        sent.header("tidepool-file").to_owned()
    }

    /// Posts a message with files and their captions.
    pub async fn post_files(
        &self,
        room: &str,
        body: &str,
        files: &[&str],
        captions: &[&str],
    ) -> Answer {
        let fields = json!({
            "room": self.room(room), "body": body, "key": new_key(),
            "files": files, "captions": captions,
        });
        self.act("chat.post", fields).await
    }

    /// Uploads files and posts them in one message, and waits until their pictures are made.
    pub async fn share(&self, room: &str, body: &str, files: &[(&str, Vec<u8>)]) -> Vec<String> {
        let mut ids = Vec::new();
        for (name, content) in files {
            ids.push(self.attach(room, name, content).await);
        }
        let listed: Vec<_> = ids.iter().map(String::as_str).collect();
        self.post_files(room, body, &listed, &[]).await.done();
        let path = format!("/rooms/{}/log", self.room(room));
        eventually("pictures", || async {
            let log = self.page(&path).await;
            (!log.contains("class=\"waiting\"")).then_some(())
        })
        .await;
        ids
    }
}
