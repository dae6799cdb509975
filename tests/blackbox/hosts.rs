//! The host names that the server answers to.

use serde_json::json;

use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn foreign_host_is_refused_after_setup() {
    let server = TestServer::with(&[("TIDEPOOL_HOSTS", "chat.example,chat.lan")]).await;
    let ann = server.owner("ann").await;
    let port = server.address().rsplit_once(':').expect("a port").1;
    let room = format!("/rooms/{}", ann.room("general"));
    ann.page(&room).await;
    let get = async |path: &str, host: &str| {
        let request = ann.request("GET", path).header("host", host);
        ann.send(request.header("accept", "text/html")).await
    };
    for host in ["evil.example", "127.0.0.1.evil.example", "203.0.113.9"] {
        // As after DNS rebinding: the browser takes the server for the site of that name.
        let host = format!("{host}:{port}");
        for path in ["/", "/sign-in", &room, "/live"] {
            let refused = get(path, &host).await;
            assert_eq!(refused.status, 421, "{host}{path}");
        }
        assert!(get("/sign-in", &host).await.body.contains("TIDEPOOL_HOSTS"));
    }
    for host in [
        "localhost",
        "CHAT.example",
        "chat.lan:80",
        "192.168.7.7:8080",
    ] {
        assert_eq!(get(&room, host).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn host_of_setup_is_remembered() {
    let mut server = TestServer::start().await;
    let visitor = server.visitor();
    let mut fields = json!({
        "community": "Glasshouse", "name": "Ann",
        "email": "ann@example.org", "password": PASSWORD,
    });
    fields["token"] = json!(server.setup_token().await);
    let request = visitor
        .request("POST", "/setup")
        .header("host", "tide.lan:8080");
    let request = request.header("accept", "application/json").form(&fields);
    visitor.send(request).await.done();
    for _ in 0..2 {
        for (host, status) in [("tide.lan", 200), ("other.lan", 421), ("127.0.0.1", 200)] {
            let request = visitor.request("GET", "/account").header("host", host);
            assert_eq!(visitor.send(request).await.status, status, "{host}");
        }
        server.restart().await;
    }
}
