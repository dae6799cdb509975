//! Notices: what people are told of beside the pages that they look at. A module declares kinds of
//! notices and publishes one in the transaction of its cause, as one row, however many people are
//! meant. Which of them are told, and how a notice travels, is decided later by the module that
//! [delivers](crate::engine::module::Module::delivers_notices) them; without one nothing is stored.

use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::{Bus, Origin};
use crate::engine::search::Found;
use crate::{event, id};

/// Bytes of the text of a notice; the rest is left out.
const MAX_NOTICE_BYTES: usize = 500;
/// Accounts in one event.
const MAX_ACCOUNTS_TOLD: usize = 1_000;

id!(
    /// A notice.
    NoticeId
);
id!(
    /// The inbox of an account, as a dependency of its own: it changes far more often than the
    /// account. It has the number of the account.
    InboxId
);

event! {
    /// The inboxes of these accounts changed.
    pub struct InboxesChanged on "notices.inboxes.changed" by first changes(accounts) {
        /// The first of them.
        first: AccountId = AccountId(7),
        /// All of them, at most a thousand.
        accounts: Vec<InboxId> = vec![InboxId(7)],
    }
}

/// Which levels of a room or space a kind of notices is told at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldAt {
    /// At every one: it is about the account, and not about what goes on in a room.
    Every,
    /// Unless nothing is wanted: it calls the account.
    Mentions,
    /// When all is wanted.
    All,
}

/// A kind of notices, as a module declares it.
#[derive(Debug)]
pub struct NoticeKind {
    /// Such as `chat.mention`: the name of the module, a dot, and a word.
    pub name: &'static str,
    /// The message key of its line, with `$name` for who caused it and `$place` for where.
    pub line: &'static str,
    /// The levels at which it is told.
    pub told_at: ToldAt,
}

/// Whom a notice is for. Of these, whoever may not read its room is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// These people.
    Accounts(Vec<AccountId>),
    /// Who has a role, by the number of its id.
    Role(i64),
    /// Who is in a group, by the number of its id.
    Group(i64),
    /// All who read the room.
    Readers,
    /// Who wants to be told of all that is in the room.
    Followers,
}

/// A notice to be published.
pub struct NewNotice {
    /// Its kind, which the module has declared.
    pub kind: &'static NoticeKind,
    /// The id of what it is about, by the time of which it is ordered. An account is told once of
    /// one thing, and has read it with its room up to this id.
    pub item: i64,
    /// Who caused it: they are not told, nor is anybody who blocks or ignores them.
    pub actor: Option<AccountId>,
    /// The space of the room, or that it is about.
    pub space: Option<SpaceId>,
    /// Where it is.
    pub room: Option<RoomId>,
    /// The path of the page that shows it.
    pub href: String,
    /// What it says, as plain text, for kinds whose text is not looked up. At most 500 bytes.
    pub text: String,
    /// Whom it is for.
    pub to: Vec<Recipients>,
}

type Load =
    Arc<dyn Fn(AccountId, Vec<i64>) -> BoxFuture<'static, Result<Vec<Found>>> + Send + Sync>;

/// What looks up the things that notices of some kinds are about, bound to a module's state.
#[derive(Clone)]
pub(in crate::engine) struct NoticeSource {
    kinds: &'static [&'static NoticeKind],
    load: Load,
}

impl NoticeSource {
    pub(in crate::engine) fn new<S, F, R>(
        kinds: &'static [&'static NoticeKind],
        state: &S,
        load: F,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S, AccountId, Vec<i64>) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Found>>> + Send + 'static,
    {
        let state = state.clone();
        let load = Arc::new(move |account, ids| load(state.clone(), account, ids).boxed());
        Self { kinds, load }
    }
}

/// Publishes notices. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    bus: Bus,
    kinds: Arc<Vec<&'static NoticeKind>>,
    is_delivered: bool,
    sources: Arc<OnceLock<Vec<NoticeSource>>>,
    wake: Arc<Notify>,
}

impl Notices {
    pub(super) fn new(bus: &Bus, kinds: Vec<&'static NoticeKind>, is_delivered: bool) -> Self {
        Self {
            bus: bus.clone(),
            kinds: Arc::new(kinds),
            is_delivered,
            sources: Arc::default(),
            wake: Arc::default(),
        }
    }

    /// Sets what looks things up. To be called once, before anything is delivered.
    pub(super) fn set_sources(&self, sources: Vec<NoticeSource>) {
        let _ = self.sources.set(sources);
    }

    /// Publishes a notice once the transaction is committed.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(&self, tx: &mut Tx, notice: NewNotice) -> Result<()> {
        const ADD: &str = "INSERT INTO notices \
            (id, kind, item, actor_id, space_id, room_id, href, text, recipients, told_up_to) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)";
        // Most rooms have nobody who wants all of them: a post there costs no row.
        const HAS_FOLLOWERS: &str = "SELECT EXISTS (SELECT 1 FROM notice_levels \
            WHERE room_id = $1 AND level = 'all') \
            OR EXISTS (SELECT 1 FROM notice_levels WHERE space_id = $2 AND level = 'all')";
        let known = self.kinds.iter().any(|kind| kind.name == notice.kind.name);
        debug_assert!(known, "no module declares notices {}", notice.kind.name);
        if !self.is_delivered || notice.to.is_empty() {
            return Ok(());
        }
        if notice.to == [Recipients::Followers]
            && notice.space.is_some()
            && !tx
                .scalar(HAS_FOLLOWERS, (notice.room, notice.space))
                .await?
        {
            return Ok(());
        }
        let to =
            serde_json::to_string(&notice.to).map_err(|error| Error::Internal(error.into()))?;
        let end = notice.text.floor_char_boundary(MAX_NOTICE_BYTES);
        let text = notice.text.get(..end).unwrap_or_default();
        let (kind, item) = (notice.kind.name, notice.item);
        let place = (notice.actor, notice.space, notice.room);
        let (actor, space, room) = place;
        let id = NoticeId::new();
        tx.execute(
            ADD,
            (id, kind, item, actor, space, room, notice.href, text, to),
        )
        .await?;
        let wake = self.wake.clone();
        tx.after_commit(move || wake.notify_one());
        Ok(())
    }

    /// Takes back what was published about a thing, because it is deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw(&self, tx: &mut Tx, item: i64) -> Result<()> {
        const TOLD: &str = "SELECT account_id FROM notice_recipients WHERE notice_id IN \
            (SELECT id FROM notices WHERE item = $1)";
        const WITHDRAW: &str = "DELETE FROM notices WHERE item = $1";
        let told: Vec<AccountId> = tx.scalars(TOLD, (item,)).await?;
        tx.execute(WITHDRAW, (item,)).await?;
        self.publish_changed(tx, &told);
        Ok(())
    }

    /// Marks the notices of an account as read that are about things of a room up to one of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn read_room(
        &self,
        tx: &mut Tx,
        account: AccountId,
        room: RoomId,
        item: i64,
    ) -> Result<()> {
        const READ: &str = "UPDATE notice_recipients SET read_at = $4 WHERE account_id = $1 \
            AND room_id = $2 AND item <= $3 AND read_at IS NULL";
        let now = Micros::now();
        if tx.execute(READ, (account, room, item, now)).await? > 0 {
            self.publish_changed(tx, &[account]);
        }
        Ok(())
    }

    /// As [`read_room`](Self::read_room), of several rooms, each with the last thing that was read.
    ///
    /// # Errors
    /// The database's.
    pub async fn read_rooms(
        &self,
        tx: &mut Tx,
        account: AccountId,
        rooms: &[(RoomId, i64)],
    ) -> Result<()> {
        const UNREAD: &str = "SELECT DISTINCT room_id FROM notice_recipients \
            WHERE account_id = $1 AND room_id IS NOT NULL AND read_at IS NULL";
        const READ: &str = "UPDATE notice_recipients SET read_at = $4 WHERE account_id = $1 \
            AND room_id = $2 AND item <= $3 AND read_at IS NULL";
        let unread: Vec<RoomId> = tx.scalars(UNREAD, (account,)).await?;
        let now = Micros::now();
        for (room, item) in rooms.iter().filter(|(room, _)| unread.contains(room)) {
            tx.execute(READ, (account, *room, *item, now)).await?;
        }
        if !unread.is_empty() {
            self.publish_changed(tx, &[account]);
        }
        Ok(())
    }

    /// Publishes after the commit that the inboxes of these accounts changed.
    pub fn publish_changed(&self, tx: &mut Tx, accounts: &[AccountId]) {
        for accounts in accounts.chunks(MAX_ACCOUNTS_TOLD) {
            let event = InboxesChanged {
                first: accounts[0],
                accounts: accounts.iter().map(|one| InboxId(one.0)).collect(),
            };
            self.bus.publish_after_commit(tx, Origin::default(), event);
        }
    }

    /// Returns once something was published since the last call.
    pub async fn published(&self) {
        self.wake.notified().await;
    }

    /// The declared kind with this name.
    pub fn kind(&self, name: &str) -> Option<&'static NoticeKind> {
        self.kinds.iter().find(|kind| kind.name == name).copied()
    }

    /// Whether the texts of a kind are looked up.
    pub fn is_looked_up(&self, kind: &str) -> bool {
        self.source(kind).is_some()
    }

    fn source(&self, kind: &str) -> Option<&NoticeSource> {
        let mut sources = self.sources.get().into_iter().flatten();
        sources.find(|source| source.kinds.iter().any(|one| one.name == kind))
    }

    /// What an account may see of the things with these ids that notices of a kind are about.
    ///
    /// # Errors
    /// Those of the module that looks them up.
    pub async fn load(
        &self,
        kind: &str,
        account: AccountId,
        items: Vec<i64>,
    ) -> Result<Vec<Found>> {
        match self.source(kind) {
            Some(source) => (source.load)(account, items).await,
            None => Ok(Vec::new()),
        }
    }
}
