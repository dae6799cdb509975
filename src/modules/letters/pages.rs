//! Photographs of handwriting, as the pages of a letter: added and ordered while it is a draft,
//! read by who reads the letter, and erased with it.

use serde::Deserialize;
use serde_json::json;

use super::letter::Letter;
use super::model::{LetterId, State};
use super::{CURATE, Letters, WRITE, museum, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::list::List;
use crate::community::Scope;
use crate::community::permissions::{READ, is_granted};
use crate::engine::actions::Outcome;
use crate::engine::files::{File, FileId, FileKind, Picture};
use crate::engine::viewer::Viewer;

/// The file kind of pages. Their target is a letter.
pub(super) const KIND: &str = "letters.page";
/// Photographs of one letter.
pub const MAX_LETTER_PAGES: usize = 8;
/// Bytes of one photograph.
pub const MAX_PAGE_BYTES: u64 = 12_582_912;

pub(super) fn kind() -> FileKind<Letters> {
    FileKind::new(KIND, "A photographed page", "letter", may_add, may_read)
        .pictures_only()
        .max_bytes(MAX_PAGE_BYTES)
        .when_ready(ready)
}

async fn may_add(letters: Letters, viewer: Viewer, letter: i64) -> Result<Option<SpaceId>> {
    let letter = letters.own(LetterId(letter), viewer.account).await?;
    if letter.state != State::Draft {
        return Err(Error::Conflict("error-letter-sealed"));
    }
    let (access, scope) = (&letters.community.access, Scope::Space(letter.space_id));
    access.permit(viewer.account, &WRITE, scope).await?;
    Ok(Some(letter.space_id))
}

/// Who reads the letter; all members once it hangs in the museum, and its curators before.
async fn may_read(letters: Letters, viewer: Viewer, file: File) -> Result<()> {
    let letter = store::find(&letters.engine.db, LetterId(file.target)).await?;
    let (access, scope) = (&letters.community.access, Scope::Space(letter.space_id));
    access.permit(viewer.account, &READ, scope).await?;
    if letter.is_readable_by(viewer.account) {
        return Ok(());
    }
    if museum::hangs(&letters.engine.db, letter.id, Micros::now()).await? {
        return Ok(());
    }
    let exhibit = museum::of_letter(&letters.engine.db, letter.id).await?;
    let exhibit = exhibit.filter(|one| one.author_gives && one.recipient_gives);
    let is_shown = match exhibit.filter(|_| letter.hidden_at.is_none()) {
        Some(_) => is_granted(access.permit(viewer.account, &CURATE, scope).await)?,
        None => false,
    };
    match is_shown {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// The desk shows the photograph once it is prepared.
async fn ready(letters: Letters, tx: &mut Tx, file: File) -> Result<()> {
    match store::lock(tx, LetterId(file.target)).await {
        Ok(letter) => letters.publish_moved(tx, &letter),
        Err(Error::NotFound) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

const OF: &str = "SELECT file_id FROM letter_pages WHERE letter_id = $1 ORDER BY position";

/// The pages of a letter, in their order.
pub(super) async fn of(db: &Db, letter: LetterId) -> Result<Vec<FileId>> {
    db.scalars(OF, (letter,)).await
}

/// How many pages a letter has, all of which can be shown.
///
/// # Errors
/// `Conflict` while one is prepared, and when one cannot be shown.
pub(super) async fn count_ready(letters: &Letters, tx: &mut Tx, id: LetterId) -> Result<usize> {
    let all: Vec<FileId> = tx.scalars(OF, (id,)).await?;
    for page in &all {
        match letters.engine.files.file_in(tx, *page).await?.picture {
            Picture::Made => {}
            Picture::Waiting => return Err(Error::Conflict("error-letter-pages-wait")),
            Picture::None | Picture::Failed => {
                return Err(Error::Conflict("error-letter-page-failed"));
            }
        }
    }
    Ok(all.len())
}

async fn set_position(tx: &mut Tx, page: FileId, position: usize) -> Result<()> {
    const SET: &str = "UPDATE letter_pages SET position = $2 WHERE file_id = $1";
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    tx.execute(SET, (page, position)).await?;
    Ok(())
}

/// A draft of an author, locked.
///
/// # Errors
/// `NotFound` for who did not write it, `Conflict` when it is sealed.
async fn own_draft(tx: &mut Tx, id: LetterId, author: AccountId) -> Result<Letter> {
    let letter = store::lock(tx, id).await?;
    match letter.state {
        _ if letter.author_id != author => Err(Error::NotFound),
        State::Draft => Ok(letter),
        _ => Err(Error::Conflict("error-letter-sealed")),
    }
}

#[derive(Deserialize)]
pub(super) struct AddInput {
    letter: LetterId,
    #[serde(default)]
    files: List<FileId, MAX_LETTER_PAGES>,
}

/// `letters.add-page`: adds photographs to a draft, after those that it has.
pub(super) async fn add(letters: Letters, viewer: Viewer, input: AddInput) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO letter_pages (file_id, letter_id, position) VALUES ($1, $2, $3)";
    let (id, author, files) = (input.letter, viewer.account, input.files.into_vec());
    let space = letters.own(id, author).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        own_draft(tx, id, author).await?;
        let before: Vec<FileId> = tx.scalars(OF, (id,)).await?;
        if before.len() + files.len() > MAX_LETTER_PAGES {
            return Err(Error::field("files", "error-letter-pages"));
        }
        for (index, file) in files.into_iter().enumerate() {
            let store = &context.engine.files;
            store.claim(tx, file, KIND, id.0, author).await?;
            let position = i64::try_from(before.len() + index + 1).unwrap_or(i64::MAX);
            tx.execute(ADD, (file, id, position)).await?;
        }
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "letter": id }),
        format!("/letters/{id}/desk"),
    ))
}

#[derive(Deserialize)]
pub(super) struct ArrangeInput {
    letter: LetterId,
    page: FileId,
    /// `up`, `down` or `remove`.
    step: String,
}

/// `letters.arrange-page`: moves a page of a draft, or takes it away.
pub(super) async fn arrange(
    letters: Letters,
    viewer: Viewer,
    input: ArrangeInput,
) -> Result<Outcome> {
    const REMOVE: &str = "DELETE FROM letter_pages WHERE file_id = $1";
    let (id, author, page, step) = (input.letter, viewer.account, input.page, input.step);
    let space = letters.own(id, author).await?.space_id;
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        own_draft(tx, id, author).await?;
        let mut all: Vec<FileId> = tx.scalars(OF, (id,)).await?;
        let at = all.iter().position(|one| *one == page);
        let at = at.ok_or(Error::NotFound)?;
        match &*step {
            "up" if at > 0 => all.swap(at, at - 1),
            "down" if at + 1 < all.len() => all.swap(at, at + 1),
            "remove" => {
                all.remove(at);
                tx.execute(REMOVE, (page,)).await?;
                context.engine.files.release(tx, page).await?;
            }
            _ => {}
        }
        for (index, page) in all.into_iter().enumerate() {
            set_position(tx, page, index + 1).await?;
        }
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    Ok(Outcome::new(
        json!({ "letter": id }),
        format!("/letters/{id}/desk"),
    ))
}

/// Releases the photographs of letters that are deleted in the same transaction.
pub(super) async fn release(letters: &Letters, tx: &mut Tx, ids: &[LetterId]) -> Result<()> {
    const DETACH: &str = "DELETE FROM letter_pages WHERE letter_id = $1 RETURNING file_id";
    for id in ids {
        let files: Vec<FileId> = tx.scalars(DETACH, (*id,)).await?;
        for file in files {
            letters.engine.files.release(tx, file).await?;
        }
    }
    Ok(())
}

/// Deletes letters with their photographs. Gives how many.
pub(super) async fn delete_letters(
    letters: &Letters,
    tx: &mut Tx,
    ids: &[LetterId],
) -> Result<u64> {
    const DELETE: &str = "DELETE FROM letters WHERE id = $1";
    release(letters, tx, ids).await?;
    let mut deleted = 0;
    for id in ids {
        deleted += tx.execute(DELETE, (*id,)).await?;
    }
    Ok(deleted)
}
