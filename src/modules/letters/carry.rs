//! What couriers do with a letter that is carried by hand: take it, hand it over, deliver it, or
//! say why they cannot; and what organisers settle. Each may be sent twice: scans are repeated.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::couriers::{self, Post};
use super::input::LetterInput;
use super::journey::Move;
use super::letter::Letter;
use super::model::{Actor, LetterId, Signature, State, Step, Way};
use super::places::area_of;
use super::settings::check_takes_letters;
use super::{Letters, WRITE, scan_keys, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// After this time without a step a letter is late.
pub(super) const CARRY_TIME: Duration = Duration::from_secs(2 * 86_400);
/// Why a letter cannot be delivered.
pub(super) const REASONS: [&str; 5] = ["absent", "moved", "refused", "unreadable", "damaged"];

/// The codes of where a letter goes and where its author's door is; empty where there is none.
pub(super) struct Ends {
    pub(super) to: String,
    pub(super) from: String,
}

impl Ends {
    /// Whether a courier has to do with a letter between them.
    pub(super) fn concern(&self, post: &Post) -> bool {
        let is_in = |code: &str| !code.is_empty() && post.covers(code);
        is_in(&self.to) || is_in(&self.from)
    }
}

const ENDS: &str = "SELECT COALESCE(p.code, '') AS to_code, COALESCE((SELECT MIN(d.code) \
    FROM letter_places d WHERE d.resident_id = l.author_id AND d.space_id = l.space_id \
    AND d.state = 'open'), '') AS from_code \
    FROM letters l LEFT JOIN letter_places p ON p.id = l.place_id WHERE l.id = $1";

/// Where a letter goes and comes from, in a transaction.
pub(super) async fn ends(tx: &mut Tx, id: LetterId) -> Result<Ends> {
    let (to, from) = tx.one(ENDS, (id,)).await?;
    Ok(Ends { to, from })
}

impl Letters {
    /// Where a letter goes and comes from.
    pub(super) async fn ends_of(&self, id: LetterId) -> Result<Ends> {
        let (to, from) = self.engine.db.one(ENDS, (id,)).await?;
        Ok(Ends { to, from })
    }

    /// Has an active courier, whom the letter concerns, do something with it.
    async fn carry(&self, viewer: &Viewer, id: LetterId, deed: Deed) -> Result<Outcome> {
        self.carry_once(viewer, id, deed, String::new()).await
    }

    /// The same, once for each key that is not empty.
    pub(super) async fn carry_once(
        &self,
        viewer: &Viewer,
        id: LetterId,
        deed: Deed,
        key: String,
    ) -> Result<Outcome> {
        let (by, context) = (viewer.account, self.clone());
        let space = store::find(&self.engine.db, id).await?.space_id;
        let write = async move |tx: &mut Tx| {
            let mut letter = store::lock(tx, id).await?;
            let post = couriers::in_tx(tx, space, by).await?;
            let post = post.filter(Post::is_active).ok_or(Error::NotFound)?;
            let ends = ends(tx, id).await?;
            let is_mine = letter.holder_id == Some(by) || letter.offered_to == Some(by);
            let stands_in = letter.holder_id.is_some_and(|one| post.stands_in_for(one));
            let is_mine = is_mine || stands_in;
            if letter.way != Way::Hand || !(is_mine || ends.concern(&post)) {
                return Err(Error::NotFound);
            }
            let is_done = !key.is_empty() && scan_keys::is_recorded(tx, by, &key).await?;
            if is_done {
                return Ok(());
            }
            if deed != Deed::Take && letter.holder_id != Some(by) {
                return Err(Error::Conflict("error-letter-held"));
            }
            if letter.bag_id.is_some() && (deed != Deed::Take || letter.holder_id != Some(by)) {
                return Err(Error::Conflict("error-letter-bagged"));
            }
            if !key.is_empty() {
                scan_keys::record(tx, by, &key).await?;
            }
            let scan = Scan { post, ends };
            match deed {
                Deed::Take => context.take(tx, &mut letter, &scan).await,
                Deed::HandOver(to) => context.hand_over(tx, &mut letter, &scan, to).await,
                Deed::Deliver => context.deliver_by_hand(tx, &mut letter, &scan).await,
                Deed::Fail(reason) => context.fail(tx, &mut letter, &scan, reason).await,
                Deed::Retry => context.retry(tx, &mut letter, &scan).await,
                Deed::SendBack => context.send_back(tx, &mut letter, &scan).await,
            }
        };
        self.permitted(by, &WRITE, space, write).await?;
        let location = format!("/spaces/{space}/letters/round");
        Ok(Outcome::new(json!({ "letter": id }), location))
    }

    async fn take(&self, tx: &mut Tx, letter: &mut Letter, scan: &Scan) -> Result<()> {
        let by = scan.by();
        if letter.state == State::InTransit && letter.holder_id == Some(by) {
            return Ok(());
        }
        let holder = letter.holder_id;
        let is_given = letter
            .offered_to
            .is_some_and(|to| to == by || scan.post.stands_in_for(to))
            || holder.is_some_and(|one| scan.post.stands_in_for(one));
        if letter.state == State::InTransit && !is_given {
            return Err(Error::Conflict("error-letter-held"));
        }
        let assigned = letter.assigned_to.filter(|to| *to != by);
        let at = match letter.state {
            // As where it was posted: the journey tells of the author's area only if they sign.
            State::Posted if letter.signature == Signature::Own => &scan.ends.from,
            State::Posted => "",
            _ => &scan.ends.to,
        };
        self.advance(tx, letter, scan.step(Step::Take, at)).await?;
        set_holder(tx, letter, Some(by), None).await?;
        for former in [holder, assigned].into_iter().flatten() {
            self.publish_moved_to(tx, letter, Some(former));
        }
        Ok(())
    }

    async fn hand_over(
        &self,
        tx: &mut Tx,
        letter: &mut Letter,
        scan: &Scan,
        to: AccountId,
    ) -> Result<()> {
        if letter.state == State::InTransit && letter.offered_to == Some(to) {
            return Ok(());
        }
        let other = couriers::in_tx(tx, letter.space_id, to).await?;
        let fits = |post: &Post| post.is_active() && scan.ends.concern(post) && to != scan.by();
        if !other.as_ref().is_some_and(fits) {
            return Err(Error::field("to", "error-courier-other"));
        }
        set_holder(tx, letter, Some(scan.by()), Some(to)).await?;
        self.advance(tx, letter, scan.step(Step::HandOver, ""))
            .await
    }

    async fn deliver_by_hand(&self, tx: &mut Tx, letter: &mut Letter, scan: &Scan) -> Result<()> {
        if letter.state.has_arrived() {
            return Ok(());
        }
        if !scan.post.covers(&scan.ends.to) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        let Some(to) = letter.recipient_id else {
            return self.fail(tx, letter, scan, "moved").await;
        };
        match check_takes_letters(tx, letter, to).await {
            Ok(()) => {}
            // They left, or want no letters of its author any more.
            Err(Error::NotFound | Error::Conflict(_)) => {
                return self.fail(tx, letter, scan, "refused").await;
            }
            Err(error) => return Err(error),
        }
        let deliver = scan.step(Step::Deliver, &scan.ends.to);
        let is_on_time = letter.due_at.is_some_and(|at| at >= Micros::now());
        self.advance(tx, letter, deliver).await?;
        self.count_delivery(tx, &scan.post, letter.space_id, is_on_time)
            .await
    }

    async fn fail(
        &self,
        tx: &mut Tx,
        letter: &mut Letter,
        scan: &Scan,
        reason: &str,
    ) -> Result<()> {
        if letter.state == State::Undeliverable {
            return Ok(());
        }
        let mut fail = scan.step(Step::Fail, &scan.ends.to);
        fail.detail = reason.to_owned();
        self.advance(tx, letter, fail).await
    }

    async fn retry(&self, tx: &mut Tx, letter: &mut Letter, scan: &Scan) -> Result<()> {
        if letter.state == State::InTransit {
            return Ok(());
        }
        let retry = scan.step(Step::Retry, &scan.ends.to);
        self.advance(tx, letter, retry).await?;
        set_holder(tx, letter, Some(scan.by()), None).await
    }
}

impl Letters {
    /// Brings a letter that cannot be delivered back to its author.
    async fn send_back(&self, tx: &mut Tx, letter: &mut Letter, scan: &Scan) -> Result<()> {
        if letter.state == State::Returned {
            return Ok(());
        }
        let back = scan.step(Step::Return, &scan.ends.to);
        self.advance(tx, letter, back).await
    }
}

/// What a courier does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Take,
    HandOver(AccountId),
    Deliver,
    Fail(&'static str),
    Retry,
    SendBack,
}

/// Who does it, and between which ends.
struct Scan {
    post: Post,
    ends: Ends,
}

impl Scan {
    fn by(&self) -> AccountId {
        self.post.account_id
    }

    /// The step, in the area of a code.
    fn step(&self, step: Step, at: &str) -> Move {
        Move::new(step, Actor::Courier, Some(self.by())).at(area_of(at))
    }
}

/// Stores who has a letter, and to whom they offer it; from now on it is due anew.
pub(super) async fn set_holder(
    tx: &mut Tx,
    letter: &mut Letter,
    holder: Option<AccountId>,
    offered_to: Option<AccountId>,
) -> Result<()> {
    const SET: &str = "UPDATE letters SET holder_id = $2, offered_to = $3, due_at = $4, assigned_to = NULL, \
         escalated = 0 WHERE id = $1";
    let due = Micros::now().plus(CARRY_TIME);
    tx.execute(SET, (letter.id, holder, offered_to, due))
        .await?;
    letter.holder_id = holder;
    letter.offered_to = offered_to;
    letter.assigned_to = None;
    letter.escalated = 0;
    Ok(())
}

/// `letters.take`: a courier takes a letter that waits, or that another one offers to them.
pub(super) async fn take(letters: Letters, viewer: Viewer, input: LetterInput) -> Result<Outcome> {
    letters.carry(&viewer, input.letter, Deed::Take).await
}

#[derive(Deserialize)]
pub(super) struct HandOverInput {
    letter: LetterId,
    /// An active courier of the same space.
    to: AccountId,
}

/// `letters.hand-over`: the holder offers a letter to another courier, who then takes it.
pub(super) async fn hand_over(
    letters: Letters,
    viewer: Viewer,
    input: HandOverInput,
) -> Result<Outcome> {
    let deed = Deed::HandOver(input.to);
    letters.carry(&viewer, input.letter, deed).await
}

/// `letters.deliver`: the holder delivers a letter in their branch.
pub(super) async fn deliver(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    letters.carry(&viewer, input.letter, Deed::Deliver).await
}

#[derive(Deserialize)]
pub(super) struct FailInput {
    letter: LetterId,
    /// One of [`REASONS`].
    reason: String,
}

/// `letters.fail`: the holder says why a letter cannot be delivered.
pub(super) async fn fail(letters: Letters, viewer: Viewer, input: FailInput) -> Result<Outcome> {
    let reason = REASONS.into_iter().find(|reason| *reason == input.reason);
    let reason = reason.ok_or(Error::field("reason", "error-letter-reason"))?;
    letters
        .carry(&viewer, input.letter, Deed::Fail(reason))
        .await
}

/// `letters.retry`: the holder tries again.
pub(super) async fn retry(letters: Letters, viewer: Viewer, input: LetterInput) -> Result<Outcome> {
    letters.carry(&viewer, input.letter, Deed::Retry).await
}

/// `letters.send-back`: the holder brings a letter back that cannot be delivered.
pub(super) async fn send_back(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    letters.carry(&viewer, input.letter, Deed::SendBack).await
}
