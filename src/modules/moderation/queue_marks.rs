//! What reviewers see of their queues in every page: an entry of the sidebar with the number of
//! what waits, and the open queue itself, both without loading the page again.

use super::report_pages::nav_entry;
use super::topics::{ModerationQueue, QueueChanged, ReportsResolved};
use super::{Moderation, REVIEW, REVIEW_SERVER};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::community::permissions::is_granted;
use crate::community::{ACCOUNT_FEED, Scope, UNREAD_FEED};
use crate::engine::bus::{Envelope, Subscriber};
use crate::engine::feed::Feed;
use crate::engine::live::Content;
use crate::engine::module::{Module, NavEntry, NavSection};
use crate::engine::partial::Partial;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

/// Frames stored of a queue: a refetch is cheap.
const MAX_QUEUE_FRAMES: usize = 32;

/// That the queue of a space changed.
pub(super) const QUEUE_FEED: Feed<SpaceId> = Feed::new(
    "space/{space}/queue",
    "That the moderation queue of a space changed",
)
.volatile()
.max_frames(MAX_QUEUE_FRAMES);
/// That the host's queue changed.
pub(super) const SERVER_QUEUE_FEED: Feed<()> = Feed::new(
    "server/queue",
    "That the moderation queue of the host changed",
)
.volatile()
.max_frames(MAX_QUEUE_FRAMES);

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .feed(
            QUEUE_FEED,
            |moderation: Moderation, viewer, space| async move {
                let may = moderation.check_reviewer(viewer.account, Some(space));
                is_granted(may.await)
            },
        )
        .feed(
            SERVER_QUEUE_FEED,
            |moderation: Moderation, viewer, ()| async move {
                is_granted(moderation.check_reviewer(viewer.account, None).await)
            },
        )
        .nav(nav)
        .on_rejoin(UNREAD_FEED, present)
        .subscriber(
            Subscriber::new("moderation.marks")
                .on(queue_changed)
                .on(reports_resolved)
                .when_lagged(refresh_all),
        )
}

/// The key of a queue's entry in the sidebar.
fn entry_key(space: Option<SpaceId>) -> String {
    match space {
        Some(space) => format!("queue-{space}"),
        None => "queue".to_owned(),
    }
}

fn label(space: Option<SpaceId>, count: i64, lang: Lang) -> String {
    let name = match space {
        Some(_) => lang.t("queue-title"),
        None => lang.t("server-queue-title"),
    };
    match count {
        0 => name.to_owned(),
        count => format!("{name} ({count})"),
    }
}

async fn nav(
    moderation: Moderation,
    viewer: Viewer,
    space: Option<SpaceId>,
    deps: Dependencies,
) -> Result<Vec<NavSection>> {
    let own_reports = nav_entry(&moderation, &viewer, &deps).await?;
    let mut entries: Vec<NavEntry> = own_reports.into_iter().collect();
    let queues = space.map(Some).into_iter().chain([None]);
    for queue in queues {
        if !moderation.reviews(viewer.account, queue).await? {
            continue;
        }
        deps.add(ModerationQueue(queue.map_or(0, |space| space.0)));
        let count = moderation.open_count(viewer.account, queue).await?;
        entries.push(NavEntry {
            mentions: 0,
            counts: "count-mentions",
            is_muted: false,
            href: match queue {
                Some(space) => format!("/spaces/{space}/queue"),
                None => "/queue".to_owned(),
            },
            icon: "flag",
            label: label(queue, count, viewer.lang),
            unread: count > 0,
            key: entry_key(queue),
        });
    }
    Ok(match entries.is_empty() {
        true => Vec::new(),
        false => vec![NavSection {
            heading: "moderation-heading",
            named: None,
            add: None,
            entries,
        }],
    })
}

/// Sets the number and the mark of a queue's entry.
fn entry_html(space: Option<SpaceId>, count: i64, lang: Lang) -> String {
    let (key, name) = (entry_key(space), label(space, count, lang));
    let mark = match count {
        0 => String::new(),
        _ => format!("<i class=\"sr\">, {}</i>", lang.t("unread")),
    };
    format!(
        "{}{}",
        Partial::inner(format!("#room-link-{key} .name"), &name),
        Partial::inner(format!("#unread-{key}"), &mark)
    )
}

/// On every instance: open queues are fetched again, and the sidebars of reviewers who are
/// connected there get their number.
async fn queue_changed(moderation: &Moderation, event: &QueueChanged, _: &Envelope) -> Result<()> {
    let (live, space) = (&moderation.engine.live, event.space);
    let feed = match space {
        Some(space) => QUEUE_FEED.name(space),
        None => SERVER_QUEUE_FEED.name(()),
    };
    live.publish(&feed, Content::of(event).refetch());
    for account in live.connected() {
        if moderation.reviews(account, space).await? {
            let count = moderation.open_count(account, space).await?;
            let content = Content::of(event).html(move |lang| entry_html(space, count, lang));
            live.publish(&UNREAD_FEED.name(account), content);
        }
    }
    Ok(())
}

/// Brings the numbers of a client up to date that comes back from another instance.
async fn present(moderation: Moderation, account: AccountId) {
    if let Err(error) = moderation.present_queues(account).await {
        tracing::warn!(%error, "the numbers of queues were not sent");
    }
}

/// The sidebars of those who reported it tell that it was reviewed.
async fn reports_resolved(
    moderation: &Moderation,
    event: &ReportsResolved,
    envelope: &Envelope,
) -> Result<()> {
    for account in &event.accounts {
        // Each is told of itself alone: nobody learns who else reported it.
        let own = ReportsResolved {
            accounts: vec![*account],
        };
        let content = Content::of(&own).refetch();
        let live = &moderation.engine.live;
        live.publish_at(&ACCOUNT_FEED.name(*account), envelope, content);
    }
    Ok(())
}

/// After missed events: open queues are fetched again.
async fn refresh_all(moderation: Moderation, _missed: u64) {
    let live = &moderation.engine.live;
    live.refresh_all(QUEUE_FEED.pattern).await;
    live.refresh_all(SERVER_QUEUE_FEED.pattern).await;
    live.refresh_all(ACCOUNT_FEED.pattern).await;
}

impl Moderation {
    /// Publishes the number of each queue that an account reviews.
    async fn present_queues(&self, account: AccountId) -> Result<()> {
        let deps = self.engine.versions.dependencies();
        let spaces = self.community.spaces.of(&deps, account).await?;
        let spaces = spaces.iter().map(|space| Some(space.id));
        for space in spaces.chain([None]) {
            if !self.reviews(account, space).await? {
                continue;
            }
            let count = self.open_count(account, space).await?;
            let event = QueueChanged { space };
            let content = Content::of(&event).html(move |lang| entry_html(space, count, lang));
            let live = &self.engine.live;
            live.publish(&UNREAD_FEED.name(account), content);
        }
        Ok(())
    }

    /// Whether somebody reviews a queue.
    async fn reviews(&self, account: AccountId, space: Option<SpaceId>) -> Result<bool> {
        let access = &self.community.access;
        is_granted(match space {
            Some(space) => access.permit(account, &REVIEW, Scope::Space(space)).await,
            None => access.permit(account, &REVIEW_SERVER, Scope::Server).await,
        })
    }
}
