//! Applying to be a courier, appointing and ending posts, and breaks.

use serde::Deserialize;
use serde_json::json;

use super::couriers::{
    CARRIER, MAX_COURIER_ABOUT_CHARS, MAX_COURIERS, fits_rank, in_tx, may_oversee,
};
use super::places::parse_code;
use super::{Letters, WRITE};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::text::{check_short_text, normalize_line};
use crate::community::audit::{self, Act};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Gives somebody a post, or stores an application. In another rank than before their letters are
/// counted anew.
pub(super) async fn set(
    tx: &mut Tx,
    (space, account): (SpaceId, AccountId),
    (rank, branch, state): (i64, &str, &str),
    (about, by): (&str, Option<AccountId>),
) -> Result<()> {
    // One who is there already takes no further place.
    const COUNT: &str = "SELECT COUNT(*) FROM letter_couriers \
        WHERE space_id = $1 AND account_id <> $2";
    const SET: &str = "INSERT INTO letter_couriers \
        (space_id, account_id, rank, branch, state, about, appointed_by, since) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (space_id, account_id) DO UPDATE SET \
        rank = excluded.rank, branch = excluded.branch, state = excluded.state, \
        about = excluded.about, appointed_by = excluded.appointed_by, since = excluded.since, \
        done = CASE WHEN letter_couriers.rank = excluded.rank THEN letter_couriers.done ELSE 0 END, \
        on_time = CASE WHEN letter_couriers.rank = excluded.rank \
        THEN letter_couriers.on_time ELSE 0 END, \
        lapsed = CASE WHEN letter_couriers.rank = excluded.rank \
        THEN letter_couriers.lapsed ELSE 0 END, \
        proposed_at = CASE WHEN letter_couriers.rank = excluded.rank \
        THEN letter_couriers.proposed_at ELSE NULL END";
    let count: i64 = tx.scalar(COUNT, (space, account)).await?;
    if count >= MAX_COURIERS {
        return Err(Error::Full("error-couriers-full"));
    }
    let row = (
        space,
        account,
        rank,
        branch,
        state,
        about,
        by,
        Micros::now(),
    );
    tx.execute(SET, row).await?;
    Ok(())
}

/// Records a change of posts. Points stay private: only the area is named.
pub(super) async fn record(
    tx: &mut Tx,
    space: SpaceId,
    (by, of): (AccountId, AccountId),
    act: &'static str,
    (rank, branch): (i64, &str),
) -> Result<()> {
    let area = branch.get(..4).unwrap_or(branch);
    let act = Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: Some(of.0),
        name: "",
        before: serde_json::Value::Null,
        after: json!({ "rank": rank, "branch": area }),
    };
    audit::record(tx, act).await
}

/// A branch as it was typed; empty for all places.
fn checked_branch(rank: i64, typed: &str) -> Result<String> {
    let branch = match typed.trim() {
        "" => Some(String::new()),
        typed => parse_code(typed),
    };
    let branch = branch.filter(|branch| fits_rank(rank, branch));
    branch.ok_or(Error::field("branch", "error-courier-branch"))
}

#[derive(Deserialize)]
pub(super) struct ApplyInput {
    space: SpaceId,
    /// The code of an area or a point.
    branch: String,
    #[serde(default)]
    about: String,
}

/// `letters.apply-courier`: applies to be a carrier.
pub(super) async fn apply(letters: Letters, viewer: Viewer, input: ApplyInput) -> Result<Outcome> {
    const IS_PLACE: &str = "SELECT EXISTS (SELECT 1 FROM letter_places \
        WHERE space_id = $1 AND code = $2 AND state = 'open')";
    let (space, by) = (input.space, viewer.account);
    let branch = checked_branch(CARRIER, &input.branch)?;
    let about = normalize_line(&input.about);
    let mut check = Check::default();
    check_short_text(&about, "about", MAX_COURIER_ABOUT_CHARS, &mut check);
    check.done()?;
    let work = async move |tx: &mut Tx| {
        if in_tx(tx, space, by)
            .await?
            .is_some_and(|post| post.state != "applied")
        {
            return Err(Error::Conflict("error-courier-already"));
        }
        if !tx.scalar(IS_PLACE, (space, &branch)).await? {
            return Err(Error::field("branch", "error-courier-branch"));
        }
        set(
            tx,
            (space, by),
            (CARRIER, &branch, "applied"),
            (&about, None),
        )
        .await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/round");
    Ok(Outcome::new(json!({ "applied": true }), location))
}

#[derive(Deserialize)]
pub(super) struct AppointInput {
    space: SpaceId,
    account: AccountId,
    /// 1 to 4, or 0: the post ends, or the application is declined.
    rank: String,
    #[serde(default)]
    branch: String,
}

/// `letters.appoint`: gives somebody a post, accepts an application, or ends a post.
pub(super) async fn appoint(
    letters: Letters,
    viewer: Viewer,
    input: AppointInput,
) -> Result<Outcome> {
    const END: &str = "DELETE FROM letter_couriers WHERE space_id = $1 AND account_id = $2";
    const RELEASE: [&str; 3] = [
        "UPDATE letters SET offered_to = NULL WHERE space_id = $1 AND offered_to = $2",
        "UPDATE letter_bags SET offered_to = NULL WHERE space_id = $1 AND offered_to = $2",
        "UPDATE letter_couriers SET substitute_id = NULL \
         WHERE space_id = $1 AND substitute_id = $2",
    ];
    const HOLDS: &str = "SELECT EXISTS (SELECT 1 FROM letters WHERE space_id = $1 \
        AND holder_id = $2 AND state = 'in_transit')";
    const IS_MEMBER: &str =
        "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
    let (space, by, account) = (input.space, viewer.account, input.account);
    let context = letters.clone();
    let rank: i64 = input.rank.parse().unwrap_or(-1);
    let branch = match rank {
        0 => String::new(),
        _ => checked_branch(rank, &input.branch)?,
    };
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let own = in_tx(tx, space, by).await?;
        let before = in_tx(tx, space, account).await?;
        let may = |of: (i64, &str)| may_oversee(is_organiser, own.as_ref(), of);
        let may_before = match &before {
            // Who applied stands nowhere yet.
            Some(post) => may((post.rank, &post.branch)),
            None => true,
        };
        if !may_before || (rank > 0 && !may((rank, &branch))) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        if rank == 0 {
            if tx.scalar(HOLDS, (space, account)).await? {
                return Err(Error::Conflict("error-courier-holds"));
            }
            let Some(post) = before else {
                return Err(Error::NotFound);
            };
            tx.execute(END, (space, account)).await?;
            for sql in RELEASE {
                tx.execute(sql, (space, account)).await?;
            }
            context.reassign_from(tx, space, account).await?;
            let of = (post.rank, &*post.branch);
            return record(tx, space, (by, account), "courier.ended", of).await;
        }
        if !tx.scalar(IS_MEMBER, (space, account)).await? {
            return Err(Error::NotFound);
        }
        let about = before.map(|post| post.about).unwrap_or_default();
        let post = (rank, &*branch, "active");
        set(tx, (space, account), post, (&about, Some(by))).await?;
        context.assign_waiting(tx, space).await?;
        record(
            tx,
            space,
            (by, account),
            "courier.appointed",
            (rank, &branch),
        )
        .await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/couriers");
    Ok(Outcome::new(json!({ "rank": rank }), location))
}
