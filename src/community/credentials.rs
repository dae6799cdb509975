//! Changing the name, the address and the password of an account. Each asks for the password that
//! the account has.

use serde::{Deserialize, Serialize};

use super::Community;
use super::account_mail::Letter;
use super::accounts::{check_account_name, check_email, check_password};
use super::names::{name_key, name_skeleton};
use super::one_time_tokens::{self, Purpose};
use super::passwords::Sender;
use super::topics::{AccountChanged, AccountRenamed};
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::base::text::fold;
use crate::engine::bus::Origin;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::mail::{Mail, sending};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

const MAIL_CONFIRMATION: &str = "community.mail-confirmation";

/// The payload of the job: the link's token is made by the job, so that none is stored.
#[derive(Serialize, Deserialize)]
struct Confirmation {
    account: AccountId,
    email: String,
    language: String,
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.job(sending(JobKind::new(
        MAIL_CONFIRMATION,
        "Mails the link that confirms a new address",
        mail_confirmation,
    )))
}

/// What became of a wish for another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmailChange {
    /// It is the account's now: mail is not configured.
    Changed,
    /// A link was mailed to it, and it is the account's once that is opened.
    LinkMailed,
}

impl Community {
    /// Fails unless this is the password of the viewer's account.
    ///
    /// # Errors
    /// `Invalid` for the field `current_password`; `TooMany` after many tries.
    pub(super) async fn check_own_password(&self, viewer: &Viewer, given: String) -> Result<()> {
        const READ: &str = "SELECT password FROM accounts WHERE id = $1";
        let (account, address) = (viewer.account, viewer.address);
        self.count_password(account, address)
            .inspect_err(|_| SecurityEvent::LimitReached.record(account, address, "password"))?;
        let hash = self.engine().db.optional_scalar(READ, (account,)).await?;
        // Whoever is signed in must not wait behind strangers.
        let accounts = &self.accounts;
        if accounts.verify(Sender::KnownDevice, given, hash).await? {
            return Ok(());
        }
        SecurityEvent::SignInRefused.record(account, address, "wrong_password");
        Err(Error::field("current_password", "error-password-wrong"))
    }

    /// Gives the viewer's account another name.
    ///
    /// # Errors
    /// `Invalid` when it is no name, or another account has it.
    pub(super) async fn change_name(&self, viewer: &Viewer, name: &str) -> Result<()> {
        let mut check = Check::default();
        let name = check_account_name(name, &mut check);
        check.done()?;
        let account = self.accounts.get(viewer.account).await?;
        let about = (&*account.email, &*account.name);
        let notice = self.letter(Letter::NameChanged, about, viewer.lang).await?;
        let (engine, id) = (self.engine().clone(), viewer.account);
        let write = self.engine().db.write(async move |tx| {
            const TAKEN: &str = "SELECT \
                EXISTS (SELECT 1 FROM accounts WHERE name_key = $1 AND id <> $3), \
                EXISTS (SELECT 1 FROM accounts WHERE name_skeleton = $2 AND id <> $3)";
            // A display name stays.
            const SET: &str = "UPDATE accounts SET user_name = $2, name_key = $3, \
                name_skeleton = $4, \
                name = CASE WHEN name = coalesce(user_name, name) THEN $2 ELSE name END \
                WHERE id = $1";
            const SPACES: &str = "SELECT space_id FROM members WHERE account_id = $1";
            const ROOMS: &str = "SELECT room_id FROM room_members WHERE account_id = $1";
            let key = name_key(&name);
            let skeleton = name_skeleton(&name);
            let (taken, looks_alike): (bool, bool) = tx.one(TAKEN, (&key, &skeleton, id)).await?;
            Check::default()
                .that(!taken, "name", "error-name-taken", 0)
                .that(taken || !looks_alike, "name", "error-name-looks-alike", 0)
                .done()?;
            let set = tx.execute(SET, (id, &name, key, skeleton)).await;
            set.map_err(|error| taken_meanwhile(error, "name", "error-name-taken"))?;
            let spaces: Vec<SpaceId> = tx.scalars(SPACES, (id,)).await?;
            let rooms: Vec<RoomId> = tx.scalars(ROOMS, (id,)).await?;
            engine.mail.add(tx, &notice).await?;
            let renamed = AccountRenamed {
                account: id,
                name,
                spaces,
                rooms,
            };
            let origin = Origin::new(id, None);
            engine.bus.publish_after_commit(tx, origin, renamed);
            Ok(())
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "name");
        Ok(())
    }

    /// Gives the viewer's account another address, once it is confirmed where mail is configured.
    ///
    /// # Errors
    /// `Invalid` when it is no address, or another account has it.
    pub(super) async fn change_email(&self, viewer: &Viewer, email: &str) -> Result<EmailChange> {
        let mut check = Check::default();
        let email = check_email(email, &mut check);
        check.done()?;
        let (engine, id) = (self.engine().clone(), viewer.account);
        let language = viewer.lang.tag().to_owned();
        let write = self.engine().db.write(async move |tx| {
            check_email_free(tx, id, &email).await?;
            if engine.mail.is_configured() {
                let payload = Confirmation {
                    account: id,
                    email,
                    language,
                };
                let job = NewJob::new(MAIL_CONFIRMATION, &payload);
                engine.jobs.add(tx, job).await?;
                return Ok(EmailChange::LinkMailed);
            }
            set_email(tx, id, &email).await?;
            one_time_tokens::delete_of(tx, id).await?;
            let origin = Origin::new(id, None);
            let changed = AccountChanged { account: id };
            engine.bus.publish_after_commit(tx, origin, changed);
            Ok(EmailChange::Changed)
        });
        let change = write.await?;
        if change == EmailChange::Changed {
            SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "email");
        }
        Ok(change)
    }

    /// Confirms a new address, and tells the former one.
    ///
    /// # Errors
    /// `Invalid` when another account has taken it, `NotFound` when the link was used or has
    /// expired.
    pub(super) async fn confirm_email(&self, token: String) -> Result<AccountId> {
        let db = &self.engine().db;
        let found = one_time_tokens::find(db, Purpose::Email, &token).await?;
        let (id, _) = found.ok_or(Error::NotFound)?;
        let account = self.accounts.get(id).await?;
        let lang = Lang::negotiate(account.language.as_deref(), None);
        let about = (&*account.email, &*account.name);
        let notice = self.letter(Letter::EmailChanged, about, lang).await?;
        let engine = self.engine().clone();
        let write = db.write(async move |tx| {
            let found = one_time_tokens::take(tx, Purpose::Email, &token).await?;
            let (id, email) = found.ok_or(Error::NotFound)?;
            check_email_free(tx, id, &email).await?;
            set_email(tx, id, &email).await?;
            // Among them links that were mailed to the former address.
            one_time_tokens::delete_of(tx, id).await?;
            engine.mail.add(tx, &notice).await?;
            let origin = Origin::new(id, None);
            let changed = AccountChanged { account: id };
            engine.bus.publish_after_commit(tx, origin, changed);
            Ok(id)
        });
        write.await
    }

    /// Gives the viewer's account another password, and ends its other sessions.
    ///
    /// # Errors
    /// `Invalid` when it is too short, too long or easily guessed.
    pub(super) async fn change_password(&self, viewer: &Viewer, password: &str) -> Result<()> {
        let id = viewer.account;
        let (hash, notice) = self
            .prepare_password(id, password, Some(viewer.lang))
            .await?;
        let (community, kept) = (self.clone(), viewer.session.to_string());
        let write = self.engine().db.write_protective(async move |tx| {
            let reason = "password_changed";
            community
                .set_password(tx, id, hash, &notice, (&kept, reason))
                .await
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "password");
        Ok(())
    }

    /// Checks and hashes a new password, and writes the notice of it.
    async fn prepare_password(
        &self,
        id: AccountId,
        password: &str,
        lang: Option<Lang>,
    ) -> Result<(String, Mail)> {
        let account = self.accounts.get(id).await?;
        let mut check = Check::default();
        check_password(password, &[&account.name, &account.email], &mut check);
        check.done()?;
        let hash = self.accounts.hash_password(password).await?;
        let lang = lang.unwrap_or_else(|| Lang::negotiate(account.language.as_deref(), None));
        let about = (&*account.email, &*account.name);
        let notice = self.letter(Letter::PasswordChanged, about, lang).await?;
        Ok((hash, notice))
    }

    /// Sets a password and ends all links of the account and all its sessions but `kept`.
    async fn set_password(
        &self,
        tx: &mut Tx,
        id: AccountId,
        hash: String,
        notice: &Mail,
        (kept, reason): (&str, &'static str),
    ) -> Result<()> {
        const SET: &str = "UPDATE accounts SET password = $2 WHERE id = $1";
        tx.execute(SET, (id, hash)).await?;
        one_time_tokens::delete_of(tx, id).await?;
        self.engine().mail.add(tx, notice).await?;
        self.sessions.end_all_but(tx, id, kept, reason).await
    }

    /// Sets a new password by the token of a mailed link, which ends all sessions of the account.
    ///
    /// # Errors
    /// As [`Self::change_password`]; `NotFound` when the link was used or has expired.
    pub(super) async fn reset_password(&self, token: &str, password: &str) -> Result<AccountId> {
        let db = &self.engine().db;
        let found = one_time_tokens::find(db, Purpose::Reset, token).await?;
        let (id, _) = found.ok_or(Error::NotFound)?;
        let (hash, notice) = self.prepare_password(id, password, None).await?;
        let (community, token) = (self.clone(), token.to_owned());
        let write = db.write_protective(async move |tx| {
            const FORGET: &str = "DELETE FROM known_devices WHERE account_id = $1";
            let found = one_time_tokens::take(tx, Purpose::Reset, &token).await?;
            let (id, _) = found.ok_or(Error::NotFound)?;
            // Whoever knew the password may have signed in on one of them.
            tx.execute(FORGET, (id,)).await?;
            let reason = "password_reset";
            community
                .set_password(tx, id, hash, &notice, ("", reason))
                .await
        });
        write.await?;
        Ok(id)
    }
}

async fn check_email_free(tx: &mut Tx, account: AccountId, email: &str) -> Result<()> {
    const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM accounts WHERE email_key = $1 AND id <> $2)";
    let taken: bool = tx.scalar(TAKEN, (fold(email), account)).await?;
    Check::default()
        .that(!taken, "email", "error-email-taken", 0)
        .done()
}

async fn set_email(tx: &mut Tx, account: AccountId, email: &str) -> Result<()> {
    const SET: &str = "UPDATE accounts SET email = $2, email_key = $3 WHERE id = $1";
    let set = tx.execute(SET, (account, email, fold(email))).await;
    set.map_err(|error| taken_meanwhile(error, "email", "error-email-taken"))?;
    Ok(())
}

/// `Invalid` for the field when another transaction has taken its value since it was looked up.
fn taken_meanwhile(error: Error, field: &'static str, key: &'static str) -> Error {
    let is_taken = match &error {
        Error::Internal(why) => why
            .downcast_ref::<sqlx::Error>()
            .and_then(sqlx::Error::as_database_error)
            .is_some_and(|error| error.is_unique_violation()),
        _ => false,
    };
    match is_taken {
        true => Error::field(field, key),
        false => error,
    }
}

async fn mail_confirmation(
    community: Community,
    run: Run,
    confirmation: Confirmation,
) -> Result<Settled, Failure> {
    let Confirmation {
        account: id,
        email,
        language,
    } = confirmation;
    let account = community.accounts.get(id).await?;
    let to = email.clone();
    let write = community
        .engine()
        .db
        .write(async move |tx| one_time_tokens::insert(tx, Purpose::Email, id, &email).await);
    let token = write.await?;
    let lang = Lang::negotiate(Some(&language), None);
    let letter = Letter::ConfirmEmail(&token);
    let mail = community.letter(letter, (&to, &account.name), lang).await?;
    community.engine().mail.send(run.id(), &mail).await?;
    run.done()
}
