//! What builders are told is true: the example of docs/module.md runs, and the vendored files are
//! the released ones.

use serde_json::json;

use crate::sqlite_only;
use crate::support::TestServer;

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect(path)
}

/// The files of a folder that are text, but for the lock file.
fn texts(folder: &str) -> Vec<String> {
    let root = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut texts) = (vec![std::path::PathBuf::from(root)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    folders.push(path);
                }
            } else if !path.ends_with("Cargo.lock") {
                texts.extend(std::fs::read_to_string(path));
            }
        }
    }
    texts
}

#[test]
fn documented_code_stands_in_an_example() {
    let mut examples = texts("examples/outside");
    examples.push(read("examples/counter.rs"));
    let page = read("docs/module.md");
    // Text, then code, then text again.
    let blocks: Vec<_> = page.split("\n```").skip(1).step_by(2).collect();
    assert!(blocks.len() > 10, "{}", blocks.len());
    for block in blocks {
        let (_, code) = block.split_once('\n').expect("a language, then code");
        assert!(
            examples.iter().any(|example| example.contains(code)),
            "docs/module.md has what no example has:\n{code}"
        );
    }
}

#[test]
fn documented_examples_are_the_tested_ones() {
    assert!(read("examples/counter.rs").lines().count() < 200);
    for (example, page) in [("alarms", "jobs"), ("cabinet", "files")] {
        let (code, text) = (
            read(&format!("examples/{example}.rs")),
            read(&format!("docs/{page}.md")),
        );
        assert!(
            text.contains(&format!("```rust\n{code}```")),
            "docs/{page}.md and examples/{example}.rs differ"
        );
    }
}

#[tokio::test]
async fn added_module_is_live_and_authorised() {
    let mut server = TestServer::example("counter").await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let space = ann.get("/").await.location().to_owned();
    let page = ann.page(&space).await;
    let space = page
        .split("/spaces/")
        .nth(1)
        .and_then(|rest| rest.split(['"', '/']).next())
        .expect("a link to the space")
        .to_owned();

    let path = format!("/spaces/{space}/counter");
    assert!(
        ann.page(&path)
            .await
            .contains(&format!("<output id=\"counter-{space}\">0</output>"))
    );
    let mut pages = bob.html_socket().await;
    let mut program = bob.socket().await;
    for socket in [&mut pages, &mut program] {
        socket.follow(&format!("counter/{space}")).await;
    }
    ann.form("/act/counter.add", &[("space", &space)])
        .await
        .expect(303);
    assert_eq!(
        bob.act("counter.add", json!({ "space": space }))
            .await
            .done()["value"],
        2
    );
    let mut seen = String::new();
    while !seen.contains(">2</hx-partial>") {
        seen = pages.frame("hx-partial").await;
    }
    let event = program.event("counter.value.changed").await;
    assert_eq!(event["event"], json!({ "space": space, "value": 1 }));

    let stranger = server.visitor();
    assert_eq!(stranger.get(&path).await.status, 303, "to sign-in");
    server.restart().await;
    assert!(
        ann.page(&path).await.contains(">2</output>"),
        "a restart keeps the value, and runs no migration twice"
    );
}

#[tokio::test]
async fn commands_list_what_added_module_declares() {
    let server = TestServer::example("counter").await;
    let printed = |arguments: &[&str]| {
        let output = server.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let topics = printed(&["topics"]);
    assert!(topics.contains("counter.value.changed"), "{topics}");
    assert!(topics.contains("chat.message.posted"), "{topics}");
    assert!(printed(&["permissions"]).contains("community.read"));
    assert!(printed(&["--help"]).contains("Usage: counter"));
    assert!(printed(&["settings"]).contains("max_waiting_writes"));
    let copy = server.data().join("copy");
    printed(&["backup", copy.to_str().expect("a plain path")]);
    server.assert_undamaged();
}

#[test]
fn vendored_files_match_their_digests() {
    let script = format!("{}/scripts/vendor", env!("CARGO_MANIFEST_DIR"));
    let checked = std::process::Command::new(script)
        .arg("--check")
        .output()
        .expect("scripts/vendor runs");
    assert!(
        checked.status.success(),
        "{}{}",
        String::from_utf8_lossy(&checked.stdout),
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[tokio::test]
async fn backup_of_running_server_is_whole() {
    sqlite_only!("the copy is a database file");
    use std::os::unix::fs::PermissionsExt;
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    ann.post("general", "worth keeping").await;
    let copy = server.data().join("copy.sqlite");
    let made = server.run(&["backup", copy.to_str().expect("a plain path")]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    assert_eq!(
        std::fs::metadata(&copy)
            .expect("the copy is there")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let again = server.run(&["backup", copy.to_str().expect("a plain path")]);
    assert!(!again.status.success(), "a backup never overwrites");

    let restored = server.data().join("restored");
    std::fs::create_dir(&restored).expect("a folder");
    std::fs::rename(&copy, restored.join("tidepool.sqlite")).expect("moved");
    let checked = server.run(&["check", "--data", restored.to_str().expect("a plain path")]);
    assert_eq!(String::from_utf8_lossy(&checked.stdout), "ok\n");
}
