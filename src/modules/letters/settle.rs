//! How the way of a letter by hand ends: its recipient has it, or who runs the letters decides.

use serde::Deserialize;
use serde_json::json;

use super::carry::{ends, set_holder};
use super::escalation::may_decide;
use super::journey::Move;
use super::model::{Actor, LetterId, Step, Way};
use super::{Letters, WRITE, codes, couriers, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct ReceiveInput {
    letter: LetterId,
    /// That of the sticker: who knows it has the envelope before them.
    code: String,
}

/// `letters.receive`: the recipient confirms that they have a letter that was carried to them.
pub(super) async fn receive(
    letters: Letters,
    viewer: Viewer,
    input: ReceiveInput,
) -> Result<Outcome> {
    let (id, by) = (input.letter, viewer.account);
    let found = store::find(&letters.engine.db, id).await?;
    let is_for = found.recipient_id == Some(by) && found.way == Way::Hand;
    let code = codes::parse(&input.code);
    if !is_for || code.is_none() || found.code != code {
        return Err(Error::NotFound);
    }
    let context = letters.clone();
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if letter.recipient_id != Some(by) {
            return Err(Error::NotFound);
        }
        if letter.state.has_arrived() {
            return Ok(());
        }
        let receive = Move::new(Step::Deliver, Actor::Recipient, Some(by));
        context.advance(tx, &mut letter, receive).await
    };
    letters.permitted(by, &READ, found.space_id, work).await?;
    Ok(Outcome::new(
        json!({ "received": true }),
        format!("/letters/{id}"),
    ))
}

#[derive(Deserialize)]
pub(super) struct SettleInput {
    letter: LetterId,
    /// `retry`, `return`, `lose` or `find`.
    step: String,
}

/// `letters.settle`: an organiser, or the rank that was asked to, decides about a letter that is
/// late, stuck or lost.
pub(super) async fn settle(
    letters: Letters,
    viewer: Viewer,
    input: SettleInput,
) -> Result<Outcome> {
    let settled = match input.step.as_str() {
        "retry" => Step::Retry,
        "return" => Step::Return,
        "lose" => Step::Lose,
        "find" => Step::Find,
        _ => return Err(Error::field("step", "error-message-shape")),
    };
    let (id, by) = (input.letter, viewer.account);
    let found = store::find(&letters.engine.db, id).await?;
    let (space, context) = (found.space_id, letters.clone());
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let mut letter = store::lock(tx, id).await?;
        if letter.way != Way::Hand {
            return Err(Error::NotFound);
        }
        let post = couriers::in_tx(tx, space, by).await?;
        let decides = match &post {
            Some(post) => ends(tx, id).await?.concern(post) && may_decide(post, &letter),
            None => false,
        };
        if !is_organiser && !decides {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        let former = letter.holder_id;
        let settle = Move::new(settled, Actor::Organiser, Some(by));
        context.advance(tx, &mut letter, settle).await?;
        set_holder(tx, &mut letter, None, None).await?;
        context.publish_moved_to(tx, &letter, former);
        context.assign(tx, &mut letter, Micros::now()).await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/board");
    Ok(Outcome::new(json!({ "letter": id }), location))
}
