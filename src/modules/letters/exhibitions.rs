//! Exhibitions of a museum: letters that curators hang together, in an order and for some days.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::absence::{DAY, day};
use super::input::optional_id;
use super::model::LetterId;
use super::{CURATE, Letters, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::SpaceId;
use crate::base::text::{check_short_text, is_blank, normalize_line, normalize_optional_line};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;
use crate::id;

id!(
    /// An exhibition of a museum.
    ExhibitionId
);

/// Exhibitions of a space.
pub const MAX_EXHIBITIONS: i64 = 200;
/// Letters of one exhibition.
pub const MAX_EXHIBITION_LETTERS: i64 = 50;
/// Characters (graphemes) of the name of an exhibition.
pub const MAX_EXHIBITION_TITLE_CHARS: usize = 80;
/// Characters (graphemes) of what is said about one.
pub const MAX_EXHIBITION_ABOUT_CHARS: usize = 300;
/// Exhibitions that a page lists.
const MAX_EXHIBITIONS_LISTED: i64 = 30;

/// An exhibition.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Exhibition {
    pub(super) id: ExhibitionId,
    pub(super) space_id: SpaceId,
    pub(super) title: String,
    pub(super) about: String,
    opens_day: i64,
    closes_day: i64,
}

impl Exhibition {
    pub(super) fn is_open(&self, now: Micros) -> bool {
        (self.opens_day..=self.closes_day).contains(&(now.0 / DAY))
    }

    pub(super) fn opens(&self) -> String {
        Micros(self.opens_day * DAY).date()
    }

    pub(super) fn closes(&self) -> String {
        Micros(self.closes_day * DAY).date()
    }
}

macro_rules! exhibition_columns {
    () => {
        "SELECT id, space_id, title, about, opens_day, closes_day FROM letter_exhibitions "
    };
}

/// The exhibitions of a space that end on this day or later, the next to end first.
pub(super) async fn list(db: &Db, space: SpaceId, from_day: i64) -> Result<Vec<Exhibition>> {
    const READ: &str = concat!(
        exhibition_columns!(),
        "WHERE space_id = $1 AND closes_day >= $2 ORDER BY closes_day, id LIMIT $3"
    );
    db.all(READ, (space, from_day, MAX_EXHIBITIONS_LISTED))
        .await
}

/// An exhibition.
///
/// # Errors
/// `NotFound`.
pub(super) async fn find(db: &Db, id: ExhibitionId) -> Result<Exhibition> {
    const FIND: &str = concat!(exhibition_columns!(), "WHERE id = $1");
    db.one(FIND, (id,)).await
}

#[derive(Deserialize)]
pub(super) struct ExhibitionInput {
    space: SpaceId,
    /// The one that is changed; empty for a new one.
    #[serde(default, deserialize_with = "optional_id")]
    exhibition: Option<i64>,
    title: String,
    #[serde(default)]
    about: String,
    /// `2026-12-24`.
    opens: String,
    closes: String,
}

/// `letters.set-exhibition`: opens an exhibition, or changes one.
pub(super) async fn set(
    letters: Letters,
    viewer: Viewer,
    input: ExhibitionInput,
) -> Result<Outcome> {
    const COUNT: &str = "SELECT COUNT(*) FROM letter_exhibitions WHERE space_id = $1";
    const ADD: &str = "INSERT INTO letter_exhibitions \
        (id, space_id, title, about, opens_day, closes_day, made_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    const CHANGE: &str = "UPDATE letter_exhibitions SET title = $3, about = $4, \
        opens_day = $5, closes_day = $6 WHERE id = $1 AND space_id = $2";
    let (title, about) = (
        normalize_line(&input.title),
        normalize_optional_line(&input.about),
    );
    let mut check = Check::default();
    check_short_text(&title, "title", MAX_EXHIBITION_TITLE_CHARS, &mut check);
    check_short_text(&about, "about", MAX_EXHIBITION_ABOUT_CHARS, &mut check);
    let days = day(&input.opens)
        .zip(day(&input.closes))
        .filter(|(opens, closes)| opens <= closes);
    check
        .that(!is_blank(&title), "title", "error-exhibition-title", 0)
        .that(days.is_some(), "closes", "error-exhibition-days", 0)
        .done()?;
    let (opens, closes) = days.unwrap_or_default();
    let (space, known) = (input.space, input.exhibition.map(ExhibitionId));
    let id = known.unwrap_or_else(ExhibitionId::new);
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        if known.is_some() {
            let row = (id, space, &title, &about, opens, closes);
            if tx.execute(CHANGE, row).await? == 0 {
                return Err(Error::NotFound);
            }
        } else {
            let count: i64 = tx.scalar(COUNT, (space,)).await?;
            if count >= MAX_EXHIBITIONS {
                return Err(Error::Full("error-exhibitions-full"));
            }
            let row = (id, space, &title, &about, opens, closes, Micros::now());
            tx.execute(ADD, row).await?;
        }
        context.publish_museum(tx, space);
        Ok(())
    };
    letters
        .permitted(viewer.account, &CURATE, space, work)
        .await?;
    let location = format!("/spaces/{space}/letters/museum?exhibition={id}");
    Ok(Outcome::new(json!({ "exhibition": id }), location))
}

#[derive(Deserialize)]
pub(super) struct RemoveInput {
    exhibition: ExhibitionId,
}

/// `letters.remove-exhibition`: takes an exhibition apart. Its letters hang on in the museum.
pub(super) async fn remove(
    letters: Letters,
    viewer: Viewer,
    input: RemoveInput,
) -> Result<Outcome> {
    const FREE: &str =
        "UPDATE letter_exhibits SET exhibition_id = NULL, position = 0 WHERE exhibition_id = $1";
    const DELETE: &str = "DELETE FROM letter_exhibitions WHERE id = $1";
    let id = input.exhibition;
    let space = find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        tx.execute(FREE, (id,)).await?;
        tx.execute(DELETE, (id,)).await?;
        context.publish_museum(tx, space);
        Ok(())
    };
    letters
        .permitted(viewer.account, &CURATE, space, work)
        .await?;
    let location = format!("/spaces/{space}/letters/museum");
    Ok(Outcome::new(json!({ "removed": true }), location))
}

#[derive(Deserialize)]
pub(super) struct PlaceInput {
    letter: LetterId,
    /// Where it hangs; empty: in the museum alone.
    #[serde(default, deserialize_with = "optional_id")]
    exhibition: Option<i64>,
    /// `up` or `down` in its exhibition; else it is hung there, as the last one.
    #[serde(default)]
    step: String,
}

/// `letters.place-exhibit`: hangs a letter of the museum in an exhibition, or moves it there.
pub(super) async fn place(letters: Letters, viewer: Viewer, input: PlaceInput) -> Result<Outcome> {
    let (id, exhibition) = (input.letter, input.exhibition.map(ExhibitionId));
    let space = store::find(&letters.engine.db, id).await?.space_id;
    if let Some(exhibition) = exhibition {
        let found = find(&letters.engine.db, exhibition).await?;
        if found.space_id != space {
            return Err(Error::NotFound);
        }
    }
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        match (exhibition, input.step.as_str()) {
            (Some(exhibition), "up" | "down") => {
                shift(tx, exhibition, id, input.step == "up").await?;
            }
            _ => hang_in(tx, id, exhibition).await?,
        }
        context.publish_museum(tx, space);
        Ok(())
    };
    letters
        .permitted(viewer.account, &CURATE, space, work)
        .await?;
    let location = match exhibition {
        Some(id) => format!("/spaces/{space}/letters/museum?exhibition={id}"),
        None => format!("/spaces/{space}/letters/museum"),
    };
    Ok(Outcome::new(json!({ "letter": id }), location))
}

/// Hangs a letter in an exhibition, after those that hang there.
async fn hang_in(tx: &mut Tx, letter: LetterId, to: Option<ExhibitionId>) -> Result<()> {
    // Others that hang one there wait, so that no two have one position.
    const LOCK: &str = "SELECT id FROM letter_exhibitions WHERE id = $1 FOR UPDATE";
    const LAST: &str = "SELECT COUNT(*), CAST(COALESCE(MAX(position), 0) AS BIGINT) \
        FROM letter_exhibits WHERE exhibition_id = $1 AND letter_id <> $2";
    const SET: &str = "UPDATE letter_exhibits SET exhibition_id = $2, position = $3 \
        WHERE letter_id = $1 AND hung_at IS NOT NULL";
    let mut last = (0_i64, 0_i64);
    if let Some(to) = to {
        tx.lock::<(i64,)>(LOCK, (to,)).await?;
        last = tx.one(LAST, (to, letter)).await?;
    }
    if last.0 >= MAX_EXHIBITION_LETTERS {
        return Err(Error::Full("error-exhibition-full"));
    }
    match tx.execute(SET, (letter, to, last.1 + 1)).await? {
        0 => Err(Error::Conflict("error-letter-not-given")),
        _ => Ok(()),
    }
}

/// Moves a letter of an exhibition one up or down.
async fn shift(tx: &mut Tx, of: ExhibitionId, letter: LetterId, is_up: bool) -> Result<()> {
    const LOCK: &str = "SELECT id FROM letter_exhibitions WHERE id = $1 FOR UPDATE";
    const ALL: &str = "SELECT letter_id FROM letter_exhibits WHERE exhibition_id = $1 \
        ORDER BY position, letter_id";
    const SET: &str = "UPDATE letter_exhibits SET position = $2 WHERE letter_id = $1";
    tx.lock::<(i64,)>(LOCK, (of,)).await?;
    let mut all: Vec<LetterId> = tx.scalars(ALL, (of,)).await?;
    let at = all.iter().position(|one| *one == letter);
    let at = at.ok_or(Error::NotFound)?;
    match is_up {
        true if at > 0 => all.swap(at, at - 1),
        false if at + 1 < all.len() => all.swap(at, at + 1),
        _ => return Ok(()),
    }
    for (position, letter) in (1_i64..).zip(all) {
        tx.execute(SET, (letter, position)).await?;
    }
    Ok(())
}
