//! Passkeys (WebAuthn Level 2): public keys of a device that sign in without name and password.
//!
//! What a browser sends is verified here and by `passkeys/verify.rs` with the cryptography that TLS
//! uses already. Attestation is "none": any authenticator will do. The device has to verify its
//! user (by finger, face or PIN), so a passkey stands for both steps of a sign-in.

mod pages;
mod verify;

use sqlx::FromRow;

use super::Community;
use super::access::lock_account;
use super::account_mail::Letter;
use super::accounts::require_row;
use super::one_time_tokens::{self, Purpose};
use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;
use crate::base::text::{check_short_text, normalize_line};
use crate::engine::viewer::Viewer;
pub(super) use pages::declare;
use verify::{Algorithm, Assertion, Origin, Registration};

/// Of one account.
const MAX_PASSKEYS: i64 = 20;
const MAX_PASSKEY_NAME_CHARS: usize = 40; // graphemes

/// A passkey, as listed on its owner's page.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Passkey {
    /// The credential's id.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: Micros,
    pub(super) used_at: Option<Micros>,
}

impl Community {
    /// The passkeys of an account, oldest first.
    pub(super) async fn passkeys(&self, account: AccountId) -> Result<Vec<Passkey>> {
        const READ: &str = "SELECT id, name, created_at, used_at FROM passkeys \
            WHERE account_id = $1 ORDER BY created_at LIMIT $2";
        self.engine().db.all(READ, (account, MAX_PASSKEYS)).await
    }

    /// A challenge, which a passkey signs once within five minutes; for `account` to add one.
    async fn passkey_challenge(&self, account: Option<AccountId>) -> Result<String> {
        let write = self.engine().db.write_protective(async move |tx| {
            one_time_tokens::insert(tx, Purpose::Passkey, account, "").await
        });
        write.await
    }

    /// Adds a passkey to the viewer's account.
    ///
    /// # Errors
    /// `Invalid` when it is not verified, or the account has as many as it can have.
    async fn add_passkey(
        &self,
        viewer: &Viewer,
        name: &str,
        registration: &Registration,
        origin: &Origin,
    ) -> Result<()> {
        let mut check = Check::default();
        let name = match normalize_line(name) {
            name if name.is_empty() => viewer.lang.t("passkey-unnamed").to_owned(),
            name => name,
        };
        check_short_text(&name, "name", MAX_PASSKEY_NAME_CHARS, &mut check);
        check.done()?;
        let verified = registration.verify(origin);
        let new = verified.ok_or(Error::field("form", "error-passkey"))?;
        let account = self.accounts.get(viewer.account).await?;
        let about = (&*account.email, &*account.name);
        let notice = self
            .letter(Letter::PasskeyAdded, about, viewer.lang)
            .await?;
        let (engine, id) = (self.engine().clone(), viewer.account);
        let write = self.engine().db.write(async move |tx| {
            const COUNT: &str = "SELECT count(*) FROM passkeys WHERE account_id = $1";
            const INSERT: &str = "INSERT INTO passkeys \
                (id, account_id, name, public_key, algorithm, sign_count, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
            let asked = one_time_tokens::take_any(tx, Purpose::Passkey, &new.challenge).await?;
            if asked.and_then(|(account, _)| account) != Some(id) {
                return Err(Error::field("form", "error-passkey-late"));
            }
            lock_account(tx, id).await?;
            let count: i64 = tx.scalar(COUNT, (id,)).await?;
            if count >= MAX_PASSKEYS {
                return Err(Error::field("form", "error-passkeys-full"));
            }
            let key = (new.public_key, new.algorithm.number(), new.sign_count);
            let row = (new.id, id, name, key.0, key.1, key.2, Micros::now());
            if tx.execute(INSERT, row).await? == 0 {
                return Err(Error::field("form", "error-passkey"));
            }
            engine.mail.add(tx, &notice).await
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "passkey_added");
        Ok(())
    }

    /// Removes a passkey of the viewer's account.
    ///
    /// # Errors
    /// `NotFound` when the account has none of this id.
    pub(super) async fn remove_passkey(&self, viewer: &Viewer, passkey: String) -> Result<()> {
        let account = self.accounts.get(viewer.account).await?;
        let about = (&*account.email, &*account.name);
        let notice = self
            .letter(Letter::PasskeyRemoved, about, viewer.lang)
            .await?;
        let (engine, id) = (self.engine().clone(), viewer.account);
        let write = self.engine().db.write_protective(async move |tx| {
            const DELETE: &str = "DELETE FROM passkeys WHERE id = $1 AND account_id = $2";
            require_row(tx.execute(DELETE, (passkey, id)).await?)?;
            engine.mail.add(tx, &notice).await
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "passkey_removed");
        Ok(())
    }

    /// The account whose passkey has signed a challenge of this server.
    ///
    /// # Errors
    /// `Invalid` when there is no such passkey, or it is not verified.
    async fn use_passkey(&self, assertion: &Assertion, origin: &Origin) -> Result<AccountId> {
        const READ: &str = "SELECT account_id, public_key, algorithm FROM passkeys WHERE id = $1";
        let refused = || Error::field("form", "error-passkey");
        let db = &self.engine().db;
        let found: Option<(AccountId, String, i64)> = db.optional(READ, (&*assertion.id,)).await?;
        let (account, public_key, algorithm) = found.ok_or_else(refused)?;
        let algorithm = Algorithm::from_number(algorithm).ok_or_else(refused)?;
        let verified = assertion.verify(origin, algorithm, &public_key);
        let signed = verified.ok_or_else(refused)?;
        let id = assertion.id.clone();
        let write = db.write_protective(async move |tx| {
            // A counter that does not grow is that of a copy. Zero: the device does not count.
            const USE: &str = "UPDATE passkeys SET sign_count = $2, used_at = $3 \
                WHERE id = $1 AND (sign_count < $2 OR (sign_count = 0 AND $2 = 0))";
            let asked = one_time_tokens::take_any(tx, Purpose::Passkey, &signed.challenge).await?;
            if asked.is_none_or(|(account, _)| account.is_some()) {
                return Err(Error::field("form", "error-passkey-late"));
            }
            let used = (id, signed.sign_count, Micros::now());
            match tx.execute(USE, used).await? {
                0 => Err(Error::field("form", "error-passkey")),
                _ => Ok(()),
            }
        });
        write.await?;
        Ok(account)
    }
}
