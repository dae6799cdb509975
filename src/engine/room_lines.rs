//! Lines in the log of a room that nobody wrote: what a module tells of something that happened
//! there, such as a call that was missed. The module that keeps the log stores them.

use serde::{Deserialize, Serialize};

use crate::base::ids::{AccountId, RoomId};
use crate::event;

/// What a line tells, in words that each reader gets in their own language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomLine {
    /// The message key of the line, with `$name` for whose doing it was and `$text`.
    pub words: String,
    /// The same in every language, such as a title or a time; may be empty. At most 500 bytes.
    pub text: String,
    /// The path of the page that shows more; may be empty.
    #[serde(default)]
    pub href: String,
}

event! {
    /// Something happened in a room that its log tells. It is told as its account's doing: if that
    /// may post there.
    pub struct LineTold on "chat.line.told" by room changes() {
        /// The room.
        room: RoomId = RoomId(12),
        /// Whose doing it was.
        account: AccountId = AccountId(7),
        /// The line.
        line: RoomLine = RoomLine {
            words: "line-call-missed".into(),
            ..RoomLine::default()
        },
    }
}
