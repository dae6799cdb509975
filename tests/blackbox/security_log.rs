//! Security events in the log and in the metrics. Those of signing in are in `sign_in_limits`.

use serde_json::json;

use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn security_events_name_account_address_and_reason() {
    let (server, ann) = TestServer::start_with_owner().await;
    let (bob, lost) = (server.member("bob").await, ann.other_device(&server).await);
    let invite = ann.invite().await;
    let path = format!("/spaces/{}/invitations", ann.space);
    let settings = ann.page(&path).await;
    let (_, rest) = settings
        .split_once("name=\"invite\" value=\"")
        .expect("an invitation is listed");
    let id = rest.split('"').next().expect("its id");
    let revoked = json!({ "space": ann.space, "invite": id });
    ann.act("community.revoke-invite", revoked).await.done();
    let removed = json!({ "space": ann.space, "account": bob.id });
    ann.act("community.remove-member", removed).await.done();
    lost.form("/sign-out", &[]).await.location();
    let events = [
        ("set_up", "setup", &ann),
        ("signed_in", "password", &ann),
        ("account_created", "invite", &bob),
        ("invite_made", "made", &ann),
        ("invite_used", "new_account", &bob),
        ("invite_ended", "revoked", &ann),
        ("rights_changed", "removed_member", &ann),
        ("session_ended", "signed_out", &ann),
    ];
    for (event, reason, who) in events {
        let counter = format!("tidepool_security_events_total{{event=\"{event}\"}}");
        server.metric_reaches(&counter, |count| count >= 1.0).await;
        let log = server.log();
        let is_logged = log.lines().any(|line| {
            line.contains("security")
                && line.contains(&format!("event=\"{event}\" account={}", who.id))
                && line.contains(&format!("address=127.0.0.1 reason=\"{reason}\""))
        });
        assert!(is_logged, "{event} is missing in\n{log}");
    }
    let log = server.log();
    for secret in [PASSWORD, "example.org", &invite[6..]] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
