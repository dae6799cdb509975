//! The templates of the community's pages.

use askama::Template;

use super::invites::{Invitation, Invite};
use super::rooms::Room;
use super::sessions::OpenSession;
use super::shell::Shell;
use super::space_tabs::Tab;
use super::spaces::Space;
use super::{Emoji, Person, Role};
use crate::engine::forms::Form;
use crate::engine::web::Head;

#[derive(Template)]
#[template(path = "community/setup.html")]
pub(super) struct SetupPage {
    pub(super) head: Head,
    pub(super) form: Form,
    /// Of the link that the server printed; empty on the server's own machine.
    pub(super) token: String,
}

#[derive(Template)]
#[template(path = "community/sign_in.html")]
pub(super) struct SignInPage {
    pub(super) head: Head,
    pub(super) form: Form,
    pub(super) next: String,
}

#[derive(Template)]
#[template(path = "community/join.html")]
pub(super) struct JoinPage {
    pub(super) head: Head,
    pub(super) form: Form,
    pub(super) code: String,
    /// `None`: the invitation is no longer open.
    pub(super) invitation: Option<Invitation>,
    /// Whether the viewer has an account, and only has to confirm.
    pub(super) signed_in: bool,
}

impl JoinPage {
    pub(super) fn initials(&self) -> String {
        self.invitation
            .as_ref()
            .map(|invitation| super::names::initials(&invitation.space))
            .unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "community/home.html", blocks = ["app"])]
pub(super) struct HomePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
}

#[derive(Template)]
#[template(path = "community/space.html", blocks = ["app"])]
pub(super) struct SpacePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: Space,
    pub(super) invites: Vec<Invite>,
    pub(super) archived: Vec<Room>,
    pub(super) emoji: Vec<Emoji>,
    pub(super) has_emblem: bool,
    /// `https://host`, the start of absolute invitation links.
    pub(super) origin: String,
}

#[derive(Template)]
#[template(path = "community/room_form.html", blocks = ["app"])]
pub(super) struct RoomPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    /// `None`: a new room.
    pub(super) room: Option<Room>,
    /// The other members of the space, and whether they are in the room.
    pub(super) people: Vec<(Person, bool)>,
    /// The roles below the viewer, and whether the room allows them to read it.
    pub(super) roles: Vec<(Role, bool)>,
}

#[derive(Template)]
#[template(path = "community/direct.html", blocks = ["app"])]
pub(super) struct DirectPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) people: Vec<Person>,
}

#[derive(Template)]
#[template(path = "community/account.html", blocks = ["app"])]
pub(super) struct AccountPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) email: String,
    pub(super) language: Option<String>,
    pub(super) has_portrait: bool,
    pub(super) sessions: Vec<OpenSession>,
    pub(super) this: String,
}
