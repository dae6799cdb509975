//! Known devices: browsers on which an account has signed in before, by a long-lived cookie of
//! their own. The limits of sign-in tries for everybody else pass them.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use tower_sessions::cookie::{Cookie, SameSite};

use super::access::lock_account;
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::engine::Engine;

/// Of one account: the one that signed in longest ago is forgotten for another.
const MAX_DEVICES: i64 = 20;
/// Browsers keep no cookie for longer.
const DEVICE_TTL: time::Duration = time::Duration::days(400);
/// Characters of a token, see [`secrets::token`].
const TOKEN_CHARS: usize = 43;

/// The known devices of all accounts. Cheap to clone.
#[derive(Clone)]
pub(super) struct KnownDevices {
    pub(super) engine: Engine,
}

impl KnownDevices {
    fn cookie_name(&self) -> &'static str {
        match self.engine.settings.https {
            true => "__Host-tidepool-device",
            false => "tidepool-device",
        }
    }

    /// The token in the request's cookies, if there is one of the right length.
    fn token(&self, headers: &HeaderMap) -> Option<String> {
        let name = self.cookie_name();
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .flatten()
            .find(|cookie| cookie.name() == name && cookie.value().len() == TOKEN_CHARS)
            .map(|cookie| cookie.value().to_owned())
    }

    /// The digest of the device's token, if this account has signed in on it.
    pub(super) async fn find(
        &self,
        headers: &HeaderMap,
        account: AccountId,
    ) -> Result<Option<Arc<str>>> {
        const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM known_devices \
            WHERE digest = $1 AND account_id = $2 AND seen_at > $3)";
        let Some(token) = self.token(headers) else {
            return Ok(None);
        };
        let digest = secrets::digest(&token);
        let db = &self.engine.db;
        let row = (&*digest, account, oldest());
        let is_known: bool = db.scalar(IS_KNOWN, row).await?;
        Ok(is_known.then(|| digest.into()))
    }

    /// Remembers the device of a request for an account that has just signed in. Returns the
    /// `Set-Cookie` header of its token.
    pub(super) async fn remember(
        &self,
        headers: &HeaderMap,
        account: AccountId,
    ) -> Result<HeaderValue> {
        const IS_OURS: &str = "SELECT EXISTS (SELECT 1 FROM known_devices WHERE digest = $1)";
        const SAVE: &str = "INSERT INTO known_devices (digest, account_id, seen_at) \
            VALUES ($1, $2, $3) ON CONFLICT (digest, account_id) DO UPDATE SET seen_at = $3";
        const FORGET: &str = "DELETE FROM known_devices WHERE account_id = $1 AND digest NOT IN \
            (SELECT digest FROM known_devices WHERE account_id = $1 \
            ORDER BY seen_at DESC LIMIT $2)";
        let sent = self.token(headers);
        let write = self.engine.db.write(async move |tx| {
            // A token that was not made here could be one that somebody else knows. One of another
            // account is kept: two people may share a computer.
            let known = match sent {
                Some(token) => {
                    let is_ours: bool = tx.scalar(IS_OURS, (secrets::digest(&token),)).await?;
                    is_ours.then_some(token)
                }
                None => None,
            };
            let token = known.unwrap_or_else(secrets::token);
            let row = (secrets::digest(&token), account, Micros::now());
            tx.execute(SAVE, row).await?;
            lock_account(tx, account).await?;
            tx.execute(FORGET, (account, MAX_DEVICES)).await?;
            Ok(token)
        });
        let cookie = Cookie::build((self.cookie_name(), write.await?))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.engine.settings.https)
            .max_age(DEVICE_TTL)
            .to_string();
        HeaderValue::try_from(cookie).map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }

    /// Forgets devices whose cookie has expired.
    pub(super) async fn delete_expired(&self) -> Result<()> {
        const DELETE: &str = "DELETE FROM known_devices WHERE seen_at <= $1";
        let write = self.engine.db.write(async move |tx| {
            tx.execute(DELETE, (oldest(),)).await?;
            Ok(())
        });
        write.await
    }
}

/// The earliest last sign-in of a device that is still known.
fn oldest() -> Micros {
    let ttl = i64::try_from(DEVICE_TTL.whole_microseconds()).unwrap_or(i64::MAX);
    Micros(Micros::now().0 - ttl)
}
