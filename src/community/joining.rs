//! How a space is joined, and the one function that every join goes through: [`add_joined`].

use std::net::IpAddr;

use serde_json::json;
use sqlx::FromRow;

use super::access::lock_space;
use super::audit::{self, Act};
use super::passwords::{self, Sender};
use super::permissions::MANAGE_SPACE;
use super::standing::RoleId;
use super::topics::{JoiningChanged, MemberJoined};
use super::{ACCOUNT_FEED, Community, Scope, bans, join_requests, raid_mode, spaces};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::security_log::SecurityEvent;
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;
use crate::text_enum;

/// Spaces that the list of those one can join shows.
const MAX_JOINABLE: i64 = 200;
/// Characters that the password of a space has at least: it is passed on by word of mouth, and its
/// tries are limited for each account.
const MIN_PASSWORD_CHARS: usize = 8;

/// How a space is joined. Invitations work in each mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinMode {
    /// In no other way.
    Invitation,
    /// By everybody with an account.
    Open,
    /// By whom a moderator accepts.
    Approval,
    /// By whoever knows a password.
    Password,
}

text_enum!(JoinMode {
    Invitation = "invitation",
    Open = "open",
    Approval = "approval",
    Password = "password",
});

impl JoinMode {
    /// Every mode, as a form offers them.
    pub(super) const ALL: [Self; 4] =
        [Self::Invitation, Self::Open, Self::Approval, Self::Password];

    /// The mode of this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// How a space is joined, for its settings.
#[derive(Clone, Debug, FromRow)]
pub(super) struct JoinSettings {
    pub(super) mode: JoinMode,
    pub(super) has_password: bool,
    /// Whether guests may become members.
    pub(super) guests_may_stay: bool,
}

/// A space that can be joined without an invitation.
#[derive(Clone, Debug, FromRow)]
pub(super) struct JoinableSpace {
    pub(super) id: SpaceId,
    pub(super) name: String,
    pub(super) mode: JoinMode,
    /// Whether the account that asks has applied and waits for an answer.
    pub(super) is_waiting: bool,
}

/// Somebody who joins a space.
pub(super) struct Joined {
    pub(super) space: SpaceId,
    pub(super) account: AccountId,
    /// The name of the account.
    pub(super) name: String,
    /// Where the account comes from, for bans of networks.
    pub(super) address: IpAddr,
    pub(super) is_guest: bool,
    /// A role to begin with. Whoever gives it has checked that it may be given.
    pub(super) role: Option<RoleId>,
}

/// Checks in a transaction that somebody may come into a space, or become a member of it. What
/// refuses every way of joining belongs here. Locks the space's row.
///
/// # Errors
/// `Forbidden` for who is banned, `Conflict` in raid mode.
pub(super) async fn check_may_join(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
    address: IpAddr,
) -> Result<()> {
    bans::check_join(tx, space, account, address).await?;
    raid_mode::check_join(tx, space).await
}

/// Adds a member, or a guest, in a transaction and publishes it after the commit. Nothing happens
/// to who is a member already. Every way of joining goes through here.
///
/// # Errors
/// `Forbidden` for who is banned, `Conflict` for who belongs to 200 spaces.
pub(super) async fn add_joined(tx: &mut Tx, engine: &Engine, joined: Joined) -> Result<()> {
    const GIVE: &str = "INSERT INTO member_roles (space_id, account_id, role_id) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let (space, account) = (joined.space, joined.account);
    check_may_join(tx, space, account, joined.address).await?;
    if !spaces::add_joined_member(tx, space, account, joined.is_guest).await? {
        return Ok(());
    }
    raid_mode::count_join(tx, engine, space).await?;
    if let Some(role) = joined.role {
        tx.execute(GIVE, (space, account, role)).await?;
    }
    // Whoever came in by another way does not wait any more.
    join_requests::forget(tx, &engine.bus, space, account).await?;
    publish_joined(tx, engine, joined).await
}

/// Publishes after the commit that somebody joined, or that a guest became a member.
pub(super) async fn publish_joined(tx: &mut Tx, engine: &Engine, joined: Joined) -> Result<()> {
    let (space, account) = (joined.space, joined.account);
    let event = MemberJoined {
        space,
        account,
        name: joined.name,
        is_guest: joined.is_guest,
    };
    let origin = Origin::new(account, Some(space));
    let feed = ACCOUNT_FEED.name(account);
    engine.bus.publish_on(tx, &[feed], origin, event).await?;
    // After the event, which invalidates the account's cached permissions.
    engine.live.recheck_after_commit(tx, vec![account]).await
}

impl Community {
    /// How a space is joined, for who may change it.
    ///
    /// # Errors
    /// `Forbidden` for other members, `NotFound` for everybody else.
    pub(super) async fn join_settings(
        &self,
        viewer: AccountId,
        space: SpaceId,
    ) -> Result<JoinSettings> {
        const READ: &str = "SELECT joining AS mode, join_password IS NOT NULL AS has_password, \
            guests_may_stay FROM spaces WHERE id = $1";
        let scope = Scope::Space(space);
        self.access.permit(viewer, &MANAGE_SPACE, scope).await?;
        self.engine().db.one(READ, (space,)).await
    }

    /// Sets how a space is joined. An empty password leaves the one that is set.
    ///
    /// # Errors
    /// `Invalid` for a password that is too short, or where none was ever set.
    pub(super) async fn set_joining(
        &self,
        by: AccountId,
        space: SpaceId,
        mode: JoinMode,
        password: String,
        guests_may_stay: bool,
    ) -> Result<()> {
        let scope = Scope::Space(space);
        // Before the expensive hash.
        self.access.permit(by, &MANAGE_SPACE, scope).await?;
        let is_new = mode == JoinMode::Password && !password.is_empty();
        let hash = match is_new {
            true => {
                check_password(&password)?;
                Some(self.accounts.hash_password(&password).await?)
            }
            false => None,
        };
        let engine = self.engine().clone();
        let write = async move |tx: &mut Tx| {
            const READ: &str =
                "SELECT joining, join_password IS NOT NULL FROM spaces WHERE id = $1";
            const SET: &str = "UPDATE spaces SET joining = $2, guests_may_stay = $4, \
                join_password = CASE WHEN $2 = 'password' THEN COALESCE($3, join_password) END \
                WHERE id = $1";
            let (before, has_password): (JoinMode, bool) = tx.one(READ, (space,)).await?;
            if mode == JoinMode::Password && hash.is_none() && !has_password {
                return Err(Error::field("password", "error-join-password-missing"));
            }
            tx.execute(SET, (space, mode, hash, guests_may_stay))
                .await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "space.joining-changed",
                subject: None,
                name: "",
                before: json!({ "joining": before.as_str() }),
                after: json!({
                    "joining": mode.as_str(),
                    "guests-may-stay": guests_may_stay,
                    "new-password": is_new,
                }),
            };
            audit::record(tx, act).await?;
            let origin = Origin::new(by, Some(space));
            let event = JoiningChanged { space };
            engine.bus.publish_after_commit(tx, origin, event);
            Ok(())
        };
        self.access
            .permitted_write(by, &MANAGE_SPACE, scope, write)
            .await
    }

    /// The spaces that an account can join without an invitation, by name, at most 200. Those with
    /// a password are not among them: whoever has it has their link.
    pub(super) async fn joinable(&self, account: AccountId) -> Result<Vec<JoinableSpace>> {
        const READ: &str = "SELECT s.id, s.name, s.joining AS mode, EXISTS \
            (SELECT 1 FROM join_requests r WHERE r.space_id = s.id AND r.account_id = $1 \
            AND r.declined_at IS NULL) AS is_waiting FROM spaces s \
            WHERE s.joining IN ('open', 'approval') AND NOT EXISTS (SELECT 1 FROM members m \
            WHERE m.space_id = s.id AND m.account_id = $1) ORDER BY s.name, s.id LIMIT $2";
        self.engine().db.all(READ, (account, MAX_JOINABLE)).await
    }

    /// The name of a space that is joined without an invitation, and how.
    ///
    /// # Errors
    /// `NotFound` for all others: nobody learns of them.
    pub(super) async fn join_mode(&self, space: SpaceId) -> Result<(String, JoinMode)> {
        const READ: &str = "SELECT name, joining FROM spaces \
            WHERE id = $1 AND joining <> 'invitation'";
        self.engine().db.one(READ, (space,)).await
    }

    /// Adds the viewer to a space that is open, or of which they know the password.
    ///
    /// # Errors
    /// `NotFound` for a space that is joined by invitation only, `Invalid` for a wrong password,
    /// `TooMany` past the limit of tries, `Conflict` when the space was changed meanwhile; those of
    /// [`add_joined`].
    pub(super) async fn join_space(
        &self,
        viewer: &Viewer,
        space: SpaceId,
        password: String,
    ) -> Result<()> {
        const HASH: &str = "SELECT COALESCE(join_password, '') FROM spaces WHERE id = $1";
        let (account, address) = (viewer.account, viewer.address);
        if self.access.member(account, space).await?.is_some() {
            return Ok(());
        }
        self.count_join(address)?;
        let (_, mode) = self.join_mode(space).await?;
        let hash: String = self.engine().db.scalar(HASH, (space,)).await?;
        match mode {
            JoinMode::Invitation => return Err(Error::NotFound),
            JoinMode::Approval => return Err(Error::Conflict("error-joining-changed")),
            JoinMode::Open => {}
            JoinMode::Password => {
                self.count_space_password(account, space, address)
                    .inspect_err(|_| {
                        SecurityEvent::LimitReached.record(account, address, "space_password");
                    })?;
                let given = Some(hash.clone());
                let accounts = &self.accounts;
                if !accounts.verify(Sender::Stranger, password, given).await? {
                    SecurityEvent::SignInRefused.record(account, address, "space_password");
                    return Err(Error::field("password", "error-space-password"));
                }
            }
        }
        let name = self.accounts.get(account).await?.name.clone();
        let engine = self.engine().clone();
        let write = self.engine().db.write(async move |tx| {
            const IS_SAME: &str = "SELECT EXISTS (SELECT 1 FROM spaces \
                WHERE id = $1 AND joining = $2 AND COALESCE(join_password, '') = $3)";
            lock_space(tx, space).await?;
            if !tx.scalar::<bool>(IS_SAME, (space, mode, &hash)).await? {
                return Err(Error::Conflict("error-joining-changed"));
            }
            let joined = Joined {
                space,
                account,
                name,
                address,
                is_guest: false,
                role: None,
            };
            add_joined(tx, &engine, joined).await
        });
        write.await?;
        SecurityEvent::RightsChanged.record(account, address, "joined");
        Ok(())
    }

    /// Counts an attempt to join, on all instances.
    ///
    /// # Errors
    /// `TooMany` past the limit of the network.
    pub(super) fn count_join(&self, address: IpAddr) -> Result<()> {
        let checked = self.sign_in_limiter.check_join(address);
        checked.inspect_err(|_| SecurityEvent::LimitReached.record(None, address, "joins"))?;
        self.tell_join(address);
        Ok(())
    }
}

fn check_password(password: &str) -> Result<()> {
    let chars = password.chars().take(passwords::MAX_BYTES).count();
    let mut check = crate::base::error::Check::default();
    let (min, max) = (MIN_PASSWORD_CHARS, passwords::MAX_CHARS);
    check
        .that(chars >= min, "password", "error-password-short", min)
        .that(
            chars <= max && password.len() <= passwords::MAX_BYTES,
            "password",
            "error-too-long",
            max,
        )
        .done()
}
