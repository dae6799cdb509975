//! Mail: sent by jobs, so that it survives a restart and is retried, to an SMTP server or into a
//! folder of `.eml` files. Nothing is sent unless the host has configured it.

mod message;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::settings::Settings;
use crate::engine::jobs::{Failure, JobId, JobKind, Jobs, NewJob, Run, Settled};
use crate::engine::module::Module;
use transport::Transport;

const SEND: &str = "mail.send";
/// Together with the backoff: retries for about two days, as mail servers do.
const SEND_ATTEMPTS: u32 = 60;
const SEND_BACKOFF: Duration = Duration::from_secs(1);
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// A mail to one person, in one language: paragraphs, and a link that they lead to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// The address, without a name.
    pub to: String,
    /// The tag of the language that it is written in.
    pub language: String,
    /// One line; control characters are removed.
    pub subject: String,
    /// Plain text.
    pub paragraphs: Vec<String>,
    /// The words and the address of the link.
    pub link: Option<(String, String)>,
    /// The words and the address of the link that ends mails of this kind, where that can be.
    /// Programs of mail post to it (RFC 8058).
    #[serde(default)]
    pub stop: Option<(String, String)>,
}

/// Sends mail, where the host has configured how. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    configured: Option<(Transport, Mailbox)>,
    jobs: Jobs,
}

/// The kind of job that sends a mail.
pub(super) fn module() -> Module<Mailer> {
    Module::new("mail").job(sending(JobKind::new(SEND, "Sends a mail", send)))
}

/// The retries of a kind of job that sends mail.
pub fn sending<S: Clone + Send + Sync + 'static>(kind: JobKind<S>) -> JobKind<S> {
    kind.concurrency(2)
        .timeout(SEND_TIMEOUT)
        .max_attempts(SEND_ATTEMPTS)
        .backoff(SEND_BACKOFF)
}

async fn send(mailer: Mailer, run: Run, mail: Mail) -> Result<Settled, Failure> {
    mailer.send(run.id(), &mail).await?;
    run.done()
}

impl Mailer {
    /// # Errors
    /// When `mail` is no address of a mail server and no folder, or `mail_from` no e-mail address.
    pub fn new(settings: &Settings, jobs: Jobs) -> anyhow::Result<Self> {
        let configured = match settings.mail.as_str() {
            "" => None,
            mail => {
                ensure!(
                    !settings.mail_from.is_empty(),
                    "mail needs a sender: set mail_from, such as chat@example.org"
                );
                let from: Mailbox = settings
                    .mail_from
                    .parse()
                    .context("mail_from is no e-mail address")?;
                let domain = from.email.domain().to_owned();
                let transport = Transport::new(mail, &settings.mail_password, domain)?;
                Some((transport, from))
            }
        };
        Ok(Self(Arc::new(Inner { configured, jobs })))
    }

    /// Whether mail can be sent. What needs it is not offered otherwise.
    pub fn is_configured(&self) -> bool {
        self.0.configured.is_some()
    }

    /// Sends a mail once the transaction is committed; does nothing where mail is not configured.
    ///
    /// # Errors
    /// As [`Jobs::add`].
    pub async fn add(&self, tx: &mut Tx, mail: &Mail) -> Result<()> {
        if self.is_configured() {
            self.0.jobs.add(tx, NewJob::new(SEND, mail)).await?;
        }
        Ok(())
    }

    /// Sends a mail in a job of the caller, whose id is that of the mail: for mails with a secret,
    /// which must not be stored in a job's payload. Declare the job's kind by [`sending`].
    ///
    /// # Errors
    /// `GiveUp` when the server refuses the mail for good, or it cannot be addressed; else `Retry`.
    pub async fn send(&self, id: JobId, mail: &Mail) -> Result<(), Failure> {
        let Some((transport, from)) = &self.0.configured else {
            return Err(Failure::GiveUp("mail is not configured".to_owned()));
        };
        let message = message::build(mail, from, &id.to_string())
            .map_err(|error| Failure::GiveUp(format!("it cannot be addressed: {error}")))?;
        transport.send(&id.to_string(), message).await
    }
}
