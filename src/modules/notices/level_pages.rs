//! The pages on which one chooses what one is told of in a room, or in the rooms of a space.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::Notices;
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::community::permissions::READ;
use crate::community::{Layout, NoticeLevel, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Notices>) -> Module<Notices> {
    module
        .page(Audience::SignedIn, "/rooms/{room}/notices", get(of_room))
        .page(Audience::SignedIn, "/spaces/{space}/notices", get(of_space))
}

/// The message keys of a level's name and explanation.
pub(super) fn words_of(level: NoticeLevel) -> (&'static str, &'static str) {
    match level {
        NoticeLevel::All => ("notice-level-all", "notice-level-all-hint"),
        NoticeLevel::Mentions => ("notice-level-mentions", "notice-level-mentions-hint"),
        NoticeLevel::Nothing => ("notice-level-nothing", "notice-level-nothing-hint"),
        NoticeLevel::Hidden => ("notice-level-hidden", "notice-level-hidden-hint"),
    }
}

#[derive(Template)]
#[template(path = "notices/level.html", blocks = ["app"])]
struct LevelPage {
    head: Head,
    shell: Shell,
    form: Form,
    /// `room` or `space`, and its id.
    scope: (&'static str, String),
    back: String,
    title: String,
    /// What was set here.
    level: Option<NoticeLevel>,
    /// What holds without.
    inherited: NoticeLevel,
    /// The space whose rooms share a level, on the page of one of them.
    space: Option<SpaceId>,
}

impl LevelPage {
    fn levels(&self) -> Vec<(&'static str, &'static str, &'static str, bool)> {
        let each = NoticeLevel::EACH.into_iter();
        let each = each.map(|level| {
            let (name, hint) = words_of(level);
            (level.as_str(), name, hint, self.level == Some(level))
        });
        each.collect()
    }

    /// The name of the level that holds when nothing is set here.
    fn inherited_name(&self) -> &'static str {
        self.head.lang.t(words_of(self.inherited).0)
    }
}

/// `GET /rooms/{room}/notices`.
async fn of_room(
    State(notices): State<Notices>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let community = &notices.community;
    let access = &community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let deps = notices.engine.versions.dependencies();
    let levels = community.notice_levels(&deps, viewer.account).await?;
    let of_space = room.space.and_then(|space| levels.spaces.get(&space));
    let inherited = of_space.copied();
    let inherited = inherited.unwrap_or_else(|| NoticeLevel::default_of(room.space));
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    app_page!(
        wants,
        LevelPage {
            head: community.head(&viewer, viewer.lang.t("notice-level-title")),
            shell,
            form,
            scope: ("room", room.id.to_string()),
            back: here,
            title: community.rooms.title(viewer.account, &room).await?,
            level: levels.rooms.get(&room.id).copied(),
            inherited,
            space: room.space,
        }
    )
}

/// `GET /spaces/{space}/notices`.
async fn of_space(
    State(notices): State<Notices>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let community = &notices.community;
    let scope = Scope::Space(space);
    community
        .access
        .permit(viewer.account, &READ, scope)
        .await?;
    let deps = notices.engine.versions.dependencies();
    let levels = community.notice_levels(&deps, viewer.account).await?;
    let here = format!("/spaces/{space}/notices");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    app_page!(
        wants,
        LevelPage {
            head: community.head(&viewer, viewer.lang.t("notice-level-title")),
            title: shell.title.clone(),
            shell,
            form,
            scope: ("space", space.to_string()),
            back: format!("/spaces/{space}"),
            level: levels.spaces.get(&space).copied(),
            inherited: NoticeLevel::default_of(Some(space)),
            space: None,
        }
    )
}
