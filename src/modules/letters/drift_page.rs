//! `/spaces/{space}/letters/drift`: taking letters that drift, and sending them.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::drift::{LANGUAGES, Tastes, slots};
use super::model::Way;
use super::{Letters, WRITE, drift_store};
use crate::base::error::{Error, Result};
use crate::base::ids::{self, SpaceId};
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/drift",
        get(show),
    )
}

#[derive(Template)]
#[template(path = "letters/drift.html", blocks = ["app"])]
struct DriftPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    /// What the viewer chose, if they take drifting letters.
    tastes: Option<Tastes>,
    drifting: i64,
    slots: i64,
    /// The form's idempotency key.
    key: i64,
}

impl DriftPage {
    fn languages(&self) -> [(&'static str, &'static str); LANGUAGES.len()] {
        LANGUAGES
    }

    fn reads(&self, code: &str) -> bool {
        let tastes = self.tastes.as_ref();
        tastes.is_some_and(|tastes| tastes.languages.iter().any(|one| one == code))
    }

    fn interests(&self) -> String {
        let tastes = self.tastes.as_ref();
        tastes.map_or(String::new(), |tastes| tastes.interests.join(", "))
    }

    fn slots_words(&self) -> String {
        let numbers = [("count", self.drifting.into()), ("most", self.slots.into())];
        self.head.lang.with("letters-drift-slots", &numbers)
    }
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    if !letters.settings_for(&viewer, space).await?.has(Way::Drift) {
        return Err(Error::NotFound);
    }
    let (community, db) = (&letters.community, &letters.engine.db);
    let scope = Scope::Space(space);
    community
        .access
        .permit(viewer.account, &WRITE, scope)
        .await?;
    let (drifting, answered) = drift_store::experience(db, space, viewer.account).await?;
    let here = format!("/spaces/{space}/letters/drift");
    app_page!(
        wants,
        DriftPage {
            head: community.head(&viewer, viewer.lang.t("letters-drift")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            tastes: drift_store::tastes(db, space, viewer.account).await?,
            drifting,
            slots: slots(answered),
            key: ids::next(),
        }
    )
}
