//! Time-outs: a member may only read for a while. The check of permissions reads the clock, so one
//! ends on time by itself; a task then removes it and tells pages.

use std::time::Duration;

use serde_json::{Value, json};

use super::Scope;
use super::audit::{self, Act};
use super::member_roles::publish_member;
use super::permissions::TIME_OUT;
use super::sanctions::{self, SanctionKind, Sanctions, check_above, check_reason};
use super::{ACCOUNT_FEED, Community};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::community::topics::MemberChanged;
use crate::engine::bus::Origin;

/// Minutes of the longest time-out: 28 days.
const MAX_TIME_OUT_MINUTES: u64 = 28 * 24 * 60;
/// How often the next end is looked for. A time-out takes a minute or more: none is missed.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Time-outs that one transaction ends.
const MAX_ENDED_AT_ONCE: i64 = 100;

const SET: &str = "UPDATE members SET timed_out_until = $3 \
    WHERE space_id = $1 AND account_id = $2";

impl Sanctions {
    /// Has a member only read for some minutes, from now; zero ends that.
    ///
    /// # Errors
    /// `Invalid` for more than 28 days, `Forbidden` for who stands as high as `by`, `NotFound` for
    /// who is no member.
    pub(super) async fn time_out(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
        minutes: u64,
        reason: &str,
    ) -> Result<Option<Micros>> {
        if minutes > MAX_TIME_OUT_MINUTES {
            return Err(Error::field("minutes", "error-time-out-minutes"));
        }
        let reason = check_reason(reason)?;
        let length = Duration::from_secs(minutes * 60);
        let until = (minutes > 0).then(|| Micros::now().plus(length));
        let own = self.clone();
        let write = async move |tx: &mut Tx| {
            let people = (by, space, account);
            let member = check_above(tx, &own.access, people).await?;
            if until.is_none() && member.timed_out_until.is_none() {
                return Ok(());
            }
            tx.execute(SET, (space, account, until)).await?;
            sanctions::end(tx, SanctionKind::TimeOut, space, account).await?;
            let (act, after) = match until {
                Some(until) => {
                    let kind = SanctionKind::TimeOut;
                    sanctions::insert(tx, kind, people, &reason, Some(until)).await?;
                    let after = json!({ "until": until.rfc3339(), "reason": reason });
                    ("member.timed-out", after)
                }
                None => ("member.time-out-ended", Value::Null),
            };
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act,
                subject: Some(account.0),
                name: "",
                before: Value::Null,
                after,
            };
            audit::record(tx, act).await?;
            publish_member(tx, &own.engine, by, space, account).await
        };
        self.access
            .permitted_protective_write(by, &TIME_OUT, Scope::Space(space), write)
            .await?;
        Ok(until)
    }

    /// Has a member only read for some minutes because of what they wrote, as a rule of the space
    /// says. Owners never, and a longer time-out stays.
    ///
    /// # Errors
    /// The database's.
    pub async fn time_out_by_rule(
        &self,
        space: SpaceId,
        account: AccountId,
        minutes: u64,
        rule: &str,
    ) -> Result<()> {
        let minutes = minutes.min(MAX_TIME_OUT_MINUTES);
        let until = Micros::now().plus(Duration::from_secs(minutes * 60));
        let (engine, rule) = (self.engine.clone(), rule.to_owned());
        let write = self.engine.db.write_protective(async move |tx| {
            const IMPOSE: &str = "UPDATE members SET timed_out_until = $3 \
                WHERE space_id = $1 AND account_id = $2 AND role <> 'owner' \
                AND COALESCE(timed_out_until, 0) < $3";
            super::access::lock_space(tx, space).await?;
            if tx.execute(IMPOSE, (space, account, until)).await? == 0 {
                return Ok(());
            }
            let kind = SanctionKind::TimeOut;
            sanctions::insert_by_rule(tx, kind, (space, account), &rule, Some(until)).await?;
            let act = Act {
                space: Some(space),
                actor: None,
                act: "member.timed-out",
                subject: Some(account.0),
                name: "",
                before: Value::Null,
                after: json!({ "until": until.rfc3339(), "reason": rule }),
            };
            audit::record(tx, act).await?;
            publish_member(tx, &engine, account, space, account).await
        });
        write.await
    }

    /// Removes the time-outs that are over, and tells pages of them. Every instance may do it: each
    /// row is found by one.
    async fn end_time_outs(&self) -> Result<()> {
        let own = self.clone();
        let write = self.engine.db.write_protective(async move |tx| {
            const END: &str = "UPDATE members SET timed_out_until = NULL \
                WHERE (space_id, account_id) IN (SELECT space_id, account_id FROM members \
                WHERE timed_out_until <= $1 ORDER BY timed_out_until LIMIT $2) \
                AND timed_out_until <= $1 RETURNING space_id, account_id";
            let ended = tx.all(END, (Micros::now(), MAX_ENDED_AT_ONCE)).await?;
            let ended: Vec<(SpaceId, AccountId)> = ended;
            for (space, account) in &ended {
                let (space, account) = (*space, *account);
                let (feed, origin) = (
                    ACCOUNT_FEED.name(account),
                    Origin::new(account, Some(space)),
                );
                let changed = MemberChanged { space, account };
                let bus = &own.engine.bus;
                bus.publish_on(tx, &[feed], origin, changed).await?;
            }
            Ok(())
        });
        write.await
    }

    async fn next_end(&self) -> Result<Option<Micros>> {
        const NEXT: &str = "SELECT MIN(timed_out_until) FROM members \
            WHERE timed_out_until IS NOT NULL";
        self.engine.db.scalar(NEXT, ()).await
    }
}

impl Community {
    /// Removes time-outs when they are over.
    pub(super) async fn end_time_outs_repeatedly(self) {
        loop {
            let wait = match self.sanctions.next_end().await {
                Ok(Some(end)) => end.since(Micros::now()),
                Ok(None) | Err(_) => CHECK_INTERVAL,
            };
            if !wait.is_zero() {
                tokio::time::sleep(wait.clamp(MIN_CHECK_INTERVAL, CHECK_INTERVAL)).await;
                continue;
            }
            if let Err(error) = self.sanctions.end_time_outs().await {
                tracing::warn!(%error, "time-outs that are over were not removed; retried");
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        }
    }
}
