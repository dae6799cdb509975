//! Applications to join a space, which its moderators accept or decline.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::FromRow;

use super::access::lock_space;
use super::audit::{self, Act};
use super::joining::{JoinMode, Joined, add_joined, check_may_join};
use super::permissions::{APPROVE, is_granted};
use super::topics::{JoinAnswered, JoinRequested};
use super::{ACCOUNT_FEED, Community, Face, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::base::text::{check_short_text, normalize_optional_line};
use crate::engine::Engine;
use crate::engine::bus::{Bus, Envelope, Event, Origin, Subscriber};
use crate::engine::feed::Feed;
use crate::engine::live::Content;
use crate::engine::notices::{NewNotice, NoticeKind, Recipients, ToldAt};
use crate::engine::viewer::Viewer;
use crate::id;

id!(
    /// An application to join a space.
    JoinRequestId
);

/// The applications to join a space, for who answers them.
pub(super) const JOIN_REQUESTS_FEED: Feed<SpaceId> = Feed::new(
    "space/{space}/applications",
    "The applications to join the space, and their answers",
);

pub(super) static JOIN_ACCEPTED: NoticeKind = NoticeKind {
    name: "community.join-accepted",
    line: "notice-join-accepted",
    told_at: ToldAt::Every,
};
pub(super) static JOIN_DECLINED: NoticeKind = NoticeKind {
    name: "community.join-declined",
    line: "notice-join-declined",
    told_at: ToldAt::Every,
};

/// Graphemes of what an applicant writes, and of the answer.
const MAX_WORDS_CHARS: usize = 300;
/// Applications of one space that wait for an answer.
const MAX_WAITING: i64 = 500;
/// Applications that wait for an answer, of one account in all spaces.
const MAX_WAITING_PER_ACCOUNT: i64 = 20;
/// Applications on one page.
pub(super) const MAX_ON_PAGE: i64 = 50;
/// How long whoever was declined waits before they apply again.
const DECLINED_TTL: Duration = Duration::from_secs(86_400);

/// An application, for who answers it.
#[derive(Clone, Debug, FromRow)]
pub(super) struct JoinRequest {
    pub(super) id: JoinRequestId,
    account_id: AccountId,
    pub(super) name: String,
    pub(super) words: String,
    pub(super) at: Micros,
}

impl JoinRequest {
    pub(super) fn face(&self) -> Face {
        Face::of(self.account_id, &self.name)
    }
}

/// What became of one's own application.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OwnRequest {
    pub(super) words: String,
    /// When it was declined; `None` while it waits.
    pub(super) declined_at: Option<Micros>,
    /// What the moderators said to that.
    pub(super) answer: String,
}

impl OwnRequest {
    pub(super) fn may_apply_again(&self) -> bool {
        self.declined_at.is_some_and(is_over)
    }
}

fn is_over(declined_at: Micros) -> bool {
    Micros::now().since(declined_at) >= DECLINED_TTL
}

fn check_words(text: &str, field: &'static str) -> Result<String> {
    let mut check = Check::default();
    let text = normalize_optional_line(text);
    check_short_text(&text, field, MAX_WORDS_CHARS, &mut check);
    check.done()?;
    Ok(text)
}

pub(super) async fn may_follow(
    community: Community,
    viewer: Viewer,
    space: SpaceId,
) -> Result<bool> {
    let access = &community.access;
    let permit = access.permit(viewer.account, &APPROVE, Scope::Space(space));
    is_granted(permit.await)
}

/// Has open pages fetch what has changed: the list, and what an applicant sees.
pub(super) fn presenter() -> Subscriber<Community> {
    Subscriber::new("community.applications")
        .on(requested)
        .on(answered)
        .when_lagged(refresh_all)
}

async fn refresh_all(community: Community, _missed: u64) {
    let live = &community.engine().live;
    live.refresh_all(JOIN_REQUESTS_FEED.pattern).await;
    live.refresh_all(ACCOUNT_FEED.pattern).await;
}

fn feeds(space: SpaceId, account: AccountId) -> [String; 2] {
    [JOIN_REQUESTS_FEED.name(space), ACCOUNT_FEED.name(account)]
}

fn refetch<E: Event>(community: &Community, feeds: [String; 2], envelope: &Envelope, event: &E) {
    for feed in feeds {
        let content = Content::of(event).refetch();
        community.engine().live.publish_at(&feed, envelope, content);
    }
}

async fn requested(
    community: &Community,
    event: &JoinRequested,
    envelope: &Envelope,
) -> Result<()> {
    let feeds = feeds(event.space, event.account);
    refetch(community, feeds, envelope, event);
    Ok(())
}

async fn answered(community: &Community, event: &JoinAnswered, envelope: &Envelope) -> Result<()> {
    let feeds = feeds(event.space, event.account);
    refetch(community, feeds, envelope, event);
    Ok(())
}

impl Community {
    /// The viewer's application to join a space, if they made one.
    pub(super) async fn own_request(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<OwnRequest>> {
        const READ: &str = "SELECT words, declined_at, answer FROM join_requests \
            WHERE space_id = $1 AND account_id = $2";
        self.engine().db.optional(READ, (space, account)).await
    }

    /// Asks to join a space; while nobody has answered, changes the words.
    ///
    /// # Errors
    /// `Invalid` for words that are too long, `NotFound` where nobody applies, `Forbidden` for who
    /// is banned; `Conflict` for members, for who was declined within a day, and where 500 wait.
    pub(super) async fn apply(&self, viewer: &Viewer, space: SpaceId, words: &str) -> Result<()> {
        let words = check_words(words, "words")?;
        self.count_join(viewer.address)?;
        let (account, address) = (viewer.account, viewer.address);
        let engine = self.engine().clone();
        let write = self.engine().db.write(async move |tx| {
            const MODE: &str = "SELECT joining FROM spaces WHERE id = $1";
            const IS_MEMBER: &str = "SELECT EXISTS (SELECT 1 FROM members \
                WHERE space_id = $1 AND account_id = $2)";
            const DECLINED: &str = "SELECT declined_at FROM join_requests \
                WHERE space_id = $1 AND account_id = $2 AND declined_at IS NOT NULL";
            const COUNT: &str = "SELECT (SELECT COUNT(*) FROM join_requests \
                WHERE space_id = $1 AND declined_at IS NULL AND account_id <> $2), \
                (SELECT COUNT(*) FROM join_requests \
                WHERE account_id = $2 AND declined_at IS NULL AND space_id <> $1)";
            const APPLY: &str = "INSERT INTO join_requests (id, space_id, account_id, words, at) \
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (space_id, account_id) DO UPDATE \
                SET id = excluded.id, words = excluded.words, at = excluded.at, \
                declined_at = NULL, answer = ''";
            lock_space(tx, space).await?;
            let mode: Option<JoinMode> = tx.optional_scalar(MODE, (space,)).await?;
            if mode != Some(JoinMode::Approval) {
                return Err(Error::NotFound);
            }
            if tx.scalar(IS_MEMBER, (space, account)).await? {
                return Err(Error::Conflict("error-member-already"));
            }
            check_may_join(tx, space, account, address).await?;
            let declined: Option<Micros> = tx.optional_scalar(DECLINED, (space, account)).await?;
            if declined.is_some_and(|at| !is_over(at)) {
                return Err(Error::Conflict("error-application-wait"));
            }
            let (of_space, own): (i64, i64) = tx.one(COUNT, (space, account)).await?;
            if of_space >= MAX_WAITING {
                return Err(Error::Conflict("error-applications-full"));
            }
            if own >= MAX_WAITING_PER_ACCOUNT {
                return Err(Error::Conflict("error-applications-own"));
            }
            let row = (JoinRequestId::new(), space, account, words, Micros::now());
            tx.execute(APPLY, row).await?;
            let origin = Origin::new(account, Some(space));
            let event = JoinRequested { space, account };
            let feeds = feeds(space, account);
            engine.bus.publish_on(tx, &feeds, origin, event).await?;
            Ok(())
        });
        write.await
    }

    /// Takes the viewer's application back.
    ///
    /// # Errors
    /// `NotFound` when none waits.
    pub(super) async fn withdraw_application(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<()> {
        let engine = self.engine().clone();
        let write = self.engine().db.write(async move |tx| {
            const DELETE: &str = "DELETE FROM join_requests \
                WHERE space_id = $1 AND account_id = $2 AND declined_at IS NULL";
            super::accounts::require_row(tx.execute(DELETE, (space, account)).await?)?;
            let origin = Origin::new(account, Some(space));
            let event = JoinRequested { space, account };
            let feeds = feeds(space, account);
            engine.bus.publish_on(tx, &feeds, origin, event).await?;
            Ok(())
        });
        write.await
    }

    /// The applications to join a space that wait for an answer, oldest first, after one of them:
    /// at most fifty; and how many wait in all.
    ///
    /// # Errors
    /// `Forbidden` without the permission to answer them, `NotFound` for who is no member.
    pub(super) async fn join_requests(
        &self,
        viewer: AccountId,
        space: SpaceId,
        after: Option<JoinRequestId>,
    ) -> Result<(Vec<JoinRequest>, i64)> {
        const READ: &str = "SELECT r.id, r.account_id, a.name, r.words, r.at \
            FROM join_requests r JOIN accounts a ON a.id = r.account_id \
            WHERE r.space_id = $1 AND r.declined_at IS NULL AND r.id > $2 \
            ORDER BY r.id LIMIT $3";
        let scope = Scope::Space(space);
        self.access.permit(viewer, &APPROVE, scope).await?;
        let after = after.map_or(0, |request| request.0);
        let db = &self.engine().db;
        let requests = db.all(READ, (space, after, MAX_ON_PAGE)).await?;
        Ok((requests, self.count_requests(space).await?))
    }

    /// How many applications to join a space wait for an answer.
    pub(super) async fn count_requests(&self, space: SpaceId) -> Result<i64> {
        const COUNT: &str = "SELECT COUNT(*) FROM join_requests \
            WHERE space_id = $1 AND declined_at IS NULL";
        self.engine().db.scalar(COUNT, (space,)).await
    }

    /// Accepts an application, which adds its account to the space.
    ///
    /// # Errors
    /// `Conflict` when somebody answered it before, or its account was banned meanwhile.
    pub(super) async fn accept_application(
        &self,
        by: AccountId,
        space: SpaceId,
        request: JoinRequestId,
    ) -> Result<()> {
        let engine = self.engine().clone();
        let write = async move |tx: &mut Tx| {
            const TAKE: &str = "DELETE FROM join_requests \
                WHERE id = $1 AND space_id = $2 AND declined_at IS NULL RETURNING account_id";
            const READ: &str =
                "SELECT name, COALESCE(last_network, '') FROM accounts WHERE id = $1";
            let account: Option<AccountId> = tx.optional_scalar(TAKE, (request, space)).await?;
            let account = account.ok_or(Error::Conflict("error-application-answered"))?;
            let (name, network): (String, String) = tx.one(READ, (account,)).await?;
            let joined = Joined {
                space,
                account,
                name,
                // Of an account that never signed in no network is known, nor banned.
                address: network.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                is_guest: false,
                role: None,
            };
            add_joined(tx, &engine, joined)
                .await
                .map_err(|error| match error {
                    // These are the applicant's, not those of who accepts.
                    Error::Forbidden(_) => Error::Conflict("error-applicant-banned"),
                    Error::Conflict("error-spaces-full") => Error::Conflict("error-applicant-full"),
                    error => error,
                })?;
            record(tx, (by, space, account), "member.accepted", Value::Null).await?;
            publish_answer(tx, &engine, (by, space, account), &JOIN_ACCEPTED).await
        };
        self.access
            .permitted_write(by, &APPROVE, Scope::Space(space), write)
            .await
    }

    /// Declines an application, with words for the applicant.
    ///
    /// # Errors
    /// `Invalid` for words that are too long, `Conflict` when somebody answered it before.
    pub(super) async fn decline_application(
        &self,
        by: AccountId,
        space: SpaceId,
        request: JoinRequestId,
        answer: &str,
    ) -> Result<()> {
        let answer = check_words(answer, "answer")?;
        let engine = self.engine().clone();
        let write = async move |tx: &mut Tx| {
            const DECLINE: &str = "UPDATE join_requests SET declined_at = $3, answer = $4 \
                WHERE id = $1 AND space_id = $2 AND declined_at IS NULL RETURNING account_id";
            let row = (request, space, Micros::now(), &answer);
            let account: Option<AccountId> = tx.optional_scalar(DECLINE, row).await?;
            let account = account.ok_or(Error::Conflict("error-application-answered"))?;
            let after = match answer.is_empty() {
                true => Value::Null,
                false => json!({ "answer": answer }),
            };
            record(tx, (by, space, account), "member.declined", after).await?;
            publish_answer(tx, &engine, (by, space, account), &JOIN_DECLINED).await
        };
        self.access
            .permitted_write(by, &APPROVE, Scope::Space(space), write)
            .await
    }
}

/// Deletes the application of who has joined, in the caller's transaction.
pub(super) async fn forget(
    tx: &mut Tx,
    bus: &Bus,
    space: SpaceId,
    account: AccountId,
) -> Result<()> {
    const FORGET: &str = "DELETE FROM join_requests WHERE space_id = $1 AND account_id = $2";
    if tx.execute(FORGET, (space, account)).await? > 0 {
        let origin = Origin::new(account, Some(space));
        let event = JoinRequested { space, account };
        bus.publish_on(tx, &feeds(space, account), origin, event)
            .await?;
    }
    Ok(())
}

type People = (AccountId, SpaceId, AccountId);

async fn record(
    tx: &mut Tx,
    (by, space, account): People,
    act: &'static str,
    after: Value,
) -> Result<()> {
    let act = Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: Some(account.0),
        name: "",
        before: Value::Null,
        after,
    };
    audit::record(tx, act).await
}

async fn publish_answer(
    tx: &mut Tx,
    engine: &Engine,
    (by, space, account): People,
    kind: &'static NoticeKind,
) -> Result<()> {
    const NAME: &str = "SELECT name FROM spaces WHERE id = $1";
    let notice = NewNotice {
        kind,
        item: ids::next(),
        // The answer is that of the space: who gave it is not told.
        actor: None,
        space: Some(space),
        room: None,
        href: format!("/spaces/{space}/join"),
        text: tx.scalar(NAME, (space,)).await?,
        to: vec![Recipients::Accounts(vec![account])],
    };
    engine.notices.add(tx, notice).await?;
    let origin = Origin::new(by, Some(space));
    let event = JoinAnswered { space, account };
    engine
        .bus
        .publish_on(tx, &feeds(space, account), origin, event)
        .await?;
    Ok(())
}
