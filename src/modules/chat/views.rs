//! Chat's templates.

use askama::Template;

use super::log::Log;
use super::model::Message;
use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::community::Face;
use crate::community::shell::Shell;
use crate::engine::forms::Form;
use crate::engine::web::{Head, VERSION};

/// One message: the same for every viewer of one language.
#[derive(Template)]
#[template(path = "chat/message.html")]
pub(super) struct MessageView<'a> {
    pub(super) message: &'a Message,
    pub(super) face: Face,
    pub(super) body: &'a str,
    pub(super) emoji_only: bool,
    pub(super) lang: Lang,
}

impl MessageView<'_> {
    fn icon(&self, name: &str) -> String {
        format!("/assets/{VERSION}/icons.svg#{name}")
    }
}

/// The region that holds a room's messages.
#[derive(Template)]
#[template(path = "chat/log.html", blocks = ["region", "older", "newer"])]
pub(super) struct LogView<'a> {
    pub(super) log: &'a Log,
    pub(super) lang: Lang,
}

/// A room.
#[derive(Template)]
#[template(path = "chat/room.html", blocks = ["app"])]
pub(super) struct RoomPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) room: RoomId,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) private: bool,
    pub(super) direct: bool,
    pub(super) archived: bool,
    pub(super) may_manage: bool,
    pub(super) typing: String,
    pub(super) log: Log,
}

impl RoomPage {
    fn log_region(&self) -> LogView<'_> {
        LogView { log: &self.log, lang: self.head.lang }
    }
}

/// Editing or deleting a message without JavaScript.
#[derive(Template)]
#[template(path = "chat/change.html", blocks = ["app"])]
pub(super) struct ChangePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) message: Message,
    pub(super) delete: bool,
}
