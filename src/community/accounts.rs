//! Accounts, found by name or e-mail address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::FromRow;
use unicode_segmentation::UnicodeSegmentation;

use super::cache::StoreCache;
use super::names::{check_name_of, name_key, name_skeleton};
use super::password_strength::is_easily_guessed;
use super::passwords::{self, Passwords, Sender};
use super::person::{MAX_LISTED, Person};
use super::presence_choice::PresenceChoice;
use super::topics::AccountChanged;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::text::{fold, has_excess_marks};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Theme;

pub(super) const MAX_NAME_CHARS: usize = 40; // graphemes
const MAX_LOGIN_BYTES: usize = 1_280; // no name or address is longer
const MAX_EMAIL_BYTES: usize = 254; // RFC 5321: the longest forward path, without its brackets

/// A person's account.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    /// Unique, and the same for as long as the account exists.
    pub id: AccountId,
    /// The name others see: the display name, else the user name.
    pub name: String,
    /// Unique; it signs in.
    pub user_name: String,
    /// Shown to nobody else.
    pub email: String,
    /// A tag such as `en`, if one was chosen; `None` follows the browser.
    pub language: Option<String>,
    /// `light` or `dark`, if one was chosen; `None` follows the device.
    pub theme: Option<String>,
    /// The hour that times of day go to, 12 or 24, if one was chosen; `None` follows the language.
    pub clock: Option<i64>,
    /// When it ends, if it is a guest's.
    pub guest_until: Option<Micros>,
    /// How it chose to be seen, until [`presence_until`](Self::presence_until).
    presence: PresenceChoice,
    /// When that ends; never, if none.
    presence_until: Option<Micros>,
    /// One emoji, or nothing.
    status_emoji: String,
    status: String,
    /// When the status ends; never, if none.
    status_until: Option<Micros>,
    /// See [`shows_reads`](Self::shows_reads).
    pub(super) shares_reads: bool,
}

impl Account {
    /// Whether people of its conversations who do the same see now what it has read there.
    pub fn shows_reads(&self) -> bool {
        self.shares_reads && self.presence().0 != PresenceChoice::Invisible
    }

    /// How it wants to be seen now, and until when.
    pub fn presence(&self) -> (PresenceChoice, Option<Micros>) {
        match self.presence_until {
            Some(until) if until <= Micros::now() => (PresenceChoice::Automatic, None),
            until => (self.presence, until),
        }
    }

    /// Emoji and text of its status; none once it has ended.
    pub fn status(&self) -> Option<AccountStatus> {
        let is_over = self
            .status_until
            .is_some_and(|until| until <= Micros::now());
        let is_empty = self.status.is_empty() && self.status_emoji.is_empty();
        (!is_over && !is_empty).then(|| AccountStatus {
            emoji: self.status_emoji.clone(),
            text: self.status.clone(),
            until: self.status_until,
        })
    }

    /// The unique name, where another one is shown.
    pub fn other_name(&self) -> Option<&str> {
        Some(self.user_name.as_str()).filter(|name| *name != self.name)
    }
}

/// What somebody tells of their day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStatus {
    /// One emoji, or nothing.
    pub emoji: String,
    /// A line; may be empty.
    pub text: String,
    /// When it ends; never, if none.
    pub until: Option<Micros>,
}

/// The form fields of a new account.
#[derive(Clone, Debug, Default)]
pub(super) struct NewAccount {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) password: String,
}

impl NewAccount {
    /// Normalizes the fields and records which are invalid. `community` is a name that no password
    /// may consist of.
    pub(super) fn check(&mut self, community: &str, check: &mut Check) {
        self.name = check_account_name(&self.name, check);
        self.email = check_email(&self.email, check);
        let own = [&*self.name, &*self.email, community];
        check_password(&self.password, &own, check);
    }
}

/// Records what is wrong with a new password. `own` are texts that no password may consist of, such
/// as the account's name.
pub(super) fn check_password(password: &str, own: &[&str], check: &mut Check) {
    let (min, max) = (passwords::MIN_CHARS, passwords::MAX_CHARS);
    let is_long = password.len() > passwords::MAX_BYTES;
    let chars = match is_long {
        true => max + 1,
        false => password.graphemes(true).count(),
    };
    let is_common = (min..=max).contains(&chars) && is_easily_guessed(password, own);
    check
        .that(chars >= min, "password", "error-password-short", min)
        .that(chars <= max, "password", "error-too-long", max)
        .that(!is_common, "password", "error-password-common", 0);
}

/// Normalizes the name of an account and records what is wrong with it.
pub(super) fn check_account_name(name: &str, check: &mut Check) -> String {
    let name = check_name_of(MAX_NAME_CHARS, name, "name", check);
    // A name that is somebody else's address would be ambiguous at sign-in. Other signs than @
    // become one in the key.
    let has_at = name_key(&name).contains('@');
    check.that(!has_at, "name", "error-name-at", 0);
    name
}

/// Normalizes an address and records what is wrong with it.
pub(super) fn check_email(email: &str, check: &mut Check) -> String {
    let email = email.trim().to_owned();
    check.that(is_email(&email), "email", "error-email", 0);
    email
}

fn is_email(text: &str) -> bool {
    // An address that reads as another one once it is a key.
    let is_plain = fold(text).matches('@').count() == 1 && !has_excess_marks(text);
    let has_both_parts = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    is_plain
        && has_both_parts
        && text.len() <= MAX_EMAIL_BYTES
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '<' || c == '>')
}

/// Inserts an account in the caller's transaction.
///
/// # Errors
/// `Invalid` when the name or the address is taken.
pub(super) async fn insert(tx: &mut Tx, new: &NewAccount, hash: &str) -> Result<AccountId> {
    let id = AccountId::new();
    let email_key = fold(&new.email);
    insert_row(tx, id, new, &email_key, hash).await?;
    Ok(id)
}

/// Inserts an account without an address or password, which nobody signs in to.
///
/// # Errors
/// `Invalid` when the name is taken.
pub(super) async fn insert_guest(tx: &mut Tx, name: &str, until: Micros) -> Result<AccountId> {
    const SET: &str = "UPDATE accounts SET guest_until = $2 WHERE id = $1";
    let id = AccountId::new();
    let new = NewAccount {
        name: name.to_owned(),
        ..NewAccount::default()
    };
    // No address has this form, and no password fits the empty hash.
    insert_row(tx, id, &new, &format!("guest:{id}"), "").await?;
    tx.execute(SET, (id, until)).await?;
    Ok(id)
}

async fn insert_row(
    tx: &mut Tx,
    id: AccountId,
    new: &NewAccount,
    email_key: &str,
    hash: &str,
) -> Result<()> {
    const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM accounts WHERE name_key = $1), \
        EXISTS (SELECT 1 FROM accounts WHERE email_key = $2), \
        EXISTS (SELECT 1 FROM accounts WHERE name_skeleton = $3)";
    let name_key = name_key(&new.name);
    let skeleton = name_skeleton(&new.name);
    let (name, email, looks_alike): (bool, bool, bool) =
        tx.one(TAKEN, (&name_key, email_key, &skeleton)).await?;
    Check::default()
        .that(!name, "name", "error-name-taken", 0)
        .that(name || !looks_alike, "name", "error-name-looks-alike", 0)
        .that(!email, "email", "error-email-taken", 0)
        .done()?;
    const INSERT: &str = "INSERT INTO accounts \
        (id, name, user_name, name_key, name_skeleton, email, email_key, password, created_at) \
        VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let inserted = tx
        .execute(
            INSERT,
            (
                id,
                &new.name,
                name_key,
                skeleton,
                &new.email,
                email_key,
                hash,
                Micros::now(),
            ),
        )
        .await?;
    // Another transaction has taken one of both since they were looked up.
    Check::default()
        .that(inserted > 0, "name", "error-name-taken", 0)
        .done()
}

/// The accounts of this server. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(super) engine: Engine,
    by_id: StoreCache<AccountId, Arc<Account>>,
    passwords: Arc<Passwords>,
    renames: Arc<AtomicU64>,
}

impl Accounts {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            by_id: StoreCache::new(engine),
            passwords: Arc::new(Passwords::new()),
            renames: Arc::default(),
            engine: engine.clone(),
        }
    }

    /// An account, by id.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn get(&self, id: AccountId) -> Result<Arc<Account>> {
        const READ: &str = "SELECT id, name, coalesce(user_name, name) AS user_name, email, language, \
            theme, clock, presence, presence_until, status_emoji, status, status_until, guest_until, \
            shares_reads             FROM accounts WHERE id = $1";
        let load = async |deps: &Dependencies| {
            deps.add(id);
            let account: Account = self.engine.db.one(READ, (id,)).await?;
            Ok(Arc::new(account))
        };
        self.by_id.get_or_load(id, load).await
    }

    /// The accounts that share a space with this one, by name, at most [`MAX_LISTED`].
    pub(super) async fn acquaintances(&self, account: AccountId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT id, name, NULL AS role FROM accounts \
            WHERE id <> $1 AND id IN (SELECT theirs.account_id FROM members mine \
            JOIN members theirs ON theirs.space_id = mine.space_id WHERE mine.account_id = $1) \
            ORDER BY name_key LIMIT $2";
        self.engine.db.all(READ, (account, MAX_LISTED)).await
    }

    /// The account with this name or address, and the hash of its password.
    pub(super) async fn find_by_login(&self, login: &str) -> Result<Option<(AccountId, String)>> {
        const READ: &str =
            "SELECT id, password FROM accounts WHERE email_key = $1 OR name_key = $2";
        if login.len() > MAX_LOGIN_BYTES {
            return Ok(None);
        }
        let keys = (fold(login), name_key(login));
        self.engine.db.optional(READ, keys).await
    }

    /// Whether a password matches a hash. Without a hash: `false`, after the same time.
    pub(super) async fn verify(
        &self,
        sender: Sender,
        password: String,
        hash: Option<String>,
    ) -> Result<bool> {
        Ok(password.len() <= passwords::MAX_BYTES
            && self.passwords.verify(sender, password, hash).await?)
    }

    /// Hashes a new password.
    pub(super) async fn hash_password(&self, password: &str) -> Result<String> {
        self.passwords.hash(password.to_owned()).await
    }

    /// Counts the names that were changed: part of the cache key of what names many people.
    pub fn renames(&self) -> u64 {
        self.renames.load(Ordering::Relaxed)
    }

    pub(super) fn count_rename(&self) {
        self.renames.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the language of an account's pages, and the hour that their times go to; `None` follows
    /// the browser. `clock` is 12 or 24.
    pub(super) async fn set_language(
        &self,
        id: AccountId,
        language: Option<String>,
        clock: Option<i64>,
    ) -> Result<()> {
        const SET: &str = "UPDATE accounts SET language = $2, clock = $3 WHERE id = $1";
        self.set(id, async move |tx| {
            tx.execute(SET, (id, language, clock)).await
        })
        .await
    }

    /// Sets the colours of an account's pages.
    pub(super) async fn set_theme(&self, id: AccountId, theme: Theme) -> Result<()> {
        const SET: &str = "UPDATE accounts SET theme = $2 WHERE id = $1";
        let theme = theme.name().map(str::to_owned);
        self.set(id, async move |tx| tx.execute(SET, (id, theme)).await)
            .await
    }

    /// Sets whether people of its conversations see what an account has read there.
    pub(super) async fn share_reads(&self, id: AccountId, shares: bool) -> Result<()> {
        const SET: &str = "UPDATE accounts SET shares_reads = $2 WHERE id = $1";
        self.set(id, async move |tx| tx.execute(SET, (id, shares)).await)
            .await
    }

    async fn set(
        &self,
        id: AccountId,
        set: impl AsyncFnOnce(&mut Tx) -> Result<u64> + Send + 'static,
    ) -> Result<()> {
        let bus = self.engine.bus.clone();
        let write = self.engine.db.write(async move |tx| {
            set(tx).await?;
            let origin = Origin::new(id, None);
            bus.publish_after_commit(tx, origin, AccountChanged { account: id });
            Ok(())
        });
        write.await
    }
}

/// `NotFound` if a statement changed no row.
pub(super) fn require_row(rows: u64) -> Result<()> {
    if rows > 0 {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_without_both_sides_is_refused() {
        for good in ["a@b", "ann.o+x@example.org", "ann@xn--bcher-kva.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "@", "a@", "@b", "a b@c", "a@b@c", "a@b>"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
