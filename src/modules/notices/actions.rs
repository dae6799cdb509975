//! The actions of notices.

use serde::Deserialize;
use serde_json::{Value, json};

use super::quiet_hours::parse_time;
use super::{Notices, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::{NoticeLevel, Scope};
use crate::engine::actions::Outcome;
use crate::engine::notices::NoticeId;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct ReadInput {
    notice: NoticeId,
}

/// `notices.read`
pub(super) async fn read(notices: Notices, viewer: Viewer, input: ReadInput) -> Result<Outcome> {
    notices.mark_read(viewer.account, input.notice).await?;
    Ok(Outcome::new(Value::Null, "/inbox"))
}

impl Notices {
    /// Marks one of an account's notices as read.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn mark_read(&self, account: AccountId, notice: NoticeId) -> Result<()> {
        let engine = self.engine.notices.clone();
        let write = self.engine.db.write(async move |tx: &mut Tx| {
            if store::read(tx, account, notice).await? {
                engine.publish_changed(tx, &[account]);
            }
            Ok(())
        });
        write.await
    }
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// `notices.read-all`
pub(super) async fn read_all(notices: Notices, viewer: Viewer, _: Nothing) -> Result<Outcome> {
    let (account, engine) = (viewer.account, notices.engine.notices.clone());
    let write = notices.engine.db.write(async move |tx: &mut Tx| {
        store::read_all(tx, account).await?;
        engine.publish_changed(tx, &[account]);
        Ok(())
    });
    write.await?;
    Ok(Outcome::new(Value::Null, "/inbox"))
}

#[derive(Deserialize)]
pub(super) struct LevelInput {
    room: Option<RoomId>,
    space: Option<SpaceId>,
    /// `all`, `mentions`, `nothing` or `hidden`; empty: as nothing was set.
    level: String,
}

/// `notices.set-level`
pub(super) async fn set_level(
    notices: Notices,
    viewer: Viewer,
    input: LevelInput,
) -> Result<Outcome> {
    let (scope, next) = match (input.room, input.space) {
        (Some(room), None) => (Scope::Room(room), format!("/rooms/{room}/notices")),
        (None, Some(space)) => (Scope::Space(space), format!("/spaces/{space}/notices")),
        _ => return Err(Error::field("form", "error-message-shape")),
    };
    let level = match input.level.as_str() {
        "" => None,
        level => {
            Some(NoticeLevel::parse(level).ok_or(Error::field("level", "error-message-shape"))?)
        }
    };
    let community = &notices.community;
    community
        .set_notice_level(viewer.account, scope, level)
        .await?;
    Ok(Outcome::new(json!({}), next))
}

#[derive(Deserialize)]
pub(super) struct QuietInput {
    /// `22:00`; both empty: no quiet hours.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// `notices.set-quiet-hours`
pub(super) async fn set_quiet_hours(
    notices: Notices,
    viewer: Viewer,
    input: QuietInput,
) -> Result<Outcome> {
    let account = viewer.account;
    let hours = match (input.from.trim(), input.to.trim()) {
        ("", "") => None,
        (from, to) => Some((parse_time(from, "from")?, parse_time(to, "to")?)),
    };
    let write = notices
        .engine
        .db
        .write(async move |tx: &mut Tx| store::set_quiet_hours(tx, account, hours).await);
    write.await?;
    Ok(Outcome::new(json!({}), "/account/notices"))
}
