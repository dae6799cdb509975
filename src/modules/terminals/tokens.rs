//! Tokens that let `tidepool share` connect for an account. They can share terminals, and do
//! nothing else.

use axum::http::{HeaderMap, header};
use sqlx::FromRow;

use super::Terminals;
use super::open::Ended;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::base::text::{check_short_text, normalize_line};
use crate::id;

id!(
    /// A token of an account.
    TokenId
);

/// Tokens of one account.
pub(super) const MAX_TOKENS: i64 = 20;
/// Characters of a token's name.
pub(super) const MAX_TOKEN_NAME_CHARS: usize = 60;
/// What every token begins with, so that scanners of leaked secrets recognise one.
const PREFIX: &str = "tpt_";

/// A token, without its secret.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Token {
    pub(super) id: TokenId,
    /// As its owner called it.
    pub(super) name: String,
    pub(super) created_at: Micros,
    /// When it was used last.
    pub(super) used_at: Option<Micros>,
}

/// Who sent a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bearer {
    pub(super) account: AccountId,
    pub(super) token: TokenId,
}

impl Terminals {
    /// Makes a token of an account, and returns it: it is not stored, only its digest.
    ///
    /// # Errors
    /// `Invalid` for the name, `Full` past [`MAX_TOKENS`].
    pub(super) async fn create_token(&self, account: AccountId, name: &str) -> Result<String> {
        let name = normalize_line(name);
        let mut check = Check::default();
        check_short_text(&name, "name", MAX_TOKEN_NAME_CHARS, &mut check);
        check.done()?;
        let token = format!("{PREFIX}{}", secrets::token());
        let digest = secrets::digest(&token);
        let write = self.engine.db.write(async move |tx| {
            const LOCK: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
            tx.lock::<(i64,)>(LOCK, (account,)).await?;
            const COUNT: &str = "SELECT COUNT(*) FROM terminal_tokens WHERE account_id = $1";
            let count: i64 = tx.scalar(COUNT, (account,)).await?;
            if count >= MAX_TOKENS {
                return Err(Error::Full("error-terminal-tokens"));
            }
            const ADD: &str = "INSERT INTO terminal_tokens \
                (id, account_id, name, digest, created_at) VALUES ($1, $2, $3, $4, $5)";
            let row = (TokenId::new(), account, &name, &digest, Micros::now());
            tx.execute(ADD, row).await.map(drop)
        });
        write.await?;
        Ok(token)
    }

    /// Revokes a token of an account.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub(super) async fn revoke_token(&self, account: AccountId, token: TokenId) -> Result<()> {
        let write = self.engine.db.write_protective(async move |tx| {
            const DELETE: &str = "DELETE FROM terminal_tokens WHERE id = $1 AND account_id = $2";
            match tx.execute(DELETE, (token, account)).await? {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        });
        write.await?;
        for terminal in self.open.list() {
            if terminal.bearer().is_some_and(|one| one.token == token) {
                terminal.close(Ended::Refused);
                self.end_terminal(&terminal, None).await;
            }
        }
        Ok(())
    }

    /// Whose token a request carries as `Authorization: Bearer`, and notes that it was used.
    ///
    /// # Errors
    /// `SignInFirst` without one, or with one that is not known or of a suspended account.
    pub(super) async fn bearer(&self, headers: &HeaderMap) -> Result<Bearer> {
        let header = headers.get(header::AUTHORIZATION);
        let value = header.and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.filter(|token| token.starts_with(PREFIX) && token.len() < 100);
        let digest = secrets::digest(token.ok_or(Error::SignInFirst)?);
        const FIND: &str = "SELECT account_id, id FROM terminal_tokens WHERE digest = $1";
        let found: Option<(AccountId, TokenId)> = self.engine.db.optional(FIND, (digest,)).await?;
        let (account, token) = found.ok_or(Error::SignInFirst)?;
        self.community.check_not_suspended(account).await?;
        let write = self.engine.db.write_queued(async move |tx| {
            const USED: &str = "UPDATE terminal_tokens SET used_at = $2 WHERE id = $1";
            tx.execute(USED, (token, Micros::now())).await.map(drop)
        });
        write.await?;
        Ok(Bearer { account, token })
    }

    /// Whether a token is still there, of an account that is not suspended.
    pub(super) async fn is_token_valid(&self, bearer: Bearer) -> Result<bool> {
        const FIND: &str = "SELECT EXISTS (SELECT 1 FROM terminal_tokens WHERE id = $1)";
        let is_there: bool = self.engine.db.scalar(FIND, (bearer.token,)).await?;
        match self.community.check_not_suspended(bearer.account).await {
            Ok(()) => Ok(is_there),
            Err(error) if error.is_passing() => Err(error),
            Err(_) => Ok(false),
        }
    }
}

/// The tokens of an account, the newest first.
pub(super) async fn of_account(db: &Db, account: AccountId) -> Result<Vec<Token>> {
    const READ: &str = "SELECT id, name, created_at, used_at FROM terminal_tokens \
        WHERE account_id = $1 ORDER BY id DESC";
    db.all(READ, (account,)).await
}

/// Deletes all tokens of an account.
pub(super) async fn delete_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    const DELETE: &str = "DELETE FROM terminal_tokens WHERE account_id = $1";
    tx.execute(DELETE, (account,)).await.map(drop)
}
