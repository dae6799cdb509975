//! Sessions: resolving a cookie to an account, signing in, and ending a session.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use sqlx::FromRow;
use tower_sessions::cookie::SameSite;
use tower_sessions::session_store::Error as StoreError;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::access::lock_account;
use super::accounts::require_row;
use super::device_names::device_name;
use super::server_bans::ServerBans;
use super::session_store::{ACCOUNT, ADDRESS, BEGAN, DEVICE, Sessions, digest};
use super::topics::SessionEnded;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::engine::bus::Origin;
use crate::engine::viewer::{Theme, Viewer};
use crate::engine::web::RequestContext;

const SEEN: &str = "seen"; // field of a record: its last use, stored at most every five minutes
/// How long an unused session lives.
const SESSION_TTL: time::Duration = time::Duration::days(30);
/// How precisely the last use is stored: one write in five minutes instead of one per request.
const SEEN_INTERVAL: Duration = Duration::from_secs(300);
const MAX_SESSIONS: i64 = 100; // of one account
const END_OTHERS: &str = "DELETE FROM sessions WHERE account_id = $1 AND digest <> $2 \
    RETURNING digest, account_id";
const MAX_DEVICE_CHARS: usize = 200; // of the User-Agent header

/// A session, as listed in the account's settings.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OpenSession {
    pub(super) digest: String,
    pub(super) device: String,
    pub(super) created_at: Micros,
    pub(super) seen_at: Micros,
    /// The network address that it was used from last; empty if that is not known.
    pub(super) address: String,
}

impl OpenSession {
    /// The name of its device.
    pub(super) fn device_name(&self, lang: Lang) -> String {
        device_name(&self.device, lang)
    }

    /// How long ago it was used last: `3 minutes ago`.
    pub(super) fn seen(&self, lang: Lang) -> String {
        let minutes = Micros::now().since(self.seen_at).as_secs() / 60;
        let (hours, days) = (minutes / 60, minutes / 1440);
        match minutes {
            // As precisely as it is stored.
            0..5 => lang.t("ago-now").to_owned(),
            5..60 => lang.with("ago-minutes", &[("count", minutes.into())]),
            60..1440 => lang.with("ago-hours", &[("count", hours.into())]),
            _ => lang.with("ago-days", &[("count", days.into())]),
        }
    }
}

/// The session cookie. Under https the prefix makes browsers refuse one that another host of the
/// domain or a page without encryption has set.
fn cookie_name(https: bool) -> &'static str {
    match https {
        true => "__Host-tidepool",
        false => "tidepool",
    }
}

/// Wraps a router with the session layer and [`resolve_viewer`].
pub(super) fn guard((sessions, bans): (&Sessions, &ServerBans), router: Router) -> Router {
    let layer = SessionManagerLayer::new(sessions.clone())
        .with_name(cookie_name(sessions.engine.settings.https))
        .with_secure(sessions.engine.settings.https)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(SESSION_TTL));
    let state = (sessions.clone(), bans.clone());
    router.layer((layer, from_fn_with_state(state, resolve_viewer)))
}

/// Refuses banned networks, resolves the session cookie and adds the viewer to the request.
async fn resolve_viewer(
    State((sessions, bans)): State<(Sessions, ServerBans)>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let address = RequestContext::address_of(&request);
    if let Err(error) = bans.check(address).await {
        return axum::response::IntoResponse::into_response(error);
    }
    // Before the session is read: the limit of requests counts only whom it has found.
    if let Some(id) = session.id()
        && let Err(error) = sessions.check_lookup(&id, address)
    {
        return axum::response::IntoResponse::into_response(error);
    }
    match sessions.viewer(&session, request.headers(), address).await {
        Ok(Some(viewer)) => {
            RequestContext::set_viewer(&mut request, viewer);
        }
        Ok(None) => {}
        Err(error) => return axum::response::IntoResponse::into_response(error),
    }
    next.run(request).await
}

/// A session that cannot be read or kept while the database does not answer is no fault: the same
/// request may succeed later.
pub(super) fn session_error(error: tower_sessions::session::Error) -> Error {
    use tower_sessions::session::Error::Store;
    match error {
        Store(StoreError::Backend(why)) if why == Error::Unavailable.to_string() => {
            Error::Unavailable
        }
        error => Error::Internal(anyhow::Error::new(error)),
    }
}

impl Sessions {
    async fn viewer(
        &self,
        session: &Session,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<Option<Viewer>> {
        let Some(account) = session
            .get::<AccountId>(ACCOUNT)
            .await
            .map_err(session_error)?
        else {
            return Ok(None);
        };
        let Some(id) = session.id() else {
            return Ok(None);
        };
        let account = self.accounts.get(account).await?;
        if let Some(until) = account.guest_until {
            if until <= Micros::now() {
                return Ok(None);
            }
            session.set_expiry(Some(Expiry::AtDateTime(until.calendar())));
        }
        let seen = Micros(
            session
                .get::<i64>(SEEN)
                .await
                .map_err(session_error)?
                .unwrap_or(0),
        );
        if Micros::now().since(seen) > SEEN_INTERVAL {
            session
                .insert(SEEN, Micros::now().0)
                .await
                .map_err(session_error)?;
            session
                .insert(ADDRESS, address)
                .await
                .map_err(session_error)?;
        }
        let accepts = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        let lang = Lang::negotiate(account.language.as_deref(), accepts);
        Ok(Some(Viewer {
            account: account.id,
            name: account.name.as_str().into(),
            session: digest(&id),
            address,
            lang,
            theme: Theme::from_name(account.theme.as_deref().unwrap_or_default()),
            is_guest: account.guest_until.is_some(),
        }))
    }

    /// Signs in: starts a new session for an account.
    pub(super) async fn start(
        &self,
        session: &Session,
        account: AccountId,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<()> {
        // Prevents session fixation: an id that was known before signing in must not become
        // signed in.
        if let Some(id) = session.id() {
            if let Some(before) = session
                .get::<AccountId>(ACCOUNT)
                .await
                .map_err(session_error)?
            {
                drop(self.end(before, &digest(&id)).await); // also closes its sockets
            }
            session.clear().await;
            session.cycle_id().await.map_err(session_error)?; // `flush` alone would keep the id
        }
        // A guest's session ends with the guest, however often it is used.
        let ends = self.accounts.get(account).await?.guest_until;
        let ends = ends.map(|until| Expiry::AtDateTime(until.calendar()));
        session.set_expiry(Some(ends.unwrap_or(Expiry::OnInactivity(SESSION_TTL))));
        let device: String = headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .chars()
            .take(MAX_DEVICE_CHARS)
            .collect();
        session
            .insert(ACCOUNT, account)
            .await
            .map_err(session_error)?;
        session
            .insert(ADDRESS, address)
            .await
            .map_err(session_error)?;
        session
            .insert(DEVICE, device)
            .await
            .map_err(session_error)?;
        session
            .insert(BEGAN, Micros::now().0)
            .await
            .map_err(session_error)?;
        session
            .insert(SEEN, Micros::now().0)
            .await
            .map_err(session_error)
    }

    /// The open sessions of an account, most recently used first.
    pub(super) async fn list(&self, account: AccountId) -> Result<Vec<OpenSession>> {
        const READ: &str = "SELECT digest, device, created_at, seen_at, address FROM sessions \
            WHERE account_id = $1 AND expires_at > $2 ORDER BY seen_at DESC LIMIT $3";
        let db = &self.engine.db;
        db.all(READ, (account, Micros::now(), MAX_SESSIONS)).await
    }

    /// Ends one session of an account. Its sockets are closed before they get another frame.
    ///
    /// # Errors
    /// `NotFound` when it is not a session of this account.
    pub(super) async fn end(&self, account: AccountId, digest: &str) -> Result<()> {
        const END: &str = "DELETE FROM sessions WHERE digest = $1 AND account_id = $2";
        let key: Arc<str> = digest.into();
        let (cache, engine) = (self.open.clone(), self.engine.clone());
        let write = self.engine.db.write_protective(async move |tx| {
            require_row(tx.execute(END, (&*key, account)).await?)?;
            tx.after_commit(move || cache.invalidate(&key));
            let (bus, origin) = (&engine.bus, Origin::new(account, None));
            bus.publish_after_commit(tx, origin, SessionEnded { account });
            // After the event, which ends what was cached of the account's rights.
            engine.live.recheck_after_commit(tx, vec![account]).await
        });
        write.await
    }

    /// Ends all sessions of an account but one.
    pub(super) async fn end_others(&self, account: AccountId, kept: &str) -> Result<()> {
        let (sessions, kept) = (self.clone(), kept.to_owned());
        let write = self.engine.db.write_protective(async move |tx| {
            sessions
                .end_all_but(tx, account, &kept, "ended_by_account")
                .await
        });
        write.await
    }

    /// Ends all sessions of an account but `kept`, in the transaction of their cause: with an empty
    /// `kept`, all.
    pub(super) async fn end_all_but(
        &self,
        tx: &mut Tx,
        account: AccountId,
        kept: &str,
        reason: &'static str,
    ) -> Result<()> {
        let ended = tx.all(END_OTHERS, (account, kept)).await?;
        self.announce_end(tx, ended, reason).await
    }

    /// Ends the sessions of an account that are too many, those first that were used longest ago.
    pub(super) async fn end_excess(&self, tx: &mut Tx, account: AccountId) -> Result<()> {
        const END: &str = "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions \
            WHERE account_id = $1 ORDER BY seen_at DESC LIMIT 1000 OFFSET $2) \
            RETURNING digest, account_id";
        lock_account(tx, account).await?;
        let ended: Vec<(String, AccountId)> = tx.all(END, (account, MAX_SESSIONS)).await?;
        self.announce_end(tx, ended, "too_many").await
    }

    /// Deletes sessions that have expired, and closes their sockets.
    pub(super) async fn end_expired(&self) -> Result<()> {
        const DELETE: &str =
            "DELETE FROM sessions WHERE expires_at <= $1 RETURNING digest, account_id";
        let sessions = self.clone();
        let write = self.engine.db.write_protective(async move |tx| {
            let ended = tx.all(DELETE, (Micros::now(),)).await?;
            sessions.announce_end(tx, ended, "expired").await
        });
        write.await
    }

    /// After the commit, closes the sockets of sessions that are deleted.
    async fn announce_end(
        &self,
        tx: &mut Tx,
        ended: Vec<(String, AccountId)>,
        reason: &'static str,
    ) -> Result<()> {
        let mut accounts: Vec<AccountId> = ended.iter().map(|(_, account)| *account).collect();
        accounts.dedup();
        let sessions = self.clone();
        tx.after_commit(move || {
            for (digest, account) in ended {
                sessions.open.invalidate(digest.as_str());
                SecurityEvent::SessionEnded.record(account, None, reason);
            }
        });
        for account in accounts.iter().copied() {
            let (bus, origin) = (&self.engine.bus, Origin::new(account, None));
            bus.publish_after_commit(tx, origin, SessionEnded { account });
        }
        // After the events, which end what was cached of the accounts' rights.
        self.engine.live.recheck_after_commit(tx, accounts).await
    }

    /// When the next session expires.
    pub(super) async fn next_expiry(&self) -> Result<Option<Micros>> {
        const READ: &str = "SELECT expires_at FROM sessions ORDER BY expires_at LIMIT 1";
        self.engine.db.optional_scalar(READ, ()).await
    }
}
