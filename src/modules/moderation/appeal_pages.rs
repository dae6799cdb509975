//! The page on which somebody appeals and reads the answer, and that of the reviewer.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Moderation;
use super::appeals::Appeal;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::space_tabs::Tab;
use crate::community::{Layout, SanctionId, SanctionInForce, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .page(
            Audience::SignedIn,
            "/spaces/{space}/appeal",
            get(own_appeal),
        )
        .page(Audience::SignedIn, "/appeals/{appeal}", get(review))
}

#[derive(Template)]
#[template(path = "moderation/appeal.html")]
struct AppealPage {
    head: Head,
    form: Form,
    space: SpaceId,
    /// `None`: what the appeal was about has ended.
    sanction: Option<SanctionInForce>,
    /// The one against the sanction in force; else the last one.
    appeal: Option<Appeal>,
}

/// `GET /spaces/{space}/appeal`: for who is or was timed out, removed or banned there.
async fn own_appeal(
    State(moderation): State<Moderation>,
    viewer: Viewer,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<Response> {
    let (community, account) = (&moderation.community, viewer.account);
    let sanction = community.sanctions.in_force(account, space).await?;
    let appeal = match &sanction {
        Some(sanction) => moderation.find_appeal(sanction.id).await?,
        None => moderation.last_appeal(account, space).await?,
    };
    if sanction.is_none() && appeal.is_none() {
        return Err(Error::NotFound);
    }
    let head = community.head(&viewer, viewer.lang.t("appeal-title"));
    let page = AppealPage {
        head,
        form,
        space,
        sanction,
        appeal,
    };
    Ok(Html::of(&page)?.into_response())
}

#[derive(Template)]
#[template(path = "moderation/appeal_review.html", blocks = ["app"])]
struct ReviewPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    appeal: Appeal,
    sanction: SanctionInForce,
    /// Whether the account is a member of the space.
    is_member: bool,
    may_judge: bool,
}

/// `GET /appeals/{appeal}`.
async fn review(
    State(moderation): State<Moderation>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<SanctionId>,
    form: Form,
) -> Result<PageAnswer> {
    let appeal = moderation.appeal_for(&viewer, id).await?;
    let (community, space) = (&moderation.community, appeal.space_id);
    let sanction = community.sanctions.sanction(space, id).await?;
    let (by, account) = (viewer.account, appeal.account_id);
    let here = format!("/spaces/{space}/queue");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    app_page!(
        wants,
        ReviewPage {
            head: community.head(&viewer, viewer.lang.t("appeal-review-title")),
            shell,
            tabs: moderation.tabs(by, Some(space), &here).await?,
            form,
            sanction,
            is_member: community.access.member(account, space).await?.is_some(),
            may_judge: community.sanctions.may_judge(by, space, account).await?,
            appeal,
        }
    )
}
