//! Fetching what a card shows: a page with its picture, or a picture.

use std::sync::Arc;

use tokio::sync::Semaphore;
use url::Url;

use super::{charset, metadata};
use crate::base::settings::Settings;
use crate::engine::files::{Files, SmallPicture};
use crate::engine::jobs::Failure;
use crate::engine::safe_fetch::{Accepts, Content, Fetched, SafeFetch, Targets};
use crate::modules::chat::link_card::PageText;

/// Fetches at once: each holds up to 2 MiB.
const MAX_FETCHES_AT_ONCE: usize = 8;

/// Fetches previews. Cheap to clone.
#[derive(Clone)]
pub(in crate::modules::chat) struct LinkFetcher {
    client: SafeFetch,
    permits: Arc<Semaphore>,
}

/// What was found at an address.
#[derive(Default)]
pub(super) struct FoundPage {
    /// Nothing where nothing can be shown.
    pub(super) text: Option<PageText>,
    pub(super) picture: Option<SmallPicture>,
}

impl LinkFetcher {
    /// `None` when the setting is off, and when there can be no client.
    pub(in crate::modules::chat) fn new(settings: &Settings) -> Option<Self> {
        let targets = match settings.link_previews_from_loopback {
            true => Targets::Any,
            false => Targets::Public,
        };
        if !settings.link_previews {
            return None;
        }
        let client = SafeFetch::new(targets)
            .inspect_err(|error| tracing::error!(%error, "no client for previews of links"));
        Some(Self {
            client: client.ok()?,
            permits: Arc::new(Semaphore::new(MAX_FETCHES_AT_ONCE)),
        })
    }

    /// Fetches what a card shows of an address. What cannot be fetched is nothing.
    ///
    /// # Errors
    /// When the server shuts down.
    pub(super) async fn find(&self, files: &Files, url: &str) -> Result<FoundPage, Failure> {
        let _permit = self.permits.acquire().await?;
        let Ok(fetched) = self.client.get(url, Accepts::PageOrPicture).await else {
            return Ok(FoundPage::default());
        };
        let Fetched { url, content, body } = fetched;
        let content_type = match content {
            Content::Picture(media) => {
                let picture = files.make_small_picture(body, media).await?;
                let text = picture.is_some().then(|| metadata::of_picture(&url));
                return Ok(FoundPage { text, picture });
            }
            Content::Page(content_type) => content_type,
        };
        let read = move || metadata::read(&charset::decode(&body, &content_type), &url);
        let found = tokio::task::spawn_blocking(read).await?;
        let picture = match found.picture {
            Some(url) => self.find_picture(files, &url).await?,
            None => None,
        };
        let is_shown =
            !found.text.title.is_empty() || !found.text.description.is_empty() || picture.is_some();
        let text = is_shown.then_some(found.text);
        Ok(FoundPage { text, picture })
    }

    async fn find_picture(
        &self,
        files: &Files,
        url: &Url,
    ) -> Result<Option<SmallPicture>, Failure> {
        match self.client.get(url.as_str(), Accepts::Picture).await {
            Ok(Fetched {
                content: Content::Picture(media),
                body,
                ..
            }) => files.make_small_picture(body, media).await,
            _ => Ok(None),
        }
    }
}
