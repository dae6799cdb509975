//! The example `cabinet`: files that people put into their space.

use serde_json::{Value, json};

use super::{Person, TestServer, eventually};

/// The kind of files of the example that tests upload to.
pub const DOCUMENT: &str = "cabinet.document";

impl Person {
    /// Uploads something to one's space in one piece. The file's id.
    pub async fn upload(&self, name: &str, content: &[u8]) -> String {
        self.create_upload(name, content.len())
            .await
            .patch(0, content)
            .await
            .expect(204)
            .header("tidepool-file")
            .to_owned()
    }

    /// Uploads something and puts it in the cabinet. The file's id.
    pub async fn add_file(&self, name: &str, content: &[u8]) -> String {
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
    pub async fn wait_for_picture(&self, file: &str) -> Value {
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

    /// Fetches a file that must be there, whole.
    pub async fn content(&self, file: &str) -> Vec<u8> {
        let fetched = self.fetch(&format!("/files/{file}/it")).await;
        assert_eq!(fetched.status, 200);
        fetched.body
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
