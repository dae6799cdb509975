//! Stickers: codes that are printed before there are letters for them, and bound once.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::couriers::{self, DIRECTOR};
use super::journey::Move;
use super::model::{Actor, LetterId, Signature, State, Step, Way};
use super::places::{area_of, door_of};
use super::{Letters, WRITE, carry, codes, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;
use crate::id;

id!(
    /// A sheet of stickers.
    SheetId
);

/// Stickers of a sheet of A4 paper: three columns of eight.
pub(super) const STICKERS_ON_SHEET: usize = 24;
/// Sheets of a space whose stickers are not all used.
pub const MAX_SHEETS: i64 = 500;
/// Sheets that a page lists.
const MAX_SHEETS_LISTED: i64 = 30;

/// A sheet, with what became of its stickers.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Sheet {
    pub(super) id: SheetId,
    pub(super) space_id: SpaceId,
    pub(super) made_at: Micros,
    pub(super) bound: i64,
}

/// A sticker.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Sticker {
    pub(super) code: String,
    pub(super) space_id: SpaceId,
    pub(super) letter_id: Option<LetterId>,
    /// Whether it is on a bag, for ever.
    pub(super) is_bag: bool,
}

/// The sheets of a space, the latest first.
pub(super) async fn sheets(db: &Db, space: SpaceId) -> Result<Vec<Sheet>> {
    const READ: &str = "SELECT s.id, s.space_id, s.made_at, (SELECT COUNT(*) \
        FROM letter_stickers k WHERE k.sheet_id = s.id AND k.letter_id IS NOT NULL) AS bound \
        FROM letter_sheets s WHERE s.space_id = $1 ORDER BY s.id DESC LIMIT $2";
    db.all(READ, (space, MAX_SHEETS_LISTED)).await
}

/// A sheet and its stickers, in the order in which they are printed.
///
/// # Errors
/// `NotFound`.
pub(super) async fn sheet(db: &Db, id: SheetId) -> Result<(Sheet, Vec<Sticker>)> {
    const SHEET: &str = "SELECT id, space_id, made_at, CAST(0 AS BIGINT) AS bound \
        FROM letter_sheets WHERE id = $1";
    const STICKERS: &str = "SELECT code, space_id, letter_id, is_bag FROM letter_stickers \
        WHERE sheet_id = $1 ORDER BY code";
    let sheet = db.one(SHEET, (id,)).await?;
    Ok((sheet, db.all(STICKERS, (id,)).await?))
}

/// A sticker by its code.
pub(super) async fn find(db: &Db, code: &str) -> Result<Option<Sticker>> {
    const FIND: &str =
        "SELECT code, space_id, letter_id, is_bag FROM letter_stickers WHERE code = $1";
    db.optional(FIND, (code,)).await
}

impl Letters {
    /// Whether an account prints stickers: organisers and directors.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn may_print(&self, account: AccountId, space: SpaceId) -> Result<bool> {
        if self.is_organiser(account, space).await? {
            return Ok(true);
        }
        let post = couriers::of(&self.engine.db, space, account).await?;
        Ok(post.is_some_and(|post| post.is_active() && post.rank == DIRECTOR))
    }
}

#[derive(Deserialize)]
pub(super) struct PrintInput {
    space: SpaceId,
}

/// `letters.print-sheet`: makes a sheet of new stickers.
pub(super) async fn print(letters: Letters, viewer: Viewer, input: PrintInput) -> Result<Outcome> {
    const COUNT: &str = "SELECT COUNT(*) FROM letter_sheets s WHERE s.space_id = $1 \
        AND EXISTS (SELECT 1 FROM letter_stickers k WHERE k.sheet_id = s.id \
        AND k.letter_id IS NULL AND NOT k.is_bag)";
    const SHEET: &str =
        "INSERT INTO letter_sheets (id, space_id, made_by, made_at) VALUES ($1, $2, $3, $4)";
    const STICKER: &str = "INSERT INTO letter_stickers (code, sheet_id, space_id) \
        VALUES ($1, $2, $3) ON CONFLICT (code) DO NOTHING";
    let (space, by) = (input.space, viewer.account);
    let may_print = letters.may_print(by, space).await?;
    let work = async move |tx: &mut Tx| {
        if !may_print {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        let count: i64 = tx.scalar(COUNT, (space,)).await?;
        if count >= MAX_SHEETS {
            return Err(Error::Full("error-sheets-full"));
        }
        let id = SheetId::new();
        tx.execute(SHEET, (id, space, by, Micros::now())).await?;
        let mut made = 0;
        while made < STICKERS_ON_SHEET {
            let code = codes::random()?;
            // One in three billion is taken already.
            made += usize::from(tx.execute(STICKER, (&code, id, space)).await? > 0);
        }
        Ok(id)
    };
    let id = letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/letters/sheets/{id}");
    Ok(Outcome::new(json!({ "sheet": id }), location))
}

#[derive(Deserialize)]
pub(super) struct BindInput {
    letter: LetterId,
    code: String,
}

/// `letters.bind`: puts a sticker on a sealed letter, for ever. From then on couriers find it.
pub(super) async fn bind(letters: Letters, viewer: Viewer, input: BindInput) -> Result<Outcome> {
    const BIND: &str = "UPDATE letter_stickers SET letter_id = $2, bound_at = $3 \
        WHERE code = $1 AND space_id = $4 AND letter_id IS NULL AND NOT is_bag";
    const SET: &str = "UPDATE letters SET code = $2, due_at = $3 WHERE id = $1";
    let code = codes::parse(&input.code).ok_or(Error::field("code", "error-letter-code"))?;
    let (id, author) = (input.letter, viewer.account);
    let space = letters.own(id, author).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if letter.code.as_deref() == Some(&*code) {
            return Ok(());
        }
        if letter.way != Way::Hand || letter.state != State::Sealed {
            return Err(Error::Conflict("error-letter-state"));
        }
        let now = Micros::now();
        if tx.execute(BIND, (&code, id, now, space)).await? == 0 {
            return Err(Error::field("code", "error-letter-code"));
        }
        let from = door_of(tx, space, author).await?;
        // The area alone, and only of who signs: the journey never names a door.
        let from = from.filter(|_| letter.signature == Signature::Own);
        let from = from.map(|(_, code)| area_of(&code)).unwrap_or_default();
        let due = now.plus(carry::CARRY_TIME);
        tx.execute(SET, (id, &code, due)).await?;
        let post = Move::new(Step::Post, Actor::Author, Some(author));
        context.advance(tx, &mut letter, post.at(from)).await?;
        context.assign(tx, &mut letter, now).await
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "bound": true }),
        format!("/letters/{id}"),
    ))
}
