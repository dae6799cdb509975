//! Letters as what can be reported, by who may read them.

use super::model::LetterId;
use super::text::paragraphs;
use super::{Letters, store};
use crate::base::error::{Error, Result};
use crate::community::Scope;
use crate::community::permissions::READ;
use crate::engine::reportable::{Reported, Target};
use crate::engine::viewer::Viewer;

/// # Errors
/// `NotFound` for who does not read the letter, and for its author.
pub(super) async fn letter(letters: Letters, viewer: Viewer, target: Target) -> Result<Reported> {
    let letter = store::find(&letters.engine.db, LetterId(target.id)).await?;
    let is_own = letter.author_id == viewer.account;
    if is_own || !letter.is_readable_by(viewer.account) {
        return Err(Error::NotFound);
    }
    let scope = Scope::Space(letter.space_id);
    let access = &letters.community.access;
    access.permit(viewer.account, &READ, scope).await?;
    Ok(Reported {
        space: Some(letter.space_id),
        room: None,
        author: letter.author_id,
        shown_author: Some(letter.author_name(viewer.lang)),
        excerpt: paragraphs(&letter.body).join("\n"),
        href: format!("/letters/{}", letter.id),
        at: letter.sealed_at,
    })
}
