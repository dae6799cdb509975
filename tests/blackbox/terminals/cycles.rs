//! Beginning and ending many terminals leaves nothing behind. Takes minutes, and is run by hand:
//! `cargo test --test blackbox cycles -- --ignored --nocapture`.

use serde_json::json;

use crate::support::{Sharer, TestServer, Watcher, eventually};

/// Terminals that one account begins in an hour.
const BEGUN_BY_ONE: usize = 20;
const ACCOUNTS: usize = 50;

/// Open descriptors and memory in KiB of the server.
fn taken(server: &TestServer) -> (usize, u64) {
    let process = format!("/proc/{}", server.pid());
    let open = std::fs::read_dir(format!("{process}/fd")).expect("descriptors");
    let status = std::fs::read_to_string(format!("{process}/status")).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let memory = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    (open.count(), memory.expect("a number"))
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn thousand_starts_and_exits_leave_nothing() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = ann.room("general");
    let watching = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &watching, Sharer::hello(&room)).await;
    drop(sharing.expect("it is shared"));
    let mut first = None;
    for number in 0..ACCOUNTS {
        let person = server.member(&format!("person{number}")).await;
        let token = person.terminal_token().await;
        for _ in 0..BEGUN_BY_ONE {
            let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
            let mut sharer = sharing.expect("it is shared");
            let mut watcher = Watcher::of(&person, &room, &sharer.terminal).await;
            sharer.write("pearls\r\n").await;
            watcher.shows("pearls").await;
            sharer
                .note(&json!({ "type": "status", "folder": "~" }).to_string())
                .await;
            sharer.exit(0).await;
            assert_eq!(sharer.close_code().await, 4410);
        }
        let taken = taken(&server);
        println!(
            "{} cycles: {} descriptors, {} KiB",
            (number + 1) * BEGUN_BY_ONE,
            taken.0,
            taken.1
        );
        // The first ones fill caches and pools.
        if number == ACCOUNTS / 5 {
            first = Some(taken);
        }
    }
    let (open, memory) = first.expect("it was looked at");
    eventually("descriptors are closed", || async {
        (taken(&server).0 <= open + 4).then_some(())
    })
    .await;
    let grown = taken(&server).1.saturating_sub(memory);
    assert!(grown < 48 << 10, "{grown} KiB more in 780 cycles");
}
