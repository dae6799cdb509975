//! Links by which people without an account watch a terminal: they see its screen and nothing else.
//! A link is a secret, of which the digest is stored.

use std::time::Duration;

use sqlx::FromRow;

use super::model::{TerminalId, TerminalRow};
use super::{LINK, Terminals, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::secrets;
use crate::community::permissions::is_granted;
use crate::id;

id!(
    /// A link to a terminal for people without an account.
    GuestLinkId
);

/// Links of one terminal that are valid at once.
pub(super) const MAX_LINKS_PER_TERMINAL: i64 = 10;
/// What every secret begins with, so that scanners of leaked secrets recognise one.
const PREFIX: &str = "tpl_";
/// How long links are valid, as the form offers it.
const TTLS: [(&str, u64); 3] = [("hour", 3_600), ("day", 86_400), ("week", 7 * 86_400)];

/// A link, without its secret.
#[derive(Clone, Debug, FromRow)]
pub(super) struct GuestLink {
    pub(super) id: GuestLinkId,
    pub(super) created_at: Micros,
    pub(super) expires_at: Micros,
}

/// How long a link is to be valid.
///
/// # Errors
/// `Invalid` for what is not offered.
pub(super) fn ttl(name: &str) -> Result<Duration> {
    let found = TTLS.iter().find(|(offered, _)| *offered == name);
    let found = found.map(|(_, seconds)| Duration::from_secs(*seconds));
    found.ok_or_else(|| Error::field("ttl", "error-message-shape"))
}

/// A new secret, and what is stored of it.
pub(super) fn new_secret() -> (String, String) {
    let secret = format!("{PREFIX}{}", secrets::token());
    let digest = secrets::digest(&secret);
    (secret, digest)
}

/// Stores a link to a terminal that is locked, and deletes those that are no longer valid.
///
/// # Errors
/// `Full` past [`MAX_LINKS_PER_TERMINAL`].
pub(super) async fn add(
    tx: &mut Tx,
    terminal: TerminalId,
    digest: &str,
    ttl: Duration,
) -> Result<()> {
    let now = Micros::now();
    const EXPIRED: &str = "DELETE FROM terminal_links WHERE terminal_id = $1 AND expires_at <= $2";
    tx.execute(EXPIRED, (terminal, now)).await?;
    const COUNT: &str = "SELECT COUNT(*) FROM terminal_links WHERE terminal_id = $1";
    let count: i64 = tx.scalar(COUNT, (terminal,)).await?;
    if count >= MAX_LINKS_PER_TERMINAL {
        return Err(Error::Full("error-terminal-links"));
    }
    const ADD: &str = "INSERT INTO terminal_links \
        (id, terminal_id, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    let row = (GuestLinkId::new(), terminal, digest, now, now.plus(ttl));
    tx.execute(ADD, row).await.map(drop)
}

/// The valid links of a terminal, the newest first.
pub(super) async fn of_terminal(db: &Db, terminal: TerminalId) -> Result<Vec<GuestLink>> {
    const READ: &str = "SELECT id, created_at, expires_at FROM terminal_links \
        WHERE terminal_id = $1 AND expires_at > $2 ORDER BY id DESC";
    db.all(READ, (terminal, Micros::now())).await
}

/// Revokes a link of a terminal.
///
/// # Errors
/// `NotFound` when it is not there.
pub(super) async fn delete(tx: &mut Tx, terminal: TerminalId, link: GuestLinkId) -> Result<()> {
    const DELETE: &str = "DELETE FROM terminal_links WHERE id = $1 AND terminal_id = $2";
    match tx.execute(DELETE, (link, terminal)).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

impl Terminals {
    /// The terminal that a link leads to.
    ///
    /// # Errors
    /// `NotFound` for one that is unknown, revoked or expired, or whose terminal has ended.
    pub(super) async fn find_by_link(&self, secret: &str) -> Result<(GuestLinkId, TerminalRow)> {
        if !secret.starts_with(PREFIX) || secret.len() > 100 {
            return Err(Error::NotFound);
        }
        const FIND: &str = "SELECT id, terminal_id FROM terminal_links WHERE digest = $1";
        let digest = secrets::digest(secret);
        let found: Option<(GuestLinkId, TerminalId)> =
            self.engine.db.optional(FIND, (digest,)).await?;
        let (link, terminal) = found.ok_or(Error::NotFound)?;
        let row = store::get(&self.engine.db, terminal).await?;
        match self.is_link_valid(link, &row).await? {
            true => Ok((link, row)),
            false => Err(Error::NotFound),
        }
    }

    /// Whether a link is there, has not expired, and its terminal's host may have links.
    pub(super) async fn is_link_valid(&self, link: GuestLinkId, row: &TerminalRow) -> Result<bool> {
        const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM terminal_links l \
            JOIN terminals t ON t.id = l.terminal_id \
            WHERE l.id = $1 AND l.expires_at > $2 AND t.ended_at IS NULL)";
        let db = &self.engine.db;
        if !db.scalar::<bool>(IS_THERE, (link, Micros::now())).await? {
            return Ok(false);
        }
        let access = &self.community.access;
        is_granted(access.permit_in_room(row.host, &LINK, row.room).await)
    }
}
