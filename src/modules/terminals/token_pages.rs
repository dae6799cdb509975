//! `/account/terminals`: the tokens of an account. A new one is shown once, by the answer to the
//! form that makes it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::views::AccountPage;
use super::{Terminals, tokens};
use crate::base::error::{Error, Result};
use crate::base::security_log::SecurityEvent;
use crate::community::Layout;
use crate::engine::actions::decode_form;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page, show_error_in};

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module.page(
        Audience::SignedIn,
        "/account/terminals",
        get(list).post(create),
    )
}

async fn list(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    page(&terminals, &layout, &viewer, wants, (form, None)).await
}

async fn page(
    terminals: &Terminals,
    layout: &Layout,
    viewer: &Viewer,
    wants: Wants,
    (form, token): (Form, Option<String>),
) -> Result<PageAnswer> {
    let shell = layout.shell(viewer, None, "/account/terminals").await?;
    let community = &terminals.community;
    app_page!(
        wants,
        AccountPage {
            head: community.head(viewer, viewer.lang.t("terminals-account-title")),
            shell,
            form,
            tokens: tokens::of_account(&terminals.engine.db, viewer.account).await?,
            token,
            server: community.public_origin().await?,
        }
    )
}

#[derive(Deserialize)]
struct CreateForm {
    name: String,
}

async fn create(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        if viewer.is_guest {
            return Err(Error::Forbidden("error-guest"));
        }
        let CreateForm { name } = decode_form(&body)?;
        let token = terminals.create_token(viewer.account, &name).await?;
        let (account, address) = (viewer.account, viewer.address);
        SecurityEvent::CredentialChanged.record(account, address, "terminal_token_made");
        Ok(token)
    }
    .await;
    match done {
        Ok(token) if wants == Wants::Json => {
            let answer = axum::Json(json!({ "token": token }));
            Ok(([(header::CACHE_CONTROL, "no-store")], answer).into_response())
        }
        Ok(token) => {
            let shown = (Form::default(), Some(token));
            let page = page(&terminals, &layout, &viewer, wants, shown).await?;
            Ok(([(header::CACHE_CONTROL, "no-store")], page).into_response())
        }
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("token", &body, &error, viewer.lang);
            let page = page(&terminals, &layout, &viewer, wants, (form, None)).await?;
            Ok(show_error_in(page, &error))
        }
        Err(error) => Err(error),
    }
}
