//! The number of unread notices in every page of an account. Changes of many inboxes are batched;
//! each account gets one frame a second at most, however many notices there were.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{INBOX_FEED, InboxChanged, Notices, store};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::community::{UNREAD_FEED, count_mark};
use crate::engine::bus::Envelope;
use crate::engine::live::Content;
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::notices::{InboxId, InboxesChanged};
use crate::engine::partial::Partial;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

/// How long changes are batched before pages are told.
const BADGE_BATCH_INTERVAL: Duration = Duration::from_millis(200);
/// At least this long lies between two frames to one account.
const BADGE_INTERVAL: Duration = Duration::from_secs(1);
/// Accounts of one query.
const MAX_BADGES_READ: usize = 200;

/// Whose number is to be told. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Badges(Arc<State>);

#[derive(Default)]
struct State {
    accounts: Mutex<Accounts>,
    /// Wakes [`flush`].
    changed: Notify,
}

#[derive(Default)]
struct Accounts {
    changed: HashSet<AccountId>,
    /// Only within the last [`BADGE_INTERVAL`].
    told_at: HashMap<AccountId, Instant>,
}

impl Accounts {
    /// Takes those whom a frame could reach, and who were not told within the interval. Drops those
    /// whom none could.
    fn take_due(&mut self, is_reached: impl Fn(AccountId) -> bool) -> Vec<AccountId> {
        self.told_at.retain(|_, at| at.elapsed() < BADGE_INTERVAL);
        self.changed.retain(|account| is_reached(*account));
        let told = &self.told_at;
        let due: Vec<AccountId> = self
            .changed
            .extract_if(|account| !told.contains_key(account))
            .collect();
        let now = Instant::now();
        self.told_at
            .extend(due.iter().map(|account| (*account, now)));
        due
    }
}

impl Badges {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        let accounts = self.0.accounts.lock();
        accounts.unwrap_or_else(PoisonError::into_inner)
    }
}

/// On every instance: each tells the accounts that are connected to it.
pub(super) async fn inboxes_changed(
    notices: &Notices,
    event: &InboxesChanged,
    _: &Envelope,
) -> Result<()> {
    let changed = event.accounts.iter().map(|inbox| AccountId(inbox.0));
    notices.badges.accounts().changed.extend(changed);
    notices.badges.0.changed.notify_one();
    Ok(())
}

/// Brings the number of a client up to date that comes back from another instance.
pub(super) async fn present(notices: Notices, account: AccountId) {
    notices.badges.accounts().changed.insert(account);
    notices.badges.0.changed.notify_one();
}

/// Tells accounts, as long as the server runs.
pub(super) async fn flush(notices: Notices) {
    loop {
        if notices.badges.accounts().changed.is_empty() {
            notices.badges.0.changed.notified().await;
        }
        tokio::time::sleep(BADGE_BATCH_INTERVAL).await;
        let live = &notices.engine.live;
        // Also pages that were loaded, and whose socket is not open yet.
        let is_reached = |account| {
            live.is_followed(&UNREAD_FEED.name(account))
                || live.is_followed(&INBOX_FEED.name(account))
        };
        let due = notices.badges.accounts().take_due(is_reached);
        for accounts in due.chunks(MAX_BADGES_READ) {
            match store::badges(&notices.engine.db, accounts).await {
                Ok(badges) => badges.into_iter().for_each(|badge| notices.publish(badge)),
                // The next page that is loaded has the number.
                Err(error) => tracing::warn!(%error, "numbers of notices were not sent"),
            }
        }
    }
}

/// What the number looks like; the newest notice is for scripts.
fn badge_html(lang: Lang, unread: i64, newest: i64) -> String {
    let (mark, number) = match unread {
        0 => (String::new(), String::new()),
        _ => (
            format!(
                "<i class=\"sr\" data-newest=\"{newest}\">, {}</i>",
                lang.t("unread")
            ),
            count_mark(lang, unread, "count-notices"),
        ),
    };
    format!(
        "{}{}",
        Partial::inner("#unread-inbox", &mark),
        Partial::inner("#mentions-inbox", &number)
    )
}

impl Notices {
    fn publish(&self, (account, unread, newest): (AccountId, i64, i64)) {
        let event = InboxChanged {
            account,
            unread,
            newest,
        };
        let live = &self.engine.live;
        let content = Content::of(&event);
        let badge = content
            .clone()
            .html(move |lang| badge_html(lang, unread, newest));
        live.publish(&UNREAD_FEED.name(account), badge);
        live.publish(&INBOX_FEED.name(account), content.refetch());
    }
}

/// The link to the inbox.
pub(super) async fn nav(
    notices: Notices,
    viewer: Viewer,
    _: Option<SpaceId>,
    deps: Dependencies,
) -> Result<Vec<NavSection>> {
    deps.add(InboxId(viewer.account.0));
    let badges = store::badges(&notices.engine.db, &[viewer.account]).await?;
    let unread = badges.first().map_or(0, |(_, unread, _)| *unread);
    let inbox = NavEntry {
        href: "/inbox".to_owned(),
        icon: "bell",
        label: viewer.lang.t("inbox-title").to_owned(),
        unread: unread > 0,
        mentions: unread,
        counts: "count-notices",
        is_muted: false,
        key: "inbox".to_owned(),
    };
    Ok(vec![NavSection {
        heading: "inbox-heading",
        named: None,
        add: None,
        entries: vec![inbox],
    }])
}
