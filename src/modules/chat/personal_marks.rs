//! What chat keeps of an account besides its messages: reactions, votes in polls, and bookmarks.

use serde_json::json;

use super::model::MessageId;
use super::topics::MessageReacted;
use super::{Chat, ROOM_FEED, bookmark_store, poll_store, reaction_store, store};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::bus::Origin;
use crate::engine::personal_data::{DataPage, Erasure};

/// Entries of a page of a copy.
const PAGE: i64 = 500;
/// Messages that one transaction takes an account's reactions from.
const BATCH: i64 = 50;

fn page(items: Vec<serde_json::Value>, last: Option<MessageId>) -> DataPage {
    let is_full = i64::try_from(items.len()).unwrap_or(0) == PAGE;
    DataPage {
        items,
        next: last.map(|id| id.0).filter(|_| is_full),
    }
}

/// A page of an account's reactions.
pub(super) async fn export_reactions(
    chat: Chat,
    account: AccountId,
    after: i64,
) -> Result<DataPage> {
    let rows = reaction_store::of_account(&chat.engine.db, account, after, PAGE).await?;
    let last = rows.last().map(|(message, ..)| *message);
    let items = rows.into_iter().map(|(message, emoji, at)| {
        json!({ "message": message, "emoji": emoji, "created_at": at.rfc3339() })
    });
    Ok(page(items.collect(), last))
}

/// Takes back some of an account's reactions.
pub(super) async fn erase_reactions(chat: Chat, erasure: Erasure) -> Result<bool> {
    let account = erasure.account;
    let some = reaction_store::of_account(&chat.engine.db, account, 0, BATCH).await?;
    let (context, has_more) = (chat.clone(), !some.is_empty());
    let write = chat.engine.db.write_queued(async move |tx| {
        for (id, ..) in some {
            store::lock_message(tx, id).await?;
            let reactions = reaction_store::remove_all(tx, id, account).await?;
            let mut message = store::message_in(tx, id).await?;
            message.reactions = reactions;
            let (room, feed) = (message.room, ROOM_FEED.name(message.room));
            let (bus, event) = (&context.engine.bus, MessageReacted { room, message });
            let origin = Origin::new(account, None);
            bus.publish_to_followers(tx, &[feed], origin, event).await?;
        }
        Ok(())
    });
    write.await?;
    Ok(has_more)
}

/// A page of an account's votes.
pub(super) async fn export_votes(chat: Chat, account: AccountId, after: i64) -> Result<DataPage> {
    let rows = poll_store::of_account(&chat.engine.db, account, after, PAGE).await?;
    let last = rows.last().map(|(message, ..)| *message);
    let items = rows.into_iter().map(|(message, answers, at)| {
        let answers: Vec<_> = answers.split(' ').collect();
        json!({ "message": message, "answers": answers, "created_at": at.rfc3339() })
    });
    Ok(page(items.collect(), last))
}

/// Takes back some of an account's votes.
pub(super) async fn erase_votes(chat: Chat, erasure: Erasure) -> Result<bool> {
    let account = erasure.account;
    let some = poll_store::of_account(&chat.engine.db, account, 0, BATCH).await?;
    let (context, has_more) = (chat.clone(), !some.is_empty());
    let write = chat.engine.db.write_queued(async move |tx| {
        for (id, ..) in some {
            store::lock_message(tx, id).await?;
            let mut message = store::message_in(tx, id).await?;
            poll_store::remove_all(tx, id, account, &mut message.poll).await?;
            context.publish_vote(tx, account, None, &message).await?;
        }
        Ok(())
    });
    write.await?;
    Ok(has_more)
}

/// A page of an account's bookmarks.
pub(super) async fn export_bookmarks(
    chat: Chat,
    account: AccountId,
    after: i64,
) -> Result<DataPage> {
    let rows = bookmark_store::of_account(&chat.engine.db, account, after, PAGE).await?;
    let last = rows.last().map(|(message, _)| *message);
    let items = rows
        .into_iter()
        .map(|(message, at)| json!({ "message": message, "created_at": at.rfc3339() }));
    Ok(page(items.collect(), last))
}

/// Removes some of an account's bookmarks.
pub(super) async fn erase_bookmarks(chat: Chat, erasure: Erasure) -> Result<bool> {
    let write = chat.engine.db.write_queued(async move |tx| {
        bookmark_store::remove_some(tx, erasure.account, BATCH).await
    });
    write.await
}
