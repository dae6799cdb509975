//! Contests in which members design envelopes: what there is, and how it is stored.

use sqlx::FromRow;

use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::files::FileId;
use crate::id;

id!(
    /// A contest for envelopes.
    ContestId
);
id!(
    /// A design of an envelope.
    DesignId
);

/// Contests of a space, closed ones included.
pub const MAX_CONTESTS: i64 = 200;
/// Contests of a space that are open at a time.
pub const MAX_OPEN_CONTESTS: i64 = 3;
/// Designs of one contest.
pub const MAX_DESIGNS: i64 = 200;
/// Characters (graphemes) of the name of a contest or a design.
pub const MAX_CONTEST_TITLE_CHARS: usize = 80;
/// Contests that a page lists.
const MAX_CONTESTS_LISTED: i64 = 20;
/// Envelopes of a space that points buy.
const MAX_ENVELOPES_LISTED: i64 = 100;

/// A contest.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Contest {
    pub(super) id: ContestId,
    pub(super) space_id: SpaceId,
    pub(super) title: String,
    pub(super) closed_at: Option<Micros>,
}

impl Contest {
    pub(super) fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

/// A design.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Design {
    pub(super) id: DesignId,
    pub(super) contest_id: ContestId,
    pub(super) space_id: SpaceId,
    /// Nothing once they left the server.
    pub(super) author_id: Option<AccountId>,
    pub(super) author: String,
    pub(super) title: String,
    pub(super) file_id: FileId,
    pub(super) won_at: Option<Micros>,
    pub(super) votes: i64,
}

macro_rules! contest_columns {
    () => {
        "SELECT id, space_id, title, closed_at FROM letter_contests "
    };
}

macro_rules! design_query {
    () => {
        "SELECT d.id, d.contest_id, d.space_id, d.author_id, COALESCE(a.name, '') AS author, \
         d.title, d.file_id, d.won_at, \
         (SELECT COUNT(*) FROM letter_votes v WHERE v.design_id = d.id) AS votes \
         FROM letter_designs d LEFT JOIN accounts a ON a.id = d.author_id "
    };
}

/// The contests of a space, the latest first.
pub(super) async fn list(db: &Db, space: SpaceId) -> Result<Vec<Contest>> {
    const READ: &str = concat!(
        contest_columns!(),
        "WHERE space_id = $1 ORDER BY id DESC LIMIT $2"
    );
    db.all(READ, (space, MAX_CONTESTS_LISTED)).await
}

/// A contest.
///
/// # Errors
/// `NotFound`.
pub(super) async fn find(db: &Db, id: ContestId) -> Result<Contest> {
    const FIND: &str = concat!(contest_columns!(), "WHERE id = $1");
    db.one(FIND, (id,)).await
}

/// A contest, which others that change it wait for.
///
/// # Errors
/// `NotFound`.
pub(super) async fn lock(tx: &mut Tx, id: ContestId) -> Result<Contest> {
    const LOCK: &str = "SELECT id FROM letter_contests WHERE id = $1 FOR NO KEY UPDATE";
    const FIND: &str = concat!(contest_columns!(), "WHERE id = $1");
    tx.lock::<(i64,)>(LOCK, (id,)).await?;
    tx.one(FIND, (id,)).await
}

/// The designs of a contest, in the order in which they were proposed.
pub(super) async fn designs(db: &Db, contest: ContestId) -> Result<Vec<Design>> {
    const READ: &str = concat!(
        design_query!(),
        "WHERE d.contest_id = $1 ORDER BY d.id LIMIT $2"
    );
    db.all(READ, (contest, MAX_DESIGNS)).await
}

/// A design.
///
/// # Errors
/// `NotFound`.
pub(super) async fn design(db: &Db, id: DesignId) -> Result<Design> {
    const FIND: &str = concat!(design_query!(), "WHERE d.id = $1");
    db.one(FIND, (id,)).await
}

/// The design with the most votes, of equals the earliest.
pub(super) async fn leading(tx: &mut Tx, contest: ContestId) -> Result<Option<Design>> {
    const FIND: &str = concat!(
        design_query!(),
        "WHERE d.contest_id = $1 ORDER BY votes DESC, d.id LIMIT 1"
    );
    tx.optional(FIND, (contest,)).await
}

/// The designs of a space that won, the latest first: what points buy.
pub(super) async fn winners(db: &Db, space: SpaceId) -> Result<Vec<Design>> {
    const READ: &str = concat!(
        design_query!(),
        "WHERE d.space_id = $1 AND d.won_at IS NOT NULL ORDER BY d.id DESC LIMIT $2"
    );
    db.all(READ, (space, MAX_ENVELOPES_LISTED)).await
}

/// For which design somebody voted in a contest.
pub(super) async fn vote_of(
    db: &Db,
    contest: ContestId,
    account: AccountId,
) -> Result<Option<DesignId>> {
    const FIND: &str =
        "SELECT design_id FROM letter_votes WHERE contest_id = $1 AND account_id = $2";
    db.optional_scalar(FIND, (contest, account)).await
}

/// The designs of an account that are not envelopes, and all of it where `all`.
pub(super) async fn of_author(tx: &mut Tx, of: AccountId, all: bool) -> Result<Vec<DesignId>> {
    const READ: &str = "SELECT id FROM letter_designs WHERE author_id = $1 \
        AND (won_at IS NULL OR $2) ORDER BY id LIMIT 100";
    tx.scalars(READ, (of, all)).await
}
