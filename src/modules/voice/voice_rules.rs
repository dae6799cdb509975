//! What the voice of one room is like: how many people fit, how good it sounds, who speaks, and
//! when it is ended because nobody does.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;

/// People in one room.
pub(super) const MAX_PEOPLE_IN_ROOM: usize = 1_000;
/// Bitrates of a voice that can be chosen, in kbit/s.
pub(super) const BITRATES: [i64; 6] = [16, 24, 40, 64, 96, 128];
/// Minutes of silence that can be chosen; zero: it is never ended.
pub(super) const IDLE_MINUTES: [i64; 6] = [0, 5, 15, 30, 60, 240];

/// The rules of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct VoiceRules {
    /// People at once; zero: as many as fit.
    pub max_people: i64,
    /// Of a voice, in kbit/s. Browsers are asked to keep to it.
    pub bitrate: i64,
    /// Whether only those speak who lead the room, and whom they let.
    pub is_stage: bool,
    /// Minutes in which nobody speaks or shows anything until everybody is taken out; zero: never.
    pub idle_minutes: i64,
}

impl Default for VoiceRules {
    fn default() -> Self {
        Self {
            max_people: 0,
            bitrate: 40,
            is_stage: false,
            idle_minutes: 0,
        }
    }
}

impl VoiceRules {
    /// # Errors
    /// `Invalid` with the field that cannot be so.
    pub(super) fn check(self) -> Result<Self> {
        if !(0..=MAX_PEOPLE_IN_ROOM as i64).contains(&self.max_people) {
            return Err(Error::field("max_people", "error-voice-max-people"));
        }
        if !BITRATES.contains(&self.bitrate) {
            return Err(Error::field("bitrate", "error-voice-bitrate"));
        }
        if !IDLE_MINUTES.contains(&self.idle_minutes) {
            return Err(Error::field("idle_minutes", "error-voice-idle-minutes"));
        }
        Ok(self)
    }

    /// How many fit.
    pub(super) fn max_people(self) -> usize {
        match usize::try_from(self.max_people) {
            Ok(max) if max > 0 => max.min(MAX_PEOPLE_IN_ROOM),
            _ => MAX_PEOPLE_IN_ROOM,
        }
    }
}

/// The rules of a room.
///
/// # Errors
/// The database's.
pub(super) async fn of(db: &Db, room: RoomId) -> Result<VoiceRules> {
    const READ: &str = "SELECT max_people, bitrate, is_stage, idle_minutes FROM voice_rules \
        WHERE room_id = $1";
    Ok(db.optional(READ, (room,)).await?.unwrap_or_default())
}

/// Replaces the rules of a room.
///
/// # Errors
/// The database's.
pub(super) async fn set(tx: &mut Tx, room: RoomId, rules: VoiceRules) -> Result<()> {
    const SET: &str = "INSERT INTO voice_rules \
        (room_id, max_people, bitrate, is_stage, idle_minutes) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (room_id) DO UPDATE SET max_people = excluded.max_people, \
        bitrate = excluded.bitrate, is_stage = excluded.is_stage, \
        idle_minutes = excluded.idle_minutes";
    let values = (
        room,
        rules.max_people,
        rules.bitrate,
        rules.is_stage,
        rules.idle_minutes,
    );
    tx.execute(SET, values).await?;
    Ok(())
}
