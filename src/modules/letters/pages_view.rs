//! The photographs of a letter: on the desk with their order, and as pages of the letter.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::letter::Letter;
use super::model::{LetterId, State as Where};
use super::pages::{self, MAX_LETTER_PAGES};
use super::{LETTER_FEED, Letters};
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::engine::files::{File, FileId, Picture};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::Html;

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(Audience::SignedIn, "/letters/{letter}/pages", get(show))
}

/// A photograph.
pub(super) struct PageView {
    id: FileId,
    /// Where its picture is; nothing while it is prepared, and when it cannot be shown.
    src: Option<String>,
    is_waiting: bool,
    width: i64,
    height: i64,
    label: String,
}

impl PageView {
    fn new(file: &File, number: usize, lang: Lang) -> Self {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let size = match file.large {
            Some(_) => "?size=large",
            None => "",
        };
        let is_made = file.picture == Picture::Made;
        Self {
            id: file.id,
            src: is_made.then(|| format!("/files/{}/page{size}", file.id)),
            is_waiting: file.picture == Picture::Waiting,
            width: file.width.unwrap_or(3),
            height: file.height.unwrap_or(4),
            label: lang.with("letters-page-n", &[("number", number.into())]),
        }
    }
}

/// A photograph in the museum.
pub(super) struct Photograph {
    pub(super) src: String,
    pub(super) label: String,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// All photographs of a letter.
#[derive(Template)]
#[template(path = "letters/pages.html")]
pub(super) struct PagesView {
    lang: Lang,
    letter: LetterId,
    /// Of a draft: the feed with its cursor.
    feed: String,
    is_draft: bool,
    pages: Vec<PageView>,
}

impl PagesView {
    fn has_room(&self) -> bool {
        self.pages.len() < MAX_LETTER_PAGES
    }
}

impl Letters {
    async fn page_views(&self, letter: LetterId, lang: Lang) -> Result<Vec<PageView>> {
        let all = pages::of(&self.engine.db, letter).await?;
        let mut views = Vec::new();
        for (number, id) in (1..).zip(all) {
            let file = self.engine.files.file(id).await?;
            views.push(PageView::new(&file, number, lang));
        }
        Ok(views)
    }

    /// The photographs of a letter that can be shown.
    pub(super) async fn photographs(
        &self,
        letter: LetterId,
        lang: Lang,
    ) -> Result<Vec<Photograph>> {
        let views = self.page_views(letter, lang).await?.into_iter();
        let shown = views.filter_map(|view| {
            Some(Photograph {
                src: view.src?,
                label: view.label,
                width: view.width,
                height: view.height,
            })
        });
        Ok(shown.collect())
    }

    /// The photographs of a letter, for who may read it.
    pub(super) async fn pages_view(&self, letter: &Letter, lang: Lang) -> Result<PagesView> {
        // Taken before the pages are read: later changes arrive as frames.
        let feed = LETTER_FEED.position(letter.id, &self.engine.live).await?;
        let views = self.page_views(letter.id, lang).await?;
        Ok(PagesView {
            lang,
            letter: letter.id,
            feed,
            is_draft: letter.state == Where::Draft,
            pages: views,
        })
    }
}

/// `GET /letters/{letter}/pages`: the photographs alone.
async fn show(
    State(letters): State<Letters>,
    viewer: Viewer,
    Path(id): Path<LetterId>,
) -> Result<Html> {
    let letter = letters.visible(&viewer, id).await?;
    match letter.is_readable_by(viewer.account) {
        true => Html::of(&letters.pages_view(&letter, viewer.lang).await?),
        false => Err(Error::NotFound),
    }
}
