//! The lists of letters: inbox, sent ones, drafts, and the plaza of open ones.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::absence::{self, Absence};
use super::letter::Letter;
use super::store::{Before, FIRST, MAX_LETTERS_ON_PAGE};
use super::views::RowView;
use super::{LETTERBOX_FEED, Letters, MODERATE, ORGANISE, settings, store};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::base::locale::Lang;
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module
        .page(Audience::SignedIn, "/spaces/{space}/letters", get(show))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/letters/sent",
            get(show),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/letters/drafts",
            get(show),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/letters/plaza",
            get(show),
        )
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Inbox,
    Sent,
    Drafts,
    Plaza,
}

impl List {
    fn of_path(path: &str) -> Self {
        match path.rsplit('/').next() {
            Some("sent") => Self::Sent,
            Some("drafts") => Self::Drafts,
            Some("plaza") => Self::Plaza,
            _ => Self::Inbox,
        }
    }

    fn path(self, space: SpaceId) -> String {
        let end = match self {
            Self::Inbox => "",
            Self::Sent => "/sent",
            Self::Drafts => "/drafts",
            Self::Plaza => "/plaza",
        };
        format!("/spaces/{space}/letters{end}")
    }

    fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Inbox => lang.t("letters-inbox"),
            Self::Sent => lang.t("letters-sent"),
            Self::Drafts => lang.t("letters-drafts"),
            Self::Plaza => lang.t("letters-plaza"),
        }
    }

    fn empty(self, lang: Lang) -> &'static str {
        match self {
            Self::Inbox => lang.t("letters-inbox-none"),
            Self::Sent => lang.t("letters-sent-none"),
            Self::Drafts => lang.t("letters-drafts-none"),
            Self::Plaza => lang.t("letters-plaza-none"),
        }
    }
}

/// A link above the lists.
struct TabView {
    href: String,
    label: &'static str,
    is_current: bool,
}

#[derive(Deserialize)]
struct ListQuery {
    /// `<microseconds>.<id>` of the last letter of the page before.
    before: Option<String>,
    /// Present when the list alone is fetched again.
    list: Option<String>,
}

impl ListQuery {
    fn position(&self) -> Before {
        let parsed = self.before.as_deref().and_then(|text| {
            let (at, id) = text.split_once('.')?;
            Some((at.parse().ok()?, id.parse().ok()?))
        });
        parsed.unwrap_or(FIRST)
    }
}

#[derive(Template)]
#[template(path = "letters/box.html", blocks = ["app", "region"])]
struct BoxPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    tabs: Vec<TabView>,
    heading: &'static str,
    empty: &'static str,
    /// The feed with its cursor.
    feed: String,
    refresh: String,
    rows: Vec<RowView>,
    /// The address of the next page.
    next: Option<String>,
    is_inbox: bool,
    refuses: bool,
    /// When the viewer is away, if they said so.
    absence: Option<Absence>,
    moderates: bool,
    organises: bool,
    by_hand: bool,
}

impl BoxPage {
    /// What the fields of one's absence hold.
    fn away(&self) -> (String, String, String) {
        match &self.absence {
            Some(one) => (one.first_day(), one.last_day(), one.note.clone()),
            None => Default::default(),
        }
    }
}

/// `GET /spaces/{space}/letters`, and the other lists.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    uri: Uri,
    Path(space): Path<SpaceId>,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let settings = letters.settings_for(&viewer, space).await?;
    let (list, lang) = (List::of_path(uri.path()), viewer.lang);
    // Taken before the letters are read: later changes arrive as frames.
    let feed = LETTERBOX_FEED.position(viewer.account, &letters.engine.live);
    let feed = feed.await?;
    let (found, next) = letters
        .page_of(&viewer, space, list, query.position())
        .await?;
    let here = list.path(space);
    let db = &letters.engine.db;
    let access = &letters.community.access;
    let organises = access.permit(viewer.account, &ORGANISE, Scope::Space(space));
    let moderates = access.permit(viewer.account, &MODERATE, Scope::Space(space));
    let tabs = [List::Inbox, List::Sent, List::Drafts, List::Plaza];
    let before = query.before.as_deref().unwrap_or_default();
    let is_position = before.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let page = BoxPage {
        head: letters.community.head(&viewer, list.title(lang)),
        form,
        space,
        tabs: tabs
            .map(|tab| TabView {
                href: tab.path(space),
                label: tab.title(lang),
                is_current: tab == list,
            })
            .into_iter()
            .chain([TabView {
                href: format!("/spaces/{space}/letters/museum"),
                label: lang.t("letters-museum"),
                is_current: false,
            }])
            .collect(),
        heading: list.title(lang),
        empty: list.empty(lang),
        feed,
        refresh: match is_position && !before.is_empty() {
            true => format!("{here}?list=1&before={before}"),
            false => format!("{here}?list=1"),
        },
        rows: found
            .iter()
            .map(|letter| RowView::new(letter, viewer.account, lang))
            .collect(),
        next: next.map(|(at, id)| format!("{here}?before={at}.{id}")),
        is_inbox: list == List::Inbox,
        refuses: settings::is_refusing(db, space, viewer.account).await?,
        absence: absence::of(db, space, viewer.account, Micros::now()).await?,
        moderates: is_granted(moderates.await)?,
        organises: is_granted(organises.await)?,
        by_hand: settings.by_hand,
        shell: layout.shell(&viewer, Some(space), &here).await?,
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let answer: Result<PageAnswer> = app_page!(wants, page);
    Ok(answer?.into_response())
}

impl Letters {
    /// A page of a list, and where the next one begins.
    async fn page_of(
        &self,
        viewer: &Viewer,
        space: SpaceId,
        list: List,
        before: Before,
    ) -> Result<(Vec<Letter>, Option<Before>)> {
        let (db, account) = (&self.engine.db, viewer.account);
        let mut found = match list {
            List::Inbox => store::received(db, account, space, before).await?,
            List::Sent => store::sent(db, account, space, before).await?,
            List::Drafts => return Ok((store::drafts(db, account, space).await?, None)),
            List::Plaza => store::open(db, space, before).await?,
        };
        let most = usize::try_from(MAX_LETTERS_ON_PAGE).unwrap_or_default();
        let has_more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| has_more).map(|last| {
            let at = match list {
                List::Sent => last.sealed_at,
                _ => last.delivered_at,
            };
            (at.map_or(0, |at| at.0), last.id.0)
        });
        Ok((found, next))
    }
}
