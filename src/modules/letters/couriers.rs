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
}

impl Post {
    pub(super) fn is_active(&self) -> bool {
        self.state == "active"
    }

    /// Whether a place is in its branch.
    pub(super) fn covers(&self, code: &str) -> bool {
        code.starts_with(&self.branch)
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
        "SELECT c.account_id, a.name, c.rank, c.branch, c.state, c.about, c.delivered \
         FROM letter_couriers c JOIN accounts a ON a.id = c.account_id "
    };
}

const OF: &str = concat!(
    post_columns!(),
    "WHERE c.space_id = $1 AND c.account_id = $2"
);

/// The post of an account in a space, if it has one or applied.
pub(super) async fn of(db: &Db, space: SpaceId, account: AccountId) -> Result<Option<Post>> {
    db.optional(OF, (space, account)).await
}

/// The same in a transaction, of a member: who left the space holds no post.
pub(super) async fn in_tx(tx: &mut Tx, space: SpaceId, account: AccountId) -> Result<Option<Post>> {
    const IN_SPACE: &str = concat!(
        post_columns!(),
        "JOIN members m ON m.space_id = c.space_id AND m.account_id = c.account_id \
         WHERE c.space_id = $1 AND c.account_id = $2"
    );
    tx.optional(IN_SPACE, (space, account)).await
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
