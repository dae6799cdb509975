//! The templates of the community's pages.

use askama::Template;

use super::data_export::DataExport;
use super::invites::Invitation;
use super::passkeys::Passkey;
use super::rooms::Room;
use super::sessions::OpenSession;
use super::shell::Shell;
use super::space_tabs::Tab;
use super::spaces::Space;
use super::totp::TotpState;
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
    /// Whether a new password has just been set by a link.
    pub(super) is_reset: bool,
    /// What the other service is called, where one is configured.
    pub(super) oidc: Option<String>,
    /// Whether strangers may make accounts.
    pub(super) may_register: bool,
}

/// Asks for the password of the account that has the address of an identity.
#[derive(Template)]
#[template(path = "community/oidc_link.html")]
pub(super) struct OidcLinkPage {
    pub(super) head: Head,
    pub(super) form: Form,
    /// Of the other service.
    pub(super) name: String,
    pub(super) email: String,
}

/// Leads to the other service, to link the viewer's account.
#[derive(Template)]
#[template(path = "community/oidc_begin.html", blocks = ["app"])]
pub(super) struct OidcBeginPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    /// Of the other service.
    pub(super) name: String,
    pub(super) token: String,
}

#[derive(Template)]
#[template(path = "community/second_step.html")]
pub(super) struct SecondStepPage {
    pub(super) head: Head,
    pub(super) form: Form,
}

#[derive(Template)]
#[template(path = "community/forgot.html")]
pub(super) struct ForgotPage {
    pub(super) head: Head,
    pub(super) form: Form,
    pub(super) has_mail: bool,
    pub(super) is_sent: bool,
}

/// The page of a mailed link.
#[derive(Template)]
#[template(path = "community/link.html")]
pub(super) struct LinkPage {
    pub(super) head: Head,
    pub(super) form: Form,
    pub(super) token: String,
    /// Whether it sets a new password; else it confirms an address.
    pub(super) is_reset: bool,
    /// What it confirms; `None` when it was used or has expired.
    pub(super) email: Option<String>,
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
    pub(super) archived: Vec<Room>,
    pub(super) emoji: Vec<Emoji>,
    pub(super) has_emblem: bool,
    pub(super) is_owner: bool,
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

#[derive(Template)]
#[template(path = "community/account_security.html", blocks = ["app"])]
pub(super) struct SecurityPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) user_name: String,
    pub(super) email: String,
    pub(super) has_mail: bool,
    /// What has just been done, in words; empty when the page was merely requested.
    pub(super) done: &'static str,
    pub(super) totp: TotpState,
    pub(super) passkeys: Vec<Passkey>,
    /// What the other service is called and whether the account is linked, where one is
    /// configured.
    pub(super) oidc: Option<(String, bool)>,
}

#[derive(Template)]
#[template(path = "community/totp.html", blocks = ["app"])]
pub(super) struct TotpPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) is_on: bool,
    /// An `<svg>`.
    pub(super) qr: String,
    pub(super) address: String,
    /// The secret in groups, to be typed.
    pub(super) key: String,
    pub(super) secret: String,
}

#[derive(Template)]
#[template(path = "community/recovery_codes.html", blocks = ["app"])]
pub(super) struct CodesPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) codes: Vec<String>,
}

impl CodesPage {
    /// The codes as a file.
    pub(super) fn file(&self) -> String {
        format!(
            "data:text/plain;charset=utf-8,{}%0A",
            self.codes.join("%0A")
        )
    }
}

#[derive(Template)]
#[template(path = "community/account_data.html", blocks = ["app"])]
pub(super) struct DataPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) form: Form,
    pub(super) copy: Option<DataExport>,
}
