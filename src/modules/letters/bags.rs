//! Bags: many letters under the code of one sticker, which stays on the bag. While letters are in a
//! bag they are carried with it: what happens to it happens to all of them in one transaction.

use sqlx::FromRow;

use super::couriers::Post;
use super::model::LetterId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::id;

id!(
    /// A bag, from when it is packed until it is opened.
    BagId
);

/// Letters of one bag.
pub const MAX_BAG_LETTERS: usize = 100;
/// Bags that one courier has at a time.
pub const MAX_BAGS: i64 = 20;

/// A bag that is not opened.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Bag {
    pub(super) id: BagId,
    pub(super) space_id: SpaceId,
    pub(super) code: String,
    pub(super) holder_id: Option<AccountId>,
    pub(super) holder: String,
    pub(super) offered_to: Option<AccountId>,
    /// Letters in it.
    pub(super) letters: i64,
}

macro_rules! bag_query {
    () => {
        "SELECT b.id, b.space_id, b.code, b.holder_id, COALESCE(a.name, '') AS holder, \
         b.offered_to, (SELECT COUNT(*) FROM letters l WHERE l.bag_id = b.id) AS letters \
         FROM letter_bags b LEFT JOIN accounts a ON a.id = b.holder_id WHERE b.opened_at IS NULL "
    };
}

impl Bag {
    /// Its code as people read it.
    pub(super) fn shown(&self) -> String {
        super::codes::shown(&self.code)
    }
}

/// The bags that a courier has or is offered, as a page lists them.
pub(super) async fn of_courier(db: &Db, space: SpaceId, of: AccountId) -> Result<Vec<Bag>> {
    const READ: &str = concat!(
        bag_query!(),
        "AND b.space_id = $1 AND (b.holder_id = $2 OR b.offered_to = $2) ORDER BY b.id LIMIT $3"
    );
    db.all(READ, (space, of, 2 * MAX_BAGS)).await
}

/// The bag with a code that is not opened.
pub(super) async fn with_code(db: &Db, code: &str) -> Result<Option<Bag>> {
    const FIND: &str = concat!(bag_query!(), "AND b.code = $1");
    db.optional(FIND, (code,)).await
}

/// A bag.
///
/// # Errors
/// `NotFound` also once it is opened.
pub(super) async fn find(db: &Db, id: BagId) -> Result<Bag> {
    const FIND: &str = concat!(bag_query!(), "AND b.id = $1");
    db.one(FIND, (id,)).await
}

/// A bag that is not opened, which others that change it wait for.
///
/// # Errors
/// `NotFound` also once it is opened.
pub(super) async fn lock(tx: &mut Tx, id: BagId) -> Result<Bag> {
    const LOCK: &str = "SELECT id FROM letter_bags WHERE id = $1 FOR NO KEY UPDATE";
    const FIND: &str = concat!(bag_query!(), "AND b.id = $1");
    tx.lock::<(i64,)>(LOCK, (id,)).await?;
    tx.one(FIND, (id,)).await
}

/// The bag with the code of a sticker, locked; it is packed anew where there is none.
///
/// # Errors
/// `Invalid` for a code that is no sticker of the space, or that of a letter; `Full`.
pub(super) async fn open_or_pack(
    tx: &mut Tx,
    space: SpaceId,
    code: &str,
    by: AccountId,
) -> Result<Bag> {
    const MARK: &str = "UPDATE letter_stickers SET is_bag = TRUE \
        WHERE code = $1 AND space_id = $2 AND letter_id IS NULL";
    const FIND: &str = "SELECT id FROM letter_bags WHERE code = $1 AND opened_at IS NULL";
    const COUNT: &str = "SELECT COUNT(*) FROM letter_bags WHERE space_id = $1 \
        AND holder_id = $2 AND opened_at IS NULL";
    const ADD: &str = "INSERT INTO letter_bags (id, space_id, code, holder_id, packed_at) \
        VALUES ($1, $2, $3, $4, $5)";
    // The sticker's row is locked by this: two who pack under one code wait for each other.
    if tx.execute(MARK, (code, space)).await? == 0 {
        return Err(Error::field("code", "error-bag-code"));
    }
    let found: Option<BagId> = tx.optional_scalar(FIND, (code,)).await?;
    if let Some(id) = found {
        return lock(tx, id).await;
    }
    let count: i64 = tx.scalar(COUNT, (space, by)).await?;
    if count >= MAX_BAGS {
        return Err(Error::Full("error-bags-full"));
    }
    let id = BagId::new();
    tx.execute(ADD, (id, space, code, by, Micros::now()))
        .await?;
    lock(tx, id).await
}

/// The letters of a bag, in the order in which all lock them.
pub(super) async fn letters(tx: &mut Tx, bag: BagId) -> Result<Vec<LetterId>> {
    const READ: &str = "SELECT id FROM letters WHERE bag_id = $1 ORDER BY id";
    tx.scalars(READ, (bag,)).await
}

/// Puts a letter into a bag.
pub(super) async fn put(tx: &mut Tx, bag: BagId, letter: LetterId) -> Result<()> {
    const SET: &str = "UPDATE letters SET bag_id = $2 WHERE id = $1";
    tx.execute(SET, (letter, bag)).await?;
    Ok(())
}

/// Stores who has a bag, and to whom they offer it.
pub(super) async fn set_holder(
    tx: &mut Tx,
    bag: BagId,
    holder: AccountId,
    offered_to: Option<AccountId>,
) -> Result<()> {
    const SET: &str = "UPDATE letter_bags SET holder_id = $2, offered_to = $3 WHERE id = $1";
    tx.execute(SET, (bag, holder, offered_to)).await?;
    Ok(())
}

/// Takes all letters out of a bag. Its code can be used for another one.
pub(super) async fn empty(tx: &mut Tx, bag: BagId) -> Result<()> {
    const OUT: &str = "UPDATE letters SET bag_id = NULL WHERE bag_id = $1";
    const OPEN: &str = "UPDATE letter_bags SET opened_at = $2 WHERE id = $1";
    tx.execute(OUT, (bag,)).await?;
    tx.execute(OPEN, (bag, Micros::now())).await?;
    Ok(())
}

/// Takes one letter out of its bag.
pub(super) async fn take_out(tx: &mut Tx, letter: LetterId) -> Result<()> {
    const OUT: &str = "UPDATE letters SET bag_id = NULL WHERE id = $1";
    tx.execute(OUT, (letter,)).await?;
    Ok(())
}

const ENDS: &str = "SELECT COALESCE(p.code, '') AS to_code, COALESCE((SELECT MIN(d.code) \
    FROM letter_places d WHERE d.resident_id = l.author_id AND d.space_id = l.space_id \
    AND d.state = 'open'), '') AS from_code \
    FROM letters l LEFT JOIN letter_places p ON p.id = l.place_id WHERE l.bag_id = $1";

fn concern(ends: &[(String, String)], post: &Post) -> bool {
    let covers = |code: &str| !code.is_empty() && post.covers(code);
    ends.iter().all(|(to, from)| covers(to) || covers(from))
}

/// Whether every letter of a bag concerns a courier.
pub(super) async fn concerns(tx: &mut Tx, bag: BagId, post: &Post) -> Result<bool> {
    let ends: Vec<(String, String)> = tx.all(ENDS, (bag,)).await?;
    Ok(concern(&ends, post))
}

/// Those of some couriers whom every letter of a bag concerns.
pub(super) async fn concerned(db: &Db, bag: BagId, posts: Vec<Post>) -> Result<Vec<Post>> {
    let ends: Vec<(String, String)> = db.all(ENDS, (bag,)).await?;
    let fits = |post: &Post| concern(&ends, post);
    Ok(posts.into_iter().filter(fits).collect())
}
