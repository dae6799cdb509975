//! `/reminders`: what an account will be reminded of. `/reminders/new`: the form.

use askama::Template;
use axum::extract::{Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::when::OFFERED;
use super::{MAX_REMINDERS, Reminder, Reminders, is_message_path, store};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::local_time::field_value;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Reminders>) -> Module<Reminders> {
    module
        .page(Audience::SignedIn, "/reminders", get(list))
        .page(Audience::SignedIn, "/reminders/new", get(new))
}

#[derive(Template)]
#[template(path = "reminders/list.html", blocks = ["app"])]
struct ListPage {
    head: Head,
    shell: Shell,
    reminders: Vec<Reminder>,
}

async fn list(
    State(reminders): State<Reminders>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/reminders").await?;
    let title = viewer.lang.t("reminders-title");
    let all = store::of_account(&reminders.engine.db, viewer.account, MAX_REMINDERS).await?;
    app_page!(
        wants,
        ListPage {
            head: reminders.community.head(&viewer, title),
            shell,
            reminders: all,
        }
    )
}

#[derive(Deserialize)]
struct NewQuery {
    /// The path of a message.
    #[serde(default)]
    about: String,
}

#[derive(Template)]
#[template(path = "reminders/new.html", blocks = ["app"])]
struct NewPage {
    head: Head,
    shell: Shell,
    form: Form,
    /// The path of a message, or nothing.
    about: String,
    /// Offered times, with the keys of their words.
    offered: Vec<(&'static str, &'static str)>,
    /// Now, as the earliest time of the field.
    now: String,
    zone: String,
}

async fn new(
    State(reminders): State<Reminders>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Query(query): Query<NewQuery>,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/reminders").await?;
    let title = viewer.lang.t("reminder-new");
    let zone = reminders.zone(viewer.account, "").await?;
    app_page!(
        wants,
        NewPage {
            head: reminders.community.head(&viewer, title),
            shell,
            form,
            about: Some(query.about)
                .filter(|path| is_message_path(path))
                .unwrap_or_default(),
            offered: OFFERED
                .iter()
                .map(|(value, words, _)| (*value, *words))
                .collect(),
            now: field_value(Micros::now(), zone),
            zone: zone.name().to_owned(),
        }
    )
}
