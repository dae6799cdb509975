//! Couriers: one post of four ranks over a branch of the places. Each rank appoints and oversees
//! the one below it, in its own branch; organisers appoint any.

use sqlx::FromRow;

use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// Carries between the points of an area, or of one point.
pub(super) const CARRIER: i64 = 1;
/// Runs an area.
pub(super) const SORTER: i64 = 2;
/// Runs a school or town.
pub(super) const POSTMASTER: i64 = 3;
/// Runs all places of the space.
pub(super) const DIRECTOR: i64 = 4;

/// Couriers of a space, applications included.
pub const MAX_COURIERS: i64 = 2_000;
/// Characters (graphemes) of what an applicant writes.
pub const MAX_COURIER_ABOUT_CHARS: usize = 300;
/// Couriers that a page lists.
pub(super) const MAX_COURIERS_LISTED: i64 = 200;

/// The post of a courier.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Post {
    pub(super) account_id: AccountId,
    pub(super) name: String,
    pub(super) rank: i64,
    /// The beginning of the codes of its places: empty for all.
    pub(super) branch: String,
    /// `applied`, `active` or `paused`.
    pub(super) state: String,
    pub(super) about: String,
    /// Letters delivered.
    pub(super) delivered: i64,
    /// When they carry: days as bits from Monday on, and hours.
    pub(super) days: i64,
    pub(super) from_hour: i64,
    pub(super) until_hour: i64,
    /// Who stands in while they pause, or nothing.
    pub(super) substitute: String,
    /// The couriers for whom they stand in now, and the branches of these.
    #[sqlx(skip)]
    pub(super) stands_in: Vec<(AccountId, String)>,
}

impl Post {
    pub(super) fn is_active(&self) -> bool {
        self.state == "active"
    }

    /// Whether a place is in its branch, or in that of somebody for whom they stand in.
    pub(super) fn covers(&self, code: &str) -> bool {
        self.branches().any(|branch| code.starts_with(branch))
    }

    /// Its branch, and those of the couriers for whom they stand in.
    pub(super) fn branches(&self) -> impl Iterator<Item = &str> {
        let others = self.stands_in.iter().map(|(_, branch)| &**branch);
        std::iter::once(&*self.branch).chain(others)
    }

    /// Whether they stand in for a courier now.
    pub(super) fn stands_in_for(&self, other: AccountId) -> bool {
        self.stands_in.iter().any(|(account, _)| *account == other)
    }

    /// Whether a day of the week is one of theirs: 0 is Monday.
    pub(super) fn has_day(&self, day: i64) -> bool {
        self.days & (1 << day) != 0
    }
}

/// Whether a branch has the length for a rank: a carrier has an area or a point.
pub(super) fn fits_rank(rank: i64, branch: &str) -> bool {
    match rank {
        CARRIER => matches!(branch.len(), 4 | 6),
        SORTER => branch.len() == 4,
        POSTMASTER => branch.len() == 2,
        DIRECTOR => branch.is_empty(),
        _ => false,
    }
}

/// Whether somebody decides about a courier of this rank and branch.
pub(super) fn may_oversee(
    is_organiser: bool,
    post: Option<&Post>,
    (rank, branch): (i64, &str),
) -> bool {
    is_organiser
        || post.is_some_and(|post| {
            post.is_active() && post.rank == rank + 1 && branch.starts_with(&post.branch)
        })
}

macro_rules! post_columns {
    () => {
        "SELECT c.account_id, a.name, c.rank, c.branch, c.state, c.about, c.delivered, \
         c.days, c.from_hour, c.until_hour, COALESCE(b.name, '') AS substitute \
         FROM letter_couriers c JOIN accounts a ON a.id = c.account_id \
         LEFT JOIN accounts b ON b.id = c.substitute_id "
    };
}

const OF: &str = concat!(
    post_columns!(),
    "WHERE c.space_id = $1 AND c.account_id = $2"
);

/// The post of an account in a space, if it has one or applied.
pub(super) async fn of(db: &Db, space: SpaceId, account: AccountId) -> Result<Option<Post>> {
    let mut post: Option<Post> = db.optional(OF, (space, account)).await?;
    if let Some(post) = &mut post {
        post.stands_in = db.all(STANDS_IN, (space, account)).await?;
    }
    Ok(post)
}

const STANDS_IN: &str = "SELECT account_id, branch FROM letter_couriers \
    WHERE space_id = $1 AND substitute_id = $2 AND state = 'paused' ORDER BY account_id LIMIT 50";

/// The same in a transaction, of a member: who left the space holds no post.
pub(super) async fn in_tx(tx: &mut Tx, space: SpaceId, account: AccountId) -> Result<Option<Post>> {
    const IN_SPACE: &str = concat!(
        post_columns!(),
        "JOIN members m ON m.space_id = c.space_id AND m.account_id = c.account_id \
         WHERE c.space_id = $1 AND c.account_id = $2"
    );
    let mut post: Option<Post> = tx.optional(IN_SPACE, (space, account)).await?;
    if let Some(post) = &mut post {
        post.stands_in = tx.all(STANDS_IN, (space, account)).await?;
    }
    Ok(post)
}

/// The active couriers of this rank who have a place in their branch, or, where there are none, of
/// the next rank above that has some: the rank, and a few of them.
pub(super) async fn overseers(
    tx: &mut Tx,
    space: SpaceId,
    (rank, code): (i64, &str),
) -> Result<Option<(i64, Vec<AccountId>)>> {
    const READ: &str = "SELECT c.rank, c.account_id FROM letter_couriers c \
        JOIN members m ON m.space_id = c.space_id AND m.account_id = c.account_id \
        WHERE c.space_id = $1 AND c.state = 'active' AND c.rank >= $2 \
        AND $3 LIKE c.branch || '%' ORDER BY c.rank, c.account_id LIMIT 20";
    let found: Vec<(i64, AccountId)> = tx.all(READ, (space, rank, code)).await?;
    Ok(found.first().map(|(first, _)| {
        let same = found.iter().filter(|(rank, _)| rank == first);
        (*first, same.map(|(_, account)| *account).collect())
    }))
}

/// The couriers of a space and who applied, the highest rank first: a page after one of them.
pub(super) async fn list(db: &Db, space: SpaceId, after: Option<AccountId>) -> Result<Vec<Post>> {
    const READ: &str = concat!(
        post_columns!(),
        "JOIN members m ON m.space_id = c.space_id AND m.account_id = c.account_id \
         WHERE c.space_id = $1 AND ($2 IS NULL OR EXISTS (SELECT 1 FROM letter_couriers o \
         WHERE o.space_id = $1 AND o.account_id = $2 AND (c.rank < o.rank OR (c.rank = o.rank \
         AND (c.branch > o.branch OR (c.branch = o.branch AND c.account_id > o.account_id)))))) \
         ORDER BY c.rank DESC, c.branch, c.account_id LIMIT $3"
    );
    db.all(READ, (space, after, MAX_COURIERS_LISTED)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(rank: i64, branch: &str, state: &str) -> Post {
        Post {
            account_id: AccountId(1),
            name: String::new(),
            rank,
            branch: branch.to_owned(),
            state: state.to_owned(),
            about: String::new(),
            delivered: 0,
            days: 127,
            from_hour: 0,
            until_hour: 24,
            substitute: String::new(),
            stands_in: Vec::new(),
        }
    }

    #[test]
    fn each_rank_oversees_the_one_below_in_its_branch() {
        let branches = ["", "AA", "AABB", "AABBCC", "ZZ", "ZZBB"];
        for rank in CARRIER..=DIRECTOR {
            for branch in branches {
                let of = (rank, branch);
                for by in CARRIER..=DIRECTOR {
                    let own = post(by, if by == DIRECTOR { "" } else { "AA" }, "active");
                    let may = may_oversee(false, Some(&own), of);
                    assert_eq!(may, by == rank + 1 && branch.starts_with(&own.branch));
                    let paused = post(by, "", "paused");
                    assert!(!may_oversee(false, Some(&paused), of));
                }
                assert!(may_oversee(true, None, of) && !may_oversee(false, None, of));
            }
        }
        assert!(fits_rank(CARRIER, "AABBCC") && !fits_rank(SORTER, "AABBCC"));
        assert!(fits_rank(DIRECTOR, "") && !fits_rank(CARRIER, "AA") && !fits_rank(5, ""));
    }
}
