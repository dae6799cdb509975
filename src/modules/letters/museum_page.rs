//! `/spaces/{space}/letters/museum`: the letters that hang, one exhibition of them, and for
//! curators those that wait.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::absence::DAY;
use super::exhibitions::{self, Exhibition, ExhibitionId};
use super::museum::{self, Exhibit, MAX_EXHIBITS_SHOWN};
use super::pages_view::Photograph;
use super::text::paragraphs;
use super::{CURATE, Letters, MUSEUM_FEED};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/museum",
        get(show),
    )
}

#[derive(Deserialize)]
struct MuseumQuery {
    /// Microseconds: letters that were hung before.
    before: Option<i64>,
    /// One exhibition alone.
    exhibition: Option<ExhibitionId>,
    /// Present when the list alone is fetched again.
    list: Option<String>,
}

/// A letter that hangs, with its photographs.
struct ExhibitView {
    letter: Exhibit,
    photographs: Vec<Photograph>,
}

#[derive(Template)]
#[template(path = "letters/museum.html", blocks = ["app", "region"])]
struct MuseumPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    curates: bool,
    /// The feed with its cursor.
    feed: String,
    refresh: String,
    exhibitions: Vec<Exhibition>,
    /// The exhibition that is shown alone.
    shown: Option<Exhibition>,
    waiting: Vec<ExhibitView>,
    hung: Vec<ExhibitView>,
    next: Option<i64>,
}

impl MuseumPage {
    fn paragraphs(&self, exhibit: &Exhibit) -> Vec<String> {
        paragraphs(&exhibit.body)
    }

    fn days(&self, exhibition: &Exhibition) -> String {
        let (from, until) = (exhibition.opens(), exhibition.closes());
        let days = [
            ("from", from.as_str().into()),
            ("until", until.as_str().into()),
        ];
        self.head.lang.with("letters-exhibition-days", &days)
    }

    fn is_in(&self, exhibit: &Exhibit, exhibition: &Exhibition) -> bool {
        exhibit.exhibition_id == Some(exhibition.id)
    }

    fn counts(&self, exhibit: &Exhibit) -> String {
        let lang = self.head.lang;
        let hearts = lang.with("letters-hearts", &[("count", exhibit.hearts.into())]);
        let notes = lang.with("letters-notes-count", &[("count", exhibit.notes.into())]);
        format!("{hearts} · {notes}")
    }

    /// What the fields of an exhibition hold.
    fn fields(&self) -> (String, String, String, String) {
        match &self.shown {
            Some(one) => (
                one.title.clone(),
                one.about.clone(),
                one.opens(),
                one.closes(),
            ),
            None => Default::default(),
        }
    }
}

impl Letters {
    async fn exhibit_views(
        &self,
        exhibits: Vec<Exhibit>,
        viewer: &Viewer,
    ) -> Result<Vec<ExhibitView>> {
        let mut views = Vec::new();
        for letter in exhibits {
            let photographs = self.photographs(letter.letter_id, viewer.lang).await?;
            views.push(ExhibitView {
                letter,
                photographs,
            });
        }
        Ok(views)
    }

    /// An exhibition of a space: before it opens, and once it is over, for curators.
    async fn exhibition_for(
        &self,
        id: ExhibitionId,
        space: SpaceId,
        curates: bool,
    ) -> Result<Exhibition> {
        let found = exhibitions::find(&self.engine.db, id).await?;
        match found.space_id == space && (curates || found.is_open(Micros::now())) {
            true => Ok(found),
            false => Err(Error::NotFound),
        }
    }
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<MuseumQuery>,
) -> Result<Response> {
    letters.settings_for(&viewer, space).await?;
    // Taken before the letters are read: later changes arrive as frames.
    let feed = MUSEUM_FEED.position(space, &letters.engine.live).await?;
    let (db, access) = (&letters.engine.db, &letters.community.access);
    let (scope, now) = (Scope::Space(space), Micros::now());
    let curates = is_granted(access.permit(viewer.account, &CURATE, scope).await)?;
    let shown = match query.exhibition {
        Some(id) => Some(letters.exhibition_for(id, space, curates).await?),
        None => None,
    };
    let before = query.before.unwrap_or(i64::MAX);
    let hung = match &shown {
        Some(one) => museum::of_exhibition(db, one.id).await?,
        None => museum::hung(db, space, before, now).await?,
    };
    let is_full = i64::try_from(hung.len()).unwrap_or(0) == MAX_EXHIBITS_SHOWN;
    let last = hung.last().and_then(|last| last.hung_at);
    let waiting = match curates && shown.is_none() {
        true => museum::waiting(db, space).await?,
        false => Vec::new(),
    };
    let from_day = if curates { 0 } else { now.0 / DAY };
    let mut all = exhibitions::list(db, space, from_day).await?;
    all.retain(|one| curates || one.is_open(now));
    let here = format!("/spaces/{space}/letters/museum");
    let title = match &shown {
        Some(one) => one.title.clone(),
        None => viewer.lang.t("letters-museum").to_owned(),
    };
    let page = MuseumPage {
        head: letters.community.head(&viewer, &title),
        shell: layout.shell(&viewer, Some(space), &here).await?,
        form,
        space,
        curates,
        feed,
        refresh: match (&shown, query.before) {
            (Some(one), _) => format!("{here}?list=1&exhibition={}", one.id),
            (None, Some(before)) => format!("{here}?list=1&before={before}"),
            (None, None) => format!("{here}?list=1"),
        },
        next: last.filter(|_| is_full && shown.is_none()).map(|at| at.0),
        exhibitions: all,
        shown,
        waiting: letters.exhibit_views(waiting, &viewer).await?,
        hung: letters.exhibit_views(hung, &viewer).await?,
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let answer: Result<PageAnswer> = app_page!(wants, page);
    Ok(answer?.into_response())
}
