//! Frames: pages that show a letter, or somebody's letters, fetch them anew. What they show differs
//! from viewer to viewer, so the frames have no content.

use super::topics::LetterMoved;
use super::{LETTER_FEED, LETTERBOX_FEED, Letters};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::bus::Envelope;
use crate::engine::live::Content;

pub(super) async fn letter_moved(
    letters: &Letters,
    event: &LetterMoved,
    envelope: &Envelope,
) -> Result<()> {
    let live = &letters.engine.live;
    let content = Content::of(event).refetch();
    live.publish(&LETTER_FEED.name(event.letter), content.clone());
    for one in &event.boxes {
        live.publish(&LETTERBOX_FEED.name(AccountId(one.0)), content.clone());
    }
    if !envelope.is_remote {
        letters.engine.search.wake();
    }
    Ok(())
}

/// After missed events.
pub(super) async fn refresh(letters: Letters, _missed: u64) {
    let live = &letters.engine.live;
    live.refresh_all(LETTER_FEED.pattern).await;
    live.refresh_all(LETTERBOX_FEED.pattern).await;
}
