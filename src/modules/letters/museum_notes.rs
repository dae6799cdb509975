//! Hearts and notes that readers of the museum leave with a letter. They go when it is taken back.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::model::LetterId;
use super::text::{MAX_LETTER_KEY_BYTES, paragraphs};
use super::{CURATE, Letters, WRITE, museum, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::base::text::{is_blank, is_short, limit_marks};
use crate::community::Scope;
use crate::community::permissions::{READ, is_granted};
use crate::engine::actions::Outcome;
use crate::engine::reportable::{Reported, Target};
use crate::engine::viewer::Viewer;
use crate::id;

id!(
    /// A note beside a letter of the museum. It tells when it was written.
    NoteId
);

/// Notes beside one letter.
pub const MAX_MUSEUM_NOTES: i64 = 200;
/// Characters (graphemes) of a note.
pub const MAX_MUSEUM_NOTE_CHARS: usize = 500;
/// Bytes of a note.
pub const MAX_MUSEUM_NOTE_BYTES: usize = 4_000;

/// A note, with who wrote it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Note {
    pub(super) id: NoteId,
    pub(super) letter_id: LetterId,
    pub(super) author_id: AccountId,
    pub(super) author: String,
    pub(super) body: String,
}

impl Note {
    pub(super) fn at(&self) -> Micros {
        ids::time_of(self.id.0)
    }
}

macro_rules! note_columns {
    () => {
        "SELECT n.id, n.letter_id, n.author_id, a.name AS author, n.body FROM letter_notes n \
         JOIN accounts a ON a.id = n.author_id "
    };
}

/// The notes beside a letter, the oldest first.
pub(super) async fn of(db: &Db, letter: LetterId) -> Result<Vec<Note>> {
    const READ: &str = concat!(
        note_columns!(),
        "WHERE n.letter_id = $1 ORDER BY n.id LIMIT $2"
    );
    db.all(READ, (letter, MAX_MUSEUM_NOTES)).await
}

async fn find(db: &Db, id: NoteId) -> Result<Note> {
    const FIND: &str = concat!(note_columns!(), "WHERE n.id = $1");
    db.one(FIND, (id,)).await
}

/// Whether an account gave a letter a heart.
pub(super) async fn has_heart(db: &Db, letter: LetterId, of: AccountId) -> Result<bool> {
    const READ: &str =
        "SELECT EXISTS (SELECT 1 FROM letter_hearts WHERE letter_id = $1 AND account_id = $2)";
    db.scalar(READ, (letter, of)).await
}

/// Deletes what readers left with a letter.
pub(super) async fn clear(tx: &mut Tx, letter: LetterId) -> Result<()> {
    const ALL: [&str; 2] = [
        "DELETE FROM letter_hearts WHERE letter_id = $1",
        "DELETE FROM letter_notes WHERE letter_id = $1",
    ];
    for sql in ALL {
        tx.execute(sql, (letter,)).await?;
    }
    Ok(())
}

/// The space of a letter, locked, that hangs.
///
/// # Errors
/// `NotFound` when it does not.
async fn check_hangs(tx: &mut Tx, letter: LetterId) -> Result<()> {
    store::lock(tx, letter).await?;
    match museum::hangs_in(tx, letter, Micros::now()).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

fn location(letter: LetterId) -> String {
    format!("/letters/{letter}/exhibit")
}

#[derive(Deserialize)]
pub(super) struct HeartInput {
    letter: LetterId,
    /// `yes`, or `no` to take it back.
    heart: String,
}

/// `letters.heart`: gives a letter of the museum a heart, once, or takes it back.
pub(super) async fn heart(letters: Letters, viewer: Viewer, input: HeartInput) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO letter_hearts (letter_id, account_id) VALUES ($1, $2) \
        ON CONFLICT DO NOTHING";
    const REMOVE: &str = "DELETE FROM letter_hearts WHERE letter_id = $1 AND account_id = $2";
    let (id, account, is_given) = (input.letter, viewer.account, input.heart == "yes");
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        check_hangs(tx, id).await?;
        let sql = if is_given { ADD } else { REMOVE };
        if tx.execute(sql, (id, account)).await? > 0 {
            context.publish_museum(tx, space);
        }
        Ok(())
    };
    letters.permitted(account, &READ, space, work).await?;
    Ok(Outcome::new(json!({ "heart": is_given }), location(id)))
}

#[derive(Deserialize)]
pub(super) struct NoteInput {
    letter: LetterId,
    body: String,
    /// Idempotency key chosen by the client, at most 64 bytes.
    #[serde(default)]
    key: String,
}

/// `letters.note`: writes a note beside a letter of the museum.
pub(super) async fn write(letters: Letters, viewer: Viewer, input: NoteInput) -> Result<Outcome> {
    const COUNT: &str = "SELECT COUNT(*) FROM letter_notes WHERE letter_id = $1";
    const ADD: &str = "INSERT INTO letter_notes (id, letter_id, author_id, client_key, body) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (author_id, client_key) DO NOTHING";
    let fits = input.body.len() <= MAX_MUSEUM_NOTE_BYTES;
    let body = match fits {
        true => limit_marks(&input.body.replace("\r\n", "\n").replace('\0', "")),
        false => String::new(),
    };
    let fits = fits && is_short(&body, MAX_MUSEUM_NOTE_CHARS) && !is_blank(&body);
    Check::default()
        .that(fits, "body", "error-museum-note", MAX_MUSEUM_NOTE_CHARS)
        .that(
            input.key.len() <= MAX_LETTER_KEY_BYTES,
            "key",
            "error-message-shape",
            0,
        )
        .done()?;
    let note = NoteId::new();
    let key = match input.key.is_empty() {
        true => note.to_string(),
        false => input.key,
    };
    let (id, author) = (input.letter, viewer.account);
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        check_hangs(tx, id).await?;
        let count: i64 = tx.scalar(COUNT, (id,)).await?;
        if count >= MAX_MUSEUM_NOTES {
            return Err(Error::Full("error-museum-notes-full"));
        }
        tx.execute(ADD, (note, id, author, &key, &body)).await?;
        context.publish_museum(tx, space);
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(json!({ "note": note }), location(id)))
}

#[derive(Deserialize)]
pub(super) struct RemoveNoteInput {
    note: NoteId,
}

/// `letters.remove-note`: takes a note away: its author, the two of the letter, and curators.
pub(super) async fn remove(
    letters: Letters,
    viewer: Viewer,
    input: RemoveNoteInput,
) -> Result<Outcome> {
    const DELETE: &str = "DELETE FROM letter_notes WHERE id = $1";
    let (db, account) = (&letters.engine.db, viewer.account);
    let note = find(db, input.note).await?;
    let letter = store::find(db, note.letter_id).await?;
    let (space, context) = (letter.space_id, letters.clone());
    let work = async move |tx: &mut Tx| {
        tx.execute(DELETE, (note.id,)).await?;
        context.publish_museum(tx, space);
        Ok(())
    };
    let (access, scope) = (&letters.community.access, Scope::Space(space));
    let people = [
        Some(note.author_id),
        Some(letter.author_id),
        letter.recipient_id,
    ];
    let permission = match people.contains(&Some(account)) {
        true => &READ,
        false => &CURATE,
    };
    access
        .permitted_write(account, permission, scope, work)
        .await?;
    Ok(Outcome::new(
        json!({ "removed": true }),
        location(letter.id),
    ))
}

/// A note as what can be reported, by who reads the museum.
///
/// # Errors
/// `NotFound` for everybody else, and for its author.
pub(super) async fn report(letters: Letters, viewer: Viewer, target: Target) -> Result<Reported> {
    let db = &letters.engine.db;
    let note = find(db, NoteId(target.id)).await?;
    let space: SpaceId = store::find(db, note.letter_id).await?.space_id;
    let access = &letters.community.access;
    let may_read = access.permit(viewer.account, &READ, Scope::Space(space));
    let is_seen = is_granted(may_read.await)? && note.author_id != viewer.account;
    if !is_seen || !museum::hangs(db, note.letter_id, Micros::now()).await? {
        return Err(Error::NotFound);
    }
    Ok(Reported {
        space: Some(space),
        room: None,
        author: note.author_id,
        shown_author: None,
        excerpt: paragraphs(&note.body).join("\n"),
        href: location(note.letter_id),
        at: Some(note.at()),
    })
}
