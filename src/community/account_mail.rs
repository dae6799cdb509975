//! The mails that accounts get: links, and notices of what changed.

use super::Community;
use super::setup::read_host;
use crate::base::error::Result;
use crate::base::locale::Lang;
use crate::engine::mail::Mail;

/// What a mail says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter<'a> {
    /// The link that confirms a new address.
    ConfirmEmail(&'a str),
    /// The link to a new password.
    ResetPassword(&'a str),
    /// To the former address: there is another now.
    EmailChanged,
    /// The password was changed.
    PasswordChanged,
    /// Codes of an authenticator are asked for from now on.
    TotpOn,
    /// Codes of an authenticator are not asked for any more.
    TotpOff,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// An identity of another sign-in service was linked.
    IdentityLinked,
    /// The link to another sign-in service was ended.
    IdentityUnlinked,
    /// The name was changed.
    NameChanged,
}

impl Community {
    /// `https://chat.example.org`: where links in mail lead. Never taken from a request, whose
    /// sender could have a stranger's link mailed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn public_origin(&self) -> Result<String> {
        let settings = &self.engine().settings;
        if !settings.public_address.is_empty() {
            return Ok(settings.public_address.trim_end_matches('/').to_owned());
        }
        let host = read_host(&self.engine().db).await?.unwrap_or_default();
        let host = match host.as_str() {
            "" => settings.address.ip().to_string(),
            _ => host,
        };
        let host = match host.contains(':') && !host.starts_with('[') {
            true => format!("[{host}]"),
            false => host,
        };
        Ok(match settings.https {
            true => format!("https://{host}"),
            false => format!("http://{host}:{}", settings.address.port()),
        })
    }

    /// A mail to an account, in its language.
    ///
    /// # Errors
    /// As [`Self::public_origin`].
    pub(super) async fn letter(
        &self,
        letter: Letter<'_>,
        (to, name): (&str, &str),
        lang: Lang,
    ) -> Result<Mail> {
        let origin = self.public_origin().await?;
        let server = origin.split_once("://").map_or(&*origin, |(_, host)| host);
        let about = [("name", name.into()), ("server", server.into())];
        let not_you = || lang.t("mail-not-you").to_owned();
        let forgot = || {
            let words = lang.t("mail-reset-link").to_owned();
            Some((words, format!("{origin}/forgot")))
        };
        let (subject, paragraphs, link) = match letter {
            Letter::ConfirmEmail(token) => (
                lang.t("mail-confirm-subject"),
                vec![
                    lang.with("mail-confirm-text", &about),
                    lang.t("mail-ignore").to_owned(),
                ],
                Some((
                    lang.t("mail-confirm-link").to_owned(),
                    format!("{origin}/account/email?token={token}"),
                )),
            ),
            Letter::ResetPassword(token) => (
                lang.t("mail-reset-subject"),
                vec![
                    lang.with("mail-reset-text", &about),
                    lang.t("mail-ignore").to_owned(),
                ],
                Some((
                    lang.t("mail-reset-link").to_owned(),
                    format!("{origin}/reset?token={token}"),
                )),
            ),
            Letter::EmailChanged => (
                lang.t("mail-email-changed-subject"),
                vec![
                    lang.with("mail-email-changed-text", &about),
                    lang.t("mail-email-not-you").to_owned(),
                ],
                None,
            ),
            Letter::PasswordChanged => (
                lang.t("mail-password-changed-subject"),
                vec![lang.with("mail-password-changed-text", &about), not_you()],
                forgot(),
            ),
            Letter::TotpOn => (
                lang.t("mail-totp-on-subject"),
                vec![lang.with("mail-totp-on-text", &about), not_you()],
                forgot(),
            ),
            Letter::TotpOff => (
                lang.t("mail-totp-off-subject"),
                vec![lang.with("mail-totp-off-text", &about), not_you()],
                forgot(),
            ),
            Letter::PasskeyAdded => (
                lang.t("mail-passkey-added-subject"),
                vec![lang.with("mail-passkey-added-text", &about), not_you()],
                forgot(),
            ),
            Letter::PasskeyRemoved => (
                lang.t("mail-passkey-removed-subject"),
                vec![lang.with("mail-passkey-removed-text", &about), not_you()],
                forgot(),
            ),
            Letter::IdentityLinked => (
                lang.t("mail-identity-linked-subject"),
                vec![lang.with("mail-identity-linked-text", &about), not_you()],
                forgot(),
            ),
            Letter::IdentityUnlinked => (
                lang.t("mail-identity-unlinked-subject"),
                vec![lang.with("mail-identity-unlinked-text", &about), not_you()],
                forgot(),
            ),
            Letter::NameChanged => (
                lang.t("mail-name-changed-subject"),
                vec![lang.with("mail-name-changed-text", &about), not_you()],
                forgot(),
            ),
        };
        Ok(Mail {
            stop: None,
            to: to.to_owned(),
            language: lang.tag().to_owned(),
            subject: subject.to_owned(),
            paragraphs,
            link,
        })
    }
}
