//! Raid mode: while it is on, nobody joins a space, and who joined since it began only reads. It
//! begins by itself when more people join in some minutes than a limit, which is counted in the
//! transaction of each join with the space's row locked, so that every instance counts the same.
//!
//! That newcomers only read is a time-out of theirs with the end of raid mode, to the microsecond:
//! when raid mode ends early, exactly these time-outs end with it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::FromRow;

use super::access_store::hold_member;
use super::actor::actor;
use super::audit::{self, Act};
use super::permissions::KICK;
use super::sanctions::{self, SanctionKind, Sanctions};
use super::topics::{MemberChanged, SpaceChanged};
use super::{ACCOUNT_FEED, Community, SPACE_FEED, Scope, spaces};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::actions::{Class, Outcome};
use crate::engine::bus::Origin;
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

/// Joins of the highest limit: each newcomer is told.
const MAX_RAID_JOINS: i64 = 200;
/// Minutes in which joins are counted: an hour.
const MAX_RAID_MINUTES: i64 = 60;
/// Minutes of the longest raid mode: a day.
const MAX_RAID_LENGTH: i64 = 24 * 60;
/// Members that one act removes; further ones are removed by the next.
const MAX_REMOVED_AT_ONCE: i64 = 500;
/// How often raid modes that are over are looked for.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// When raid mode begins by itself, and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct RaidLimits {
    /// More joins than this begin it; 0: only moderators do.
    #[sqlx(rename = "raid_joins")]
    pub joins: i64,
    /// Minutes in which they are counted.
    #[sqlx(rename = "raid_minutes")]
    pub minutes: i64,
    /// Minutes that it lasts.
    #[sqlx(rename = "raid_length")]
    pub length: i64,
}

/// What is stored of a space, with its row locked.
#[derive(FromRow)]
struct State {
    #[sqlx(flatten)]
    limits: RaidLimits,
    raid_since: Option<Micros>,
    raid_until: Option<Micros>,
    name: String,
}

fn minutes(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs() * 60)
}

async fn state(tx: &mut Tx, space: SpaceId) -> Result<State> {
    const READ: &str = "SELECT raid_joins, raid_minutes, raid_length, raid_since, raid_until, \
        name FROM spaces WHERE id = $1";
    super::access::lock_space(tx, space).await?;
    tx.one(READ, (space,)).await
}

/// Checks in the transaction of a join that the space takes people in. The space's row is locked.
///
/// # Errors
/// `Conflict` in raid mode.
pub(super) async fn check_join(tx: &mut Tx, space: SpaceId) -> Result<()> {
    let state = state(tx, space).await?;
    match state.raid_until.is_some_and(|until| until > Micros::now()) {
        true => Err(Error::Conflict("error-raid-mode")),
        false => Ok(()),
    }
}

/// The same before a transaction, and before what costs more than a refusal.
///
/// # Errors
/// `Conflict` in raid mode.
pub(super) async fn check_open(db: &Db, space: SpaceId) -> Result<()> {
    const IS_ON: &str = "SELECT EXISTS (SELECT 1 FROM spaces WHERE id = $1 AND raid_until > $2)";
    match db.scalar(IS_ON, (space, Micros::now())).await? {
        true => Err(Error::Conflict("error-raid-mode")),
        false => Ok(()),
    }
}

/// Counts a join in its transaction, after the member was added. Too many begin raid mode: the one
/// that is too many is taken in, and only reads like those before it.
pub(super) async fn count_join(tx: &mut Tx, engine: &Engine, space: SpaceId) -> Result<()> {
    const COUNT: &str = "SELECT COUNT(*) FROM members WHERE space_id = $1 AND joined_at >= $2";
    let state = state(tx, space).await?;
    if state.limits.joins == 0 {
        return Ok(());
    }
    let since = Micros(Micros::now().0 - minutes(state.limits.minutes).as_micros() as i64);
    let joined: i64 = tx.scalar(COUNT, (space, since)).await?;
    if joined <= state.limits.joins {
        return Ok(());
    }
    begin(tx, engine, None, space, &state, Some(joined)).await
}

/// Begins raid mode, for those who joined since as many minutes as joins are counted in.
async fn begin(
    tx: &mut Tx,
    engine: &Engine,
    by: Option<AccountId>,
    space: SpaceId,
    state: &State,
    joins: Option<i64>,
) -> Result<()> {
    const SET: &str = "UPDATE spaces SET raid_since = $2, raid_until = $3 WHERE id = $1";
    const RESTRICT: &str = "UPDATE members SET timed_out_until = $3 WHERE space_id = $1 \
        AND joined_at >= $2 AND role <> 'owner' AND COALESCE(timed_out_until, 0) < $3 \
        RETURNING account_id";
    let now = Micros::now();
    let since = Micros(now.0 - minutes(state.limits.minutes).as_micros() as i64);
    let until = now.plus(minutes(state.limits.length));
    tx.execute(SET, (space, since, until)).await?;
    let restricted: Vec<AccountId> = tx.scalars(RESTRICT, (space, since, until)).await?;
    let after = json!({ "joins": joins, "read_only": restricted.len(), "until": until.rfc3339() });
    record(tx, by, space, "raid-mode.begun", Value::Null, after).await?;
    publish(tx, engine, by, space, &state.name, &restricted).await
}

/// Ends raid mode, and the time-outs that it imposed.
async fn end(
    tx: &mut Tx,
    engine: &Engine,
    by: Option<AccountId>,
    space: SpaceId,
    state: &State,
) -> Result<()> {
    const SET: &str = "UPDATE spaces SET raid_since = NULL, raid_until = NULL WHERE id = $1";
    const RELEASE: &str = "UPDATE members SET timed_out_until = NULL \
        WHERE space_id = $1 AND timed_out_until = $2 RETURNING account_id";
    let Some(until) = state.raid_until else {
        return Ok(());
    };
    tx.execute(SET, (space,)).await?;
    let released: Vec<AccountId> = tx.scalars(RELEASE, (space, until)).await?;
    record(tx, by, space, "raid-mode.ended", Value::Null, Value::Null).await?;
    publish(tx, engine, by, space, &state.name, &released).await
}

async fn record(
    tx: &mut Tx,
    actor: Option<AccountId>,
    space: SpaceId,
    act: &'static str,
    before: Value,
    after: Value,
) -> Result<()> {
    let act = Act {
        space: Some(space),
        actor,
        act,
        subject: None,
        name: "",
        before,
        after,
    };
    audit::record(tx, act).await
}

/// Tells the space, and those whose rights changed.
async fn publish(
    tx: &mut Tx,
    engine: &Engine,
    by: Option<AccountId>,
    space: SpaceId,
    name: &str,
    changed: &[AccountId],
) -> Result<()> {
    let origin = Origin {
        actor: by,
        space: Some(space),
    };
    for account in changed {
        let (feed, account) = (ACCOUNT_FEED.name(*account), *account);
        let event = MemberChanged { space, account };
        engine.bus.publish_on(tx, &[feed], origin, event).await?;
    }
    let (feed, name) = (SPACE_FEED.name(space), name.to_owned());
    let event = SpaceChanged { space, name };
    engine.bus.publish_on(tx, &[feed], origin, event).await?;
    let live = &engine.live;
    live.recheck_after_commit(tx, changed.to_vec()).await
}

/// The limits of a space, without a permission check.
///
/// # Errors
/// `NotFound` when there is no such space.
pub async fn limits(engine: &Engine, space: SpaceId) -> Result<RaidLimits> {
    const READ: &str = "SELECT raid_joins, raid_minutes, raid_length FROM spaces WHERE id = $1";
    engine.db.one(READ, (space,)).await
}

/// Sets the limits of a space in the transaction of a caller who has checked the permission.
///
/// # Errors
/// `Invalid` for limits out of bounds.
pub async fn set_limits(
    tx: &mut Tx,
    by: AccountId,
    space: SpaceId,
    limits: RaidLimits,
) -> Result<()> {
    const SET: &str = "UPDATE spaces SET raid_joins = $2, raid_minutes = $3, raid_length = $4 \
        WHERE id = $1";
    let (joins, minutes, length) = (limits.joins, limits.minutes, limits.length);
    let within = |value, least, most| (least..=most).contains(&value);
    let limit = |limit: i64| limit as usize;
    Check::default()
        .that(
            within(joins, 0, MAX_RAID_JOINS),
            "joins",
            "error-between",
            limit(MAX_RAID_JOINS),
        )
        .that(
            within(minutes, 1, MAX_RAID_MINUTES),
            "minutes",
            "error-between",
            limit(MAX_RAID_MINUTES),
        )
        .that(
            within(length, 1, MAX_RAID_LENGTH),
            "length",
            "error-between",
            limit(MAX_RAID_LENGTH),
        )
        .done()?;
    let before = state(tx, space).await?.limits;
    tx.execute(SET, (space, joins, minutes, length)).await?;
    let words = |limits: RaidLimits| {
        let RaidLimits {
            joins,
            minutes,
            length,
        } = limits;
        json!({ "joins": joins, "minutes": minutes, "length": length })
    };
    let (before, after) = (words(before), words(limits));
    record(tx, Some(by), space, "raid-mode.changed", before, after).await
}

impl Sanctions {
    /// Begins raid mode, or ends it; nothing if that is so already.
    ///
    /// # Errors
    /// `Forbidden` without the permission to remove members.
    async fn set_raid_mode(&self, by: AccountId, space: SpaceId, on: bool) -> Result<()> {
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            let state = state(tx, space).await?;
            let is_on = state.raid_until.is_some_and(|until| until > Micros::now());
            match (on, is_on) {
                (true, false) => begin(tx, &engine, Some(by), space, &state, None).await,
                (false, true) => end(tx, &engine, Some(by), space, &state).await,
                _ => Ok(()),
            }
        };
        self.access
            .permitted_protective_write(by, &KICK, Scope::Space(space), write)
            .await
    }

    /// Removes those who joined since raid mode began and stand below `by`, at most 500. How many
    /// they were.
    ///
    /// # Errors
    /// `Forbidden` without the permission to remove members, `Conflict` when it is not on.
    async fn remove_joined(&self, by: AccountId, space: SpaceId) -> Result<usize> {
        let own = self.clone();
        let write = async move |tx: &mut Tx| {
            const JOINED: &str = "SELECT account_id FROM members WHERE space_id = $1 \
                AND joined_at >= $2 AND role <> 'owner' AND account_id <> $3 \
                ORDER BY joined_at LIMIT $4";
            let since = state(tx, space).await?.raid_since;
            let since = since.ok_or(Error::Conflict("error-no-raid-mode"))?;
            let declared = &own.access.declared;
            let acting = actor(tx, declared, space, by).await?;
            let fields = (space, since, by, MAX_REMOVED_AT_ONCE);
            let joined: Vec<AccountId> = tx.scalars(JOINED, fields).await?;
            let mut removed = 0;
            for account in joined {
                let (member, rules) = hold_member(tx, declared, space, account).await?;
                if acting.check_above(rules.rank(&member)).is_err() {
                    continue;
                }
                let kind = SanctionKind::Removal;
                sanctions::insert(tx, kind, (by, space, account), "", None).await?;
                spaces::delete_member(tx, &own.engine, by, space, account).await?;
                removed += 1;
            }
            let after = json!({ "count": removed });
            record(tx, Some(by), space, "raid-mode.removed", Value::Null, after).await?;
            Ok(removed)
        };
        self.access
            .permitted_protective_write(by, &KICK, Scope::Space(space), write)
            .await
    }

    /// Ends the raid modes that are over. Every instance may do it: a space is found by one.
    async fn end_raid_modes(&self) -> Result<()> {
        const OVER: &str = "SELECT id FROM spaces WHERE raid_until <= $1 LIMIT 100";
        let over: Vec<SpaceId> = self.engine.db.scalars(OVER, (Micros::now(),)).await?;
        for space in over {
            let engine = self.engine.clone();
            let write = self.engine.db.write_protective(async move |tx| {
                let state = state(tx, space).await?;
                match state.raid_until.is_some_and(|until| until <= Micros::now()) {
                    true => end(tx, &engine, None, space, &state).await,
                    false => Ok(()),
                }
            });
            write.await?;
        }
        Ok(())
    }
}

impl Community {
    /// Ends raid modes when they are over.
    pub(super) async fn end_raid_modes_repeatedly(self) {
        let mut interval = tokio::time::interval(CHECK_INTERVAL);
        loop {
            interval.tick().await;
            if let Err(error) = self.sanctions.end_raid_modes().await {
                tracing::warn!(%error, "raid modes that are over were not ended; retried");
            }
        }
    }
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.set-raid-mode",
            "Begins raid mode, in which nobody joins and newcomers only read, or ends it",
            Class::Write,
            set_raid_mode,
        )
        .action(
            "community.remove-joined",
            "Removes all who joined since raid mode began",
            Class::Write,
            remove_joined,
        )
}

#[derive(Deserialize)]
struct RaidModeInput {
    space: SpaceId,
    /// `yes` or `no`.
    on: String,
}

async fn set_raid_mode(
    community: Community,
    viewer: Viewer,
    input: RaidModeInput,
) -> Result<Outcome> {
    let (space, on) = (input.space, input.on == "yes");
    let sanctions = &community.sanctions;
    sanctions.set_raid_mode(viewer.account, space, on).await?;
    Ok(Outcome::new(
        json!({ "on": on }),
        format!("/spaces/{space}"),
    ))
}

#[derive(Deserialize)]
struct RemoveJoinedInput {
    space: SpaceId,
}

async fn remove_joined(
    community: Community,
    viewer: Viewer,
    input: RemoveJoinedInput,
) -> Result<Outcome> {
    let sanctions = &community.sanctions;
    let removed = sanctions.remove_joined(viewer.account, input.space).await?;
    let next = format!("/spaces/{}/members", input.space);
    Ok(Outcome::new(json!({ "removed": removed }), next))
}
