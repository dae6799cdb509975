//! The checksum of a message's row. SQLite notices damage to the structure of its pages, but not a
//! changed letter: `tidepool check` finds that by these.

use super::model::{Message, MessageId};
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId};

/// What of a message the checksum covers: everything that others read, but for attachments, whose
/// files have digests of their own.
pub(super) struct Covered<'a> {
    pub(super) id: MessageId,
    pub(super) room: RoomId,
    pub(super) author: AccountId,
    pub(super) created_at: Micros,
    pub(super) key: &'a str,
    pub(super) body: &'a str,
}

impl<'a> Covered<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        Self {
            id: message.id,
            room: message.room,
            author: message.author,
            created_at: message.created_at,
            key: &message.key,
            body: &message.body,
        }
    }

    /// 64 bits of a BLAKE3 digest, as a signed number, which every database has.
    pub(super) fn checksum(&self) -> i64 {
        let mut hasher = blake3::Hasher::new();
        for number in [self.id.0, self.room.0, self.author.0, self.created_at.0] {
            hasher.update(&number.to_le_bytes());
        }
        // The length keeps key and body apart.
        hasher.update(&(self.key.len() as u64).to_le_bytes());
        hasher.update(self.key.as_bytes());
        hasher.update(self.body.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        i64::from_le_bytes(first)
    }
}
