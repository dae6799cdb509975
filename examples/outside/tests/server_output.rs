//! The test kit reads what a server prints, so that printing never fails or waits.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use tidepool_testkit::{TestServer, WAIT_TIMEOUT};

/// Stands for a server: prints its address, then more than a pipe holds.
const PROGRAM: &str = "#!/bin/sh
set -e
echo 'Tidepool is at http://127.0.0.1:1'
head -c 1000000 /dev/zero | tr '\\0' '\\n'
echo printed everything
exec sleep 60
";

#[tokio::test]
async fn printing_server_neither_waits_nor_fails() {
    let name = format!("todo-printing-{}", std::process::id());
    let program = std::env::temp_dir().join(name);
    std::fs::write(&program, PROGRAM).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let server = TestServer::start(program.to_str().unwrap()).await;
    let started = Instant::now();
    while !server.log().contains("printed everything") {
        assert!(started.elapsed() < WAIT_TIMEOUT, "it waits or has failed");
        tokio::task::yield_now().await;
    }
    std::fs::remove_file(&program).unwrap();
}
