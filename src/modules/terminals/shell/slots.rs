//! Places for shells on this instance. Each has a number, by which a server that runs as root gives
//! its shell a user of its own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Shells of one instance at once.
pub(super) const MAX_SHELLS: u32 = 8;
/// The first of the users that shells have outside, where the server runs as root. Nothing else has
/// numbers as high as these.
const FIRST_UID: u32 = 1_900_000_000;

/// The places that are taken. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::modules::terminals) struct Slots(Arc<Mutex<BTreeSet<u32>>>);

impl Slots {
    /// Takes a place, if one is free.
    pub(super) fn take(&self) -> Option<Slot> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (0..MAX_SHELLS).find(|number| !taken.contains(number))?;
        taken.insert(number);
        Some(Slot {
            slots: self.clone(),
            number,
        })
    }
}

/// A place that is taken until this is dropped.
pub(super) struct Slot {
    slots: Slots,
    number: u32,
}

impl Slot {
    /// The user that the shell has outside of its namespace.
    pub(super) fn uid(&self) -> u32 {
        FIRST_UID + self.number
    }
}

/// The user of probes.
pub(super) const PROBE_UID: u32 = FIRST_UID + MAX_SHELLS;

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.number);
    }
}
