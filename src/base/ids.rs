//! Ids: 64 bits, ordered by time, generated here; strings in JSON, because JavaScript rounds
//! integers past 2^53.
//!
//! Layout, from the top: 1 zero bit, 43 bits of milliseconds since 2024-01-01 (until 2302), 10 bits
//! of the instance, 10 bits of sequence. Within a process ids only ever grow: when the clock steps
//! back, or a millisecond has no number left, they continue from the last one.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::base::clock::Micros;

const EPOCH_MS: i64 = 1_704_067_200_000; // 2024-01-01T00:00:00Z
/// Bits below the milliseconds.
const LOW_BITS: u32 = INSTANCE_BITS + SEQUENCE_BITS;
const INSTANCE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 10;
/// Servers that share a database, each with a number below this.
pub const MAX_INSTANCES: i64 = 1 << INSTANCE_BITS;

/// Milliseconds and sequence of the last id, without the instance between them.
static LAST: AtomicI64 = AtomicI64::new(0);
static INSTANCE: AtomicI64 = AtomicI64::new(0);

/// A new id, greater than every earlier one of this process and than those given to [`at_least`].
pub fn next() -> i64 {
    let floor = (Micros::now().0 / 1000 - EPOCH_MS).max(0) << SEQUENCE_BITS;
    let step = |last: i64| Some(floor.max(last + 1));
    let tick = match LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
        Ok(last) | Err(last) => floor.max(last + 1),
    };
    let (millis, sequence) = (tick >> SEQUENCE_BITS, tick & ((1 << SEQUENCE_BITS) - 1));
    let instance = INSTANCE.load(Ordering::Relaxed);
    (millis << LOW_BITS) | (instance << SEQUENCE_BITS) | sequence
}

/// Sets the number of this process among those that share its database, 0 where there is no other.
pub fn set_instance(number: i64) {
    INSTANCE.store(number.rem_euclid(MAX_INSTANCES), Ordering::Relaxed);
}

/// Makes every later id greater than `seen`. Called at boot with the newest stored id, so that a
/// clock that was set back between two runs does not sort new messages before old ones. Ignores ids
/// more than a day ahead of the clock: a damaged row must not exhaust the ids.
pub fn at_least(seen: i64) {
    let tomorrow = (Micros::now().0 / 1000 - EPOCH_MS + 86_400_000) << LOW_BITS;
    if seen < tomorrow {
        // The last of its millisecond: the instance that made it may have a greater number.
        let tick = (((seen >> LOW_BITS) + 1) << SEQUENCE_BITS) - 1;
        LAST.fetch_max(tick, Ordering::Relaxed);
    }
}

/// When an id was generated, to the millisecond.
pub fn time_of(id: i64) -> Micros {
    Micros(((id >> LOW_BITS) + EPOCH_MS) * 1000)
}

/// The least id that may be generated at a time.
pub fn first_at(time: Micros) -> i64 {
    (time.0 / 1000 - EPOCH_MS).max(0) << LOW_BITS
}

/// An id of one kind of row.
pub trait Id: Copy + Send + Sync + 'static {
    /// Name of the type: ids of two kinds may have the same number.
    const KIND: &'static str;

    /// The number.
    fn get(self) -> i64;

    /// The id with this number.
    fn from_number(number: i64) -> Self;
}

/// Declares an id type: a 64-bit number in the database, a string in JSON, forms and addresses.
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// A new id, greater than all before it.
            pub fn new() -> Self {
                Self($crate::base::ids::next())
            }
        }

        impl $crate::base::ids::Id for $name {
            const KIND: &'static str = stringify!($name);

            fn get(self) -> i64 {
                self.0
            }

            fn from_number(number: i64) -> Self {
                Self(number)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(|_| {
                    serde::de::Error::custom("an id is a whole number written as a string")
                })
            }
        }
    };
}

id!(
    /// An account: one person on this server.
    AccountId
);
id!(
    /// A space: a community on this server.
    SpaceId
);
id!(
    /// A room of a space, or a direct conversation.
    RoomId
);
id!(
    /// An event on the bus.
    EventId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_many_threads_differ() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..10_000).map(|_| next()).collect::<Vec<_>>()))
            .collect();
        let mut all: Vec<i64> = threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        let given = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), given);
    }

    #[test]
    fn ids_are_greater_than_stored_ones() {
        let stored = next() + (5_000 << LOW_BITS);
        at_least(stored);
        assert!(next() > stored);
        at_least(i64::MAX - 1);
        assert!(next() < i64::MAX / 2, "an id of a damaged row is ignored");
    }

    #[test]
    fn ids_after_those_of_another_instance_are_greater() {
        let of_another = next() | ((MAX_INSTANCES - 1) << SEQUENCE_BITS);
        at_least(of_another);
        assert!(next() > of_another);
    }

    #[test]
    fn id_is_a_string_in_json() {
        let id = RoomId(9_007_199_254_740_993);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"9007199254740993\"");
        assert_eq!(
            serde_json::from_str::<RoomId>("\"9007199254740993\"").unwrap(),
            id
        );
        assert!(serde_json::from_str::<RoomId>("\"12; drop\"").is_err());
    }
}
