//! The letters of a space in the sidebar.

use super::model::{LetterboxId, SpaceLettersId};
use super::{Letters, settings, store};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

/// The link to the letters that arrived, which counts unopened ones.
pub(super) async fn nav(
    letters: Letters,
    viewer: Viewer,
    space: Option<SpaceId>,
    deps: Dependencies,
) -> Result<Vec<NavSection>> {
    let Some(space) = space else {
        return Ok(Vec::new());
    };
    deps.add(SpaceLettersId(space.0));
    deps.add(LetterboxId(viewer.account.0));
    let db = &letters.engine.db;
    if !settings::of_space(db, space).await?.is_on() {
        return Ok(Vec::new());
    }
    let unread = store::count_unread(db, viewer.account, space).await?;
    let entry = NavEntry {
        href: format!("/spaces/{space}/letters"),
        icon: "letter",
        label: viewer.lang.t("letters-title").to_owned(),
        unread: unread > 0,
        mentions: unread,
        counts: "count-letters",
        is_muted: false,
        key: format!("letters-{space}"),
    };
    // Below the inbox, without a heading of its own.
    Ok(vec![NavSection {
        heading: "",
        named: None,
        add: None,
        entries: vec![entry],
    }])
}
