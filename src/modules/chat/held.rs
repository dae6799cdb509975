//! Messages that a rule holds: kept whole until a moderator of their room releases or discards
//! them, or for seven days. Nobody but these moderators and the author sees them.

use std::time::Duration;

use askama::Template;

use super::attachment_store::NewAttachments;
use super::held_model::{HELD_TTL, HeldId, HeldMessage};
use super::topics::{HeldChanged, MessageHeld};
use super::{Chat, held_store, markdown};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{ACCOUNT_FEED, Face};
use crate::engine::bus::Origin;
use crate::engine::partial::Partial;
use crate::engine::web::icon_address;

/// Messages of one author that wait in one space.
const MAX_HELD_OF_AUTHOR: i64 = 20;
/// Messages that wait in one space.
const MAX_HELD_IN_SPACE: i64 = 500;
/// How often expired ones are deleted.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(600);

/// A held message as its author's page and the list of moderators show it.
#[derive(Template)]
#[template(path = "chat/held_message.html")]
pub(super) struct HeldView<'a> {
    pub(super) message: &'a HeldMessage,
    pub(super) face: Face,
    pub(super) body: String,
    /// Whether it is shown to its author, with a note about the wait.
    pub(super) is_own: bool,
    pub(super) lang: Lang,
}

impl<'a> HeldView<'a> {
    pub(super) fn new(message: &'a HeldMessage, is_own: bool, lang: Lang) -> Self {
        Self {
            face: Face::of(message.author, &message.author_name),
            body: markdown::to_html(&message.body),
            message,
            is_own,
            lang,
        }
    }

    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }

    /// The HTML.
    ///
    /// # Errors
    /// `Internal` when the template fails.
    pub(super) fn html(&self) -> Result<String> {
        Ok(self.render().map_err(anyhow::Error::new)?)
    }
}

/// Shows a held message in its author's page, in place of the pending copy.
pub(super) fn held_frame(message: &HeldMessage, lang: Lang) -> Result<String> {
    let html = HeldView::new(message, true, lang).html()?;
    let HeldMessage { id, room, key, .. } = message;
    Ok(format!(
        "{}{}",
        Partial::append(format!("#held-{room}:not(:has(#h-{id}))"), &html),
        Partial::delete(format!("[data-pending='{key}']"))
    ))
}

impl Chat {
    /// Keeps a new message for a moderator, in the transaction of its post.
    ///
    /// # Errors
    /// `Conflict` when too many wait; the errors of claiming its files.
    pub(super) async fn hold(
        &self,
        tx: &mut Tx,
        mut message: HeldMessage,
        attachments: NewAttachments,
        rule: &str,
    ) -> Result<HeldMessage> {
        let (author, space) = (message.author, message.space);
        let (own, all) = held_store::count_waiting(tx, author, space).await?;
        if own >= MAX_HELD_OF_AUTHOR || all >= MAX_HELD_IN_SPACE {
            return Err(Error::Conflict("error-held-full"));
        }
        message.id = HeldId::new();
        message.created_at = Micros::now();
        message.files = attachments.claim(self, tx, message.room, author).await?;
        held_store::insert(tx, &message, rule).await?;
        let origin = Origin::new(author, Some(space));
        let event = MessageHeld {
            account: author,
            message: message.clone(),
        };
        let (bus, feed) = (&self.engine.bus, ACCOUNT_FEED.name(author));
        bus.publish_after_commit(tx, origin, HeldChanged { space });
        bus.publish_on(tx, &[feed], origin, event).await?;
        Ok(message)
    }

    /// The messages of an account that wait in a room, oldest first.
    pub(super) async fn held_of(
        &self,
        author: AccountId,
        room: RoomId,
    ) -> Result<Vec<HeldMessage>> {
        held_store::of_author(&self.engine.db, author, room, MAX_HELD_OF_AUTHOR).await
    }

    /// Deletes some held messages that have expired, with their files, and the keys of those that
    /// were decided about. Returns whether there may be more.
    async fn delete_expired_held(&self) -> Result<bool> {
        let before = Micros(Micros::now().0 - HELD_TTL.as_micros() as i64);
        let expired = held_store::expired(&self.engine.db, before).await?;
        for id in &expired {
            let (context, id) = (self.clone(), *id);
            let write = async move |tx: &mut Tx| context.delete_held(tx, id).await;
            self.engine.db.write_queued(write).await?;
        }
        Ok(!expired.is_empty())
    }

    /// Deletes a held message with its files.
    pub(super) async fn delete_held(&self, tx: &mut Tx, id: HeldId) -> Result<()> {
        self.release_held_files(tx, id).await?;
        if let Some(space) = held_store::delete(tx, id).await? {
            let bus = &self.engine.bus;
            bus.publish_after_commit(tx, Origin::default(), HeldChanged { space });
        }
        Ok(())
    }

    /// Deletes the files of a held message.
    pub(super) async fn release_held_files(&self, tx: &mut Tx, id: HeldId) -> Result<()> {
        for (file, _) in held_store::take_files(tx, id).await? {
            self.engine.files.release(tx, file).await?;
        }
        Ok(())
    }
}

/// Deletes held messages when they expire. Every instance may do it.
pub(super) async fn expire_held(chat: Chat) {
    let mut interval = tokio::time::interval(EXPIRY_INTERVAL);
    loop {
        interval.tick().await;
        loop {
            match chat.delete_expired_held().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "held messages did not expire; retried");
                    break;
                }
            }
        }
    }
}
