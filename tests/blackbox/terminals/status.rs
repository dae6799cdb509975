//! Where a shared program is and what it takes; the folders that were shared in.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{Program, StartedIn};
use crate::support::{Sharer, TestServer, eventually};

#[tokio::test]
async fn status_of_a_terminal_is_shown_to_all_as_text() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let status = json!({ "type": "status", "folder": "~/src/<b>\u{1b}", "git": "main +3 ~2 ↑1",
        "cpu_percent": 13, "memory_mib": 347 });
    sharer.note(&status.to_string()).await;
    let list = format!("/rooms/{room}/terminals");
    let page = format!("{list}/{}", sharer.terminal);
    for (person, path) in [
        (&bob, &list),
        (&bob, &page),
        (&ann, &"/terminals".to_owned()),
    ] {
        let shown = eventually("it is shown", || async {
            let page = person.page(path).await;
            page.contains("15 % processor, 350 MB memory")
                .then_some(page)
        });
        let shown = shown.await;
        let place = "~/src/&#60;b&#62; · main +3 ~2 ↑1";
        assert!(shown.contains(place) || path == "/terminals", "{shown}");
    }
    // What is no such note, or too long, ends the connection.
    sharer.note(&" ".repeat(9_000)).await;
    assert_eq!(sharer.close_code().await, 1008);
}

#[tokio::test]
async fn program_tells_its_folder_and_is_shared_there_again() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let started = StartedIn::new();
    let folder = started.folder("shore");
    let git = "#!/bin/sh\nprintf '# branch.head tide\\n1 .M x\\n'\n";
    std::fs::write(folder.join("git"), git).expect("it is written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.join("git"), mode).expect("it is set");
    let script = format!("cd '{}'; echo ready; read line", folder.display());
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let environment = [("PATH", path.as_str())];
    let start = async |arguments: &[&str], script: &str| {
        let base = server.base();
        Program::start_in(&started, (&base, &ann), arguments, &environment, script).await
    };
    let mut program = start(&[], &script).await;
    program.sees("ready").await;
    let list = format!("/rooms/{}/terminals", ann.room("general"));
    let place = format!("{} · tide ~1", folder.display());
    eventually("its folder is shown", || async {
        let page = ann.page(&list).await;
        (page.contains(&place) && page.contains("% processor")).then_some(())
    })
    .await;
    program.keys("\r").await;
    program.sees("no longer shared").await;

    // A folder is remembered, and chosen by its number.
    let mut program = start(&["--pick"], "pwd; exit 4").await;
    program.sees("Share in which folder?").await;
    program.sees(&started.path().display().to_string()).await;
    program.sees("]: ").await;
    program.keys("1\n").await;
    program.sees("exit 4, no longer shared").await;
    let mut refused = start(&["--pick"], "pwd").await;
    refused.sees("]: ").await;
    refused.keys("7\n").await;
    refused.sees("this is no number of the list").await;
}
