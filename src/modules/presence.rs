//! Presence: who is here, idle or away. An account has one state for all its tabs and devices.
//!
//! The state is in memory. It follows the engine's events for opened and closed sockets and the
//! activity that pages report. Changes are batched into one frame per space, however many accounts
//! changed.

mod instances;
mod pages;
mod people;
mod rejoin;
mod rooms;
mod topics;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::permissions::{READ, is_granted};
use crate::community::topics::{
    MemberJoined, MemberLeft, PresenceChosen, ProfileChanged, StatusChanged,
};
use crate::community::{Community, PresenceChoice};
use crate::engine::Engine;
use crate::engine::actions::{Class, Outcome};
use crate::engine::bus::{Envelope, Origin, Subscriber};
use crate::engine::feed::Feed;
use crate::engine::live::{Content, SocketClosed, SocketOpened};
use crate::engine::module::{Audience, Module};
use crate::engine::partial::Partial;
use crate::engine::viewer::Viewer;
use people::{Chosen, People, State};
use rejoin::Rejoined;
use rooms::WatchedRooms;
use topics::{PeopleChanged, PersonActive, PresenceTold};
use views::PersonFrame;

/// The presence module. Cheap to clone.
#[derive(Clone)]
pub struct Presence {
    engine: Engine,
    community: Community,
    people: Arc<People>,
    rejoined: Rejoined,
    watched: WatchedRooms,
}

/// How long states wait when the database does not answer.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
const MAX_PEOPLE_PER_FRAME: usize = 100; // about 1.5 KB of HTML each

/// The presence of a space's members.
pub const PRESENCE_FEED: Feed<SpaceId> = Feed::new(
    "space/{space}/presence",
    "Who of a space is here, idle or away",
)
.volatile();

/// The presence of those who read a room that not every member reads.
pub const ROOM_PRESENCE_FEED: Feed<RoomId> = Feed::new(
    "room/{room}/presence",
    "Who reads a room that is not for all, and who of them is here, idle or away",
)
.volatile();

#[derive(Deserialize)]
struct ActiveInput {}

impl Presence {
    /// Creates the module's state for the members of this community.
    pub fn new(community: &Community) -> Self {
        let engine = community.engine().clone();
        let idle_after = Duration::from_secs(engine.settings.idle_after_seconds);
        Self {
            engine,
            community: community.clone(),
            people: Arc::new(People::new(idle_after)),
            rejoined: Rejoined::default(),
            watched: WatchedRooms::default(),
        }
    }

    fn count_sockets(&self, account: AccountId) {
        let open = self.engine.live.sockets_of(account);
        self.people.set_sockets(account, open, Instant::now());
    }

    /// Publishes changes in batches: waits for one, collects more, sends one frame per space.
    async fn publish_changes(self) {
        let batch_interval = Duration::from_millis(self.engine.settings.presence_batch_millis);
        loop {
            self.people.wait_for_change().await;
            tokio::time::sleep(batch_interval).await;
            let chosen = match self.chosen(self.people.dirty()).await {
                Ok(chosen) => chosen,
                Err(error) => {
                    // Nobody is shown as here who may have chosen not to be.
                    tracing::warn!(%error, "choices of presence were not read");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                    continue;
                }
            };
            let changes = self.people.take_changes(&chosen, Instant::now());
            for (account, state) in &changes.published {
                let present = &self.community.present;
                present.set(*account, *state != State::Away);
            }
            self.tell(&changes.told, false);
            if changes.published.is_empty() {
                continue;
            }
            if let Err(error) = self.publish_to_spaces(&changes.published).await {
                tracing::warn!(%error, "changes of presence were not published");
            }
        }
    }

    async fn publish_to_spaces(&self, changes: &[(AccountId, State)]) -> Result<()> {
        let mut by_space: BTreeMap<SpaceId, Vec<PersonFrame>> = BTreeMap::new();
        for (account, state) in changes {
            let person = self.community.accounts.get(*account).await?;
            let deps = self.community.dependencies(*account);
            for space in self.community.spaces.of(&deps, *account).await?.iter() {
                let frame = PersonFrame::new(&person, space.id, *state);
                by_space.entry(space.id).or_default().push(frame);
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
            let states = people.iter();
            let states: Vec<_> = states
                .map(|person| (person.account, person.name.clone(), person.state))
                .collect();
            let content = Content::of(&event)
                .html(move |lang| people.iter().map(|person| person.frame(lang)).collect());
            self.engine
                .live
                .publish(&PRESENCE_FEED.name(space), content);
            self.publish_to_rooms(space, &states).await;
            // Of all instances, as this one knows them: each publishes for its own sockets.
            self.engine.bus.publish_here(Origin::default(), event);
        }
        Ok(())
    }

    async fn person(&self, account: AccountId, space: SpaceId) -> Result<PersonFrame> {
        let person = self.community.accounts.get(account).await?;
        let state = self.people.state(account);
        Ok(PersonFrame::new(&person, space, state))
    }

    /// How these accounts chose to be seen.
    async fn chosen(&self, accounts: Vec<AccountId>) -> Result<Vec<Chosen>> {
        let mut all = Vec::new();
        for id in accounts {
            let (choice, until, status_until) = match self.community.accounts.get(id).await {
                Ok(account) => {
                    let (choice, until) = account.presence();
                    let status_until = account.status().and_then(|status| status.until);
                    (choice, until, status_until)
                }
                Err(Error::NotFound) => (PresenceChoice::Automatic, None, None),
                Err(error) => return Err(error),
            };
            let ends = [until, status_until].into_iter().flatten().min();
            let left = ends.map(|ends| {
                ends.0
                    .saturating_sub(Micros::now().0)
                    .max(0)
                    .cast_unsigned()
            });
            all.push(Chosen {
                account: id,
                choice,
                // A little later, so that the clock that is read then has passed it.
                ends_at: left.map(|left| Instant::now() + Duration::from_micros(left + 1_000)),
            });
        }
        Ok(all)
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Presence> {
    Module::new("presence")
        .publishes::<PeopleChanged>()
        .publishes::<PresenceTold>()
        .publishes::<PersonActive>()
        .account_style(views::account_style)
        .feed(PRESENCE_FEED, may_follow)
        .feed(ROOM_PRESENCE_FEED, may_follow_room)
        .on_rejoin(PRESENCE_FEED, rejoin::present)
        .action(
            "presence.active",
            "Says that the person moved",
            Class::Ephemeral,
            active,
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/people",
            get(pages::people),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/people",
            get(pages::room_people),
        )
        .pane(pages::pane)
        .subscriber(
            Subscriber::new("presence.watcher")
                .on(socket_opened)
                .on(socket_closed)
                .on(member_joined)
                .on(member_left)
                .on(profile_changed)
                .on(rooms::room_changed)
                .on(rooms::roles_changed)
                .on(rooms::member_changed)
                .on(presence_chosen)
                .on(status_changed)
                .on(instances::presence_told)
                .on(instances::person_active)
                .when_lagged(recount),
        )
        .task(Presence::publish_changes)
        .task(Presence::tell_repeatedly)
}

async fn may_follow(presence: Presence, viewer: Viewer, space: SpaceId) -> Result<bool> {
    let member = presence
        .community
        .access
        .member(viewer.account, space)
        .await?;
    Ok(member.is_some())
}

async fn may_follow_room(presence: Presence, viewer: Viewer, room: RoomId) -> Result<bool> {
    let access = &presence.community.access;
    is_granted(access.permit_in_room(viewer.account, &READ, room).await)
}

async fn active(presence: Presence, viewer: Viewer, _: ActiveInput) -> Result<Outcome> {
    let account = viewer.account;
    presence.people.mark_active(account, Instant::now());
    if presence.people.is_elsewhere(account) {
        let origin = Origin::new(account, None);
        presence
            .engine
            .bus
            .publish(origin, PersonActive { account });
    }
    Ok(Outcome::new(Value::Null, "/"))
}

async fn socket_opened(presence: &Presence, event: &SocketOpened, _: &Envelope) -> Result<()> {
    presence.count_sockets(event.account);
    Ok(())
}

async fn socket_closed(presence: &Presence, event: &SocketClosed, _: &Envelope) -> Result<()> {
    presence.count_sockets(event.account);
    Ok(())
}

async fn member_joined(presence: &Presence, event: &MemberJoined, _: &Envelope) -> Result<()> {
    let person = presence.person(event.account, event.space).await?;
    let content = Content::of(event).html(move |lang| person.frame(lang));
    let feed = PRESENCE_FEED.name(event.space);
    presence.engine.live.publish(&feed, content);
    let state = presence.people.state(event.account);
    let joined = [(event.account, event.name.clone(), state)];
    presence.publish_to_rooms(event.space, &joined).await;
    Ok(())
}

async fn member_left(presence: &Presence, event: &MemberLeft, _: &Envelope) -> Result<()> {
    let MemberLeft { space, account } = event;
    let removal = Partial::delete(format!("#person-{space}-{account}")).to_string();
    let content = Content::of(event).html(move |_| removal.clone());
    presence
        .engine
        .live
        .publish(&PRESENCE_FEED.name(*space), content);
    rooms::remove_from_rooms(presence, event);
    Ok(())
}

async fn profile_changed(presence: &Presence, event: &ProfileChanged, _: &Envelope) -> Result<()> {
    for space in &event.spaces {
        let person = presence.person(event.account, *space).await?;
        let content = Content::of(event).html(move |lang| person.frame(lang));
        let feed = PRESENCE_FEED.name(*space);
        presence.engine.live.publish(&feed, content);
        let state = presence.people.state(event.account);
        let renamed = [(event.account, event.name.clone(), state)];
        presence.publish_to_rooms(*space, &renamed).await;
    }
    Ok(())
}

async fn presence_chosen(presence: &Presence, event: &PresenceChosen, _: &Envelope) -> Result<()> {
    presence.people.touch(event.account);
    Ok(())
}

async fn status_changed(presence: &Presence, event: &StatusChanged, _: &Envelope) -> Result<()> {
    presence.people.touch(event.account);
    Ok(())
}

/// After missed events: counts every account's sockets again.
async fn recount(presence: Presence, _missed: u64) {
    let known = presence.people.known().into_iter();
    for account in known.chain(presence.engine.live.connected()) {
        presence.count_sockets(account);
    }
}
