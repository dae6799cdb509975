//! The socket to the server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::address::Target;
use crate::modules::terminals::hello::SHARE_PATH;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(super) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSocket {
    /// The server says no, and will again.
    #[error("{0}")]
    Refused(String),
    /// It may work later.
    #[error("the server cannot be reached: {0:#}")]
    Unreachable(anyhow::Error),
}

/// Opens sockets to a server.
pub(super) struct Connector {
    host: String,
    port: u16,
    url: String,
    authorization: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    pub(super) fn new(target: &Target, token: String) -> Result<Self> {
        let host = target.url.host_str().context("no host")?.to_owned();
        let port = target.url.port_or_known_default().context("no port")?;
        let is_tls = target.url.scheme() == "https";
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))
            .context("the token has other characters than tokens have")?;
        authorization.set_sensitive(true);
        let scheme = if is_tls { "wss" } else { "ws" };
        let authority = target.base.split_once("://").map_or("", |(_, rest)| rest);
        let tls = match is_tls {
            true => {
                let name = host.trim_matches(['[', ']']).to_owned();
                Some((
                    TlsConnector::from(tls_config()?),
                    ServerName::try_from(name)?,
                ))
            }
            false => None,
        };
        Ok(Self {
            url: format!("{scheme}://{authority}{SHARE_PATH}"),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            authorization,
            tls,
        })
    }

    /// Opens a socket.
    pub(super) async fn connect(&self) -> Result<Socket, NoSocket> {
        let opened = timeout(CONNECT_TIMEOUT, self.open()).await;
        opened.unwrap_or_else(|_| Err(NoSocket::Unreachable(anyhow!("it does not answer"))))
    }

    async fn open(&self) -> Result<Socket, NoSocket> {
        let unreachable = |error: anyhow::Error| NoSocket::Unreachable(error);
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(|error| unreachable(error.into()))?;
        drop(stream.set_nodelay(true));
        let stream: Box<dyn Stream> = match &self.tls {
            Some((connector, name)) => {
                let encrypted = connector.connect(name.clone(), stream).await;
                Box::new(encrypted.map_err(|error| unreachable(error.into()))?)
            }
            None => Box::new(stream),
        };
        let request = self.url.as_str().into_client_request();
        let mut request = request.map_err(|error| unreachable(error.into()))?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert("accept", HeaderValue::from_static("application/json"));
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(refusal(answer.status().as_u16())),
            Err(error) => Err(unreachable(error.into())),
        }
    }
}

fn refusal(status: u16) -> NoSocket {
    NoSocket::Refused(match status {
        401 => "the server does not know this token".to_owned(),
        403 => "terminals are not shared on this server, or not by this account".to_owned(),
        404 => "this server knows nothing of shared terminals".to_owned(),
        507 => "this account shares as many terminals as one may".to_owned(),
        _ => return NoSocket::Unreachable(anyhow!("it answers with status {status}")),
    })
}

/// Trusts whom the system trusts.
fn tls_config() -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
