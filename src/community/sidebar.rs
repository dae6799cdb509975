//! The sidebar on its own: open pages refetch it when it has changed.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::redirects::local_path;
use super::shell::{Layout, Shell};
use super::topics::{
    AccountChanged, MemberJoined, MemberLeft, RoomChanged, RoomCreated, SpaceChanged,
};
use super::{ACCOUNT_FEED, Community, SPACE_FEED, Scope, permissions};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::{Envelope, Event, Subscriber};
use crate::engine::live::{Content, Hub};
use crate::engine::viewer::Viewer;
use crate::engine::web::Html;

#[derive(Template)]
#[template(path = "community/sidebar.html")]
struct Sidebar<'a> {
    shell: &'a Shell,
}

#[derive(Deserialize)]
pub(super) struct SidebarQuery {
    space: Option<SpaceId>,
    #[serde(default)]
    here: String,
}

/// `GET /sidebar?space=…&here=…`: the sidebar of the page at `here`.
pub(super) async fn sidebar(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    Query(query): Query<SidebarQuery>,
) -> Result<Html> {
    if let Some(space) = query.space {
        let access = &community.access;
        access
            .permit(viewer.account, &permissions::READ, Scope::Space(space))
            .await?;
    }
    let deps = community.engine().versions.dependencies();
    let here = local_path(&query.here);
    let shell = layout.sidebar(&deps, &viewer, query.space, here).await?;
    Html::of(&Sidebar { shell: &shell })
}

/// Has open pages refetch their sidebar when it has changed.
pub(super) fn presenter() -> Subscriber<Community> {
    Subscriber::new("community.sidebar")
        .on(room_created)
        .on(room_changed)
        .on(space_changed)
        .on(member_joined)
        .on(member_left)
        .when_lagged(refresh_all)
}

/// After missed events: every open page refetches its sidebar.
async fn refresh_all(community: Community, _missed: u64) {
    let live = &community.engine().live;
    for account in live.connected() {
        refresh_accounts(live, &[account], &AccountChanged { account });
    }
}

fn refresh_space<E: Event>(live: &Hub, space: SpaceId, event: &E) {
    live.publish(&SPACE_FEED.name(space), Content::of(event).refetch());
}

fn refresh_accounts<E: Event>(live: &Hub, accounts: &[AccountId], event: &E) {
    for account in accounts {
        live.publish(&ACCOUNT_FEED.name(*account), Content::of(event).refetch());
    }
}

async fn room_created(community: &Community, event: &RoomCreated, _: &Envelope) -> Result<()> {
    let live = &community.engine().live;
    match event.space {
        Some(space) if !event.private => refresh_space(live, space, event),
        _ => refresh_accounts(live, &event.members, event),
    }
    Ok(())
}

async fn room_changed(community: &Community, event: &RoomChanged, _: &Envelope) -> Result<()> {
    let live = &community.engine().live;
    match event.space {
        Some(space) if event.members.is_empty() => refresh_space(live, space, event),
        _ => refresh_each(live, event),
    }
    Ok(())
}

/// Tells each affected account of itself only: who was removed from a private room must not learn
/// who is in it now.
fn refresh_each(live: &Hub, event: &RoomChanged) {
    for account in &event.members {
        let own = RoomChanged {
            members: vec![*account],
            ..*event
        };
        refresh_accounts(live, &[*account], &own);
    }
}

async fn space_changed(community: &Community, event: &SpaceChanged, _: &Envelope) -> Result<()> {
    refresh_space(&community.engine().live, event.space, event);
    Ok(())
}

async fn member_joined(community: &Community, event: &MemberJoined, _: &Envelope) -> Result<()> {
    refresh_accounts(&community.engine().live, &[event.account], event);
    Ok(())
}

async fn member_left(community: &Community, event: &MemberLeft, _: &Envelope) -> Result<()> {
    refresh_accounts(&community.engine().live, &[event.account], event);
    Ok(())
}
