//! Voice's templates.

use askama::Template;

use super::model::{ParticipantId, Person, Stage};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{Account, Face};
use crate::engine::web::icon_address;

/// Somebody in a room, with their name.
#[derive(Clone)]
pub(super) struct PersonView {
    pub(super) person: Person,
    pub(super) name: String,
    pub(super) face: Face,
}

impl PersonView {
    pub(super) fn new(person: Person, account: &Account) -> Self {
        Self {
            person,
            name: account.name.clone(),
            face: Face::of(account.id, &account.name),
        }
    }

    fn listens(&self) -> bool {
        self.person.stage == Some(Stage::Listener)
    }

    /// Whether a moderator let them speak on a stage.
    fn is_speaker(&self) -> bool {
        self.person.stage == Some(Stage::Speaker)
    }

    /// What a moderator's button for their microphone does.
    fn silence_label(&self, lang: Lang) -> String {
        let name = [("name", self.name.as_str().into())];
        match self.person.silenced {
            true => lang.with("voice-unsilence", &name),
            false => lang.with("voice-silence", &name),
        }
    }

    /// The name of the symbol of their microphone, and its words, if it is off.
    fn off(&self, lang: Lang) -> Option<(&'static str, String)> {
        let doing = &self.person.doing;
        if doing.deafened {
            Some(("deaf", lang.t("voice-is-deafened").to_owned()))
        } else if self.person.silenced {
            Some(("mic-off", lang.t("voice-is-silenced").to_owned()))
        } else if doing.muted {
            Some(("mic-off", lang.t("voice-is-muted").to_owned()))
        } else {
            None
        }
    }
}

/// Hides what moderators do to others at one's own entry.
pub(super) fn account_style(account: AccountId) -> String {
    format!(
        ".voice-room .voice-people [data-account=\"{account}\"] .moderate {{ display: none; }}\n"
    )
}

/// The people in a room.
#[derive(Template)]
#[template(path = "voice/people.html")]
pub(super) struct PeopleView {
    pub(super) room: RoomId,
    pub(super) people: Vec<PersonView>,
    pub(super) lang: Lang,
}

impl PeopleView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// A list of the people in a room that stays up to date.
#[derive(Template)]
#[template(path = "voice/list.html")]
pub(super) struct ListView {
    /// `side`, `room` or `call`.
    pub(super) place: &'static str,
    pub(super) room: RoomId,
    /// The feed and its cursor.
    pub(super) feed: String,
    pub(super) people: PeopleView,
}

/// What stands above the log of a voice room.
#[derive(Template)]
#[template(path = "voice/room.html")]
pub(super) struct RoomView {
    pub(super) room: RoomId,
    /// The rendered [`ListView`].
    pub(super) list: String,
    /// Whether people come to talk: elsewhere it is shown only while somebody does.
    pub(super) is_voice: bool,
    /// Whether few speak, and the others listen.
    pub(super) is_stage: bool,
    /// Why the viewer cannot join.
    pub(super) refused: Option<String>,
    pub(super) lang: Lang,
}

impl RoomView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// The button that begins or joins a call, among the tools of a room.
#[derive(Template)]
#[template(path = "voice/tool.html")]
pub(super) struct ToolView {
    pub(super) room: RoomId,
    pub(super) lang: Lang,
}

impl ToolView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// What is shown to somebody who is called.
#[derive(Template)]
#[template(path = "voice/ring.html")]
pub(super) struct RingView {
    pub(super) room: RoomId,
    pub(super) caller: ParticipantId,
    pub(super) name: String,
    pub(super) face: Face,
    pub(super) lang: Lang,
}

impl RingView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// The bar of who is in a room, which stays while they browse.
#[derive(Template)]
#[template(path = "voice/bar.html")]
pub(super) struct BarView {
    pub(super) room: RoomId,
    /// Whether the viewer may be heard over others.
    pub(super) may_have_priority: bool,
    pub(super) title: String,
    /// The rendered [`ListView`].
    pub(super) list: String,
    pub(super) lang: Lang,
}

impl BarView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}
