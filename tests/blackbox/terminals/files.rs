//! Files for the folder of a shared program.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use tokio::time::timeout;

use super::{Program, StartedIn};
use crate::support::{Sharer, TestServer, WAIT_TIMEOUT};

#[tokio::test]
async fn file_is_written_only_once_its_sharer_takes_it() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let started = StartedIn::new();
    std::fs::write(started.path().join("report.pdf"), "old").expect("it is written");
    let (base, script) = (server.base(), "echo ready; stty -echo; cat >/dev/null");
    let mut program = Program::start_in(&started, (&base, &ann), &[], &[], script).await;
    program.sees("ready").await;
    let terminal = program.terminal().await;
    let page = format!("/rooms/{}/terminals/{terminal}", ann.room("general"));
    let content = "pearl ".repeat(20_000);
    let offer = async || {
        let form = [("terminal", terminal.as_str()), ("intact", "yes")];
        let files = [("../report.pdf", content.as_bytes())];
        bob.form_with_files("/act/terminals.send-file", &page, &form, &files)
            .await
    };
    let refused = offer().await;
    assert!(
        refused.body.contains("You were not let type"),
        "{}",
        refused.body
    );
    let typist = json!({ "terminal": terminal, "account": bob.id, "role": "typist" });
    ann.act("terminals.set-role", typist).await.done();
    offer().await.expect(303);
    program
        .sees("bob wants to put report.pdf, 117 KB, into ")
        .await;
    let answered = async |program: &mut Program, key: &str, awaited: &str| {
        let answering = async {
            loop {
                let shown = bob.page(&page).await;
                if shown.contains(awaited) {
                    return;
                }
                // It is no answer before it can be read: then the program gets it.
                if shown.contains("the sharer is asked") {
                    program.keys(key).await;
                }
            }
        };
        let answered = timeout(WAIT_TIMEOUT, answering).await;
        answered.expect("it is answered");
    };
    answered(&mut program, "n", "the sharer does not take it").await;
    offer().await.expect(303);
    program.seen.clear();
    program.sees("bob wants to put").await;
    answered(&mut program, "y", "is there as “report (1).pdf”").await;
    let there = started.path().join("report (1).pdf");
    let stored = std::fs::read_to_string(&there).expect("it is there");
    assert!(stored == content, "{} bytes", stored.len());
    let mode = std::fs::metadata(&there)
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let old = std::fs::read_to_string(started.path().join("report.pdf"));
    assert_eq!(old.expect("it is there"), "old");
    // What the program shows is drawn again where the question was.
    program.seen.clear();
    program.sees("ready").await;
}

#[tokio::test]
async fn sharer_who_takes_no_files_is_not_asked() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let sharer = sharing.expect("it is shared");
    let page = format!("/rooms/{room}/terminals/{}", sharer.terminal);
    assert!(!ann.page(&page).await.contains("terminals.send-file"));
    let form = [("terminal", sharer.terminal.as_str())];
    let files = [("a.txt", b"a".as_slice())];
    let refused = ann
        .form_with_files("/act/terminals.send-file", &page, &form, &files)
        .await;
    assert!(
        refused.body.contains("The sharer takes no files"),
        "{}",
        refused.body
    );
}
