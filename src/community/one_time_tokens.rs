//! Tokens that are used once and expire: links in mail, and steps of a sign-in. They are stored by
//! their digest, so that a stolen backup opens nothing.

use std::time::Duration;

use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::secrets;

/// What a token is for. One of another purpose is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To set a new password.
    Reset,
    /// To confirm a new address, which is the token's data.
    Email,
    /// A challenge that a passkey signs: to add it, with an account; to sign in, without.
    Passkey,
    /// The second step of a sign-in; the data is the page to open after it.
    SecondStep,
    /// A sign-in with OpenID Connect that has begun; with an account, to link it.
    OidcState,
    /// To begin linking an account, whose password was right.
    OidcBegin,
    /// An identity that waits for the password of the account.
    OidcLink,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Email => "email",
            Self::Passkey => "passkey",
            Self::SecondStep => "second-step",
            Self::OidcState => "oidc-state",
            Self::OidcBegin => "oidc-begin",
            Self::OidcLink => "oidc-link",
        }
    }

    fn ttl(self) -> Duration {
        match self {
            Self::Reset => RESET_TTL,
            Self::Email => EMAIL_TTL,
            Self::Passkey => PASSKEY_TTL,
            Self::SecondStep => SECOND_STEP_TTL,
            Self::OidcState | Self::OidcBegin | Self::OidcLink => OIDC_TTL,
        }
    }
}

/// A link to reset a password.
const RESET_TTL: Duration = Duration::from_secs(3600);
/// A link to confirm an address.
const EMAIL_TTL: Duration = Duration::from_secs(86_400);
/// The code of an authenticator, after the password.
const SECOND_STEP_TTL: Duration = Duration::from_secs(600);
/// A sign-in at another service.
const OIDC_TTL: Duration = Duration::from_secs(600);

/// A passkey, which its owner has to look for.
const PASSKEY_TTL: Duration = Duration::from_secs(300);

/// Account and data of a token.
pub(super) type Found = (AccountId, String);

/// Makes a token.
pub(super) async fn insert(
    tx: &mut Tx,
    purpose: Purpose,
    account: impl Into<Option<AccountId>>,
    data: &str,
) -> Result<String> {
    const INSERT: &str = "INSERT INTO one_time_tokens \
        (digest, purpose, account_id, data, expires_at) VALUES ($1, $2, $3, $4, $5)";
    let token = secrets::token();
    let expires_at = Micros::now().plus(purpose.ttl());
    let digest = secrets::digest(&token);
    tx.execute(
        INSERT,
        (digest, purpose.name(), account.into(), data, expires_at),
    )
    .await?;
    Ok(token)
}

/// What a token was made for; `None` once it was used or has expired.
pub(super) async fn find(db: &Db, purpose: Purpose, token: &str) -> Result<Option<Found>> {
    const FIND: &str = "SELECT account_id, data FROM one_time_tokens \
        WHERE digest = $1 AND purpose = $2 AND expires_at > $3";
    let digest = secrets::digest(token);
    db.optional(FIND, (digest, purpose.name(), Micros::now()))
        .await
}

/// Uses a token up.
pub(super) async fn take(tx: &mut Tx, purpose: Purpose, token: &str) -> Result<Option<Found>> {
    const TAKE: &str = "DELETE FROM one_time_tokens \
        WHERE digest = $1 AND purpose = $2 AND expires_at > $3 RETURNING account_id, data";
    let digest = secrets::digest(token);
    tx.optional(TAKE, (digest, purpose.name(), Micros::now()))
        .await
}

/// Uses a token up that need not have an account: whose it was, and its data.
pub(super) async fn take_any(
    tx: &mut Tx,
    purpose: Purpose,
    token: &str,
) -> Result<Option<(Option<AccountId>, String)>> {
    const TAKE: &str = "DELETE FROM one_time_tokens \
        WHERE digest = $1 AND purpose = $2 AND expires_at > $3 RETURNING account_id, data";
    let digest = secrets::digest(token);
    tx.optional(TAKE, (digest, purpose.name(), Micros::now()))
        .await
}

/// Ends all tokens of an account, such as links that were mailed to a former address.
pub(super) async fn delete_of(tx: &mut Tx, account: AccountId) -> Result<()> {
    const DELETE: &str = "DELETE FROM one_time_tokens WHERE account_id = $1";
    tx.execute(DELETE, (account,)).await.map(drop)
}

/// Deletes tokens that have expired.
pub(super) async fn delete_expired(db: &Db) -> Result<()> {
    const DELETE: &str = "DELETE FROM one_time_tokens WHERE expires_at <= $1";
    let write = db.write(async move |tx| tx.execute(DELETE, (Micros::now(),)).await);
    write.await.map(drop)
}
