//! What a scheduled message is.

use sqlx::FromRow;

use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId};
use crate::id;

id!(
    /// A scheduled message.
    ScheduledId
);

/// A message that is posted at a time.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Scheduled {
    pub(super) id: ScheduledId,
    #[sqlx(rename = "account_id")]
    pub(super) account: AccountId,
    #[sqlx(rename = "room_id")]
    pub(super) room: RoomId,
    pub(super) body: String,
    pub(super) due_at: Micros,
    /// Why it was not posted, in words; empty while it waits.
    pub(super) problem: String,
}
