//! The job that makes the previews of a message, and the one that sweeps the cache of pages.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::fetch::{FoundPage, LinkFetcher};
use super::store::CachedPage;
use super::{links_of, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::Origin;
use crate::engine::files::{FileId, FileOwner};
use crate::engine::jobs::{Failure, JobId, JobKind, NewJob, Run, Schedule, Settled};
use crate::engine::module::Module;
use crate::modules::chat::attachment_store::KIND;
use crate::modules::chat::link_card::{CardPicture, LinkPreview, LinkPreviews, PageText};
use crate::modules::chat::model::{Message, MessageId};
use crate::modules::chat::topics::MessagePreviewed;
use crate::modules::chat::{Chat, ROOM_FEED, store as messages};

const PREVIEW: &str = "chat.preview-links";
const SWEEP: &str = "chat.sweep-previews";
/// Messages whose previews are made at once, and that begin in a second.
const CONCURRENCY: usize = 4;
const MAX_MESSAGES_PER_SECOND: f64 = 5.0;
/// All of a message's links are fetched at once, each with its picture.
const JOB_TIMEOUT: Duration = Duration::from_secs(50);
/// Messages that wait for their previews.
const MAX_WAITING_OF_ACCOUNT: i64 = 30;
const MAX_WAITING: i64 = 1_000;
/// How long a page is not fetched again, and one of which nothing could be shown.
const PAGE_TTL: Duration = Duration::from_secs(7 * 24 * 3600);
const FAILURE_TTL: Duration = Duration::from_secs(24 * 3600);
/// Pages in the cache.
const MAX_CACHED_PAGES: i64 = 10_000;
/// How often, and for how long, it is looked whether another job has fetched a page.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
const POLL_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    let preview = JobKind::new(PREVIEW, "Fetches what a message links to", preview_links)
        .concurrency(CONCURRENCY)
        .timeout(JOB_TIMEOUT)
        .max_attempts(3)
        .backoff(Duration::from_secs(2))
        .max_per_second(MAX_MESSAGES_PER_SECOND);
    let about = "Deletes what is kept of pages that were fetched long ago";
    module
        .job(preview)
        .job(JobKind::new(SWEEP, about, sweep))
        .schedule(Schedule::new(SWEEP, "*/10 * * * *"))
}

/// Adds the job for a message, unless too many wait: then it has no previews.
pub(super) async fn add(
    chat: &Chat,
    tx: &mut Tx,
    message: MessageId,
    author: AccountId,
) -> Result<()> {
    let jobs = &chat.engine.jobs;
    let (own, all) = jobs.count_pending(tx, PREVIEW, author, MAX_WAITING).await?;
    if own >= MAX_WAITING_OF_ACCOUNT || all >= MAX_WAITING {
        tracing::debug!(%message, "too many messages wait for previews");
        return Ok(());
    }
    let job = NewJob::new(PREVIEW, &message)
        .key(message.to_string())
        .account(author);
    jobs.add(tx, job).await.map(drop)
}

async fn sweep(_: Chat, run: Run, (): ()) -> Result<Settled, Failure> {
    run.settle(async move |tx| store::sweep(tx, MAX_CACHED_PAGES).await)
        .await
}

/// What is known of a link.
struct KnownPage {
    url: String,
    cached: CachedPage,
    /// What was fetched now, by this job.
    found: Option<FoundPage>,
}

async fn preview_links(chat: Chat, run: Run, id: MessageId) -> Result<Settled, Failure> {
    let message = match messages::message(&chat.engine.db, id).await {
        Err(Error::NotFound) => return run.done(), // erased meanwhile
        message => message?,
    };
    let (body, hosts) = (message.body.clone(), chat.engine.hosts.clone());
    let links = tokio::task::spawn_blocking(move || links_of(&body, &hosts)).await?;
    let job = run.id();
    let pages = match &chat.link_fetcher {
        None => Vec::new(),
        Some(fetcher) => {
            let missing = links
                .iter()
                .filter(|url| message.previews.find(url).is_none());
            let pages = missing.map(|url| find_page(&chat, fetcher, job, url));
            try_join_all(pages).await?
        }
    };
    let found = pages.iter().filter_map(|page| page.found.as_ref());
    let pictures = found.filter_map(|found| found.picture.as_ref());
    let stored = chat.engine.files.store_small_pictures(pictures).await?;
    let settled = run
        .settle(async move |tx| set_previews(&chat, tx, (&message, job), &links, &pages).await)
        .await;
    drop(stored);
    settled
}

/// Finds a page in the cache, or fetches it unless another job does.
async fn find_page(
    chat: &Chat,
    fetcher: &LinkFetcher,
    job: JobId,
    url: &str,
) -> Result<KnownPage, Failure> {
    let db = &chat.engine.db;
    let started = Instant::now();
    while started.elapsed() < POLL_TIMEOUT {
        if let Some(cached) = store::cached(db, url).await? {
            return Ok(KnownPage {
                url: url.to_owned(),
                cached,
                found: None,
            });
        }
        let claimed = url.to_owned();
        let claim = async move |tx: &mut Tx| store::claim(tx, &claimed, job).await;
        if db.write_queued(claim).await? {
            let found = fetcher.find(&chat.engine.files, url).await?;
            let page = match &found.text {
                Some(text) => serde_json::to_string(text)?,
                None => String::new(),
            };
            return Ok(KnownPage {
                url: url.to_owned(),
                cached: CachedPage {
                    page,
                    file_id: None,
                },
                found: Some(found),
            });
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Err(Failure::Retry("another job fetches the page".to_owned()))
}

/// Stores what was found in the cache and in the message, and publishes the message if it changed.
async fn set_previews(
    chat: &Chat,
    tx: &mut Tx,
    (seen, job): (&Message, JobId),
    links: &[String],
    pages: &[KnownPage],
) -> Result<()> {
    messages::lock_message(tx, seen.id).await?;
    let mut message = match messages::message_in(tx, seen.id).await {
        Err(Error::NotFound) => return give_up(tx, job, pages).await,
        message => message?,
    };
    if message.is_deleted() {
        return give_up(tx, job, pages).await;
    }
    if message.body != seen.body {
        // Edited meanwhile: its own job was not added while this one ran.
        give_up(tx, job, pages).await?;
        return add(chat, tx, message.id, message.author).await;
    }
    let space = store::space_of(tx, message.room).await?;
    let mut previews = Vec::new();
    for url in links {
        if let Some(known) = message.previews.find(url) {
            previews.push(known.clone());
        } else if let Some(page) = pages.iter().find(|page| page.url == *url) {
            previews.extend(add_page(chat, tx, (&message, space, job), page).await?);
        }
    }
    drop_other_links(chat, tx, message.id, links).await?;
    let previews = LinkPreviews(previews);
    if previews == message.previews {
        return Ok(());
    }
    store::set_previews(tx, message.id, &previews).await?;
    message.previews = previews;
    publish(chat, tx, Origin::default(), message).await
}

/// Stores that a message links to a page, with its picture, and what was fetched of it. Returns the
/// preview, if there is something to show.
async fn add_page(
    chat: &Chat,
    tx: &mut Tx,
    (message, space, job): (&Message, Option<SpaceId>, JobId),
    page: &KnownPage,
) -> Result<Option<LinkPreview>> {
    // The picture belongs to this message, and the page in the cache points to it.
    let owner = FileOwner {
        kind: KIND,
        target: message.room.0,
        owner: message.author,
        space,
    };
    let picture = add_picture(chat, tx, page, owner).await?;
    let file = picture.as_ref().map(|picture| picture.file);
    store::set_file(tx, message.id, &page.url, file).await?;
    let text = &page.cached.page;
    if let Some(found) = &page.found {
        let ttl = match (text.is_empty(), &found.picture, file) {
            (true, ..) => FAILURE_TTL,
            // It does not fit this author's quota, but maybe that of another one.
            (false, Some(_), None) => Duration::ZERO,
            (false, ..) => PAGE_TTL,
        };
        store::set_page(tx, (&page.url, job), (text, file), ttl).await?;
    }
    if text.is_empty() {
        return Ok(None);
    }
    let text: PageText = serde_json::from_str(text).map_err(anyhow::Error::new)?;
    let is_shown = picture.is_some() || !text.is_picture;
    Ok(is_shown.then(|| LinkPreview {
        url: page.url.clone(),
        page: text,
        picture,
        dismissed: false,
    }))
}

/// Publishes a message whose previews changed.
pub(in crate::modules::chat) async fn publish(
    chat: &Chat,
    tx: &mut Tx,
    origin: Origin,
    message: Message,
) -> Result<()> {
    let (room, feed) = (message.room, ROOM_FEED.name(message.room));
    let event = MessagePreviewed { room, message };
    let bus = &chat.engine.bus;
    bus.publish_to_followers(tx, &[feed], origin, event).await
}

/// Lets other jobs fetch what this one has fetched for a message that is gone.
async fn give_up(tx: &mut Tx, job: JobId, pages: &[KnownPage]) -> Result<()> {
    for page in pages.iter().filter(|page| page.found.is_some()) {
        store::set_page(tx, (&page.url, job), ("", None), Duration::ZERO).await?;
        store::forget_unused(tx, &page.url).await?;
    }
    Ok(())
}

/// The picture of a card, as a file for its message.
async fn add_picture(
    chat: &Chat,
    tx: &mut Tx,
    page: &KnownPage,
    owner: FileOwner<'_>,
) -> Result<Option<CardPicture>> {
    let files = &chat.engine.files;
    let found = page.found.as_ref().and_then(|found| found.picture.as_ref());
    let file = match (found, page.cached.file_id) {
        (Some(picture), _) => files.add_small_picture(tx, picture, owner).await?,
        (None, Some(file)) => files.copy_if_fits(tx, file, owner).await?,
        (None, None) => None,
    };
    Ok(file.as_ref().map(CardPicture::of))
}

/// Releases what belongs to links that the message has no more.
async fn drop_other_links(
    chat: &Chat,
    tx: &mut Tx,
    message: MessageId,
    links: &[String],
) -> Result<()> {
    for url in store::links(tx, message).await? {
        if links.contains(&url) {
            continue;
        }
        let file: Option<FileId> = store::remove_link(tx, message, &url).await?;
        if let Some(file) = file {
            chat.engine.files.release(tx, file).await?;
        }
        store::forget_unused(tx, &url).await?;
    }
    Ok(())
}
