//! Presence on several instances: each tells the others the states by its own sockets, changes at
//! once and all of them repeatedly, so that what was missed is made up for.

use std::time::{Duration, Instant};

use super::Presence;
use super::people::State;
use super::topics::{PersonActive, PresenceTold};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::bus::{Envelope, Origin};

/// Between two times that all people of this instance are told.
const TELL_INTERVAL: Duration = Duration::from_secs(5);
/// In one event: some 60 KiB.
const MAX_TOLD: usize = 1_500;

impl Presence {
    /// Tells other instances of these states: `all` of this instance, or some that changed.
    pub(super) fn tell(&self, states: &[(AccountId, State)], all: bool) {
        let mut is_first = all;
        // Also without people: those that were told before are gone then.
        let nobody: &[(AccountId, State)] = &[];
        let parts = states.chunks(MAX_TOLD);
        let parts = parts.chain((all && states.is_empty()).then_some(nobody));
        for part in parts {
            let event = PresenceTold {
                people: u64::try_from(part.len()).unwrap_or(u64::MAX),
                instance: self.engine.live.instance().to_owned(),
                first: is_first,
                states: part.to_vec(),
            };
            is_first = false;
            self.engine.bus.publish(Origin::default(), event);
        }
    }

    /// Tells all people of this instance every [`TELL_INTERVAL`], where there are others.
    pub(super) async fn tell_repeatedly(self) {
        if self.engine.settings.nats.is_empty() {
            return;
        }
        loop {
            self.tell(&self.people.told(), true);
            self.people.forget_silent(Instant::now());
            tokio::time::sleep(TELL_INTERVAL).await;
        }
    }
}

pub(super) async fn presence_told(
    presence: &Presence,
    event: &PresenceTold,
    envelope: &Envelope,
) -> Result<()> {
    if envelope.is_remote {
        let people = &presence.people;
        people.hear(&event.instance, event.first, &event.states, Instant::now());
    }
    Ok(())
}

pub(super) async fn person_active(
    presence: &Presence,
    event: &PersonActive,
    envelope: &Envelope,
) -> Result<()> {
    if envelope.is_remote {
        let people = &presence.people;
        people.mark_active(event.account, Instant::now());
    }
    Ok(())
}
