//! The pages of profiles: one's own, other people's, and whom one keeps away.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Community;
use super::blocks::Blocked;
use super::profiles::Profile;
use super::shell::{Layout, Shell};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

/// What the form of a status offers: the value, and the key of its text.
const STATUS_ENDS: [(&str, &str); 6] = [
    ("", "status-ends-never"),
    ("30m", "status-ends-30m"),
    ("1h", "status-ends-1h"),
    ("4h", "status-ends-4h"),
    ("today", "status-ends-today"),
    ("week", "status-ends-week"),
];

#[derive(Template)]
#[template(path = "community/profile.html", blocks = ["app"])]
struct ProfilePage {
    head: Head,
    shell: Shell,
    form: Form,
    profile: Profile,
}

#[derive(Template)]
#[template(path = "community/privacy.html", blocks = ["app"])]
struct PrivacyPage {
    head: Head,
    shell: Shell,
    form: Form,
    writers: String,
    shares_reads: bool,
    blocked: Vec<Blocked>,
}

#[derive(Template)]
#[template(path = "community/person.html", blocks = ["app", "card"])]
struct PersonPage {
    head: Head,
    shell: Shell,
    profile: Profile,
    spaces: Vec<(SpaceId, String)>,
    /// `block` or `ignore`, if the viewer does.
    block: Option<String>,
}

impl PersonPage {
    /// A line in parts; the flag says whether a part is a web address.
    fn words_of<'a>(&self, line: &'a str) -> impl Iterator<Item = (bool, &'a str)> {
        line.split_inclusive(' ').flat_map(|word| {
            let text = word.trim_end();
            let is_link = ["https://", "http://"].iter().any(|scheme| {
                text.strip_prefix(scheme)
                    .is_some_and(|rest| !rest.is_empty())
            });
            let (address, space) = word.split_at(text.len());
            [(is_link, address), (false, space)]
        })
    }
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::SignedIn, "/account/profile", get(own_profile))
        .page(Audience::SignedIn, "/account/privacy", get(privacy))
        .page(Audience::SignedIn, "/people/{account}", get(person))
}

async fn own_profile(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/account/profile").await?;
    let account = viewer.account;
    let profile = community.profile_for(account, account).await?;
    let head = community.head(&viewer, viewer.lang.t("profile-title"));
    app_page!(
        wants,
        ProfilePage {
            head,
            shell,
            form,
            profile
        }
    )
}

async fn privacy(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/account/privacy").await?;
    let writers = community.writers_of(viewer.account).await?;
    let blocked = community.blocked_by(viewer.account).await?;
    let own = community.accounts.get(viewer.account).await?;
    let head = community.head(&viewer, viewer.lang.t("privacy-title"));
    app_page!(
        wants,
        PrivacyPage {
            head,
            shell,
            form,
            writers,
            shares_reads: own.shares_reads,
            blocked
        }
    )
}

/// `GET /people/<id>`: for those who share a space or conversation with the account. With `?card`
/// the card alone, which scripts show in a dialog.
async fn person(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(account): Path<AccountId>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let profile = community.profile_for(viewer.account, account).await?;
    let here = format!("/people/{account}");
    let shell = layout.shell(&viewer, None, &here).await?;
    let spaces = community.common_spaces(viewer.account, account).await?;
    let block = community.block_of(viewer.account, account).await?;
    let head = community.head(&viewer, profile.name.clone());
    let page = PersonPage {
        head,
        shell,
        profile,
        spaces,
        block,
    };
    if query.as_deref() == Some("card") {
        return Ok(Html::of(&page.as_card())?.into_response());
    }
    let page: Result<PageAnswer> = app_page!(wants, page);
    Ok(page?.into_response())
}
