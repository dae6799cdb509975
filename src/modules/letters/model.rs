//! The states of a letter, and the one table of how it gets from one to the next. Pure.

use serde::{Deserialize, Serialize};

use crate::{id, text_enum};

id!(
    /// A letter, from its first draft on.
    LetterId
);
id!(
    /// An entry of the journey of a letter.
    JourneyId
);
id!(
    /// The letters of an account, as a dependency of its own. It has the number of the account.
    LetterboxId
);
id!(
    /// How a space has its letters, as a dependency of its own. It has the number of the space.
    SpaceLettersId
);

/// How a letter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// It stays on the server, and takes time to arrive.
    Tide,
    /// It is copied on paper, and couriers carry it.
    Hand,
    /// It has no address: the tide finds somebody who takes such letters.
    Drift,
}
text_enum!(Way { Tide = "tide", Hand = "hand", Drift = "drift" });

/// What a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// To a person.
    Person,
    /// To a person, or to its author, on a day that its author chose.
    Future,
    /// To all members of the space.
    Open,
}
text_enum!(Kind { Person = "person", Future = "future", Open = "open" });

/// Under which name a letter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    /// That of the account.
    Own,
    /// A name that was made up for it.
    Pen,
    /// None.
    None,
}
text_enum!(Signature { Own = "own", Pen = "pen", None = "none" });

/// Where a letter is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being written.
    Draft,
    /// Its text cannot change any more.
    Sealed,
    /// It waits for the tide, or for a courier.
    Posted,
    /// It travels.
    InTransit,
    /// It is with its recipient, unopened.
    Delivered,
    /// Its recipient opened it.
    Read,
    /// Its recipient answered it.
    Replied,
    /// Its author took it back.
    Recalled,
    /// It could not be delivered, and waits for a decision.
    Undeliverable,
    /// It is back with its author.
    Returned,
    /// Nobody knows where it is.
    Lost,
    /// It was never posted, or never picked up.
    Expired,
}
text_enum!(State {
    Draft = "draft", Sealed = "sealed", Posted = "posted", InTransit = "in_transit",
    Delivered = "delivered", Read = "read", Replied = "replied", Recalled = "recalled",
    Undeliverable = "undeliverable", Returned = "returned", Lost = "lost", Expired = "expired",
});

impl State {
    /// Whether the recipient has it.
    pub fn has_arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Read | Self::Replied)
    }
}

/// What happens to a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It is sealed.
    Seal,
    /// It is given to the tide, or bound to a sticker and put where couriers find it.
    Post,
    /// The tide or a courier takes it.
    Take,
    /// A courier wants to give it to another, who then takes it.
    HandOver,
    /// It reaches its recipient.
    Deliver,
    /// It is opened.
    Open,
    /// An answer to it is sealed.
    Answer,
    /// Its author takes it back.
    Recall,
    /// It cannot be delivered.
    Fail,
    /// Delivery is tried again.
    Retry,
    /// It goes back to its author.
    Return,
    /// It is missing.
    Lose,
    /// It is found again.
    Find,
    /// It waited too long.
    Expire,
    /// It leaves who found it, and looks for somebody else.
    Drift,
}
text_enum!(Step {
    Seal = "seal", Post = "post", Take = "take", HandOver = "hand_over", Deliver = "deliver",
    Open = "open", Answer = "answer", Recall = "recall", Fail = "fail", Retry = "retry",
    Return = "return", Lose = "lose", Find = "find", Expire = "expire",
    Drift = "drift",
});

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// Who wrote it.
    Author,
    /// Whom it is to.
    Recipient,
    /// A courier in whose branch it is.
    Courier,
    /// Who runs the letters of the space.
    Organiser,
    /// Time.
    Clock,
}
text_enum!(Actor {
    Author = "author", Recipient = "recipient", Courier = "courier", Organiser = "organiser",
    Clock = "clock",
});

/// Who is told of it by a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nobody: it is seen on the letter's page.
    Nobody,
    /// The author.
    Author,
    /// The recipient, and the author that it arrived.
    Both,
    /// The courier to whom it is offered.
    Courier,
}

/// A row of the table: of a letter that travels this way, and is in this state, this step by this
/// actor leads to another state.
#[derive(Clone, Copy, Debug)]
pub struct Transition {
    /// `None`: either way.
    pub way: Option<Way>,
    /// The state before.
    pub from: State,
    /// What happens.
    pub step: Step,
    /// Who does it.
    pub actor: Actor,
    /// The state after.
    pub to: State,
    /// Who is told.
    pub told: Told,
}

const fn row(
    way: Option<Way>,
    (from, step, actor): (State, Step, Actor),
    to: State,
    told: Told,
) -> Transition {
    Transition {
        way,
        from,
        step,
        actor,
        to,
        told,
    }
}

const ANY: Option<Way> = None;
const TIDE: Option<Way> = Some(Way::Tide);
const HAND: Option<Way> = Some(Way::Hand);
const DRIFT: Option<Way> = Some(Way::Drift);

/// All that can happen to a letter; what is not here is refused. Each step is recorded in the
/// journey of the letter, with who, where and when.
#[rustfmt::skip]
pub const TRANSITIONS: [Transition; 43] = [
    row(ANY, (State::Draft, Step::Seal, Actor::Author), State::Sealed, Told::Nobody),
    row(ANY, (State::Sealed, Step::Post, Actor::Author), State::Posted, Told::Nobody),
    row(ANY, (State::Sealed, Step::Recall, Actor::Author), State::Recalled, Told::Nobody),
    row(ANY, (State::Posted, Step::Recall, Actor::Author), State::Recalled, Told::Nobody),
    row(ANY, (State::Delivered, Step::Open, Actor::Recipient), State::Read, Told::Nobody),
    row(ANY, (State::Read, Step::Answer, Actor::Recipient), State::Replied, Told::Nobody),
    row(ANY, (State::Replied, Step::Answer, Actor::Recipient), State::Replied, Told::Nobody),
    // By tide.
    row(TIDE, (State::Posted, Step::Take, Actor::Clock), State::InTransit, Told::Nobody),
    row(TIDE, (State::InTransit, Step::Recall, Actor::Author), State::Recalled, Told::Nobody),
    row(TIDE, (State::InTransit, Step::Deliver, Actor::Clock), State::Delivered, Told::Both),
    row(TIDE, (State::InTransit, Step::Fail, Actor::Clock), State::Undeliverable, Told::Nobody),
    row(TIDE, (State::Undeliverable, Step::Return, Actor::Clock), State::Returned, Told::Author),
    // To whom the tide finds.
    row(DRIFT, (State::Posted, Step::Take, Actor::Clock), State::InTransit, Told::Nobody),
    row(DRIFT, (State::InTransit, Step::Recall, Actor::Author), State::Recalled, Told::Nobody),
    row(DRIFT, (State::InTransit, Step::Deliver, Actor::Clock), State::Delivered, Told::Both),
    row(DRIFT, (State::Delivered, Step::Drift, Actor::Recipient), State::InTransit, Told::Nobody),
    row(DRIFT, (State::Read, Step::Drift, Actor::Recipient), State::InTransit, Told::Nobody),
    row(DRIFT, (State::Delivered, Step::Drift, Actor::Clock), State::InTransit, Told::Nobody),
    row(DRIFT, (State::Read, Step::Drift, Actor::Clock), State::InTransit, Told::Nobody),
    row(DRIFT, (State::InTransit, Step::Expire, Actor::Clock), State::Expired, Told::Author),
    row(DRIFT, (State::Delivered, Step::Expire, Actor::Clock), State::Expired, Told::Author),
    row(DRIFT, (State::Read, Step::Expire, Actor::Clock), State::Expired, Told::Author),
    // By hand.
    row(HAND, (State::Sealed, Step::Expire, Actor::Clock), State::Expired, Told::Author),
    row(HAND, (State::Posted, Step::Expire, Actor::Clock), State::Expired, Told::Author),
    row(HAND, (State::Posted, Step::Take, Actor::Courier), State::InTransit, Told::Nobody),
    row(HAND, (State::Posted, Step::Lose, Actor::Organiser), State::Lost, Told::Author),
    row(HAND, (State::InTransit, Step::HandOver, Actor::Courier), State::InTransit, Told::Courier),
    row(HAND, (State::InTransit, Step::Take, Actor::Courier), State::InTransit, Told::Nobody),
    row(HAND, (State::InTransit, Step::Deliver, Actor::Courier), State::Delivered, Told::Both),
    row(HAND, (State::InTransit, Step::Deliver, Actor::Recipient), State::Delivered, Told::Author),
    row(HAND, (State::InTransit, Step::Fail, Actor::Courier), State::Undeliverable, Told::Author),
    row(HAND, (State::InTransit, Step::Lose, Actor::Organiser), State::Lost, Told::Author),
    row(HAND, (State::Undeliverable, Step::Retry, Actor::Courier), State::InTransit, Told::Nobody),
    row(HAND, (State::Undeliverable, Step::Retry, Actor::Organiser), State::Posted, Told::Nobody),
    row(HAND, (State::Undeliverable, Step::Return, Actor::Courier), State::Returned, Told::Author),
    row(HAND, (State::Undeliverable, Step::Return, Actor::Organiser), State::Returned,
        Told::Author),
    row(HAND, (State::Undeliverable, Step::Lose, Actor::Organiser), State::Lost, Told::Author),
    row(HAND, (State::Lost, Step::Find, Actor::Organiser), State::Posted, Told::Author),
    row(HAND, (State::Lost, Step::Return, Actor::Organiser), State::Returned, Told::Author),
    row(HAND, (State::Lost, Step::Deliver, Actor::Recipient), State::Delivered, Told::Author),
    row(HAND, (State::Posted, Step::Deliver, Actor::Recipient), State::Delivered, Told::Author),
    row(HAND, (State::Undeliverable, Step::Deliver, Actor::Recipient), State::Delivered,
        Told::Author),
    row(HAND, (State::InTransit, Step::Retry, Actor::Organiser), State::Posted, Told::Nobody),
];

/// What a step leads to; nothing when it is refused.
pub fn next(way: Way, from: State, step: Step, actor: Actor) -> Option<&'static Transition> {
    TRANSITIONS.iter().find(|row| {
        row.way.is_none_or(|of| of == way)
            && row.from == from
            && row.step == step
            && row.actor == actor
    })
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
