//! Frames: who is in the voice of a room, and who speaks.

use std::fmt::Write;

use askama::Template;

use super::model::ParticipantId;
use super::topics::{ParticipantMoved, PeopleChanged, RulesChanged, SpeakingChanged};
use super::views::{PeopleView, PersonView};
use super::{VOICE_FEED, Voice, instances};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::community::UNREAD_FEED;
use crate::engine::bus::{Envelope, Origin};
use crate::engine::live::Content;
use crate::engine::partial::Partial;

impl Voice {
    /// Tells everybody who is in a room that this instance serves.
    pub(super) fn publish_people(&self, room: RoomId) {
        let event = PeopleChanged {
            room,
            instance: self.engine.live.instance().to_owned(),
            people: self.rooms.served_in(room),
        };
        self.engine.bus.publish(Origin::default(), event);
    }

    pub(super) fn publish_speaking(&self, room: RoomId, speaking: Vec<ParticipantId>) {
        let event = SpeakingChanged { room, speaking };
        self.engine.bus.publish(Origin::default(), event);
    }

    /// The people of a room with their names.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn people_view(&self, room: RoomId, lang: Lang) -> Result<PeopleView> {
        let mut people = Vec::new();
        for person in self.rooms.people(room) {
            match self.community.accounts.get(person.account).await {
                Ok(account) => people.push(PersonView::new(person, &account)),
                // It may just have been deleted.
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(PeopleView { room, people, lang })
    }

    /// Publishes who is shown in a room, to the sockets of this instance.
    pub(super) async fn publish_shown(&self, room: RoomId) {
        let feed = VOICE_FEED.name(room);
        if !self.engine.live.is_followed(&feed) {
            return;
        }
        let event = PeopleChanged {
            room,
            instance: self.engine.live.instance().to_owned(),
            people: self.rooms.people(room),
        };
        let view = match self.people_view(room, Lang::negotiate(None, None)).await {
            Ok(view) => view,
            Err(error) => {
                tracing::warn!(%error, "the people of a voice room were not published");
                return;
            }
        };
        let content = Content::of(&event).html(move |lang| {
            let list = PeopleView {
                room,
                people: view.people.clone(),
                lang,
            };
            let Ok(html) = list.render() else {
                return String::new();
            };
            let mut frame = String::new();
            for place in ["side", "room", "call"] {
                let part = Partial::inner(format!("#voice-{place}-{room}"), &html);
                // Writing into a string does not fail.
                let _ = write!(frame, "{part}");
            }
            frame
        });
        self.engine.live.publish(&feed, content);
    }
}

pub(super) async fn people_changed(
    voice: &Voice,
    event: &PeopleChanged,
    envelope: &Envelope,
) -> Result<()> {
    if envelope.is_remote {
        instances::leave_elsewhere(voice, event).await;
    }
    if voice.rooms.hear(event.room, &event.instance, &event.people) {
        voice.publish_shown(event.room).await;
    }
    Ok(())
}

/// Publishes who speaks: the marks are set by the page.
pub(super) async fn speaking_changed(
    voice: &Voice,
    event: &SpeakingChanged,
    _: &Envelope,
) -> Result<()> {
    let room = event.room;
    let ids: Vec<String> = event
        .speaking
        .iter()
        .map(ParticipantId::to_string)
        .collect();
    let ids = ids.join(" ");
    let mark = format!("<i id=\"voice-speaking-{room}\" data-speaking=\"{ids}\" hidden></i>");
    // No page has such an element: scripts read who speaks from the frame.
    let html = Partial::replace(format!("#voice-speaking-{room}"), &mark).to_string();
    let content = Content::of(event).html(move |_| html.clone());
    voice.engine.live.publish(&VOICE_FEED.name(room), content);
    Ok(())
}

/// Takes over the rules of a room that this instance serves.
pub(super) async fn rules_changed(voice: &Voice, event: &RulesChanged, _: &Envelope) -> Result<()> {
    let (room, Some(media)) = (event.room, voice.media()) else {
        return Ok(());
    };
    if voice.rooms.serves(room) {
        voice.rooms.set_rules(room, event.rules);
        for person in voice.rooms.served_in(room) {
            voice.apply_gates(&media, person.id).await;
        }
    }
    Ok(())
}

/// Tells the pages of whoever is moved; the one that is in the call goes.
pub(super) async fn participant_moved(
    voice: &Voice,
    event: &ParticipantMoved,
    _: &Envelope,
) -> Result<()> {
    let feed = UNREAD_FEED.name(event.account);
    let (participant, target) = (event.participant, event.target);
    let mark = format!(
        "<i id=\"voice-moved-{participant}\" data-voice-moved=\"{participant}\" \
         data-room=\"{target}\" hidden></i>"
    );
    let absent = format!("#voice-rings:not(:has(#voice-moved-{participant}))");
    let html = Partial::append(absent, &mark).to_string();
    let content = Content::of(event).html(move |_| html.clone());
    voice.engine.live.publish(&feed, content);
    Ok(())
}

/// Publishes the people of a room to those who came back from another instance.
pub(super) async fn present(voice: Voice, room: RoomId) {
    voice.publish_shown(room).await;
}
