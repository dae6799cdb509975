//! Keeps what happens in the media and in the rights of people true: who lost a right is out within
//! a second, and who speaks is shown.

use std::time::{Duration, Instant};

use super::Voice;
use super::model::{Ended, ParticipantId};
use super::sfu::SfuEvent;
use crate::base::ids::RoomId;

/// Between two looks at the rights of everybody inside, which are cached.
const RIGHTS_INTERVAL: Duration = Duration::from_millis(400);

impl Voice {
    /// Follows what the media server tells.
    pub(super) async fn follow_media(self) {
        let Some(mut events) = self.take_events() else {
            return;
        };
        while let Some(event) = events.recv().await {
            match event {
                SfuEvent::Connected { over_tcp, .. } => {
                    let way = if over_tcp { "tcp" } else { "udp" };
                    metrics::counter!("tidepool_voice_joins_total", "way" => way).increment(1);
                }
                SfuEvent::Gone(id) => self.end(ParticipantId(id), None).await,
                SfuEvent::Speaking { room, speaking } => {
                    self.rooms.note_activity(RoomId(room), Instant::now());
                    let speaking = speaking.into_iter().map(ParticipantId).collect();
                    self.publish_speaking(RoomId(room), speaking);
                }
            }
        }
    }

    /// Looks again and again whether everybody inside may still be there, and do what they do.
    pub(super) async fn watch_rights(self) {
        let Some(media) = self.media() else {
            return;
        };
        loop {
            tokio::time::sleep(RIGHTS_INTERVAL).await;
            for room in self.rooms.idle_rooms(Instant::now()) {
                for person in self.rooms.served_in(room) {
                    self.end(person.id, Some(Ended::Idle)).await;
                }
            }
            for participant in self.rooms.served() {
                let id = participant.person.id;
                if self.may_stay(&participant).await {
                    self.apply_gates(&media, id).await;
                } else {
                    self.end(id, Some(Ended::Removed)).await;
                }
            }
        }
    }

    /// Whether a participant may stay. What cannot be read now is asked again soon.
    async fn may_stay(&self, participant: &super::rooms::Participant) -> bool {
        let session = self.community.is_session_valid(&participant.viewer).await;
        if matches!(session, Ok(false)) {
            return false;
        }
        let account = participant.person.account;
        match self.permit_connect(account, participant.room).await {
            Ok(_) => true,
            Err(error) => error.is_passing(),
        }
    }
}
