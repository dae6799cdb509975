//! The sidebar on its own: open pages refetch it when it has changed.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::redirects::local_path;
use super::shell::{Layout, Shell};
use super::topics::{
    BlocksChanged, GroupJoined, GroupsChanged, MemberChanged, MemberJoined, MemberLeft,
    NoticeLevelChanged, PresenceChosen, ProfileChanged, RolesChanged, RoomChanged, RoomCreated,
    SpaceChanged, SpaceDeleted, SpaceRulesChanged, SpacesOrdered, WebAccessChanged,
};
use super::{ACCOUNT_FEED, Community, SPACE_FEED, Scope, permissions};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::{Envelope, Event, Subscriber};
use crate::engine::live::Content;
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
        .on(profile_changed)
        .on(blocks_changed)
        .on(space_changed)
        .on(space_deleted)
        .on(spaces_ordered)
        .on(web_access_changed)
        .on(member_joined)
        .on(member_left)
        .on(member_changed)
        .on(roles_changed)
        .on(groups_changed)
        .on(group_joined)
        .on(presence_chosen)
        .on(notice_level_changed)
        .on(rules_changed)
        .when_lagged(refresh_all)
}

/// After missed events: open pages refetch their sidebar where a feed is behind the database.
async fn refresh_all(community: Community, _missed: u64) {
    let live = &community.engine().live;
    live.refresh_all(SPACE_FEED.pattern).await;
    live.refresh_all(ACCOUNT_FEED.pattern).await;
}

/// The feeds of those whose list of rooms changes: of the space, or of some accounts.
fn feeds_of(space: Option<SpaceId>, accounts: Option<&[AccountId]>) -> Vec<String> {
    match (space, accounts) {
        (Some(space), None) => vec![SPACE_FEED.name(space)],
        (_, accounts) => {
            let accounts = accounts.unwrap_or_default().iter();
            accounts
                .map(|account| ACCOUNT_FEED.name(*account))
                .collect()
        }
    }
}

impl RoomCreated {
    /// The feeds that carry the event.
    pub(super) fn feeds(&self) -> Vec<String> {
        let is_public = self.space.is_some() && !self.private;
        feeds_of(self.space, (!is_public).then_some(&self.members))
    }
}

impl ProfileChanged {
    /// The feeds that carry the event: conversations stand in the sidebars of all its spaces.
    pub(super) fn feeds(&self) -> Vec<String> {
        let spaces = self.spaces.iter().map(|space| SPACE_FEED.name(*space));
        spaces.chain([ACCOUNT_FEED.name(self.account)]).collect()
    }
}

impl RoomChanged {
    /// The feeds that carry the event.
    pub(super) fn feeds(&self) -> Vec<String> {
        let is_public = self.space.is_some() && self.members.is_empty();
        feeds_of(self.space, (!is_public).then_some(&self.members))
    }
}

fn refetch<E: Event>(community: &Community, feed: &str, envelope: &Envelope, event: &E) {
    let content = Content::of(event).refetch();
    community.engine().live.publish_at(feed, envelope, content);
}

async fn room_created(
    community: &Community,
    event: &RoomCreated,
    envelope: &Envelope,
) -> Result<()> {
    for feed in event.feeds() {
        refetch(community, &feed, envelope, event);
    }
    Ok(())
}

async fn profile_changed(
    community: &Community,
    event: &ProfileChanged,
    envelope: &Envelope,
) -> Result<()> {
    for feed in event.feeds() {
        refetch(community, &feed, envelope, event);
    }
    Ok(())
}

async fn blocks_changed(
    community: &Community,
    event: &BlocksChanged,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn room_changed(
    community: &Community,
    event: &RoomChanged,
    envelope: &Envelope,
) -> Result<()> {
    let feeds = event.feeds();
    if event.members.is_empty() {
        for feed in feeds {
            refetch(community, &feed, envelope, event);
        }
        return Ok(());
    }
    // Tells each affected account of itself only: who was removed from a private room must not
    // learn who is in it now.
    for (feed, account) in feeds.iter().zip(&event.members) {
        let own = RoomChanged {
            members: vec![*account],
            ..*event
        };
        refetch(community, feed, envelope, &own);
    }
    Ok(())
}

async fn space_changed(
    community: &Community,
    event: &SpaceChanged,
    envelope: &Envelope,
) -> Result<()> {
    refetch(community, &SPACE_FEED.name(event.space), envelope, event);
    Ok(())
}

async fn space_deleted(
    community: &Community,
    event: &SpaceDeleted,
    envelope: &Envelope,
) -> Result<()> {
    for account in &event.members {
        let own = SpaceDeleted {
            members: vec![*account],
            ..*event
        };
        refetch(community, &ACCOUNT_FEED.name(*account), envelope, &own);
    }
    let of_space = SpaceDeleted {
        members: Vec::new(),
        ..*event
    };
    let feed = SPACE_FEED.name(event.space);
    refetch(community, &feed, envelope, &of_space);
    Ok(())
}

async fn spaces_ordered(
    community: &Community,
    event: &SpacesOrdered,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn web_access_changed(
    community: &Community,
    event: &WebAccessChanged,
    envelope: &Envelope,
) -> Result<()> {
    refetch(community, &SPACE_FEED.name(event.space), envelope, event);
    Ok(())
}

async fn member_joined(
    community: &Community,
    event: &MemberJoined,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn member_left(community: &Community, event: &MemberLeft, envelope: &Envelope) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn member_changed(
    community: &Community,
    event: &MemberChanged,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn roles_changed(
    community: &Community,
    event: &RolesChanged,
    envelope: &Envelope,
) -> Result<()> {
    refetch(community, &SPACE_FEED.name(event.space), envelope, event);
    Ok(())
}

async fn rules_changed(
    community: &Community,
    event: &SpaceRulesChanged,
    envelope: &Envelope,
) -> Result<()> {
    refetch(community, &SPACE_FEED.name(event.space), envelope, event);
    Ok(())
}

async fn groups_changed(
    community: &Community,
    event: &GroupsChanged,
    envelope: &Envelope,
) -> Result<()> {
    refetch(community, &SPACE_FEED.name(event.space), envelope, event);
    Ok(())
}

async fn group_joined(
    community: &Community,
    event: &GroupJoined,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn presence_chosen(
    community: &Community,
    event: &PresenceChosen,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}

async fn notice_level_changed(
    community: &Community,
    event: &NoticeLevelChanged,
    envelope: &Envelope,
) -> Result<()> {
    let feed = ACCOUNT_FEED.name(event.account);
    refetch(community, &feed, envelope, event);
    Ok(())
}
