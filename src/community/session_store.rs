//! The session store: sessions are rows keyed by the digest of the cookie, so that they survive a
//! restart and can be listed and ended, while a stolen backup signs nobody in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult};

use super::access::lock_account;
use super::accounts::Accounts;
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::base::security_log::SecurityEvent;
use crate::base::telemetry::refused;
use crate::engine::Engine;
use crate::engine::rate_limit::Rate;
use crate::engine::versions::Snapshot;
use crate::engine::viewer::Address;

const MAX_CACHED: u64 = 50_000; // sessions, a few hundred bytes each
pub(super) const ACCOUNT: &str = "account"; // fields of a record
pub(super) const DEVICE: &str = "device";
pub(super) const ADDRESS: &str = "address";
pub(super) const BEGAN: &str = "began"; // microseconds
/// How long a session lives, however often it is used: then the password is asked for again, so
/// that a stolen cookie is not good for ever. Long, because who is asked often picks a bad one.
const MAX_SESSION_AGE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The stored sessions, with a cache. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sessions {
    pub(super) engine: Engine,
    pub(super) accounts: Accounts,
    /// Records by digest, without their cookie. They depend on their account, which changes when a
    /// session of it ends, on whichever instance.
    pub(super) open: Cache<Arc<str>, (Snapshot, Record)>,
    /// Sessions that are looked up in the database, by network: as many as requests of people who
    /// are not signed in. `None` without a limit of requests.
    lookups: Option<Arc<Rate<IpAddr>>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

/// The key that a session is stored under.
pub(super) fn digest(id: &Id) -> Arc<str> {
    secrets::digest(&id.to_string()).into()
}

fn backend_error(error: impl std::fmt::Display) -> StoreError {
    StoreError::Backend(error.to_string())
}

impl Sessions {
    pub(super) fn new(engine: &Engine, accounts: &Accounts) -> Self {
        let per_minute = engine.settings.requests_per_minute;
        Self {
            engine: engine.clone(),
            accounts: accounts.clone(),
            open: Cache::builder()
                .max_capacity(MAX_CACHED)
                .time_to_live(engine.settings.cache_ttl())
                .build(),
            lookups: (per_minute > 0)
                .then(|| Arc::new(Rate::new(per_minute, Duration::from_secs(60)))),
        }
    }

    /// Counts a request whose session has to be looked up in the database. Cookies that nobody was
    /// given cost a read each, before it is known whose request it is.
    ///
    /// # Errors
    /// `TooMany` past the limit of the network.
    pub(super) fn check_lookup(&self, id: &Id, address: IpAddr) -> Result<()> {
        let Some(lookups) = self.lookups.as_ref() else {
            return Ok(());
        };
        if self.open.contains_key(&*digest(id)) {
            return Ok(());
        }
        let checked = lookups.check(&Address(address).network());
        checked.map(drop).inspect_err(|_| {
            refused("session_lookups");
            SecurityEvent::LimitReached.record(None, address, "session_lookups");
        })
    }

    /// Drops the counters of networks that sent nothing lately.
    pub(super) fn evict(&self) {
        if let Some(lookups) = &self.lookups {
            lookups.evict();
        }
    }

    /// Whether this session still belongs to this account and has not ended.
    pub(super) async fn is_open(&self, digest: &str, account: AccountId) -> Result<bool> {
        let record = self.find(digest).await?;
        if record.is_none_or(|record| account_of(&record) != Some(account)) {
            return Ok(false);
        }
        let guest_until = self.accounts.get(account).await?.guest_until;
        Ok(guest_until.is_none_or(|until| until > Micros::now()))
    }

    async fn find(&self, digest: &str) -> Result<Option<Record>> {
        if let Some((snapshot, record)) = self.open.get(digest)
            && snapshot.is_fresh()
        {
            return Ok(Some(record).filter(|record| !is_over(record)));
        }
        const READ: &str = "SELECT data FROM sessions WHERE digest = $1 AND expires_at > $2";
        let data: Option<String> = self
            .engine
            .db
            .optional_scalar(READ, (digest, Micros::now()))
            .await?;
        let record = data.and_then(|data| serde_json::from_str::<Record>(&data).ok());
        let Some(record) = record.filter(|record| !is_over(record)) else {
            return Ok(None);
        };
        let key: Arc<str> = digest.into();
        let deps = self.engine.versions.dependencies();
        account_of(&record)
            .iter()
            .for_each(|account| deps.add(*account));
        self.open
            .insert(key.clone(), (deps.snapshot(), record.clone()));
        // The session may have been ended, and its cache entry removed, while it was being read and
        // before it was inserted: check once more.
        let is_open: bool = self
            .engine
            .db
            .scalar(
                "SELECT EXISTS (SELECT 1 FROM sessions WHERE digest = $1)",
                (digest,),
            )
            .await?;
        if !is_open {
            self.open.invalidate(&key);
            return Ok(None);
        }
        Ok(Some(record))
    }
}

fn account_of(record: &Record) -> Option<AccountId> {
    record
        .data
        .get(ACCOUNT)
        .and_then(|value| value.as_str()?.parse().ok())
}

/// Whether a session has been unused, or was used, for too long.
fn is_over(record: &Record) -> bool {
    // Without a beginning, its age is not known.
    let age = began(record).map(|began| Micros::now().since(began));
    record.expiry_date <= time::OffsetDateTime::now_utc()
        || age.is_none_or(|age| age > MAX_SESSION_AGE)
}

fn began(record: &Record) -> Option<Micros> {
    let began = record.data.get(BEGAN)?.as_i64()?;
    Some(Micros(began))
}

/// A field of a record that is text; empty without it.
fn text_of(record: &Record, field: &str) -> String {
    let text = record.data.get(field).and_then(|value| value.as_str());
    text.unwrap_or_default().to_owned()
}

/// A session as stored.
struct Row {
    key: Arc<str>,
    account: AccountId,
    data: String,
    address: String,
    expires: Micros,
    cached: Record,
}

impl Row {
    fn of(record: &Record) -> StoreResult<Self> {
        let account = account_of(record).ok_or_else(|| {
            StoreError::Encode("a session without an account is not stored".into())
        })?;
        // The row must not hold the cookie's id: whoever reads it could sign in.
        let cached = Record {
            id: Id(0),
            ..record.clone()
        };
        let data = serde_json::to_string(&cached)
            .map_err(|error| StoreError::Encode(error.to_string()))?;
        let unused = i64::try_from(record.expiry_date.unix_timestamp_nanos() / 1000);
        let too_old = began(record).unwrap_or(Micros(0)).plus(MAX_SESSION_AGE);
        let expires = Micros(unused.unwrap_or(i64::MAX)).min(too_old);
        Ok(Self {
            key: digest(&record.id),
            account,
            data,
            address: text_of(record, ADDRESS),
            expires,
            cached,
        })
    }
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        // Of an account that was suspended since its owner was let in there is no session.
        const CREATE: &str = "INSERT INTO sessions \
            (digest, account_id, data, device, created_at, seen_at, expires_at, address) \
            SELECT $1, $2, $3, $4, $5, $5, $6, $7 FROM accounts a WHERE a.id = $2 \
            AND NOT EXISTS (SELECT 1 FROM server_bans b WHERE b.account_id = $2 \
            AND (b.expires_at IS NULL OR b.expires_at > $5))";
        let device = text_of(record, DEVICE);
        let Row {
            key,
            account,
            data,
            address,
            expires,
            cached,
        } = Row::of(record)?;
        let sessions = self.clone();
        self.engine
            .db
            .write_protective(async move |tx| {
                let row = (
                    &*key,
                    account,
                    data,
                    device,
                    Micros::now(),
                    expires,
                    address,
                );
                lock_account(tx, account).await?;
                if tx.execute(CREATE, row).await? == 0 {
                    return Ok(());
                }
                sessions.end_excess(tx, account).await?;
                let deps = sessions.engine.versions.dependencies();
                tx.after_commit(move || {
                    // After the end of other sessions: that changed the account.
                    deps.add(account);
                    sessions.open.insert(key, (deps.snapshot(), cached));
                });
                Ok(())
            })
            .await
            .map_err(backend_error)
    }

    /// Only updates an existing row: a session that was ended during the request must not come
    /// back. An update only changes when the session was seen, so its failure, such as a full disk,
    /// does not fail the request.
    async fn save(&self, record: &Record) -> StoreResult<()> {
        const SAVE: &str = "UPDATE sessions SET data = $3, seen_at = $4, expires_at = $5, address = $6 \
            WHERE digest = $1 AND account_id = $2";
        let Row {
            key,
            account,
            data,
            address,
            expires,
            cached,
        } = Row::of(record)?;
        let cache = self.open.clone();
        let deps = self.engine.versions.dependencies();
        deps.add(account);
        let saved = self.engine.db.write(async move |tx| {
            let row = (&*key, account, data, Micros::now(), expires, address);
            if tx.execute(SAVE, row).await? > 0 {
                tx.after_commit(move || cache.insert(key, (deps.snapshot(), cached)));
            }
            Ok(())
        });
        if let Err(error) = saved.await {
            tracing::warn!(%error, "a session's last use was not stored");
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let record = self.find(&digest(id)).await.map_err(backend_error)?;
        Ok(record.map(|record| Record { id: *id, ..record }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let key = digest(id);
        let cache = self.open.clone();
        self.engine
            .db
            .write_protective(async move |tx| {
                tx.execute("DELETE FROM sessions WHERE digest = $1", (&*key,))
                    .await?;
                tx.after_commit(move || cache.invalidate(&key));
                Ok(())
            })
            .await
            .map_err(backend_error)
    }
}
