//! A guest's own page: until when they read, and how they become a member.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::Community;
use super::guests::GuestSpace;
use super::shell::{Layout, Shell};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, answer, app_page, show_error_in};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.page(Audience::SignedIn, "/guest", get(guest).post(stay))
}

#[derive(Template)]
#[template(path = "community/guest.html", blocks = ["app"])]
struct GuestPage {
    head: Head,
    shell: Shell,
    form: Form,
    until: Micros,
    space: Option<GuestSpace>,
}

/// `GET /guest`: for guests only.
async fn guest(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<Response> {
    let Some(until) = community.accounts.get(viewer.account).await?.guest_until else {
        return Ok(Redirect::to("/").into_response());
    };
    let page = page(&community, &layout, &viewer, wants, form, until).await?;
    Ok(page.into_response())
}

async fn page(
    community: &Community,
    layout: &Layout,
    viewer: &Viewer,
    wants: Wants,
    form: Form,
    until: Micros,
) -> Result<PageAnswer> {
    let space = community.guest_space(viewer.account).await?;
    let id = space.as_ref().map(|space| space.id);
    let shell = layout.shell(viewer, id, "/guest").await?;
    app_page!(
        wants,
        GuestPage {
            head: community.head(viewer, viewer.lang.t("guest-title")),
            shell,
            form,
            until,
            space,
        }
    )
}

#[derive(Deserialize)]
struct StayForm {
    email: String,
    password: String,
}

/// `POST /guest`: the guest becomes a member.
async fn stay(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let until = community.accounts.get(viewer.account).await?.guest_until;
    let done = async {
        let StayForm { email, password } = decode_form(&body)?;
        let space = community.keep_guest(&viewer, &email, &password).await?;
        let next = community.first_page(viewer.account, space).await?;
        Ok(Outcome::new(json!({ "space": space }), next))
    }
    .await;
    match (done, until) {
        (Err(error), Some(until)) if wants == Wants::Page => {
            let form = Form::refused("guest", &body, &error, viewer.lang);
            let page = page(&community, &layout, &viewer, wants, form, until).await?;
            Ok(show_error_in(page, &error))
        }
        (done, _) => answer(wants, done).await,
    }
}
