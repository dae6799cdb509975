//! Letters as what can be reported, by who may read them.

use super::model::LetterId;
use super::text::paragraphs;
use super::{Letters, museum, store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::community::Scope;
use crate::community::permissions::READ;
use crate::engine::reportable::{Reported, Target};
use crate::engine::viewer::Viewer;

/// # Errors
/// `NotFound` for who does not read the letter, and for its author.
pub(super) async fn letter(letters: Letters, viewer: Viewer, target: Target) -> Result<Reported> {
    let db = &letters.engine.db;
    let letter = store::find(db, LetterId(target.id)).await?;
    let is_own = letter.author_id == viewer.account;
    let reads = letter.is_readable_by(viewer.account);
    // Who reads it in the museum knows it by what is said there.
    let exhibit = match reads || !museum::hangs(db, letter.id, Micros::now()).await? {
        true => None,
        false => museum::of_letter(db, letter.id).await?,
    };
    if is_own || !(reads || exhibit.is_some()) {
        return Err(Error::NotFound);
    }
    let scope = Scope::Space(letter.space_id);
    let access = &letters.community.access;
    access.permit(viewer.account, &READ, scope).await?;
    Ok(Reported {
        space: Some(letter.space_id),
        room: None,
        author: letter.author_id,
        shown_author: Some(match &exhibit {
            Some(exhibit) if exhibit.author().is_empty() => {
                viewer.lang.t("letters-somebody").to_owned()
            }
            Some(exhibit) => exhibit.author(),
            None => letter.author_name(viewer.lang),
        }),
        excerpt: paragraphs(&letter.body).join("\n"),
        href: match exhibit {
            Some(_) => format!("/letters/{}/exhibit", letter.id),
            None => format!("/letters/{}", letter.id),
        },
        at: letter.sealed_at,
    })
}
