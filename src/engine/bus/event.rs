//! Events and topics: one declaration gives the type, its name, its documentation and its example.

use std::any::Any;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::engine::versions::Thing;

/// A kind of event, made with [`event!`](crate::event).
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What is declared about it.
    fn topic() -> &'static Topic;
    /// The number of what the event is about: part of its subject between instances.
    fn key(&self) -> i64;
    /// Names everything that is another after this event, for what was cached of it.
    fn changed(&self, change: &mut dyn FnMut(Thing));
}

/// Anything as JSON text, as it is sent and kept: a tree of it would take ten times the memory.
///
/// # Panics
/// When a map has keys that are not texts: a mistake of the program.
pub fn json(what: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(what).expect("maps have texts as keys")
}

/// What is declared about a topic.
pub struct Topic {
    /// `module.noun.verb`, the verb in the past tense.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// The field whose events keep their order.
    pub key: &'static str,
    /// Its fields.
    pub fields: &'static [EventField],
    /// An example, as JSON.
    pub example: fn() -> Value,
    /// Writes an event of this topic as JSON.
    pub encode: fn(&(dyn Any + Send + Sync)) -> Box<RawValue>,
    /// Reads an event of this topic back from JSON.
    pub decode: fn(Value) -> serde_json::Result<Box<dyn Any + Send + Sync>>,
}

/// A field of an event.
#[derive(Serialize)]
pub struct EventField {
    /// Its name.
    pub name: &'static str,
    /// Its Rust type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it means.
    pub about: &'static str,
}

impl Topic {
    /// The module that owns it: the first part of its name.
    pub fn owner(&self) -> &'static str {
        self.name.split('.').next().unwrap_or_default()
    }

    pub(super) fn is_well_named(&self) -> bool {
        let parts: Vec<_> = self.name.split('.').collect();
        parts.len() == 3
            && parts.iter().all(|part| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
            })
    }

    /// The declaration as JSON, for `tidepool topics --json`.
    pub fn json(&self) -> Value {
        json!({
            "topic": self.name, "owner": self.owner(), "about": self.about, "key": self.key,
            "fields": self.fields, "example": (self.example)(),
        })
    }
}

/// Declares an event: its type, its topic, what it is about, what it changes, and for each field
/// what it means and an example.
///
/// What an event changes is named by fields that hold ids (or lists of them): whatever was cached
/// with one of them among its dependencies is made anew. Without `changes(…)` it is what the event
/// is about; `changes()` is nothing. `changes(space as SpacePresence)` is a part of the space that
/// has an id type of its own, because it changes more often than what else is made from the space.
///
/// ```ignore
/// event! {
///     /// Someone joined a space.
///     pub struct MemberJoined on "community.member.joined" by space changes(space, account) {
///         /// The space.
///         space: SpaceId = SpaceId(3),
///         /// Who joined.
///         account: AccountId = AccountId(7),
///     }
/// }
/// ```
#[macro_export]
macro_rules! event {
    (@changed $self:ident $change:ident $key:ident) => {
        $crate::engine::versions::Changed::each(&$self.$key, $change);
    };
    (@changed $self:ident $change:ident $key:ident ($($changed:ident $(as $part:ty)?),*)) => {
        $($crate::event!(@one $self $change $changed $($part)?);)*
    };
    (@one $self:ident $change:ident $changed:ident) => {
        $crate::engine::versions::Changed::each(&$self.$changed, $change);
    };
    (@one $self:ident $change:ident $changed:ident $part:ty) => {{
        let number = $crate::engine::versions::Changed::number(&$self.$changed);
        let part = <$part as $crate::base::ids::Id>::from_number(number);
        $change($crate::engine::versions::Thing::of(part));
    }};
    ($(#[doc = $about:literal])+ pub struct $name:ident on $topic:literal by $key:ident
        $(changes($($changed:ident $(as $part:ty)?),* $(,)?))? {
        $($(#[doc = $meaning:literal])+ $field:ident : $kind:ty = $example:expr),+ $(,)?
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $meaning])+ pub $field: $kind),+
        }

        impl $crate::engine::bus::Event for $name {
            fn topic() -> &'static $crate::engine::bus::Topic {
                static TOPIC: $crate::engine::bus::Topic = $crate::engine::bus::Topic {
                    name: $topic,
                    about: concat!($($about),+),
                    key: stringify!($key),
                    fields: &[$($crate::engine::bus::EventField {
                        name: stringify!($field),
                        kind: stringify!($kind),
                        about: concat!($($meaning),+),
                    }),+],
                    example: || serde_json::json!($name { $($field: $example),+ }),
                    encode: |body| $crate::engine::bus::json(&body.downcast_ref::<$name>()),
                    decode: |value| Ok(Box::new(serde_json::from_value::<$name>(value)?)),
                };
                &TOPIC
            }

            fn key(&self) -> i64 {
                $crate::engine::versions::Changed::number(&self.$key)
            }

            #[allow(unused_variables, reason = "some events change nothing")]
            fn changed(&self, change: &mut dyn FnMut($crate::engine::versions::Thing)) {
                $crate::event!(@changed self change $key $(($($changed $(as $part)?),*))?);
            }
        }
    };
}
