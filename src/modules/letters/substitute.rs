//! Breaks: a courier pauses, and who stands in, whom the rank above names, gets their work.

use serde::Deserialize;
use serde_json::json;

use super::courier_actions::record;
use super::couriers::{in_tx, may_oversee};
use super::input::optional_id;
use super::{Letters, WRITE};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct PauseInput {
    space: SpaceId,
    /// `yes`: takes no further letters for now.
    pause: String,
}

/// `letters.pause`: a courier takes a break, or comes back. What they should pick up goes to
/// others.
pub(super) async fn pause(letters: Letters, viewer: Viewer, input: PauseInput) -> Result<Outcome> {
    const SET: &str = "UPDATE letter_couriers SET state = $3 WHERE space_id = $1 \
        AND account_id = $2 AND state IN ('active', 'paused')";
    let (space, by, context) = (input.space, viewer.account, letters.clone());
    let state = match input.pause.as_str() {
        "yes" => "paused",
        _ => "active",
    };
    let work = async move |tx: &mut Tx| {
        if tx.execute(SET, (space, by, state)).await? == 0 {
            return Err(Error::NotFound);
        }
        match state {
            "paused" => context.reassign_from(tx, space, by).await,
            _ => context.assign_waiting(tx, space).await,
        }
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/round");
    Ok(Outcome::new(json!({ "state": state }), location))
}

#[derive(Deserialize)]
pub(super) struct SubstituteInput {
    space: SpaceId,
    account: AccountId,
    /// An active courier of the space, or nobody.
    #[serde(default, deserialize_with = "optional_id")]
    substitute: Option<i64>,
}

/// `letters.set-substitute`: who decides about a courier names who stands in while they pause.
pub(super) async fn set(
    letters: Letters,
    viewer: Viewer,
    input: SubstituteInput,
) -> Result<Outcome> {
    const SET: &str = "UPDATE letter_couriers SET substitute_id = $3 \
        WHERE space_id = $1 AND account_id = $2";
    let (space, by, account) = (input.space, viewer.account, input.account);
    let (substitute, context) = (input.substitute.map(AccountId), letters.clone());
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let own = in_tx(tx, space, by).await?;
        let post = in_tx(tx, space, account).await?;
        let of = post.as_ref().map(|post| (post.rank, &*post.branch));
        if !may_oversee(is_organiser, own.as_ref(), of.unwrap_or_default()) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        let of = of.ok_or(Error::NotFound)?;
        if let Some(substitute) = substitute {
            let other = in_tx(tx, space, substitute).await?;
            let fits = other.is_some_and(|other| other.is_active() && substitute != account);
            if !fits {
                return Err(Error::field("substitute", "error-courier-other"));
            }
        }
        tx.execute(SET, (space, account, substitute)).await?;
        record(tx, space, (by, account), "courier.substituted", of).await?;
        context.assign_waiting(tx, space).await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/couriers");
    Ok(Outcome::new(json!({ "account": account }), location))
}
