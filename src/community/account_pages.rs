//! The pages of one's account besides `/account`: `/account/security` and `/account/data`.

use axum::extract::{Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::Community;
use super::shell::Layout;
use super::views::{DataPage, SecurityPage};
use crate::base::error::Result;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::SignedIn, "/account/security", get(security))
        .page(Audience::SignedIn, "/account/data", get(data))
}

/// What has just been done, in the address that a form leads to.
#[derive(Deserialize, Default)]
struct Done {
    #[serde(default)]
    done: String,
}

async fn security(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Query(Done { done }): Query<Done>,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/account/security").await?;
    let account = community.accounts.get(viewer.account).await?;
    let lang = viewer.lang;
    let done = match done.as_str() {
        // A form that came back says what is wrong instead.
        _ if !form.is_blank() => "",
        "name" => lang.t("done-name"),
        "email" => lang.t("done-email"),
        "email-link" => lang.t("done-email-link"),
        "password" => lang.t("done-password"),
        "passkey" => lang.t("done-passkey"),
        "passkey-removed" => lang.t("done-passkey-removed"),
        "linked" => lang.t("done-linked"),
        "unlinked" => lang.t("done-unlinked"),
        "totp-off" => lang.t("done-totp-off"),
        _ => "",
    };
    let totp = community.totp_state(viewer.account).await?;
    let passkeys = community.passkeys(viewer.account).await?;
    let is_linked = community.oidc_link(viewer.account).await?;
    let oidc = community.oidc_name().zip(is_linked);
    app_page!(
        wants,
        SecurityPage {
            head: community.head(&viewer, lang.t("security-title")),
            shell,
            form,
            user_name: account.user_name.clone(),
            email: account.email.clone(),
            has_mail: community.engine().mail.is_configured(),
            done,
            totp,
            passkeys,
            oidc,
        }
    )
}

async fn data(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/account/data").await?;
    let copy = community.data_export(viewer.account).await?;
    let head = community.head(&viewer, viewer.lang.t("data-title"));
    app_page!(
        wants,
        DataPage {
            head,
            shell,
            form,
            copy,
        }
    )
}
