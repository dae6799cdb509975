//! `/rooms/{room}/voice/rules`: what the voice of a room is like, for who manages the room.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::voice_rules::{BITRATES, IDLE_MINUTES, MAX_PEOPLE_IN_ROOM, VoiceRules};
use super::{Voice, voice_rules};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::MANAGE_ROOMS;
use crate::community::{Layout, Room, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Voice>) -> Module<Voice> {
    module.page(
        Audience::SignedIn,
        "/rooms/{room}/voice/rules",
        get(rules_page),
    )
}

#[derive(Template)]
#[template(path = "voice/rules.html", blocks = ["app"])]
struct RulesPage {
    head: Head,
    shell: Shell,
    form: Form,
    room: Room,
    rules: VoiceRules,
}

impl RulesPage {
    fn is_chosen(&self, field: &str, value: &i64, stored: &i64) -> bool {
        let form = self.form.of("voice.set-rules");
        form.or(field, &stored.to_string()) == value.to_string()
    }

    /// People; empty for as many as fit.
    fn max_people(&self) -> String {
        match self.rules.max_people {
            0 => String::new(),
            max => max.to_string(),
        }
    }

    /// Minutes in words.
    fn idle_words(&self, minutes: &i64) -> String {
        match *minutes {
            0 => self.head.lang.t("voice-idle-never").to_owned(),
            minutes => self
                .head
                .lang
                .with("voice-idle-minutes", &[("minutes", minutes.into())]),
        }
    }
}

/// `GET /rooms/{room}/voice/rules`.
async fn rules_page(
    State(voice): State<Voice>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let access = &voice.community.access;
    let found = access
        .permit_in_room(viewer.account, &MANAGE_ROOMS, room)
        .await?;
    let space = found.space.filter(|_| found.parent.is_none());
    let space = space.ok_or(Error::NotFound)?;
    let here = format!("/rooms/{room}/voice/rules");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let rules = voice_rules::of(&voice.engine.db, room).await?;
    app_page!(
        wants,
        RulesPage {
            head: voice
                .community
                .head(&viewer, viewer.lang.t("voice-rules-title")),
            shell,
            form,
            room: Room::clone(&found),
            rules,
        }
    )
}
