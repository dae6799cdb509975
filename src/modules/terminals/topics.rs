//! The events of terminals.

use serde_json::Value;

use super::core::Size;
use super::model::{Summary, TerminalId};
use crate::base::ids::RoomId;
use crate::{event, id};

id!(
    /// The terminals of a room, as a dependency of its own: they change far more often than the
    /// room. It has the number of the room.
    RoomTerminals
);
id!(
    /// Somebody who watches a terminal that another instance has.
    LinkId
);

event! {
    /// A terminal began or ended in a room, or who may do what in it changed.
    pub struct TerminalChanged on "terminals.terminal.changed" by room
        changes(room as RoomTerminals) {
        /// The room.
        room: RoomId = RoomId(12),
        /// The terminal.
        terminal: TerminalId = TerminalId(15),
    }
}

event! {
    /// Who watches a terminal, its title or its size changed. An instance also repeats this for
    /// the terminals that it has.
    pub struct SummaryChanged on "terminals.summary.changed" by room
        changes(room as RoomTerminals) {
        /// The room.
        room: RoomId = RoomId(12),
        /// The terminal.
        terminal: TerminalId = TerminalId(15),
        /// The name of the instance that has it.
        instance: String = "Zk3xQ9aB".into(),
        /// What others see of it.
        summary: Summary = Summary::of_size(Size::new(80, 24)),
    }
}

event! {
    /// The screen of a terminal changed; at most twice a second.
    pub struct ScreenChanged on "terminals.screen.changed" by room changes() {
        /// The room.
        room: RoomId = RoomId(12),
        /// The terminal.
        terminal: TerminalId = TerminalId(15),
        /// Its lower left part, as HTML.
        html: String = "$ make\n".into(),
    }
}

event! {
    /// An instance passes on what somebody watches or types, to or from the instance that has the
    /// terminal.
    pub struct MessageRelayed on "terminals.message.relayed" by link changes() {
        /// Who watches.
        link: LinkId = LinkId(9),
        /// The name of the instance that it is for.
        instance: String = "Zk3xQ9aB".into(),
        /// The message, as instances of one version write it.
        body: Value = serde_json::json!({ "ack": { "position": 4711 } }),
    }
}
