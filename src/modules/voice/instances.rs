//! Voice on several instances: a room is served by the one that holds its lease; others pass on
//! what their pages ask, and everybody hears who is inside.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::model::Ended;
use super::request::{Answer, Fault, Request};
use super::topics::{PeopleChanged, RequestAnswered, RequestId, RequestPassed};
use super::{Voice, lease};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::engine::bus::{Envelope, Origin};
use crate::engine::viewer::{Theme, Viewer};

/// How long another instance may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests that wait for an answer.
const MAX_PASSED: usize = 1_000;

/// Requests that were passed on. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Passed(Arc<Mutex<HashMap<RequestId, oneshot::Sender<Answer>>>>);

impl Passed {
    fn add(&self, request: RequestId) -> Option<oneshot::Receiver<Answer>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_PASSED {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        waiting.insert(request, answer);
        Some(answered)
    }

    fn take(&self, request: RequestId) -> Option<oneshot::Sender<Answer>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&request)
    }
}

/// A request on its way to another instance.
#[derive(Serialize, Deserialize)]
struct Passage {
    account: AccountId,
    session: String,
    address: std::net::IpAddr,
    request: Request,
}

impl Voice {
    fn is_alone(&self) -> bool {
        self.engine.settings.nats.is_empty()
    }

    /// Has a request done by the instance that serves the room; a join makes this one serve a room
    /// that none serves.
    ///
    /// # Errors
    /// Why it was not done.
    pub(super) async fn ask(
        &self,
        viewer: &Viewer,
        room: RoomId,
        request: Request,
    ) -> Result<serde_json::Value> {
        let own = self.engine.live.instance();
        let db = &self.engine.db;
        let serving = match request {
            _ if self.is_alone() => own.to_owned(),
            Request::Join { .. } => lease::claim(db, room, own).await?,
            _ => lease::holder(db, room).await?.ok_or(Error::NotFound)?,
        };
        let answer = match serving == own {
            true => self.serve(viewer, room, request).await,
            false => self.pass_on(viewer, room, serving, request).await?,
        };
        Ok(answer?)
    }

    async fn pass_on(
        &self,
        viewer: &Viewer,
        room: RoomId,
        instance: String,
        request: Request,
    ) -> Result<Answer> {
        let number = RequestId(crate::base::ids::next());
        let answered = self.passed.add(number).ok_or(Error::Unavailable)?;
        let passage = Passage {
            account: viewer.account,
            session: viewer.session.to_string(),
            address: viewer.address,
            request,
        };
        let body = serde_json::to_value(passage).map_err(|error| Error::Internal(error.into()))?;
        let event = RequestPassed {
            room,
            instance,
            request: number,
            body,
        };
        self.engine.bus.publish(Origin::default(), event);
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, answered).await;
        self.passed.take(number);
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(Error::Unavailable),
        }
    }

    async fn answer_passed(&self, event: &RequestPassed) -> Answer {
        let passage: Passage =
            serde_json::from_value(event.body.clone()).map_err(|_| Fault::Unavailable)?;
        let viewer = Viewer {
            account: passage.account,
            name: "".into(),
            session: passage.session.into(),
            address: passage.address,
            lang: Lang::negotiate(None, None),
            theme: Theme::Device,
            is_guest: false,
        };
        self.serve(&viewer, event.room, passage.request).await
    }

    /// Renews the leases of the rooms that this instance serves, tells the others who is in them,
    /// and forgets what others no longer tell.
    pub(super) async fn renew_repeatedly(self) {
        if self.is_alone() {
            return;
        }
        loop {
            tokio::time::sleep(lease::RENEW_INTERVAL).await;
            let own = self.engine.live.instance();
            for room in self.rooms.served_rooms() {
                match lease::renew(&self.engine.db, room, own).await {
                    Ok(true) => self.publish_people(room),
                    Ok(false) => self.give_up(room).await,
                    Err(error) => tracing::warn!(%error, "a lease of voice was not renewed"),
                }
            }
            for room in self.rooms.forget_silent(own, Instant::now()) {
                self.publish_shown(room).await;
            }
        }
    }

    /// Another instance serves the room now: pages that are here come back there.
    async fn give_up(&self, room: RoomId) {
        for person in self.rooms.served_in(room) {
            if let Some(media) = self.media() {
                media.leave(person.id.0).await;
            }
            self.rooms.remove(person.id, None);
        }
    }

    /// Gives the lease of a room back that nobody is in.
    pub(super) async fn release_if_empty(&self, room: RoomId) {
        if self.is_alone() || !self.rooms.served_in(room).is_empty() {
            return;
        }
        let own = self.engine.live.instance();
        if let Err(error) = lease::release(&self.engine.db, room, own).await {
            tracing::debug!(%error, "a lease of voice was not given back");
        }
    }
}

/// Does what another instance passed on, if this is the one that is asked.
pub(super) async fn request_passed(
    voice: &Voice,
    event: &RequestPassed,
    envelope: &Envelope,
) -> Result<()> {
    if !envelope.is_remote || event.instance != voice.engine.live.instance() {
        return Ok(());
    }
    let answer = voice.answer_passed(event).await;
    let answer = RequestAnswered {
        request: event.request,
        body: serde_json::to_value(answer).map_err(|error| Error::Internal(error.into()))?,
    };
    voice.engine.bus.publish(Origin::default(), answer);
    Ok(())
}

pub(super) async fn request_answered(
    voice: &Voice,
    event: &RequestAnswered,
    envelope: &Envelope,
) -> Result<()> {
    if !envelope.is_remote {
        return Ok(());
    }
    if let Some(waiting) = voice.passed.take(event.request) {
        let answer = serde_json::from_value(event.body.clone());
        drop(waiting.send(answer.unwrap_or(Err(Fault::Unavailable))));
    }
    Ok(())
}

/// Whoever joined on another instance leaves here: an account is in one place at a time.
pub(super) async fn leave_elsewhere(voice: &Voice, event: &PeopleChanged) {
    for person in &event.people {
        for own in voice.rooms.of_account(person.account) {
            if own < person.id {
                voice.end(own, Some(Ended::Elsewhere)).await;
            }
        }
    }
}
