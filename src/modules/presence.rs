//! Presence: who is here, idle or away. Several tabs and devices are one person.
//!
//! The state is in memory and follows the sockets: the engine says when one opens or closes, pages
//! say when their person moved. Versions are gathered and told to each space in one frame, however
//! many people came at once.

mod pages;
mod people;
mod topics;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::Community;
use crate::community::topics::{MemberJoined, MemberLeft};
use crate::engine::Engine;
use crate::engine::actions::{Action, Class, Outcome};
use crate::engine::bus::{Envelope, Origin, Subscriber};
use crate::engine::live::{Content, FeedSpec, SocketClosed, SocketOpened};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;
use people::{People, State};
use topics::PeopleChanged;
use views::PersonFrame;

/// The presence module. Cheap to clone.
#[derive(Clone)]
pub struct Presence {
    engine: Engine,
    community: Community,
    people: Arc<People>,
}

const MAX_PEOPLE_PER_FRAME: usize = 100; // people; one is about 1.5 KB of HTML

#[derive(Deserialize)]
struct Nothing {}

impl Presence {
    /// Presence of this community's people.
    pub fn new(community: &Community) -> Self {
        let engine = community.engine().clone();
        let idle_after = Duration::from_secs(engine.settings.idle_after_seconds);
        Self {
            engine,
            community: community.clone(),
            people: Arc::new(People::new(idle_after)),
        }
    }

    /// All that it adds to the engine.
    pub fn module(&self) -> Module {
        let (watch, lagged, feed, pane, active) = (
            self.clone(),
            self.clone(),
            self.clone(),
            self.clone(),
            self.clone(),
        );
        let watcher = Subscriber::new("presence.watcher", move |event| {
            let presence = watch.clone();
            async move { presence.watch(&event).await }
        })
        .on::<SocketOpened>()
        .on::<SocketClosed>()
        .on::<MemberJoined>()
        .on::<MemberLeft>()
        .when_lagged(move |_| {
            lagged.recount();
            async {}
        });
        let module = Module::new("presence")
            .publishes::<PeopleChanged>()
            .feed(FeedSpec::new(
                "space/{space}/presence",
                "Who of a space is here, idle or away",
                move |viewer, ids| {
                    let presence = feed.clone();
                    async move {
                        Ok(presence
                            .community
                            .role(viewer.account, SpaceId(ids[0]))
                            .await?
                            .is_some())
                    }
                },
            ))
            .action(Action::new(
                "presence.active",
                "Says that the person moved",
                Class::Ephemeral,
                move |viewer: Viewer, _: Nothing| {
                    let presence = active.clone();
                    async move {
                        presence.people.active(viewer.account, Instant::now());
                        Ok(Outcome::new(Value::Null, "/"))
                    }
                },
            ))
            .pane(move |viewer, space, deps| {
                let presence = pane.clone();
                async move { presence.pane(&deps, &viewer, space).await }
            })
            .subscriber(watcher)
            .task(self.clone().tell());
        pages::declare(self, module)
    }

    async fn watch(&self, event: &Envelope) -> Result<()> {
        if let Some(SocketOpened { account, .. }) = event.get() {
            self.people.sockets(
                *account,
                self.engine.live.sockets_of(*account),
                Instant::now(),
            );
        } else if let Some(SocketClosed { account, .. }) = event.get() {
            self.people.sockets(
                *account,
                self.engine.live.sockets_of(*account),
                Instant::now(),
            );
        } else if let Some(MemberJoined {
            space,
            account,
            name,
        }) = event.get()
        {
            let html = self.person(*account, name, *space);
            self.engine.live.publish(
                &presence_feed(*space),
                Content::new(event.topic.name, event.json()).html(move |lang| html.frame(lang)),
            );
        } else if let Some(MemberLeft { space, account }) = event.get() {
            let gone = format!(
                "<hx-partial hx-target=\"#person-{space}-{account}\" hx-swap=\"delete\"></hx-partial>"
            );
            self.engine.live.publish(
                &presence_feed(*space),
                Content::new(event.topic.name, event.json()).html(move |_| gone.clone()),
            );
        }
        Ok(())
    }

    /// After missed events: who has a socket is asked of the hub.
    fn recount(&self) {
        let now = Instant::now();
        for account in self
            .people
            .known()
            .into_iter()
            .chain(self.engine.live.connected())
        {
            self.people
                .sockets(account, self.engine.live.sockets_of(account), now);
        }
    }

    /// Waits for changes, gathers what comes at once, and tells each space in one frame.
    async fn tell(self) {
        let gather = Duration::from_millis(self.engine.settings.presence_batch_millis);
        loop {
            self.people.wait().await;
            tokio::time::sleep(gather).await;
            let changes = self.people.changes(Instant::now());
            if changes.is_empty() {
                continue;
            }
            if let Err(error) = self.tell_spaces(&changes).await {
                tracing::warn!(%error, "a change of presence was not told; pages show it when they are read again");
            }
        }
    }

    async fn tell_spaces(&self, changes: &[(AccountId, State)]) -> Result<()> {
        let mut by_space: BTreeMap<SpaceId, Vec<PersonFrame>> = BTreeMap::new();
        for (account, state) in changes {
            let name = self.community.account(*account).await?.name.clone();
            for space in self.community.space_ids_of(*account).await? {
                by_space.entry(space).or_default().push(PersonFrame {
                    account: *account,
                    space,
                    name: name.clone(),
                    state: *state,
                });
            }
        }
        let parts = by_space.into_iter().flat_map(|(space, mut people)| {
            let mut parts = Vec::new();
            while !people.is_empty() {
                let rest = people.split_off(people.len().min(MAX_PEOPLE_PER_FRAME));
                parts.push((space, std::mem::replace(&mut people, rest)));
            }
            parts
        });
        for (space, people) in parts {
            let event = PeopleChanged {
                space,
                people: people.iter().map(PersonFrame::state).collect(),
            };
            let content = Content::of(&event)
                .html(move |lang| people.iter().map(|person| person.frame(lang)).collect());
            self.engine.live.publish(&presence_feed(space), content);
            self.engine.bus.publish(Origin::default(), event);
        }
        Ok(())
    }

    fn person(&self, account: AccountId, name: &str, space: SpaceId) -> PersonFrame {
        PersonFrame {
            account,
            space,
            name: name.to_owned(),
            state: self.people.state(account),
        }
    }
}

fn presence_feed(space: SpaceId) -> String {
    format!("space/{space}/presence")
}
