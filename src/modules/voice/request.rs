//! What pages ask of the media server, and the instance that serves the room doing it.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::addresses::announced;
use super::media::{Joining, Media};
use super::model::{Allowed, Doing, Ended, ParticipantId, Person};
use super::rooms::Participant;
use super::sfu::{Offer, Refused, Source, Want};
use super::silenced;
use super::voice_rules::MAX_PEOPLE_IN_ROOM;
use super::{
    CONNECT, MUTE_OTHERS, PRIORITY, SHARE_SCREEN, SHOW_CAMERA, SPEAK, Voice, calls, voice_rules,
};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::Room;
use crate::community::permissions::is_granted;
use crate::engine::permission::Permission;
use crate::engine::viewer::Viewer;

/// Bytes of an offer: one line of media takes about a thousand.
pub(super) const MAX_OFFER_BYTES: usize = 160 << 10;
/// Characters of a line's name.
const MAX_MID_CHARS: usize = 16;

/// What the lines of an offer carry: pairs of a line's name and a source.
pub(super) type Sources = Vec<(String, Source)>;

/// A stream that a page wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WantedStream {
    /// The line it is to come on.
    mid: String,
    /// Whose it is.
    from: ParticipantId,
    source: Source,
    /// Of pictures the greatest layer, from 0 for the smallest to 2.
    #[serde(default)]
    layer: usize,
}

/// Something to be done by the instance that serves a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    Join {
        offer: String,
        sources: Sources,
        /// The host of the page.
        host: String,
        doing: Doing,
        /// Who the page was before it lost its connection.
        before: Option<ParticipantId>,
    },
    Negotiate {
        participant: ParticipantId,
        offer: String,
        sources: Sources,
    },
    Receive {
        participant: ParticipantId,
        streams: Vec<WantedStream>,
    },
    SetDoing {
        participant: ParticipantId,
        doing: Doing,
    },
    Leave {
        participant: ParticipantId,
    },
    /// By somebody whom a call rings.
    Decline,
    /// Whose place it is.
    Account {
        participant: ParticipantId,
    },
    /// By a moderator, whose right was checked.
    Silence {
        participant: ParticipantId,
        silenced: bool,
    },
    /// By a moderator, whose right was checked.
    Disconnect {
        participant: ParticipantId,
    },
    /// By a moderator, whose right was checked.
    SetSpeaker {
        participant: ParticipantId,
        speaks: bool,
    },
}

/// Why a request was not done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fault {
    NotFound,
    /// The offer cannot be answered.
    Offer,
    Full,
    RoomFull,
    Removed,
    Elsewhere,
    Idle,
    Unavailable,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotFound => Self::NotFound,
            Fault::Offer => Self::field("offer", "error-voice-offer"),
            Fault::Full => Self::Full("error-voice-full"),
            Fault::RoomFull => Self::Full("error-voice-room-full"),
            Fault::Removed => Self::Forbidden("error-voice-removed"),
            Fault::Elsewhere => Self::Conflict("error-voice-elsewhere"),
            Fault::Idle => Self::Conflict("error-voice-idle"),
            Fault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Ended> for Fault {
    fn from(why: Ended) -> Self {
        match why {
            Ended::Removed => Self::Removed,
            Ended::Elsewhere => Self::Elsewhere,
            Ended::Idle => Self::Idle,
        }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Offer(why) => {
                tracing::debug!(why, "an offer of media was refused");
                Self::Offer
            }
            Refused::Gone => Self::NotFound,
            Refused::Full => Self::Full,
        }
    }
}

/// What an instance answers.
pub(super) type Answer = std::result::Result<Value, Fault>;

/// Reads an offer, without what the server does not need.
pub(super) fn checked(offer: &str, sources: &Sources) -> std::result::Result<Offer, Fault> {
    let fits = offer.len() <= MAX_OFFER_BYTES
        && sources.len() <= Source::ALL.len()
        && sources.iter().all(|(mid, _)| is_mid(mid));
    if !fits {
        return Err(Fault::Offer);
    }
    Offer::parse(offer).map_err(Fault::from)
}

/// Longer names would be cut, and be those of other lines then.
fn is_mid(mid: &str) -> bool {
    (1..=MAX_MID_CHARS).contains(&mid.len()) && mid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Voice {
    /// Does what is asked in a room that this instance serves, for a viewer.
    pub(super) async fn serve(&self, viewer: &Viewer, room: RoomId, request: Request) -> Answer {
        let media = self.media().ok_or(Fault::Unavailable)?;
        match request {
            Request::Join { .. } => {
                let (own, viewer) = (self.clone(), viewer.clone());
                // Goes on when the request ends: nobody is half inside.
                let joining =
                    tokio::spawn(async move { own.join(&media, viewer, room, request).await });
                joining.await.unwrap_or(Err(Fault::Unavailable))
            }
            Request::Negotiate {
                participant,
                offer,
                sources,
            } => {
                self.own(viewer, room, participant)?;
                let offer = checked(&offer, &sources)?;
                let answer = media.negotiate(participant.0, offer, sources).await?;
                Ok(json!({ "answer": answer }))
            }
            Request::Receive {
                participant,
                streams,
            } => {
                self.own(viewer, room, participant)?;
                let wants = streams.into_iter().take(super::sfu::MAX_SLOTS);
                let wants = wants.filter(|one| is_mid(&one.mid)).map(|one| Want {
                    mid: one.mid,
                    from: one.from.0,
                    source: one.source,
                    layer: one.layer,
                });
                media.want(participant.0, wants.collect()).await;
                Ok(Value::Null)
            }
            Request::SetDoing {
                participant,
                mut doing,
            } => {
                self.own(viewer, room, participant)?;
                if doing.priority {
                    let allowed = self.allowed(viewer.account, room).await;
                    doing.priority = allowed.is_ok_and(|allowed| allowed.priority);
                }
                self.rooms
                    .change(participant, |one| one.person.doing = doing);
                self.rooms.note_activity(room, Instant::now());
                self.apply_gates(&media, participant).await;
                self.publish_people(room);
                Ok(Value::Null)
            }
            Request::Leave { participant } => {
                self.own(viewer, room, participant)?;
                self.end(participant, None).await;
                Ok(Value::Null)
            }
            Request::Account { participant } => {
                let found = self.rooms.get(participant).filter(|one| one.room == room);
                Ok(json!(found.ok_or(Fault::NotFound)?.person.account))
            }
            Request::Decline => {
                self.decline(room, viewer.account);
                Ok(Value::Null)
            }
            Request::Silence {
                participant,
                silenced,
            } => {
                let found = self.rooms.get(participant).filter(|one| one.room == room);
                found.ok_or(Fault::NotFound)?;
                self.rooms
                    .change(participant, |one| one.person.silenced = silenced);
                self.apply_gates(&media, participant).await;
                self.publish_people(room);
                Ok(Value::Null)
            }
            Request::Disconnect { participant } => {
                let found = self.rooms.get(participant).filter(|one| one.room == room);
                found.ok_or(Fault::NotFound)?;
                self.end(participant, Some(Ended::Removed)).await;
                Ok(Value::Null)
            }
            Request::SetSpeaker {
                participant,
                speaks,
            } => {
                let found = self.rooms.get(participant).filter(|one| one.room == room);
                let found = found.ok_or(Fault::NotFound)?;
                let account = found.person.account;
                self.rooms.set_speaker(room, account, speaks);
                self.rooms
                    .change(participant, |one| one.person.doing.hand = false);
                self.apply_gates(&media, participant).await;
                self.publish_people(room);
                Ok(Value::Null)
            }
        }
    }

    async fn join(&self, media: &Media, viewer: Viewer, room: RoomId, request: Request) -> Answer {
        let Request::Join {
            offer,
            sources,
            host,
            doing,
            before,
        } = request
        else {
            return Err(Fault::NotFound);
        };
        let offer = checked(&offer, &sources)?;
        if let Some(before) = before {
            self.may_come_back(viewer.account, before).await?;
        }
        let allowed = self.allowed(viewer.account, room).await;
        let allowed = allowed.map_err(|_| Fault::Unavailable)?;
        let rules = voice_rules::of(&self.engine.db, room).await;
        let rules = rules.map_err(|_| Fault::Unavailable)?;
        let id = ParticipantId(crate::base::ids::next());
        let mut person = Person::new(id, viewer.account);
        person.doing = doing;
        person.doing.priority &= allowed.priority;
        let silenced = silenced::is_silenced(&self.engine.db, room, viewer.account).await;
        person.silenced = silenced.map_err(|_| Fault::Unavailable)?;
        self.rooms.set_rules(room, rules);
        person.stage = self.rooms.stage(room, viewer.account, allowed.leads);
        let gates = person.gates(allowed);
        let configured = &self.engine.settings.voice_addresses;
        let addresses = announced(configured, &host, &self.engine.hosts, media.port).await;
        let (account, participant) = (
            viewer.account,
            Participant {
                person,
                room,
                viewer,
                gates,
            },
        );
        // Whoever leads the room gets in, to see what is wrong there.
        let max = match allowed.leads {
            true => MAX_PEOPLE_IN_ROOM,
            false => rules.max_people(),
        };
        let added = self.rooms.add(participant, max);
        let added = added.ok_or(Fault::RoomFull)?;
        for other in added.replaced {
            media.leave(other.person.id.0).await;
            self.left(other.room, other.person.id).await;
        }
        let joining = Joining {
            id: id.0,
            room: room.0,
            gates,
            offer,
            sources,
            addresses,
        };
        let answer = match media.join(joining).await {
            Ok(answer) => answer,
            Err(refused) => {
                self.end(id, None).await;
                return Err(refused.into());
            }
        };
        self.publish_people(room);
        if matches!(self.community.rooms.is_direct(room).await, Ok(true)) {
            let rung = self.joined_direct(room, id, account, added.is_first);
            calls::note_failure(rung.await);
        }
        Ok(json!({ "participant": id, "answer": answer, "bitrate": rules.bitrate }))
    }

    /// A page that lost its connection comes back by itself, but not after it was taken out. Who
    /// it was before, and is still thought to be, goes.
    async fn may_come_back(
        &self,
        account: AccountId,
        before: ParticipantId,
    ) -> std::result::Result<(), Fault> {
        if let Some(why) = self.rooms.ended(before) {
            return Err(why.into());
        }
        let found = self.rooms.get(before);
        if found.is_some_and(|one| one.person.account == account) {
            self.end(before, None).await;
        }
        Ok(())
    }

    fn own(
        &self,
        viewer: &Viewer,
        room: RoomId,
        participant: ParticipantId,
    ) -> std::result::Result<(), Fault> {
        match self.rooms.get(participant) {
            Some(found) if found.person.account == viewer.account && found.room == room => Ok(()),
            _ => Err(self
                .rooms
                .ended(participant)
                .map_or(Fault::NotFound, Fault::from)),
        }
    }

    /// What an account may do in the voice of a room.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn allowed(&self, account: AccountId, room: RoomId) -> Result<Allowed> {
        let access = &self.community.access;
        let may = async |permission: &Permission| {
            is_granted(access.permit_in_room(account, permission, room).await)
        };
        Ok(Allowed {
            speak: may(&SPEAK).await?,
            camera: may(&SHOW_CAMERA).await?,
            screen: may(&SHARE_SCREEN).await?,
            leads: may(&MUTE_OTHERS).await?,
            priority: may(&PRIORITY).await?,
        })
    }

    /// Whether an account may be in the voice of a room, and why not.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden` or `Conflict` when not; the database's.
    pub(super) async fn permit_connect(
        &self,
        account: AccountId,
        room: RoomId,
    ) -> Result<Arc<Room>> {
        let access = &self.community.access;
        let room = access.permit_in_room(account, &CONNECT, room).await?;
        if room.parent.is_some() || room.is_forum() {
            return Err(Error::Conflict("error-voice-room-kind"));
        }
        if room.space.is_none() && self.community.is_closed(room.id).await? {
            return Err(Error::Conflict("error-conversation-closed"));
        }
        Ok(room)
    }

    /// Tells the media server what a participant may do now, if that changed, and everybody when
    /// they listen now, or do not any more, or lost their priority.
    pub(super) async fn apply_gates(&self, media: &Media, id: ParticipantId) {
        let Some(found) = self.rooms.get(id) else {
            return;
        };
        // Rights that cannot be read are looked at again soon.
        let Ok(allowed) = self.allowed(found.person.account, found.room).await else {
            return;
        };
        let account = found.person.account;
        let stage = self.rooms.stage(found.room, account, allowed.leads);
        let changed = self.rooms.change(id, |one| {
            let was = std::mem::replace(&mut one.person.stage, stage);
            let had_priority = one.person.doing.priority;
            one.person.doing.priority &= allowed.priority;
            let gates = one.person.gates(allowed);
            let before = std::mem::replace(&mut one.gates, gates);
            let is_otherwise = was != stage || had_priority != one.person.doing.priority;
            ((before != gates).then_some(gates), is_otherwise)
        });
        let Some((gates, is_shown_otherwise)) = changed else {
            return;
        };
        if let Some(gates) = gates {
            media.set_gates(id.0, gates).await;
        }
        if is_shown_otherwise {
            self.publish_people(found.room);
        }
    }

    /// Tells everybody that a participant is out of a room.
    async fn left(&self, room: RoomId, id: ParticipantId) {
        self.publish_people(room);
        self.end_ringing(room, id).await;
        if self.rooms.served_in(room).is_empty() {
            self.note_call_end(room);
        }
        self.release_if_empty(room).await;
    }

    /// Takes a participant out, here and in the media, and tells everybody.
    pub(super) async fn end(&self, id: ParticipantId, why: Option<Ended>) {
        let Some(removed) = self.rooms.remove(id, why) else {
            return;
        };
        if let Some(media) = self.media() {
            media.leave(id.0).await;
        }
        self.left(removed.room, id).await;
    }
}
