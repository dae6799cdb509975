//! Opening a WebSocket, which may be refused or fail.

use reqwest::Url;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderName;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Person, TestServer, WAIT_TIMEOUT};

/// An open WebSocket.
pub type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket with these headers, or says why it does not open.
async fn try_dial(base: &Url, path: &str, headers: &[(&str, &str)]) -> Result<Stream, Error> {
    let mut url = base.join(path).expect("paths are paths");
    url.set_scheme("ws").expect("http becomes ws");
    let mut request = url.as_str().into_client_request().expect("an address");
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a header's name");
        request
            .headers_mut()
            .insert(name, value.parse().expect("a header's value"));
    }
    let opened = timeout(WAIT_TIMEOUT, connect_async(request)).await;
    opened.expect("an answer in time").map(|(stream, _)| stream)
}

/// Opens a socket with these headers, or says with which status it was refused.
pub async fn dial(base: &Url, path: &str, headers: &[(&str, &str)]) -> Result<Stream, u16> {
    match try_dial(base, path, headers).await {
        Ok(stream) => Ok(stream),
        Err(Error::Http(refused)) => Err(refused.status().as_u16()),
        Err(other) => panic!("no socket: {other}"),
    }
}

/// The status with which a socket at this path is refused; fails when it opens.
pub async fn refused_status(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> u16 {
    let base = server.base().parse().expect("an address");
    dial(&base, path, headers).await.expect_err("it is refused")
}

impl Person {
    /// A socket of a server that may be away: nothing when it is.
    pub async fn try_socket(&self, path: &str) -> Option<Stream> {
        let headers = [("cookie", &*self.cookies())];
        try_dial(self.endpoints.next(), path, &headers).await.ok()
    }
}
