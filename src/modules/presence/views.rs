//! Presence's templates.

use std::fmt;
use std::sync::Arc;

use askama::Template;

use super::people::State;
use super::topics::PersonState;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::community::{Account, AccountStatus, Face, Shell};
use crate::engine::partial::Partial;
use crate::engine::web::{Head, Part, icon_address};

/// A list of people: that of a space, or that of a room. Ids of both differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListId(i64);

impl From<SpaceId> for ListId {
    fn from(space: SpaceId) -> Self {
        Self(space.0)
    }
}

impl From<RoomId> for ListId {
    fn from(room: RoomId) -> Self {
        Self(room.0)
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One person in a list.
#[derive(Template)]
#[template(path = "presence/person.html")]
pub(super) struct PersonView {
    pub(super) account: AccountId,
    pub(super) list: ListId,
    pub(super) name: String,
    /// The unique name, where another one is shown.
    pub(super) user_name: Option<String>,
    pub(super) status: Option<AccountStatus>,
    pub(super) face: Face,
    pub(super) state: &'static str,
    pub(super) lang: Lang,
}

impl PersonView {
    pub(super) fn icon(&self, name: &str) -> String {
        icon_address(name)
    }

    /// The locale key of the state's name.
    fn state_key(&self) -> &'static str {
        match self.state {
            "here" => "presence-here",
            "idle" => "presence-idle",
            "busy" => "presence-busy",
            _ => "presence-away",
        }
    }
}

/// The pane with the people of a space, or with those who read a room of it.
#[derive(Template)]
#[template(path = "presence/pane.html")]
pub(super) struct PaneView {
    pub(super) space: SpaceId,
    /// Where only some members of the space are listed.
    pub(super) room: Option<RoomId>,
    pub(super) list: ListId,
    pub(super) people: Vec<PersonView>,
    pub(super) feed: String,
    pub(super) lang: Lang,
}

impl PaneView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// The entries of a pane.
#[derive(Template)]
#[template(path = "presence/list.html")]
pub(super) struct PeopleList {
    pub(super) people: Vec<PersonView>,
    pub(super) lang: Lang,
}

/// The people of a space on a page of their own, for small screens.
#[derive(Template)]
#[template(path = "presence/people.html", blocks = ["app"])]
pub(super) struct PeoplePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) people_pane: Arc<Part>,
}

/// A person with a state, to be rendered as a list entry or as a frame.
pub(super) struct PersonFrame {
    pub(super) account: AccountId,
    pub(super) list: ListId,
    pub(super) name: String,
    pub(super) user_name: Option<String>,
    pub(super) status: Option<AccountStatus>,
    pub(super) state: State,
}

impl PersonFrame {
    pub(super) fn new(account: &Account, list: impl Into<ListId>, state: State) -> Self {
        Self {
            account: account.id,
            list: list.into(),
            name: account.name.clone(),
            user_name: account.other_name().map(str::to_owned),
            status: account.status(),
            state,
        }
    }

    pub(super) fn state(&self) -> PersonState {
        PersonState {
            account: self.account,
            name: self.name.clone(),
            state: self.state.name().to_owned(),
        }
    }

    pub(super) fn view(&self, lang: Lang) -> PersonView {
        PersonView {
            account: self.account,
            list: self.list,
            name: self.name.clone(),
            user_name: self.user_name.clone(),
            status: self.status.clone(),
            face: Face::of(self.account, &self.name),
            state: self.state.name(),
            lang,
        }
    }

    /// Replaces the person in a list that has them, else appends them.
    pub(super) fn frame(&self, lang: Lang) -> String {
        let person = self.view(lang).render().unwrap_or_default();
        let (list, account) = (self.list, self.account);
        let present = Partial::morph(format!("#person-{list}-{account}"), &person);
        let absent = format!("#people-{list}:not(:has(#person-{list}-{account}))");
        format!("{present}{}", Partial::append(absent, &person))
    }
}

/// The account's own rules: hides actions that one cannot take on oneself.
pub(super) fn account_style(account: AccountId) -> String {
    format!(".person[data-account=\"{account}\"] .act {{ display: none; }}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::web::VERSION;

    #[test]
    fn person_frame_in_each_state_matches_snapshot() {
        for state in [State::Here, State::Idle, State::Away, State::Busy] {
            let frame = PersonFrame {
                account: AccountId(7),
                list: SpaceId(3).into(),
                name: "Ann <Okafor>".into(),
                user_name: (state == State::Busy).then(|| "ann".to_owned()),
                status: (state == State::Busy).then(|| AccountStatus {
                    emoji: "🌊".into(),
                    text: "<at sea>".into(),
                    until: None,
                }),
                state,
            };
            let shown = frame
                .frame(Lang::negotiate(None, None))
                .replace(VERSION, "VERSION");
            insta::assert_snapshot!(format!("person_{}", state.name()), shown);
        }
    }
}
