//! Previews of links: cards under a message with the title, the description and a picture of the
//! pages that it links to. A job fetches them after the message is posted or edited; the message
//! then carries a copy of what it shows.

mod charset;
mod fetch;
mod job;
mod metadata;
mod store;

use url::Url;

use super::link_card::PageText;
use super::model::{Message, MessageId};
use super::{Chat, markdown};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::engine::module::Module;
use crate::engine::web::Hosts;
pub(super) use fetch::LinkFetcher;
pub(super) use job::publish;

/// Cards of one message.
const MAX_CARDS: usize = 3;
/// Bytes of an address that is previewed.
const MAX_LINK_BYTES: usize = 2_048;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    job::declare(module)
}

/// The first links of a text to other sites, each once, as they are fetched. Takes up to 0.5 ms per
/// KiB.
fn links_of(body: &str, hosts: &Hosts) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for url in markdown::links_to_preview(body) {
        if links.len() == MAX_CARDS {
            break;
        }
        let Ok(mut url) = Url::parse(&url) else {
            continue;
        };
        url.set_fragment(None);
        let has_user = !url.username().is_empty() || url.password().is_some();
        let url = String::from(url);
        let is_fetched = !has_user && url.len() <= MAX_LINK_BYTES && !hosts.is_own_url(&url);
        if is_fetched && !links.contains(&url) {
            links.push(url);
        }
    }
    links
}

impl Chat {
    /// Has the previews of a message made that was posted or edited in this transaction.
    pub(super) async fn add_preview_job(&self, tx: &mut Tx, message: &Message) -> Result<()> {
        let has_link = message.body.contains("://") || message.body.contains("www.");
        let may_fetch = self.link_fetcher.is_some() && has_link;
        match may_fetch || !message.previews.is_empty() {
            true => job::add(self, tx, message.id, message.author).await,
            false => Ok(()),
        }
    }

    /// Releases what previews of a message that is deleted have stored.
    pub(super) async fn drop_previews(&self, tx: &mut Tx, message: MessageId) -> Result<()> {
        let mut links = store::remove_links(tx, message).await?;
        // In one order, so that no two transactions wait for one another.
        links.sort();
        for (url, file) in links {
            if let Some(file) = file {
                self.engine.files.release(tx, file).await?;
            }
            store::forget_unused(tx, &url).await?;
        }
        Ok(())
    }

    /// Takes the preview of one link off a message, or those of all its links, and stores that.
    /// Returns whether there was any.
    pub(super) async fn dismiss_previews(
        &self,
        tx: &mut Tx,
        message: &mut Message,
        url: Option<&str>,
    ) -> Result<bool> {
        let mut is_changed = false;
        for one in &mut message.previews.0 {
            if one.dismissed || url.is_some_and(|url| one.url != url) {
                continue;
            }
            is_changed = true;
            one.dismissed = true;
            one.page = PageText::default();
            if let Some(picture) = one.picture.take() {
                store::set_file(tx, message.id, &one.url, None).await?;
                self.engine.files.release(tx, picture.file).await?;
            }
        }
        if is_changed {
            store::set_previews(tx, message.id, &message.previews).await?;
        }
        Ok(is_changed)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::base::settings::{Profile, Settings};

    #[test]
    fn first_links_to_other_sites_are_previewed_once() {
        let hosts = Hosts::new(&Settings::of(Profile::Production, Path::new(".")));
        hosts.restrict_to("chat.example.org");
        let links = |text: &str| links_of(text, &hosts);
        assert_eq!(
            links("见 https://EXAMPLE.com/文#part，and [it](https://example.com/文#other)"),
            ["https://example.com/%E6%96%87"]
        );
        assert_eq!(
            links("https://a.example https://b.example https://c.example https://d.example").len(),
            MAX_CARDS
        );
        for text in [
            "`https://a.example/`",
            "```\nhttps://a.example/\n```",
            "||https://a.example/||",
            "||see [it](https://a.example/)||",
            "<https://a.example/>",
            "[it](<https://a.example/>)",
            "https://chat.example.org/rooms/5",
            "mailto:ann@a.example ann@a.example",
            "https://ann:secret@a.example/",
            &format!("https://a.example/{}", "a".repeat(MAX_LINK_BYTES)),
        ] {
            assert_eq!(links(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(links("> www.example.com/a"), ["http://www.example.com/a"]);
    }
}
