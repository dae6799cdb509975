//! The protocol as its authors' own client speaks it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::start_server;
use crate::support::noise;

/// Where the client lies beside what is built, installed once.
fn client() -> PathBuf {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tus");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tus");
    std::fs::create_dir_all(&folder).expect("a folder");
    let is_installed = std::fs::read(folder.join("package-lock.json")).ok()
        == std::fs::read(ours.join("package-lock.json")).ok()
        && folder.join("node_modules/tus-js-client").exists();
    for name in ["package.json", "package-lock.json", "client.mjs"] {
        std::fs::copy(ours.join(name), folder.join(name)).expect(name);
    }
    if !is_installed {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&folder);
        let installed = npm.output().expect("npm runs; tests/run installs it");
        assert!(
            installed.status.success(),
            "{}",
            String::from_utf8_lossy(&installed.stderr)
        );
    }
    folder
}

#[tokio::test]
async fn reference_tus_client_passes() {
    let folder = tokio::task::spawn_blocking(client)
        .await
        .expect("it is there");
    let (server, ann, _) = start_server().await;
    let content = noise(1_500_000, 60);
    let (sent, storage) = (
        server.data().join("sent.bin"),
        server.data().join("urls.json"),
    );
    std::fs::write(&sent, &content).expect("it is written");
    let (base, cookie, space) = (server.base(), ann.cookies(), ann.space.clone());
    let ran = tokio::task::spawn_blocking(move || {
        let mut node = Command::new("node");
        node.arg("client.mjs")
            .args([base, cookie, space])
            .arg(sent)
            .arg(storage)
            .current_dir(folder);
        node.output().expect("node runs; tests/run installs it")
    });
    let ran = ran.await.expect("it ends");
    assert!(
        ran.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    let received: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!(
        [&received["found"], &received["same"], &received["gone"]],
        [&json!(1), &json!(true), &json!(404)],
        "{received}"
    );
    let broken_at = received["brokenAt"].as_u64().expect("a number");
    assert!(
        broken_at >= 512 << 10 && broken_at < content.len() as u64,
        "{received}"
    );
    assert_eq!(received["elsewhere"]["status"], 404, "{received}");
    assert_eq!(received["stranger"]["status"], 401, "{received}");
    assert!(
        !received["elsewhere"]["body"]
            .as_str()
            .expect("words")
            .is_empty()
    );
    let file = received["file"]
        .as_str()
        .expect("the last answer names the file");
    ann.act(
        "cabinet.file",
        json!({ "space": ann.space, "files": [file] }),
    )
    .await
    .done();
    assert_eq!(ann.cabinet().await[0]["name"], "from the client.bin");
    assert!(ann.content(file).await == content);
    assert_eq!(server.spooled(), 0);
}
