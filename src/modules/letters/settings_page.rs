//! `/spaces/{space}/letters/settings`: how a space has its letters.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::courier_rules::{self, CourierRules};
use super::settings::{LetterSettings, of_space};
use super::{Letters, ORGANISE};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::community::{Layout, Scope, Shell, Tab};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/letters/settings",
            label: "letters-title",
            permission: Some(&ORGANISE),
        })
        .page(
            Audience::SignedIn,
            "/spaces/{space}/letters/settings",
            get(show),
        )
}

#[derive(Template)]
#[template(path = "letters/settings.html", blocks = ["app"])]
struct SettingsPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    settings: LetterSettings,
    rules: CourierRules,
}

impl SettingsPage {
    /// The rules that are numbers, with their words.
    fn fields(&self) -> [(&'static str, &'static str, String); 4] {
        let (lang, rules) = (self.head.lang, &self.rules);
        let hours = lang.t("letters-rule-hours");
        let load = lang.t("letters-rule-load");
        let delivered = lang.t("letters-rule-delivered");
        let percent = lang.t("letters-rule-percent");
        [
            ("take_hours", hours, rules.take_hours.to_string()),
            ("max_load", load, rules.max_load.to_string()),
            (
                "promote_delivered",
                delivered,
                rules.promote_delivered.to_string(),
            ),
            (
                "promote_percent",
                percent,
                rules.promote_percent.to_string(),
            ),
        ]
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
    let (community, scope) = (&letters.community, Scope::Space(space));
    let by = viewer.account;
    community.access.permit(by, &ORGANISE, scope).await?;
    let here = format!("/spaces/{space}/letters/settings");
    let held = community.access.held(by, scope).await?;
    app_page!(
        wants,
        SettingsPage {
            head: community.head(&viewer, viewer.lang.t("letters-settings")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            settings: of_space(&letters.engine.db, space).await?,
            rules: courier_rules::of_space(&letters.engine.db, space).await?,
        }
    )
}
