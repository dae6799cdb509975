//! `/spaces/{space}/letters/new`: whom to write to: people found by name, those one wrote with
//! before, oneself, or everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::absence::{self, Absence};
use super::settings::LetterSettings;
use super::{Letters, WRITE, store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::community::{Account, Face, Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/new",
        get(choose),
    )
}

/// Somebody to write to.
struct PersonView {
    id: AccountId,
    name: String,
    user_name: Option<String>,
    face: Face,
    /// While they are away.
    absence: Option<Absence>,
    /// The form's idempotency key: sent twice, it begins one letter.
    key: i64,
}

impl PersonView {
    fn new(account: &Arc<Account>, absence: Option<Absence>) -> Self {
        Self {
            id: account.id,
            name: account.name.clone(),
            user_name: account.other_name().map(str::to_owned),
            face: Face::of(account.id, &account.name),
            absence,
            key: ids::next(),
        }
    }
}

#[derive(Template)]
#[template(path = "letters/new.html", blocks = ["app"])]
struct ChoosePage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    settings: LetterSettings,
    query: String,
    people: Vec<PersonView>,
    me: AccountId,
    key: i64,
}

#[derive(Deserialize)]
struct ChooseQuery {
    #[serde(default)]
    q: String,
}

async fn choose(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<ChooseQuery>,
) -> Result<PageAnswer> {
    let settings = letters.settings_for(&viewer, space).await?;
    let community = &letters.community;
    let scope = Scope::Space(space);
    community
        .access
        .permit(viewer.account, &WRITE, scope)
        .await?;
    let found = match query.q.trim().is_empty() {
        true => store::correspondents(&letters.engine.db, viewer.account, space).await?,
        false => community.members_named(space, &query.q).await?,
    };
    let mut people = Vec::new();
    for account in found.into_iter().filter(|one| *one != viewer.account) {
        match community.accounts.get(account).await {
            Ok(account) => {
                let db = &letters.engine.db;
                let absence = absence::of(db, space, account.id, Micros::now()).await?;
                people.push(PersonView::new(&account, absence));
            }
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let here = format!("/spaces/{space}/letters/new");
    let title = viewer.lang.t("letters-new");
    app_page!(
        wants,
        ChoosePage {
            head: community.head(&viewer, title),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            settings,
            query: query.q,
            people,
            me: viewer.account,
            key: ids::next(),
        }
    )
}
