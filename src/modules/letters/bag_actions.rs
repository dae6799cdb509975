//! Packing a bag, carrying it on, and opening it at the end of its way.

use serde::Deserialize;
use serde_json::json;

use super::bags::{self, Bag, BagId, MAX_BAG_LETTERS};
use super::carry::set_holder;
use super::couriers::{self, Post};
use super::input::{LetterInput, optional_id};
use super::journey::Move;
use super::letter::Letter;
use super::model::{Actor, LetterId, State, Step, Way};
use super::{Letters, WRITE, codes, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::list::List;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct PackInput {
    space: SpaceId,
    /// That of a sticker which is on no letter; it stays on the bag.
    code: String,
    #[serde(default)]
    letters: List<LetterId, MAX_BAG_LETTERS>,
}

/// `letters.pack-bag`: a courier puts letters that they have into a bag, also later ones.
pub(super) async fn pack(letters: Letters, viewer: Viewer, input: PackInput) -> Result<Outcome> {
    let code = codes::parse(&input.code).ok_or(Error::field("code", "error-bag-code"))?;
    let (space, by) = (input.space, viewer.account);
    let mut chosen = input.letters.into_vec();
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.is_empty() {
        return Err(Error::field("letters", "error-bag-empty"));
    }
    let context = letters.clone();
    let stored = code.clone();
    let work = async move |tx: &mut Tx| {
        let post = couriers::in_tx(tx, space, by).await?;
        post.filter(Post::is_active).ok_or(Error::NotFound)?;
        let bag = bags::open_or_pack(tx, space, &stored, by).await?;
        if bag.holder_id != Some(by) || bag.offered_to.is_some() {
            return Err(Error::Conflict("error-bag-held"));
        }
        for id in chosen {
            let letter = store::lock(tx, id).await?;
            check_packable(&letter, &bag, by)?;
            bags::put(tx, bag.id, id).await?;
            context.publish_moved(tx, &letter);
        }
        match bags::letters(tx, bag.id).await?.len() <= MAX_BAG_LETTERS {
            true => Ok(bag.id),
            false => Err(Error::Full("error-bag-full")),
        }
    };
    let id = letters.permitted(by, &WRITE, space, work).await?;
    Ok(Outcome::new(json!({ "bag": id }), format!("/l/{code}")))
}

/// Checks that a letter may go into a bag: its courier has it, and it is in no other one.
fn check_packable(letter: &Letter, bag: &Bag, by: AccountId) -> Result<()> {
    let is_free = letter.bag_id.is_none_or(|id| id == bag.id) && letter.offered_to.is_none();
    let is_held = letter.state == State::InTransit && letter.holder_id == Some(by);
    match letter.way {
        Way::Hand if letter.space_id == bag.space_id && is_held && is_free => Ok(()),
        _ => Err(Error::field("letters", "error-bag-letter")),
    }
}

/// `letters.unpack`: the courier who has a bag takes one letter out of it.
pub(super) async fn unpack(
    letters: Letters,
    viewer: Viewer,
    input: LetterInput,
) -> Result<Outcome> {
    let (id, by, context) = (input.letter, viewer.account, letters.clone());
    let space = store::find(&letters.engine.db, id).await?.space_id;
    let work = async move |tx: &mut Tx| {
        let letter = store::lock(tx, id).await?;
        if letter.way != Way::Hand || letter.holder_id != Some(by) {
            return Err(Error::NotFound);
        }
        if letter.offered_to.is_some() {
            return Err(Error::Conflict("error-bag-held"));
        }
        bags::take_out(tx, id).await?;
        context.publish_moved(tx, &letter);
        Ok(())
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/round");
    Ok(Outcome::new(json!({ "letter": id }), location))
}

/// What a courier does with a bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BagDeed {
    /// Offers it to another one.
    Offer(AccountId),
    /// Takes it from who offers it.
    Take,
    /// Opens it: the letters are with who has it.
    Open,
}

#[derive(Deserialize)]
pub(super) struct CarryInput {
    bag: BagId,
    /// `offer`, `take` or `open`.
    deed: String,
    /// To whom it is offered.
    #[serde(default, deserialize_with = "optional_id")]
    to: Option<i64>,
}

/// `letters.carry-bag`: a courier offers a bag to another one, who then takes it, or opens it.
pub(super) async fn carry(letters: Letters, viewer: Viewer, input: CarryInput) -> Result<Outcome> {
    let deed = match (input.deed.as_str(), input.to) {
        ("offer", Some(to)) => BagDeed::Offer(AccountId(to)),
        ("take", _) => BagDeed::Take,
        ("open", _) => BagDeed::Open,
        _ => return Err(Error::field("deed", "error-message-shape")),
    };
    let bag = bags::find(&letters.engine.db, input.bag).await?;
    letters.carry_bag(&viewer, &bag, deed).await
}

impl Letters {
    /// Has a courier do something with a bag and all letters in it. Sent twice it is done once.
    pub(super) async fn carry_bag(
        &self,
        viewer: &Viewer,
        bag: &Bag,
        deed: BagDeed,
    ) -> Result<Outcome> {
        let (by, space, id, context) = (viewer.account, bag.space_id, bag.id, self.clone());
        let is_organiser = self.is_organiser(by, space).await?;
        let work = async move |tx: &mut Tx| {
            let post = couriers::in_tx(tx, space, by).await?;
            let is_courier = post.as_ref().is_some_and(Post::is_active);
            let bag = bags::lock(tx, id).await?;
            let (is_mine, is_offered) = (bag.holder_id == Some(by), bag.offered_to == Some(by));
            match deed {
                // One whose courier left is opened by who runs the letters.
                BagDeed::Open if is_organiser || (is_courier && is_mine) => {
                    context.open_bag(tx, &bag).await
                }
                _ if !is_courier || !(is_mine || is_offered) => Err(Error::NotFound),
                BagDeed::Offer(to) if is_mine => context.offer_bag(tx, &bag, to).await,
                BagDeed::Take if is_offered => context.take_bag(tx, &bag, by).await,
                BagDeed::Take => Ok(()),
                BagDeed::Offer(_) | BagDeed::Open => Err(Error::Conflict("error-bag-held")),
            }
        };
        self.permitted(by, &WRITE, space, work).await?;
        let location = format!("/spaces/{space}/letters/round");
        Ok(Outcome::new(json!({ "bag": id }), location))
    }

    async fn offer_bag(&self, tx: &mut Tx, bag: &Bag, to: AccountId) -> Result<()> {
        if bag.offered_to == Some(to) {
            return Ok(());
        }
        let holder = bag.holder_id.ok_or(Error::NotFound)?;
        let other = couriers::in_tx(tx, bag.space_id, to).await?;
        let other = other.filter(|post| post.is_active() && to != holder);
        let other = other.ok_or(Error::field("to", "error-courier-other"))?;
        if !bags::concerns(tx, bag.id, &other).await? {
            return Err(Error::field("to", "error-bag-courier"));
        }
        bags::set_holder(tx, bag.id, holder, Some(to)).await?;
        let mut last = None;
        for id in bags::letters(tx, bag.id).await? {
            let mut letter = store::lock(tx, id).await?;
            set_holder(tx, &mut letter, Some(holder), Some(to)).await?;
            let step = Move::new(Step::HandOver, Actor::Courier, Some(holder));
            let (entry, told) = self.advance_untold(tx, &mut letter, step).await?;
            last = Some((letter, entry, told));
        }
        match last {
            // One notice for all.
            Some((letter, entry, told)) => self.tell(tx, &letter, told, entry).await,
            None => Ok(()),
        }
    }

    async fn take_bag(&self, tx: &mut Tx, bag: &Bag, by: AccountId) -> Result<()> {
        bags::set_holder(tx, bag.id, by, None).await?;
        for id in bags::letters(tx, bag.id).await? {
            let mut letter = store::lock(tx, id).await?;
            let former = letter.holder_id;
            let step = Move::new(Step::Take, Actor::Courier, Some(by));
            self.advance_untold(tx, &mut letter, step).await?;
            set_holder(tx, &mut letter, Some(by), None).await?;
            self.publish_moved_to(tx, &letter, former);
        }
        Ok(())
    }

    async fn open_bag(&self, tx: &mut Tx, bag: &Bag) -> Result<()> {
        let all = bags::letters(tx, bag.id).await?;
        for id in &all {
            let mut letter = store::lock(tx, *id).await?;
            if letter.offered_to.is_some() {
                let holder = letter.holder_id;
                set_holder(tx, &mut letter, holder, None).await?;
            }
            self.publish_moved(tx, &letter);
        }
        bags::empty(tx, bag.id).await
    }
}
