//! Where mail goes: to an SMTP server, or into a folder for development and tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncTransport, Message, Tokio1Executor};
use reqwest::Url;

use crate::engine::jobs::Failure;

/// For each step of a conversation with the server.
const SMTP_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

impl Transport {
    /// By the setting `mail`. `password` is used unless the address has one; `domain` is what the
    /// server is greeted with.
    ///
    /// # Errors
    /// When it is no `smtp://`, `smtps://` or `folder:` address, or the folder cannot be made.
    pub(super) fn new(mail: &str, password: &str, domain: String) -> anyhow::Result<Self> {
        if let Some(folder) = mail.strip_prefix("folder:") {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("mail: the folder {folder} cannot be made"))?;
            return Ok(Self::Folder(folder.into()));
        }
        // Errors never quote it: it may hold a password.
        let url =
            Url::parse(mail).context("mail is no address, such as smtps://mail.example.org")?;
        let host = url.host_str().context("mail has no host name")?.to_owned();
        let decoded = |text: &str| {
            let decoded = percent_decode(text);
            decoded.context("mail has a user or password that is not percent-encoded UTF-8")
        };
        let user = decoded(url.username())?;
        let password = match url.password() {
            Some(password) => decoded(password)?,
            None => password.to_owned(),
        };
        let tls = || TlsParameters::new(host.clone()).context("mail: TLS cannot be used");
        let is_local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapper(tls()?), 465),
            // A password never travels unencrypted, except within this machine.
            "smtp" if is_local => (Tls::Opportunistic(tls()?), 25),
            "smtp" if user.is_empty() => (Tls::Opportunistic(tls()?), 25),
            "smtp" => (Tls::Required(tls()?), 587),
            _ => bail!("mail begins with smtp://, smtps:// or folder:"),
        };
        ensure!(
            user.is_empty() || !password.is_empty(),
            "mail names a user, but no password is set: TIDEPOOL_MAIL_PASSWORD, or mail_password \
             in secrets.toml"
        );
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(port))
            .tls(tls)
            .timeout(Some(SMTP_TIMEOUT))
            .hello_name(ClientId::Domain(domain));
        if !user.is_empty() {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self::Smtp(builder.build()))
    }

    /// Sends a message; in a folder its file is named by `id`.
    ///
    /// # Errors
    /// `GiveUp` when the server refuses it for good; else `Retry`.
    pub(super) async fn send(&self, id: &str, message: Message) -> Result<(), Failure> {
        match self {
            Self::Smtp(server) => match server.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let why = without_addresses(&error.to_string());
                    Err(match error.is_permanent() {
                        true => Failure::GiveUp(why),
                        false => Failure::Retry(why),
                    })
                }
            },
            Self::Folder(folder) => write(folder, id, message.formatted()).await,
        }
    }
}

/// Writes the file whole or not at all: readers wait for its name.
async fn write(folder: &Path, id: &str, content: Vec<u8>) -> Result<(), Failure> {
    let partial = folder.join(format!("{id}.part"));
    tokio::fs::write(&partial, content).await?;
    tokio::fs::rename(partial, folder.join(format!("{id}.eml"))).await?;
    Ok(())
}

/// What a server says, without the e-mail addresses in it: failures are logged.
fn without_addresses(text: &str) -> String {
    let masked = text.split(' ').map(|word| match word.contains('@') {
        true => "…",
        false => word,
    });
    masked.collect::<Vec<_>>().join(" ")
}

/// The text that percent signs stand for in an address; none if it is no UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(mail: &str) -> String {
        let made = Transport::new(mail, "", "example.org".to_owned());
        made.err()
            .map_or_else(String::new, |error| format!("{error:#}"))
    }

    #[test]
    fn address_of_unknown_kind_is_refused_without_its_password() {
        for mail in [
            "http://ann:hidden@mail",
            "ann:hidden",
            "smtp:hidden",
            "hidden",
        ] {
            let error = refusal(mail);
            assert!(
                !error.is_empty() && !error.contains("hidden"),
                "{mail}: {error}"
            );
        }
        assert!(refusal("smtps://ann@mail.example.org").contains("no password"));
        for good in ["smtp://localhost:2525", "smtps://a%40b:c@mail.example.org"] {
            assert_eq!(refusal(good), "");
        }
    }

    #[test]
    fn addresses_are_not_in_what_a_server_says() {
        let said = "550 5.1.1 <ann@example.org>: unknown here";
        assert_eq!(without_addresses(said), "550 5.1.1 … unknown here");
    }

    #[test]
    fn percent_signs_are_decoded() {
        assert_eq!(percent_decode("a%40b%2").as_deref(), Some("a@b%2"));
        assert_eq!(percent_decode("%ff"), None);
    }
}
