//! The letters of a space in the sidebar.

use super::model::{LetterboxId, SpaceLettersId};
use super::{Letters, settings, store};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

/// The links to the inbox, which counts unopened letters, to the plaza and to the museum.
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
    let entry = |path: &str, icon, label: &str, key: &str, unread: i64| NavEntry {
        href: format!("/spaces/{space}/letters{path}"),
        icon,
        label: label.to_owned(),
        unread: unread > 0,
        mentions: unread,
        counts: "count-letters",
        is_muted: false,
        key: format!("{key}-{space}"),
    };
    let (inbox, plaza, museum) = (
        viewer.lang.t("letters-title"),
        viewer.lang.t("letters-plaza"),
        viewer.lang.t("letters-museum"),
    );
    Ok(vec![NavSection {
        heading: "letters-heading",
        named: None,
        add: Some((format!("/spaces/{space}/letters/new"), "letters-new")),
        entries: vec![
            entry("", "letter", inbox, "letters", unread),
            entry("/plaza", "globe", plaza, "plaza", 0),
            entry("/museum", "archive", museum, "museum", 0),
        ],
    }])
}
