//! `/letters/{letter}/exhibit`: a letter of the museum, with the hearts and notes that were left.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::model::LetterId;
use super::museum::{self, Exhibit};
use super::museum_notes::{self, Note};
use super::pages_view::Photograph;
use super::text::paragraphs;
use super::{CURATE, Letters, MUSEUM_FEED, WRITE, store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(Audience::SignedIn, "/letters/{letter}/exhibit", get(show))
}

#[derive(Deserialize)]
struct ExhibitQuery {
    /// Present when the letter and its notes alone are fetched again.
    list: Option<String>,
}

#[derive(Template)]
#[template(path = "letters/exhibit.html", blocks = ["app", "region"])]
struct ExhibitPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    feed: String,
    one: Exhibit,
    photographs: Vec<Photograph>,
    notes: Vec<Note>,
    has_heart: bool,
    writes: bool,
    me: AccountId,
    /// Whether the viewer takes notes of others away.
    clears: bool,
    is_own: bool,
    key: i64,
}

impl ExhibitPage {
    fn paragraphs(&self) -> Vec<String> {
        paragraphs(&self.one.body)
    }

    fn hearts(&self) -> String {
        let count = [("count", self.one.hearts.into())];
        self.head.lang.with("letters-hearts", &count)
    }

    fn is_mine(&self, note: &Note) -> bool {
        note.author_id == self.me
    }
}

#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(id): Path<LetterId>,
    Query(query): Query<ExhibitQuery>,
) -> Result<Response> {
    let (db, me) = (&letters.engine.db, viewer.account);
    let letter = store::find(db, id).await?;
    let space = letter.space_id;
    letters.settings_for(&viewer, space).await?;
    if !museum::hangs(db, id, Micros::now()).await? {
        return Err(Error::NotFound);
    }
    // Taken before the notes are read: later changes arrive as frames.
    let feed = MUSEUM_FEED.position(space, &letters.engine.live).await?;
    let one = museum::of_letter(db, id).await?.ok_or(Error::NotFound)?;
    let (access, scope) = (&letters.community.access, Scope::Space(space));
    let is_own = letter.author_id == me || letter.recipient_id == Some(me);
    let here = format!("/spaces/{space}/letters/museum");
    let page = ExhibitPage {
        head: letters
            .community
            .head(&viewer, viewer.lang.t("letters-exhibit")),
        shell: layout.shell(&viewer, Some(space), &here).await?,
        form,
        space,
        feed,
        photographs: letters.photographs(id, viewer.lang).await?,
        notes: museum_notes::of(db, id).await?,
        has_heart: museum_notes::has_heart(db, id, me).await?,
        writes: is_granted(access.permit(me, &WRITE, scope).await)?,
        clears: is_own || is_granted(access.permit(me, &CURATE, scope).await)?,
        is_own: letter.author_id == me,
        me,
        key: ids::next(),
        one,
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let answer: Result<PageAnswer> = app_page!(wants, page);
    Ok(answer?.into_response())
}
