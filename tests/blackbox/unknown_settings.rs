//! Misspelt settings are noticed: in the file at the start, in the environment in the log.

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn misspelt_setting_stops_the_start() {
    let server = TestServer::start().await;
    let file = server.data().join("tidepool.toml");
    for (text, named) in [
        ("max_file_mb = 5\n", "\"max_file_mib\""),
        ("max_file_mib = \"five\"\n", "max_file_mib"),
        ("[limits]\nmax_file_mib = 5\n", "\"limits\""),
    ] {
        std::fs::write(&file, text).expect("it is written");
        let output = server.run(&["settings"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{text} is accepted");
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[tokio::test]
async fn misspelt_variable_is_logged() {
    let server = TestServer::with(&[("TIDEPOOL_HTTP", "true")]).await;
    eventually("a warning", || async {
        let log = server.log();
        (log.contains("TIDEPOOL_HTTP\"") && log.contains("TIDEPOOL_HTTPS")).then_some(())
    })
    .await;
}
