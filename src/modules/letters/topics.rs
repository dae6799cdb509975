//! The events of letters. None has a text, a name or a private code.

use super::model::{LetterId, LetterboxId, SpaceLettersId, State};
use crate::base::ids::SpaceId;
use crate::event;

event! {
    /// A letter got on its way: it was sealed, posted, carried, delivered, opened, or taken down.
    pub struct LetterMoved on "letters.letter.moved" by letter changes(boxes) {
        /// The letter.
        letter: LetterId = LetterId(9),
        /// The accounts whose lists it changes.
        boxes: Vec<LetterboxId> = vec![LetterboxId(7)],
        /// Where it is.
        state: State = State::Delivered,
    }
}

event! {
    /// The same for those who follow a letter or a letterbox: it names nobody, since a letter need
    /// not be signed.
    pub struct LetterChanged on "letters.letter.changed" by letter changes() {
        /// The letter.
        letter: LetterId = LetterId(9),
        /// Where it is.
        state: State = State::Delivered,
    }
}

event! {
    /// What hangs in the museum of a space changed: letters, exhibitions, hearts or notes.
    pub struct MuseumChanged on "letters.museum.changed" by space
        changes(space as SpaceLettersId) {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// Contests for envelopes of a space changed: one was opened or closed, designs, votes.
    pub struct ContestsChanged on "letters.contests.changed" by space
        changes(space as SpaceLettersId) {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// A space has its letters in another way than before.
    pub struct SettingsChanged on "letters.settings.changed" by space
        changes(space as SpaceLettersId) {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}
