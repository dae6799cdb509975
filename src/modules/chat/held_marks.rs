//! What moderators see in every page of messages that wait for them: an entry of the sidebar with
//! their number, which follows without loading the page again.

use super::held_pages::count;
use super::topics::{HeldChanged, HeldInSpace};
use super::{Chat, MODERATE};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::permissions::is_granted;
use crate::community::{Scope, UNREAD_FEED};
use crate::engine::bus::{Envelope, Subscriber};
use crate::engine::live::Content;
use crate::engine::module::{Module, NavEntry, NavSection};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module.publishes::<HeldChanged>().nav(nav).subscriber(
        Subscriber::new("chat.held-marks")
            .on(held_changed)
            .when_lagged(refresh_all),
    )
}

impl Chat {
    /// Whether somebody moderates all of a space. Who moderates single rooms finds what waits there
    /// among the space's settings.
    async fn moderates(&self, account: AccountId, space: SpaceId) -> Result<bool> {
        let access = &self.community.access;
        is_granted(access.permit(account, &MODERATE, Scope::Space(space)).await)
    }
}

async fn nav(
    chat: Chat,
    viewer: Viewer,
    space: Option<SpaceId>,
    deps: Dependencies,
) -> Result<Vec<NavSection>> {
    let Some(space) = space else {
        return Ok(Vec::new());
    };
    if !chat.moderates(viewer.account, space).await? {
        return Ok(Vec::new());
    }
    deps.add(HeldInSpace(space.0));
    let name = viewer.lang.t("held-nav");
    let waiting = count(chat, viewer, space).await?;
    if waiting == 0 {
        return Ok(Vec::new());
    }
    let entry = NavEntry {
        href: format!("/spaces/{space}/held"),
        icon: "clock",
        label: format!("{name} ({waiting})"),
        unread: true,
        mentions: 0,
        counts: "count-mentions",
        is_muted: false,
        key: format!("held-{space}"),
    };
    Ok(vec![NavSection {
        heading: "moderation-heading",
        named: None,
        add: None,
        entries: vec![entry],
    }])
}

/// On every instance: the sidebars of moderators who are connected there are fetched again.
async fn held_changed(chat: &Chat, event: &HeldChanged, _: &Envelope) -> Result<()> {
    let live = &chat.engine.live;
    for account in live.connected() {
        if chat.moderates(account, event.space).await? {
            let content = Content::of(event).refetch();
            live.publish(&UNREAD_FEED.name(account), content);
        }
    }
    Ok(())
}

async fn refresh_all(chat: Chat, _missed: u64) {
    chat.engine.live.refresh_all(UNREAD_FEED.pattern).await;
}
