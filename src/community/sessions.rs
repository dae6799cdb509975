//! Sessions: who a cookie belongs to. PartCache in the database under the digest of the cookie, so
//! they survive a restart and can be listed and ended, and a stolen backup signs nobody in.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use moka::sync::Cache;
use sqlx::FromRow;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult};
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};

use super::Community;
use super::topics::SessionEnded;
use crate::base::clock::Micros;
use crate::base::db::Db;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;
use crate::engine::web::RequestContext;

const ACCOUNT: &str = "account";
const DEVICE: &str = "device";
const SEEN: &str = "seen";
// After which a session ends by itself.
const SESSION_TTL: time::Duration = time::Duration::days(30);
const SEEN_INTERVAL: Duration = Duration::from_secs(3600); // how exactly "last seen" is kept: a write an hour, not a request
const MAX_DEVICE_CHARS: usize = 200; // characters kept of what a browser calls itself

/// A session, as its person sees it in the settings.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OpenSession {
    pub(super) digest: String,
    pub(super) device: String,
    pub(super) created_at: Micros,
    pub(super) seen_at: Micros,
}

/// The stored sessions, with the used ones at hand. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sessions {
    db: Db,
    open: Cache<Arc<str>, Record>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

fn digest(id: &Id) -> Arc<str> {
    secrets::digest(&id.to_string()).into()
}

fn backend(error: impl std::fmt::Display) -> StoreError {
    StoreError::Backend(error.to_string())
}

impl Sessions {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            db: engine.db.clone(),
            open: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(engine.settings.cache_ttl())
                .build(),
        }
    }

    /// Whether this session still belongs to this account and has not ended.
    pub(super) async fn is_open(&self, digest: &str, account: AccountId) -> bool {
        match self.find(digest).await {
            Ok(Some(record)) => account_of(&record) == Some(account),
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "a session could not be checked, so it is not believed");
                false
            }
        }
    }

    async fn find(&self, digest: &str) -> Result<Option<Record>> {
        let now = time::OffsetDateTime::now_utc();
        if let Some(record) = self.open.get(digest) {
            return Ok(Some(record).filter(|record| record.expiry_date > now));
        }
        const READ: &str = "SELECT data FROM sessions WHERE digest = $1 AND expires_at > $2";
        let data: Option<String> = self
            .db
            .optional_scalar(READ, (digest, Micros::now()))
            .await?;
        let Some(record) = data.and_then(|data| serde_json::from_str::<Record>(&data).ok()) else {
            return Ok(None);
        };
        let key: Arc<str> = digest.into();
        self.open.insert(key.clone(), record.clone());
        // Ended while it was being read: the end has cleared the cache already, so look once more.
        let still: bool = self
            .db
            .scalar(
                "SELECT EXISTS (SELECT 1 FROM sessions WHERE digest = $1)",
                (digest,),
            )
            .await?;
        if !still {
            self.open.invalidate(&key);
            return Ok(None);
        }
        Ok(Some(record))
    }

    async fn list(&self, account: AccountId) -> Result<Vec<OpenSession>> {
        const READ: &str = "SELECT digest, device, created_at, seen_at FROM sessions \
            WHERE account_id = $1 AND expires_at > $2 ORDER BY seen_at DESC LIMIT 100";
        self.db.all(READ, (account, Micros::now())).await
    }
}

fn account_of(record: &Record) -> Option<AccountId> {
    record
        .data
        .get(ACCOUNT)
        .and_then(|value| value.as_str()?.parse().ok())
}

/// A session as it is stored.
struct Row {
    key: Arc<str>,
    account: AccountId,
    data: String,
    expires: Micros,
    kept: Record,
}

impl Row {
    fn of(record: &Record) -> StoreResult<Self> {
        let account = account_of(record)
            .ok_or_else(|| StoreError::Encode("a session without an account is not kept".into()))?;
        // The row must not hold what would sign in: neither the cookie nor anything it can be made
        // from.
        let kept = Record {
            id: Id(0),
            ..record.clone()
        };
        let data =
            serde_json::to_string(&kept).map_err(|error| StoreError::Encode(error.to_string()))?;
        let expires = Micros(
            i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX),
        );
        Ok(Self {
            key: digest(&record.id),
            account,
            data,
            expires,
            kept,
        })
    }
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        const CREATE: &str = "INSERT INTO sessions (digest, account_id, data, device, created_at, seen_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $5, $6)";
        let device = record
            .data
            .get(DEVICE)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned();
        let Row {
            key,
            account,
            data,
            expires,
            kept,
        } = Row::of(record)?;
        let cache = self.open.clone();
        self.db
            .write_queued(async move |tx| {
                let row = (&*key, account, data, device, Micros::now(), expires);
                tx.execute(CREATE, row).await?;
                tx.after_commit(move || cache.insert(key, kept));
                Ok(())
            })
            .await
            .map_err(backend)
    }

    /// Only ever changes a session that is there: one that was ended while this request ran must
    /// not come back. All that changes is when it was seen; a full disk that cannot keep that is no
    /// reason to refuse the page.
    async fn save(&self, record: &Record) -> StoreResult<()> {
        const SAVE: &str = "UPDATE sessions SET data = $3, seen_at = $4, expires_at = $5 WHERE digest = $1 AND account_id = $2";
        let Row {
            key,
            account,
            data,
            expires,
            kept,
        } = Row::of(record)?;
        let cache = self.open.clone();
        let saved = self.db.write(async move |tx| {
            let row = (&*key, account, data, Micros::now(), expires);
            if tx.execute(SAVE, row).await? > 0 {
                tx.after_commit(move || cache.insert(key, kept));
            }
            Ok(())
        });
        if let Err(error) = saved.await {
            tracing::warn!(%error, "when a session was seen was not kept");
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let record = self.find(&digest(id)).await.map_err(backend)?;
        Ok(record.map(|record| Record { id: *id, ..record }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let key = digest(id);
        let cache = self.open.clone();
        self.db
            .write_queued(async move |tx| {
                tx.execute("DELETE FROM sessions WHERE digest = $1", (&*key,))
                    .await?;
                tx.after_commit(move || cache.invalidate(&key));
                Ok(())
            })
            .await
            .map_err(backend)
    }
}

/// Puts the session layer and the question "who is this?" in front of a router.
pub(super) fn guard(community: &Community, router: Router) -> Router {
    let engine = community.engine();
    let layer = SessionManagerLayer::new(community.0.sessions.clone())
        .with_name("tidepool")
        .with_secure(engine.settings.https)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(SESSION_TTL));
    router.layer((layer, from_fn_with_state(community.clone(), recognise)))
}

async fn recognise(
    State(community): State<Community>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    match community.viewer(&session, request.headers()).await {
        Ok(Some(viewer)) => {
            RequestContext::set_viewer(&mut request, viewer);
        }
        Ok(None) => {}
        Err(error) => return axum::response::IntoResponse::into_response(error),
    }
    next.run(request).await
}

impl Community {
    async fn viewer(&self, session: &Session, headers: &HeaderMap) -> Result<Option<Viewer>> {
        let broken =
            |error: tower_sessions::session::Error| Error::Internal(anyhow::Error::new(error));
        let Some(account) = session.get::<AccountId>(ACCOUNT).await.map_err(broken)? else {
            return Ok(None);
        };
        let Some(id) = session.id() else {
            return Ok(None);
        };
        let account = self.account(account).await?;
        let seen = Micros(session.get::<i64>(SEEN).await.map_err(broken)?.unwrap_or(0));
        if Micros::now().since(seen) > SEEN_INTERVAL {
            session
                .insert(SEEN, Micros::now().0)
                .await
                .map_err(broken)?;
        }
        let accepts = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        let lang = Lang::negotiate(account.language.as_deref(), accepts);
        Ok(Some(Viewer {
            account: account.id,
            name: account.name.as_str().into(),
            session: digest(&id),
            lang,
        }))
    }

    /// Signs in: a fresh session for this account on this device.
    pub(super) async fn sign_in(
        &self,
        session: &Session,
        account: AccountId,
        headers: &HeaderMap,
    ) -> Result<()> {
        let broken =
            |error: tower_sessions::session::Error| Error::Internal(anyhow::Error::new(error));
        // Whatever session the cookie named ends here: an id known before signing in must not be
        // worth more after it.
        if let Some(id) = session.id() {
            if let Some(before) = session.get::<AccountId>(ACCOUNT).await.map_err(broken)? {
                drop(self.end_session(before, &digest(&id)).await); // closes its sockets too
            }
            session.clear().await;
            session.cycle_id().await.map_err(broken)?; // `flush` alone would keep the id
        }
        let device: String = headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .chars()
            .take(MAX_DEVICE_CHARS)
            .collect();
        session.insert(ACCOUNT, account).await.map_err(broken)?;
        session.insert(DEVICE, device).await.map_err(broken)?;
        session.insert(SEEN, Micros::now().0).await.map_err(broken)
    }

    /// The open sessions of an account, last seen first.
    pub(super) async fn sessions_of(&self, account: AccountId) -> Result<Vec<OpenSession>> {
        self.0.sessions.list(account).await
    }

    /// Ends one session of an account. Its sockets are closed before another frame passes.
    ///
    /// # Errors
    /// `NotFound` when it is not a session of this account.
    pub(super) async fn end_session(&self, account: AccountId, digest: &str) -> Result<()> {
        let key: Arc<str> = digest.into();
        let (cache, engine) = (self.0.sessions.open.clone(), self.0.engine.clone());
        self.0
            .engine
            .db
            .write(async move |tx| {
                const END: &str = "DELETE FROM sessions WHERE digest = $1 AND account_id = $2";
                let done = tx.execute(END, (&*key, account)).await?;
                super::accounts::touched(done)?;
                tx.after_commit(move || {
                    cache.invalidate(&key);
                    engine.live.recheck(account);
                    engine
                        .bus
                        .publish(Origin::new(account, None), SessionEnded { account });
                });
                Ok(())
            })
            .await
    }

    /// Deletes sessions that have expired. Called every ten minutes.
    pub(super) async fn forget_expired_sessions(&self) -> Result<()> {
        self.0
            .engine
            .db
            .write(async move |tx| {
                tx.execute(
                    "DELETE FROM sessions WHERE expires_at <= $1",
                    (Micros::now(),),
                )
                .await?;
                Ok(())
            })
            .await
    }
}
