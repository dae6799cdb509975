//! The events of voice.

use serde_json::Value;

use super::model::{ParticipantId, Person};
use super::voice_rules::VoiceRules;
use crate::base::ids::{AccountId, RoomId};
use crate::{event, id};

id!(
    /// Who is in the voice of a room, as a dependency of its own: it changes far more often than
    /// the room.
    RoomVoice
);

id!(
    /// A request that an instance passed on.
    RequestId
);

event! {
    /// Somebody joined or left the voice of a room, or changed what they send. An instance also
    /// repeats this for the rooms that it serves.
    pub struct PeopleChanged on "voice.people.changed" by room changes(room as RoomVoice) {
        /// The room.
        room: RoomId = RoomId(12),
        /// The name of the instance that serves it.
        instance: String = "Zk3xQ9aB".into(),
        /// Everybody who is in it, in the order in which they came.
        people: Vec<Person> = vec![Person::new(ParticipantId(5), AccountId(7))],
    }
}

event! {
    /// Others speak in a room than before.
    pub struct SpeakingChanged on "voice.speaking.changed" by room changes() {
        /// The room.
        room: RoomId = RoomId(12),
        /// Who speaks.
        speaking: Vec<ParticipantId> = vec![ParticipantId(5)],
    }
}

event! {
    /// Somebody calls the others of a direct conversation.
    pub struct CallRang on "voice.call.rang" by room changes() {
        /// The conversation.
        room: RoomId = RoomId(12),
        /// Who calls, in the media.
        caller: ParticipantId = ParticipantId(5),
        /// Who calls.
        account: AccountId = AccountId(7),
        /// Their name.
        name: String = "Ann".into(),
        /// Whom it rings.
        accounts: Vec<AccountId> = vec![AccountId(8)],
    }
}

event! {
    /// A call does not ring some people any more: they joined or declined, or it was not answered.
    pub struct RingingEnded on "voice.ringing.ended" by room changes() {
        /// The conversation.
        room: RoomId = RoomId(12),
        /// Who calls, in the media.
        caller: ParticipantId = ParticipantId(5),
        /// Whom it rang.
        accounts: Vec<AccountId> = vec![AccountId(8)],
    }
}

event! {
    /// The voice of a room is otherwise than before.
    pub struct RulesChanged on "voice.rules.changed" by room changes(room as RoomVoice) {
        /// The room.
        room: RoomId = RoomId(12),
        /// What it is like now.
        rules: VoiceRules = VoiceRules::default(),
    }
}

event! {
    /// A moderator moves somebody to the voice of another room; their page goes there.
    pub struct ParticipantMoved on "voice.participant.moved" by room changes() {
        /// Where they are.
        room: RoomId = RoomId(12),
        /// Who they are there.
        participant: ParticipantId = ParticipantId(5),
        /// Their account.
        account: AccountId = AccountId(7),
        /// Where they go.
        target: RoomId = RoomId(13),
    }
}

event! {
    /// An instance passes a request on to the one that serves the room.
    pub struct RequestPassed on "voice.request.passed" by room changes() {
        /// The room.
        room: RoomId = RoomId(12),
        /// The name of the instance that is asked.
        instance: String = "Zk3xQ9aB".into(),
        /// Names the request in its answer.
        request: RequestId = RequestId(9),
        /// The request, as instances of one version write it.
        body: Value = serde_json::json!({ "leave": { "participant": "5" } }),
    }
}

event! {
    /// An instance answers a request that another passed on to it.
    pub struct RequestAnswered on "voice.request.answered" by request changes() {
        /// The request.
        request: RequestId = RequestId(9),
        /// The answer, as instances of one version write it.
        body: Value = serde_json::json!({ "Ok": null }),
    }
}
