//! What other modules tell in the log of a room: see [`RoomLine`](crate::engine::room_lines::RoomLine).

use super::told::Told;
use super::topics::MessagePosted;
use super::{Chat, POST, ROOM_FEED, told_store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::community::Scope;
use crate::engine::bus::{Envelope, Origin, Subscriber};
use crate::engine::room_lines::LineTold;

pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.room-lines").on(line_told)
}

/// The instance where it happened tells it.
async fn line_told(chat: &Chat, event: &LineTold, envelope: &Envelope) -> Result<()> {
    if envelope.is_remote {
        return Ok(());
    }
    match tell(chat, event.clone()).await {
        // Of who may not post there nothing is told.
        Err(Error::Forbidden(_) | Error::NotFound | Error::Conflict(_)) => Ok(()),
        told => told,
    }
}

async fn tell(chat: &Chat, event: LineTold) -> Result<()> {
    let LineTold {
        room,
        account,
        line,
    } = event;
    let access = &chat.community.access;
    let space = access.permit_in_room(account, &POST, room).await?.space;
    let bus = chat.engine.bus.clone();
    let write = async move |tx: &mut Tx| {
        let message = told_store::insert(tx, room, account, &Told::Line(line)).await?;
        let (feed, origin) = (ROOM_FEED.name(room), Origin::new(account, space));
        let event = MessagePosted { room, message };
        bus.publish_to_followers(tx, &[feed], origin, event).await
    };
    let told = access.permitted_write(account, &POST, Scope::Room(room), write);
    told.await
}
