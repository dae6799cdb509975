//! Whom limits count behind a proxy: the address that it appends, however it writes it.

use crate::one_instance_only;
use crate::support::TestServer;

#[tokio::test]
async fn forwarded_port_does_not_share_or_split_limits() {
    one_instance_only!("each instance counts for itself");
    let settings = [
        ("TIDEPOOL_BEHIND_PROXY", "true"),
        ("TIDEPOOL_REQUESTS_PER_MINUTE", "4"),
    ];
    // The set-up is closed to the network: 403, unless the limit is asked first.
    let server = TestServer::with(&settings).await;
    let visitor = server.visitor();
    let status = async |from: String| {
        let request = visitor
            .request("GET", "/setup")
            .header("X-Forwarded-For", from);
        visitor.send(request).await.status
    };
    for client in ["192.0.2.1", "[2001:db8:1:2::3]"] {
        for port in 1..=4 {
            assert_eq!(status(format!("{client}:{port}")).await, 403, "{client}");
        }
        // Neither another port nor what the client itself sent makes it another client.
        let again = status(format!("6.6.6.6, {client}:5")).await;
        assert_eq!(again, 429, "{client}");
    }
    assert_eq!(status("192.0.2.2:1".into()).await, 403);
    for number in 0..5 {
        let expected = if number < 4 { 403 } else { 429 };
        let malformed = format!("unknown{number}");
        assert_eq!(status(malformed).await, expected, "one limit for all");
    }
}
