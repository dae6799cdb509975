//! The museum of a space: letters that both who wrote and who received them give, and a curator
//! hangs. When one of them takes it back it is gone at once.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::absence::DAY;
use super::exhibitions::{ExhibitionId, MAX_EXHIBITION_LETTERS};
use super::letter::Role;
use super::model::{Kind, LetterId, Signature, State, Way};
use super::points::{self, Deed};
use super::{CURATE, Letters, museum_notes, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::audit::{self, Act};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Letters that a page of the museum shows.
pub(super) const MAX_EXHIBITS_SHOWN: i64 = 30;

/// A letter that at least one of both gives.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Exhibit {
    pub(super) letter_id: LetterId,
    pub(super) author_gives: bool,
    pub(super) recipient_gives: bool,
    pub(super) author_named: bool,
    pub(super) recipient_named: bool,
    pub(super) hung_at: Option<Micros>,
    pub(super) body: String,
    pub(super) paper: String,
    pub(super) signature: Signature,
    pub(super) pen_name: String,
    author_account: String,
    recipient_account: String,
    pub(super) sealed_at: Option<Micros>,
    pub(super) exhibition_id: Option<ExhibitionId>,
    pub(super) hearts: i64,
    pub(super) notes: i64,
}

macro_rules! exhibit_columns {
    () => {
        "SELECT e.letter_id, e.author_gives, e.recipient_gives, e.author_named, \
         e.recipient_named, e.hung_at, l.body, l.paper, l.signature, l.pen_name, \
         a.name AS author_account, COALESCE(r.name, '') AS recipient_account, l.sealed_at, \
         e.exhibition_id, (SELECT COUNT(*) FROM letter_hearts h \
         WHERE h.letter_id = e.letter_id) AS hearts, (SELECT COUNT(*) FROM letter_notes n \
         WHERE n.letter_id = e.letter_id) AS notes \
         FROM letter_exhibits e JOIN letters l ON l.id = e.letter_id \
         JOIN accounts a ON a.id = l.author_id \
         LEFT JOIN accounts r ON r.id = l.recipient_id "
    };
}

impl Exhibit {
    /// Who wrote it, where they may be named; a pen name is none of theirs.
    pub(super) fn author(&self) -> String {
        match self.signature {
            Signature::Pen => self.pen_name.clone(),
            Signature::Own if self.author_named => self.author_account.clone(),
            Signature::Own | Signature::None => String::new(),
        }
    }

    /// Whom it was to, where they may be named.
    pub(super) fn recipient(&self) -> String {
        match self.recipient_named {
            true => self.recipient_account.clone(),
            false => String::new(),
        }
    }
}

/// Of an exhibit `e` of a letter `l`: that both give it, a curator hung it, and its exhibition, if
/// it is in one, has opened. The last parameter is today, in days since 1970-01-01.
macro_rules! hangs {
    ($today:literal) => {
        concat!(
            "e.hung_at IS NOT NULL AND e.author_gives AND e.recipient_gives \
             AND l.hidden_at IS NULL AND (e.exhibition_id IS NULL OR EXISTS (SELECT 1 \
             FROM letter_exhibitions x WHERE x.id = e.exhibition_id AND x.opens_day <= ",
            $today,
            "))"
        )
    };
}

const HANGS: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM letter_exhibits e JOIN letters l ON l.id = e.letter_id \
     WHERE e.letter_id = $1 AND ",
    hangs!("$2"),
    ")"
);

/// Whether members see a letter in the museum.
pub(super) async fn hangs(db: &Db, letter: LetterId, now: Micros) -> Result<bool> {
    db.scalar(HANGS, (letter, now.0 / DAY)).await
}

/// The same in a transaction.
pub(super) async fn hangs_in(tx: &mut Tx, letter: LetterId, now: Micros) -> Result<bool> {
    tx.scalar(HANGS, (letter, now.0 / DAY)).await
}

/// The letters of an exhibition, in their order.
pub(super) async fn of_exhibition(db: &Db, of: ExhibitionId) -> Result<Vec<Exhibit>> {
    const READ: &str = concat!(
        exhibit_columns!(),
        "WHERE e.exhibition_id = $1 AND e.hung_at IS NOT NULL AND e.author_gives \
         AND e.recipient_gives AND l.hidden_at IS NULL ORDER BY e.position, e.letter_id LIMIT $2"
    );
    db.all(READ, (of, MAX_EXHIBITION_LETTERS)).await
}

/// The letters that hang in a space before a time, the latest first.
pub(super) async fn hung(
    db: &Db,
    space: SpaceId,
    before: i64,
    now: Micros,
) -> Result<Vec<Exhibit>> {
    const READ: &str = concat!(
        exhibit_columns!(),
        "WHERE e.space_id = $1 AND e.hung_at < $2 AND ",
        hangs!("$4"),
        " ORDER BY e.hung_at DESC LIMIT $3"
    );
    let key = (space, before, MAX_EXHIBITS_SHOWN, now.0 / DAY);
    db.all(READ, key).await
}

/// The letters that wait for a curator.
pub(super) async fn waiting(db: &Db, space: SpaceId) -> Result<Vec<Exhibit>> {
    const READ: &str = concat!(
        exhibit_columns!(),
        "WHERE e.space_id = $1 AND e.hung_at IS NULL AND e.author_gives AND e.recipient_gives \
         AND NOT e.declined AND l.hidden_at IS NULL ORDER BY e.letter_id LIMIT $2"
    );
    db.all(READ, (space, MAX_EXHIBITS_SHOWN)).await
}

/// What was given of a letter.
pub(super) async fn of_letter(db: &Db, letter: LetterId) -> Result<Option<Exhibit>> {
    const READ: &str = concat!(exhibit_columns!(), "WHERE e.letter_id = $1");
    db.optional(READ, (letter,)).await
}

/// Whether a letter can be given: one to a person, once it is opened.
pub(super) fn is_givable(letter: &super::letter::Letter) -> bool {
    let is_opened = matches!(letter.state, State::Read | State::Replied);
    let is_known = letter.way != Way::Drift || letter.state == State::Replied;
    letter.kind != Kind::Open && is_opened && is_known && !letter.is_to_self()
}

#[derive(Deserialize)]
pub(super) struct GiveInput {
    letter: LetterId,
    /// `yes` or `no`: takes it back.
    give: String,
    /// `yes`: one may be named beside it.
    #[serde(default)]
    named: String,
}

/// `letters.give`: gives a letter to the museum, for one of the two, or takes it back: it is taken
/// down in the same transaction, and has to be hung anew.
pub(super) async fn give(letters: Letters, viewer: Viewer, input: GiveInput) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO letter_exhibits (letter_id, space_id, author_gives, \
        recipient_gives, author_named, recipient_named, declined) \
        VALUES ($1, $2, FALSE, FALSE, FALSE, FALSE, FALSE) ON CONFLICT (letter_id) DO NOTHING";
    const AUTHOR: &str = "UPDATE letter_exhibits SET author_gives = $2, author_named = $3, \
        hung_at = CASE WHEN $2 THEN hung_at ELSE NULL END WHERE letter_id = $1";
    const RECIPIENT: &str = "UPDATE letter_exhibits SET recipient_gives = $2, \
        recipient_named = $3, hung_at = CASE WHEN $2 THEN hung_at ELSE NULL END \
        WHERE letter_id = $1";
    const FREE: &str =
        "UPDATE letter_exhibits SET exhibition_id = NULL, position = 0 WHERE letter_id = $1";
    let (id, account, gives) = (input.letter, viewer.account, input.give == "yes");
    let named = gives && input.named == "yes";
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        let sql = match letter.role(account) {
            Role::Author => AUTHOR,
            Role::Recipient if !gives || letter.is_visible_to(account) => RECIPIENT,
            Role::Recipient | Role::Reader | Role::Stranger => return Err(Error::NotFound),
        };
        if !is_givable(&letter) {
            return Err(Error::Conflict("error-letter-state"));
        }
        tx.execute(ADD, (id, space)).await?;
        tx.execute(sql, (id, gives, named)).await?;
        if !gives {
            museum_notes::clear(tx, id).await?;
            tx.execute(FREE, (id,)).await?;
        }
        context.publish_museum(tx, space);
        Ok(())
    };
    if gives {
        letters.permitted(account, &READ, space, work).await?;
    } else {
        // Both may take it back at any time, also once they left the space.
        let db = &letters.engine.db;
        db.write(async move |tx: &mut Tx| work(tx).await).await?;
    }
    Ok(Outcome::new(
        json!({ "gives": gives }),
        format!("/letters/{id}"),
    ))
}

/// Gives both of a letter the points for hanging, the first time.
async fn award_hung(tx: &mut Tx, id: LetterId) -> Result<()> {
    let letter = store::lock(tx, id).await?;
    let mut both: Vec<_> = letter.recipient_id.into_iter().collect();
    both.push(letter.author_id);
    both.sort_unstable();
    let (space, now) = (letter.space_id, Micros::now());
    for account in both {
        points::award(tx, (space, account), Deed::Hung, &id.to_string(), now).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
pub(super) struct CurateInput {
    letter: LetterId,
    /// `hang` or `decline`, which also takes it down.
    decision: String,
}

/// `letters.curate`: hangs a letter that both give, or declines it.
pub(super) async fn curate(
    letters: Letters,
    viewer: Viewer,
    input: CurateInput,
) -> Result<Outcome> {
    const HANG: &str = "UPDATE letter_exhibits SET hung_at = $2, declined = FALSE \
        WHERE letter_id = $1 AND author_gives AND recipient_gives AND hung_at IS NULL";
    const DECLINE: &str = "UPDATE letter_exhibits SET hung_at = NULL, declined = TRUE, \
         exhibition_id = NULL, position = 0 WHERE letter_id = $1";
    let (id, by, hangs) = (input.letter, viewer.account, input.decision == "hang");
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let changed = match hangs {
            true => tx.execute(HANG, (id, Micros::now())).await?,
            false => tx.execute(DECLINE, (id,)).await?,
        };
        if changed == 0 {
            return Err(Error::Conflict("error-letter-not-given"));
        }
        let act = Act {
            space: Some(space),
            actor: Some(by),
            act: match hangs {
                true => "exhibit.hung",
                false => "exhibit.declined",
            },
            subject: Some(id.0),
            name: "",
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
        };
        audit::record(tx, act).await?;
        if hangs {
            award_hung(tx, id).await?;
        }
        context.publish_museum(tx, space);
        Ok(())
    };
    letters.permitted(by, &CURATE, space, work).await?;
    let location = format!("/spaces/{space}/letters/museum");
    Ok(Outcome::new(json!({ "hung": hangs }), location))
}
