//! Frames: pages that show a letter, or somebody's letters, fetch them anew. What they show differs
//! from viewer to viewer, so these frames have no content. The number in the sidebar has one.

use super::topics::{ContestsChanged, LetterChanged, LetterMoved, MuseumChanged};
use super::{CONTEST_FEED, LETTER_FEED, LETTERBOX_FEED, Letters, MUSEUM_FEED, store};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::{UNREAD_FEED, count_mark};
use crate::engine::bus::{Envelope, Origin};
use crate::engine::live::Content;
use crate::engine::partial::Partial;

pub(super) async fn letter_moved(
    letters: &Letters,
    event: &LetterMoved,
    envelope: &Envelope,
) -> Result<()> {
    let live = &letters.engine.live;
    let changed = LetterChanged {
        letter: event.letter,
        state: event.state,
    };
    let content = Content::of(&changed).refetch();
    live.publish(&LETTER_FEED.name(event.letter), content.clone());
    for one in &event.boxes {
        let account = AccountId(one.0);
        live.publish(&LETTERBOX_FEED.name(account), content.clone());
        if let Some(space) = envelope.space {
            letters.publish_unread(&changed, account, space).await?;
        }
    }
    if !envelope.is_remote {
        letters.engine.search.wake();
    }
    Ok(())
}

pub(super) async fn museum_changed(
    letters: &Letters,
    event: &MuseumChanged,
    _: &Envelope,
) -> Result<()> {
    let feed = MUSEUM_FEED.name(event.space);
    letters
        .engine
        .live
        .publish(&feed, Content::of(event).refetch());
    Ok(())
}

pub(super) async fn contests_changed(
    letters: &Letters,
    event: &ContestsChanged,
    _: &Envelope,
) -> Result<()> {
    let feed = CONTEST_FEED.name(event.space);
    let content = Content::of(event).refetch();
    letters.engine.live.publish(&feed, content);
    Ok(())
}

impl Letters {
    /// Publishes after the commit that a museum changed.
    pub(super) fn publish_museum(&self, tx: &mut Tx, space: SpaceId) {
        let origin = Origin {
            actor: None,
            space: Some(space),
        };
        let bus = &self.engine.bus;
        bus.publish_after_commit(tx, origin, MuseumChanged { space });
    }

    /// Publishes how many letters wait unopened for an account, to its sockets on this instance.
    async fn publish_unread(
        &self,
        changed: &LetterChanged,
        account: AccountId,
        space: SpaceId,
    ) -> Result<()> {
        let (live, feed) = (&self.engine.live, UNREAD_FEED.name(account));
        if !live.is_followed(&feed) {
            return Ok(());
        }
        let unread = store::count_unread(&self.engine.db, account, space).await?;
        let content = Content::of(changed).html(move |lang| {
            let (mark, number) = match unread {
                0 => (String::new(), String::new()),
                _ => (
                    format!("<i class=\"sr\">, {}</i>", lang.t("unread")),
                    count_mark(lang, unread, "count-letters"),
                ),
            };
            let mark = Partial::inner(format!("#unread-letters-{space}"), &mark);
            let number = Partial::inner(format!("#mentions-letters-{space}"), &number);
            format!("{mark}{number}")
        });
        live.publish(&feed, content);
        Ok(())
    }
}

/// After missed events.
pub(super) async fn refresh(letters: Letters, _missed: u64) {
    let live = &letters.engine.live;
    live.refresh_all(LETTER_FEED.pattern).await;
    live.refresh_all(LETTERBOX_FEED.pattern).await;
    live.refresh_all(MUSEUM_FEED.pattern).await;
    live.refresh_all(CONTEST_FEED.pattern).await;
}
