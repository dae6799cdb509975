//! Calls: the first who joins the voice of a direct conversation rings the others. It rings until
//! they join, decline, or do not answer in time; who missed it finds that in the inbox. The
//! conversation tells of calls that nobody answered, and how long the others took.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;

use super::model::ParticipantId;
use super::topics::{CallRang, RingingEnded};
use super::views::RingView;
use super::{MISSED_CALL, Voice};
use crate::base::clock::spent;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::{Face, PresenceChoice, UNREAD_FEED};
use crate::engine::bus::{Envelope, Origin};
use crate::engine::live::Content;
use crate::engine::notices::{NewNotice, Recipients};
use crate::engine::partial::Partial;
use crate::engine::rate_limit::Rate;
use crate::engine::room_lines::{LineTold, RoomLine};

/// How long it rings.
const RING_TIME: Duration = Duration::from_secs(30);
/// People whom one call rings.
const MAX_RUNG: usize = 50;

/// Calls of one account that ring in a minute. Further ones go on, and ring nobody.
const MAX_CALLS_PER_MINUTE: u32 = 6;

/// The calls that ring on this instance. Cheap to clone.
#[derive(Clone)]
pub(super) struct Calls {
    ringing: Arc<Mutex<HashMap<RoomId, Call>>>,
    /// Those that go on, whether they ring or not.
    going_on: Arc<Mutex<HashMap<RoomId, GoingOn>>>,
    rate: Arc<Rate<AccountId>>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            ringing: Arc::default(),
            going_on: Arc::default(),
            rate: Arc::new(Rate::new(MAX_CALLS_PER_MINUTE, Duration::from_secs(60))),
        }
    }
}

/// A call that rings.
struct Call {
    /// Who calls.
    caller: ParticipantId,
    account: AccountId,
    /// Whom it still rings.
    rung: Vec<AccountId>,
    is_answered: bool,
}

/// A call that goes on.
struct GoingOn {
    /// Who called.
    account: AccountId,
    /// Since when somebody else is there.
    answered_at: Option<Instant>,
}

impl Calls {
    fn going_on(&self) -> MutexGuard<'_, HashMap<RoomId, GoingOn>> {
        self.going_on.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn by_room(&self) -> MutexGuard<'_, HashMap<RoomId, Call>> {
        self.ringing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It does not ring somebody any more, who joined or declined. Whether it did.
    fn stop_for(&self, room: RoomId, account: AccountId, is_answer: bool) -> Option<ParticipantId> {
        let mut calls = self.by_room();
        let call = calls.get_mut(&room)?;
        let before = call.rung.len();
        call.rung.retain(|one| *one != account);
        call.is_answered |= is_answer && call.account != account;
        (call.rung.len() < before).then_some(call.caller)
    }

    fn take(&self, room: RoomId, caller: ParticipantId) -> Option<Call> {
        let mut calls = self.by_room();
        match calls.get(&room) {
            Some(call) if call.caller == caller => calls.remove(&room),
            _ => None,
        }
    }
}

impl Voice {
    /// Somebody joined the voice of a direct conversation: the first rings the others.
    pub(super) async fn joined_direct(
        &self,
        room: RoomId,
        participant: ParticipantId,
        account: AccountId,
        is_first: bool,
    ) -> Result<()> {
        if !is_first {
            if let Some(call) = self.calls.going_on().get_mut(&room)
                && call.account != account
            {
                call.answered_at.get_or_insert_with(Instant::now);
            }
            if let Some(caller) = self.calls.stop_for(room, account, true) {
                self.publish_ringing_ended(room, caller, vec![account]);
            }
            return Ok(());
        }
        if self.calls.rate.check(&account).is_err() {
            return Ok(());
        }
        let mut rung = Vec::new();
        let readers = self.community.access.readers_of(room).await?;
        for other in readers.iter().copied().filter(|other| *other != account) {
            let is_rung = self.rings(other, account).await?;
            if is_rung && rung.len() < MAX_RUNG {
                rung.push(other);
            }
        }
        let caller = self.community.accounts.get(account).await?;
        let call = Call {
            caller: participant,
            account,
            rung: rung.clone(),
            is_answered: false,
        };
        self.calls.by_room().insert(room, call);
        let going_on = GoingOn {
            account,
            answered_at: None,
        };
        self.calls.going_on().insert(room, going_on);
        let event = CallRang {
            room,
            caller: participant,
            account,
            name: caller.name.clone(),
            accounts: rung,
        };
        self.engine.bus.publish(Origin::default(), event);
        let own = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(RING_TIME).await;
            own.end_ringing(room, participant).await;
        });
        Ok(())
    }

    /// Whether an account is rung by another: it does not keep them away, and is not busy.
    async fn rings(&self, account: AccountId, by: AccountId) -> Result<bool> {
        if self.community.keeps_away(account, by).await? {
            return Ok(false);
        }
        let account = self.community.accounts.get(account).await?;
        Ok(account.presence().0 != PresenceChoice::Busy)
    }

    /// It rings nobody any more: the time is over, or who called has left.
    pub(super) async fn end_ringing(&self, room: RoomId, caller: ParticipantId) {
        let Some(call) = self.calls.take(room, caller) else {
            return;
        };
        if !call.is_answered {
            self.tell(room, call.account, "line-call-missed", String::new());
        }
        if call.rung.is_empty() {
            return;
        }
        let missed = (!call.is_answered).then(|| call.rung.clone());
        self.publish_ringing_ended(room, caller, call.rung);
        let Some(accounts) = missed else {
            return;
        };
        let notice = NewNotice {
            kind: &MISSED_CALL,
            item: caller.0,
            actor: Some(call.account),
            space: None,
            room: Some(room),
            href: format!("/rooms/{room}"),
            text: String::new(),
            to: vec![Recipients::Accounts(accounts)],
        };
        let notices = self.engine.notices.clone();
        let stored = self
            .engine
            .db
            .write(async move |tx| notices.add(tx, notice).await);
        if let Err(error) = stored.await {
            tracing::warn!(%error, "a missed call was not noted");
        }
    }

    /// Nobody is in the voice of a room any more: the conversation tells how long a call took.
    pub(super) fn note_call_end(&self, room: RoomId) {
        let Some(call) = self.calls.going_on().remove(&room) else {
            return;
        };
        if let Some(since) = call.answered_at {
            let time = spent(since.elapsed());
            self.tell(room, call.account, "line-call-ended", time);
        }
    }

    fn tell(&self, room: RoomId, account: AccountId, words: &str, text: String) {
        let line = RoomLine {
            words: words.to_owned(),
            text,
            href: String::new(),
        };
        let event = LineTold {
            room,
            account,
            line,
        };
        self.engine.bus.publish(Origin::default(), event);
    }

    /// Somebody does not want to join.
    pub(super) fn decline(&self, room: RoomId, account: AccountId) {
        if let Some(caller) = self.calls.stop_for(room, account, false) {
            self.publish_ringing_ended(room, caller, vec![account]);
        }
    }

    fn publish_ringing_ended(&self, room: RoomId, caller: ParticipantId, accounts: Vec<AccountId>) {
        let event = RingingEnded {
            room,
            caller,
            accounts,
        };
        self.engine.bus.publish(Origin::default(), event);
    }
}

/// Rings on the pages of those who are called.
pub(super) async fn call_rang(voice: &Voice, event: &CallRang, _: &Envelope) -> Result<()> {
    for account in &event.accounts {
        let feed = UNREAD_FEED.name(*account);
        if !voice.engine.live.is_followed(&feed) {
            continue;
        }
        let called = event.clone();
        let content = Content::of(event).html(move |lang| {
            let view = RingView {
                room: called.room,
                caller: called.caller,
                name: called.name.clone(),
                face: Face::of(called.account, &called.name),
                lang,
            };
            let Ok(html) = view.render() else {
                return String::new();
            };
            // A frame may come twice.
            let absent = format!("#voice-rings:not(:has(#ring-{}))", called.caller);
            Partial::append(absent, &html).to_string()
        });
        voice.engine.live.publish(&feed, content);
    }
    Ok(())
}

/// Takes the ringing off the pages of those whom it does not concern any more.
pub(super) async fn ringing_ended(voice: &Voice, event: &RingingEnded, _: &Envelope) -> Result<()> {
    let removal = Partial::delete(format!("#ring-{}", event.caller)).to_string();
    for account in &event.accounts {
        let removal = removal.clone();
        let content = Content::of(event).html(move |_| removal.clone());
        let feed = UNREAD_FEED.name(*account);
        voice.engine.live.publish(&feed, content);
    }
    Ok(())
}

/// Logs why a call did not ring: the call itself goes on.
pub(super) fn note_failure(result: Result<()>) {
    if let Err(error) = result
        && !matches!(error, Error::NotFound)
    {
        tracing::warn!(%error, "a call did not ring");
    }
}
