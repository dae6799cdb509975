//! The first messages between `tidepool share` and the server, as JSON.

use serde::{Deserialize, Serialize};

use crate::base::ids::RoomId;

/// The version of the protocol.
pub const PROTOCOL: u32 = 1;
/// The path of a sharer's socket.
pub const SHARE_PATH: &str = "/terminals/share";
/// Bytes of one message of a sharer: a screen of the largest size in many colours.
pub const MAX_SHARER_MESSAGE_BYTES: usize = 4 << 20;

/// What a sharer says first, on every connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub version: u32,
    /// The room to share in; of no meaning when the sharer comes back.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// The terminal that the sharer comes back to, as a number.
    #[serde(default)]
    pub terminal: Option<String>,
    /// What it is called.
    #[serde(default)]
    pub title: String,
    /// What runs in it, as one line.
    #[serde(default)]
    pub command: String,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Whether the sharer takes input of others at all.
    #[serde(default)]
    pub takes_input: bool,
    /// Whether it is to be recorded.
    #[serde(default)]
    pub record: bool,
    /// How many bytes of input have arrived.
    #[serde(default)]
    pub input: u64,
}

/// What the server answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum Answer {
    /// Go on.
    Welcome {
        /// The terminal, as a number.
        terminal: String,
        /// The path of its page.
        path: String,
        /// From where output is expected; `None`: the server has nothing, and gets the screen.
        position: Option<u64>,
    },
    /// No.
    Refused {
        /// The code of the error.
        code: String,
        /// The same in words.
        message: String,
        /// Whether it may work later.
        passing: bool,
    },
}
