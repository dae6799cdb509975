//! Events and topics. One declaration with [`event!`](crate::event) yields the Rust type, the name
//! of its topic, the documentation and an example.

use std::any::Any;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::engine::versions::Thing;

/// A type of event. Implemented by [`event!`](crate::event).
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The topic on which events of this type are published.
    fn topic() -> &'static Topic;
    /// The number of what the event is about: the field that the declaration names with `by`.
    fn key(&self) -> i64;
    /// Calls `visit` with everything that this event changes, whose cached renderings are stale.
    fn visit_changed(&self, visit: &mut dyn FnMut(Thing));
}

/// Serializes to JSON text, which takes a tenth of the memory of a `serde_json::Value`.
///
/// # Panics
/// When a map has keys that are not strings: a programming error.
pub fn json(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("maps have strings as keys")
}

/// The declaration of a topic.
pub struct Topic {
    /// `module.noun.verb`, the verb in the past tense.
    pub name: &'static str,
    /// One sentence: what happened when an event of this topic is published.
    pub about: &'static str,
    /// The name of the field that says what an event is about.
    pub key: &'static str,
    /// The fields in the order of their declaration.
    pub fields: &'static [EventField],
    /// An example, as JSON.
    pub example: fn() -> Value,
    /// Serializes an event of this topic.
    pub encode: fn(&(dyn Any + Send + Sync)) -> Box<RawValue>,
    /// Calls a function with everything that an event of this topic changes.
    pub visit_changed: VisitChanged,
    /// Deserializes an event of this topic.
    pub decode: fn(Value) -> serde_json::Result<Box<dyn Any + Send + Sync>>,
}

type VisitChanged = fn(&(dyn Any + Send + Sync), &mut dyn FnMut(Thing));

/// The declaration of a field of an event.
#[derive(Serialize)]
pub struct EventField {
    /// The key in JSON.
    pub name: &'static str,
    /// The Rust type, as it is written in the declaration.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// One sentence: what the field means.
    pub about: &'static str,
}

impl Topic {
    /// The name of the module that declares the topic: the first part of its name.
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

/// Declares an event: its type, its topic, what it is about (`by`), what it changes, and for each
/// field a description and an example.
///
/// `changes(…)` names fields that hold ids, or lists of ids: everything cached that depends on one
/// of them becomes stale. Without it, the event changes what it is about; `changes()` is nothing.
/// `changes(space as SpacePresence)` changes only a part of the space, which has an id type of its
/// own because it changes more often than the rest.
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
                    visit_changed: |body, visit| {
                        if let Some(event) = body.downcast_ref::<$name>() {
                            $crate::engine::bus::Event::visit_changed(event, visit);
                        }
                    },
                    encode: |body| $crate::engine::bus::json(&body.downcast_ref::<$name>()),
                    decode: |value| Ok(Box::new(serde_json::from_value::<$name>(value)?)),
                };
                &TOPIC
            }

            fn key(&self) -> i64 {
                $crate::engine::versions::Changed::number(&self.$key)
            }

            #[allow(unused_variables, reason = "some events change nothing")]
            fn visit_changed(&self, change: &mut dyn FnMut($crate::engine::versions::Thing)) {
                $crate::event!(@changed self change $key $(($($changed $(as $part)?),*))?);
            }
        }
    };
}
