//! The nouns of voice.

use serde::{Deserialize, Serialize};

use super::sfu::Gates;
use crate::base::ids::AccountId;
use crate::id;

id!(
    /// Somebody in the voice of a room, from when they join until they leave.
    ParticipantId
);

/// What a participant does, as they say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    /// Their microphone is off.
    #[serde(default)]
    pub muted: bool,
    /// They hear nobody, and are not heard either.
    #[serde(default)]
    pub deafened: bool,
    /// Their camera is on.
    #[serde(default)]
    pub camera: bool,
    /// They share a screen.
    #[serde(default)]
    pub screen: bool,
    /// They listen on a stage, and would like to speak.
    #[serde(default)]
    pub hand: bool,
    /// Pages make others quieter while they speak.
    #[serde(default)]
    pub priority: bool,
}

/// What a participant is allowed to do, by permissions and moderators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// To speak.
    pub speak: bool,
    /// To show their camera.
    pub camera: bool,
    /// To share their screen.
    pub screen: bool,
    /// To mute others: they speak on a stage without being let.
    pub leads: bool,
    /// To be heard over others.
    pub priority: bool,
}

/// What somebody is in a room in which few speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// They only listen.
    Listener,
    /// A moderator let them speak.
    Speaker,
}

/// Somebody in the voice of a room, as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Names them in the media.
    pub id: ParticipantId,
    /// The account.
    pub account: AccountId,
    /// What they do.
    #[serde(flatten)]
    pub doing: Doing,
    /// Whether a moderator has muted them.
    pub silenced: bool,
    /// What they are on a stage; nothing in other rooms, and for who leads it.
    #[serde(default)]
    pub stage: Option<Stage>,
}

impl Person {
    /// Somebody who just came.
    pub fn new(id: ParticipantId, account: AccountId) -> Self {
        Self {
            id,
            account,
            doing: Doing::default(),
            silenced: false,
            stage: None,
        }
    }

    /// What the media server forwards of them and to them.
    pub fn gates(&self, allowed: Allowed) -> Gates {
        let Doing {
            muted,
            deafened,
            camera,
            screen,
            hand: _,
            priority: _,
        } = self.doing;
        let may_send = self.stage != Some(Stage::Listener);
        Gates {
            speaks: may_send && allowed.speak && !muted && !deafened && !self.silenced,
            shows: may_send && allowed.camera && camera,
            shares: may_send && allowed.screen && screen,
            hears: !deafened,
        }
    }
}

/// Why somebody is not in a room any more, of those whom the page should not bring back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A moderator disconnected them, or their rights are gone.
    Removed,
    /// They joined elsewhere: an account is in one place at a time.
    Elsewhere,
    /// Nobody spoke for as long as the room's rules allow.
    Idle,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Allowed = Allowed {
        speak: true,
        camera: true,
        screen: true,
        leads: false,
        priority: true,
    };

    fn person(doing: Doing, silenced: bool) -> Person {
        Person {
            doing,
            silenced,
            ..Person::new(ParticipantId(1), AccountId(2))
        }
    }

    #[test]
    fn who_is_muted_deafened_or_silenced_does_not_speak() {
        let muted = Doing {
            muted: true,
            ..Doing::default()
        };
        let deafened = Doing {
            deafened: true,
            ..Doing::default()
        };
        assert!(person(Doing::default(), false).gates(ALL).speaks);
        assert!(!person(muted, false).gates(ALL).speaks);
        assert!(!person(deafened, false).gates(ALL).speaks);
        assert!(!person(Doing::default(), true).gates(ALL).speaks);
        assert!(person(muted, false).gates(ALL).hears);
        assert!(!person(deafened, false).gates(ALL).hears);
    }

    #[test]
    fn who_listens_on_a_stage_sends_nothing() {
        let on = Doing {
            camera: true,
            screen: true,
            ..Doing::default()
        };
        let listener = Person {
            stage: Some(Stage::Listener),
            ..person(on, false)
        };
        let gates = listener.gates(ALL);
        assert!(!gates.speaks && !gates.shows && !gates.shares && gates.hears);
    }

    #[test]
    fn pictures_are_forwarded_while_they_are_on_and_allowed() {
        let on = Doing {
            camera: true,
            screen: true,
            ..Doing::default()
        };
        let gates = person(on, false).gates(ALL);
        assert!(gates.shows && gates.shares);
        let only_speak = Allowed {
            camera: false,
            screen: false,
            ..ALL
        };
        let gates = person(on, false).gates(only_speak);
        assert!(!gates.shows && !gates.shares);
        let gates = person(Doing::default(), false).gates(ALL);
        assert!(!gates.shows && !gates.shares);
    }
}
