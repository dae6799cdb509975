//! The messages between `tidepool share` and the server that are JSON: the first ones, and what is
//! told later beside output.

use serde::{Deserialize, Serialize};

use crate::base::ids::RoomId;
use crate::base::text::{limit_marks, normalize_optional_line};

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
    /// Whether the sharer can be asked for files of others.
    #[serde(default)]
    pub takes_files: bool,
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
        /// Whether it takes a [`SharerNote`].
        #[serde(default)]
        takes_notes: bool,
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

/// Bytes of one [`SharerNote`].
pub const MAX_NOTE_BYTES: usize = 8 << 10;
/// Characters of the folder and of the line about its working tree; what is longer is cut.
const MAX_FOLDER_CHARS: usize = 160;
const MAX_GIT_CHARS: usize = 100;

/// What a sharer tells beside output.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum SharerNote {
    /// Where the program is and what it takes now.
    Status(Status),
    /// Whether the sharer takes a file that was offered.
    FileAnswer {
        /// The number of the offer.
        file: String,
        /// Whether they do.
        takes: bool,
    },
    /// A file that they took has arrived.
    FileEnd {
        /// The number of the offer.
        file: String,
        /// Its name there; `None`: it could not be written.
        stored_as: Option<String>,
    },
}

/// What the server tells a sharer beside input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum ServerNote {
    /// Somebody offers a file. When the sharer takes it, its bytes follow in frames.
    FileOffer {
        /// The number of the offer.
        file: String,
        /// As its sender calls it.
        name: String,
        /// In bytes.
        size: u64,
        /// The name of who offers it.
        by: String,
    },
    /// It is not offered any more.
    FileWithdrawn {
        /// The number of the offer.
        file: String,
    },
}

/// Where a program is, and what it takes. Empty or `None`: it is not known, or not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The folder that it works in.
    #[serde(default)]
    pub folder: String,
    /// The Git working tree there, such as `main +3 ~2 ↑1`.
    #[serde(default)]
    pub git: String,
    /// What its processes take of one processor, in parts of a hundred.
    #[serde(default)]
    pub cpu_percent: Option<u32>,
    /// The memory of its processes, in MiB.
    #[serde(default)]
    pub memory_mib: Option<u64>,
}

impl Status {
    /// The same as it is shown: of one line each and cut, and in steps, so that small changes tell
    /// nobody anything.
    pub fn limited(self) -> Self {
        let line = |text: &str, max: usize| -> String {
            let text = limit_marks(&normalize_optional_line(text));
            text.chars().take(max).collect()
        };
        Self {
            folder: line(&self.folder, MAX_FOLDER_CHARS),
            git: line(&self.git, MAX_GIT_CHARS),
            cpu_percent: self.cpu_percent.map(|cpu| (cpu.min(99_999) + 2) / 5 * 5),
            memory_mib: self.memory_mib.map(in_steps),
        }
    }
}

/// With two digits that say something.
fn in_steps(number: u64) -> u64 {
    let number = number.min(1 << 40);
    let digits = number.checked_ilog10().unwrap_or_default();
    let step = 10_u64.pow(digits.saturating_sub(1));
    (number + step / 2) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_cut_and_in_steps() {
        let status = Status {
            folder: format!("/a\n{}", "b".repeat(300)),
            git: "\x1b[31mmain".to_owned(),
            cpu_percent: Some(u32::MAX),
            memory_mib: Some(1_264),
        };
        let limited = status.limited();
        assert_eq!(limited.folder.chars().count(), MAX_FOLDER_CHARS);
        assert!(!limited.folder.contains('\n') && !limited.git.contains('\x1b'));
        assert_eq!(limited.cpu_percent, Some(100_000));
        assert_eq!(limited.memory_mib, Some(1_300));
        assert_eq!(limited.clone().limited(), limited);
    }
}
