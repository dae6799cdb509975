//! Voice: people talk in a room, show cameras and share screens, through the media server inside of
//! this binary.
//!
//! A page joins with an action and gets the answer to its offer; from then on its media comes over
//! `voice_port`. Who is inside, and who speaks, are frames of a feed of the room. The media server
//! (`sfu`) knows rooms and streams, and nothing of accounts: what somebody may do reaches it as
//! gates, which `watch` keeps true.

mod actions;
mod addresses;
mod calls;
mod connection_test;
mod devices_page;
mod instances;
mod lease;
mod media;
mod model;
mod move_pages;
mod pages;
mod presenter;
mod request;
mod rooms;
mod rules_pages;
mod sfu;
mod silenced;
mod topics;
mod views;
mod voice_rules;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Community, Permission};
use crate::engine::Engine;
use crate::engine::bus::Subscriber;
use crate::engine::feed::Feed;
use crate::engine::module::{Module, RoomPlace};
use crate::engine::notices::{NoticeKind, ToldAt};
use crate::engine::permission::{HeldBy, ScopeKind};
use crate::engine::viewer::Viewer;
use calls::Calls;
use connection_test::Tests;
use instances::Passed;
use media::Media;
use rooms::Rooms;
use sfu::SfuEvent;
use topics::{
    CallRang, ParticipantMoved, PeopleChanged, RequestAnswered, RequestPassed, RingingEnded,
    RulesChanged, SpeakingChanged,
};

/// To be in the voice of a room.
pub static CONNECT: Permission = Permission {
    name: "voice.connect",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Join the voice of a room, and listen",
};

/// To be heard there.
pub static SPEAK: Permission = Permission {
    name: "voice.speak",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Speak in the voice of a room",
};

/// To be seen there.
pub static SHOW_CAMERA: Permission = Permission {
    name: "voice.show-camera",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Show a camera in the voice of a room",
};

/// To share a screen there.
pub static SHARE_SCREEN: Permission = Permission {
    name: "voice.share-screen",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Share a screen in the voice of a room",
};

/// To mute others there.
pub static MUTE_OTHERS: Permission = Permission {
    name: "voice.mute-others",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Mute others in the voice of a room for everybody",
};

/// To take others out.
pub static MOVE_OTHERS: Permission = Permission {
    name: "voice.move-others",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Take others out of the voice of a room",
};

static MISSED_CALL: NoticeKind = NoticeKind {
    name: "voice.missed-call",
    line: "notice-missed-call",
    told_at: ToldAt::Mentions,
};

/// To be heard over others.
pub static PRIORITY: Permission = Permission {
    name: "voice.priority",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Have others be quieter while one speaks in the voice of a room",
};

/// Frames of a room that are kept for those who come back.
const MAX_FRAMES: usize = 64;

/// Who is in the voice of a room, and who speaks.
pub const VOICE_FEED: Feed<RoomId> = Feed::new(
    "room/{room}/voice",
    "Who is in the voice of a room, and who speaks",
)
.volatile()
.max_frames(MAX_FRAMES);

/// The module. Cheap to clone.
#[derive(Clone)]
pub struct Voice {
    engine: Engine,
    community: Community,
    rooms: Rooms,
    passed: Passed,
    calls: Calls,
    tests: Tests,
    media: Option<Media>,
    events: Arc<Mutex<Option<mpsc::UnboundedReceiver<SfuEvent>>>>,
}

impl Voice {
    /// Starts the media server. Where its port cannot be had, everything else works, and joining
    /// says so.
    pub fn new(community: &Community) -> Self {
        let engine = community.engine().clone();
        let settings = &engine.settings;
        let started = Media::start(settings.voice_port, settings.max_voice_people);
        let (media, events) = match started {
            Ok((media, events)) => {
                let (port, tcp) = (media.port, media.has_tcp);
                tracing::info!(port, tcp, "voice and video are served");
                if settings.voice_addresses.is_empty() {
                    addresses::warn_of_private_address();
                }
                (Some(media), Some(events))
            }
            Err(error) => {
                tracing::warn!("voice and video are not served: {error:#}");
                (None, None)
            }
        };
        Self {
            community: community.clone(),
            rooms: Rooms::default(),
            passed: Passed::default(),
            calls: Calls::default(),
            tests: Tests::default(),
            media,
            events: Arc::new(Mutex::new(events)),
            engine,
        }
    }

    fn media(&self) -> Option<Media> {
        self.media.clone()
    }

    fn take_events(&self) -> Option<mpsc::UnboundedReceiver<SfuEvent>> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.take()
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Voice> {
    let module = Module::new("voice")
        .publishes::<PeopleChanged>()
        .publishes::<SpeakingChanged>()
        .publishes::<CallRang>()
        .publishes::<RingingEnded>()
        .publishes::<RulesChanged>()
        .publishes::<ParticipantMoved>()
        .publishes::<RequestPassed>()
        .publishes::<RequestAnswered>()
        .permission(&CONNECT)
        .permission(&SPEAK)
        .permission(&SHOW_CAMERA)
        .permission(&SHARE_SCREEN)
        .permission(&MUTE_OTHERS)
        .permission(&MOVE_OTHERS)
        .permission(&PRIORITY)
        .account_style(views::account_style)
        .stylesheet("css/voice.css")
        .script("js/voice.js")
        .feed(VOICE_FEED, may_follow)
        .on_rejoin(VOICE_FEED, presenter::present)
        .room_part(RoomPlace::BelowLink, pages::below_link)
        .room_part(RoomPlace::AbovePage, pages::above_page)
        .room_part(RoomPlace::Tools, pages::tool)
        .notice_kind(&MISSED_CALL)
        .subscriber(
            Subscriber::new("voice.watcher")
                .on(presenter::people_changed)
                .on(presenter::speaking_changed)
                .on(presenter::rules_changed)
                .on(presenter::participant_moved)
                .on(calls::call_rang)
                .on(calls::ringing_ended)
                .on(instances::request_passed)
                .on(instances::request_answered),
        )
        .task(Voice::follow_media)
        .task(Voice::watch_rights)
        .task(Voice::renew_repeatedly);
    let module = devices_page::declare(rules_pages::declare(move_pages::declare(module)));
    pages::declare(actions::declare(module))
}

async fn may_follow(voice: Voice, viewer: Viewer, room: RoomId) -> Result<bool> {
    let access = &voice.community.access;
    is_granted(access.permit_in_room(viewer.account, &READ, room).await)
}
