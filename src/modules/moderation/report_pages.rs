//! The form that reports something, and the page of one's own reports.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use super::Moderation;
use super::reports::{OwnReport, Reason};
use super::topics::ReportsOfAccount;
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::community::{Layout, Shell};
use crate::engine::actions::{Class, Outcome};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, NavEntry};
use crate::engine::reportable::{Reported, Target};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .page(Audience::SignedIn, "/report/{kind}/{thing}", get(form))
        .page(Audience::SignedIn, "/reports", get(own_reports))
        .action(
            "moderation.report",
            "Reports a message or person to the moderators, or to the host",
            Class::Create,
            report,
        )
}

#[derive(Template)]
#[template(path = "moderation/report.html", blocks = ["app"])]
struct ReportPage {
    head: Head,
    shell: Shell,
    form: Form,
    kind: String,
    thing: i64,
    space: Option<SpaceId>,
    /// The spaces whose moderators may be asked instead of the host.
    spaces: Vec<(SpaceId, String)>,
    author: String,
    reported: Reported,
}

impl ReportPage {
    fn reasons(&self) -> [(Reason, &'static str); 5] {
        Reason::ALL.map(|reason| (reason, self.head.lang.t(reason.label())))
    }
}

#[derive(Deserialize)]
struct FormQuery {
    space: Option<SpaceId>,
}

/// `GET /report/{kind}/{thing}?space=…`.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn form(
    State(moderation): State<Moderation>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((kind, thing)): Path<(String, i64)>,
    Query(FormQuery { space }): Query<FormQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let target = Target { id: thing, space };
    let reported = moderation.find_reported(&viewer, &kind, target).await?;
    let community = &moderation.community;
    let author = match reported.shown_author.clone() {
        Some(shown) => shown,
        None => community.accounts.get(reported.author).await?.name.clone(),
    };
    let is_of_nowhere = reported.space.is_none() && reported.room.is_none();
    let spaces = match is_of_nowhere {
        true => {
            let spaces = community.common_spaces(viewer.account, reported.author);
            spaces.await?
        }
        false => Vec::new(),
    };
    let here = format!("/report/{kind}/{thing}");
    let shell = layout.shell(&viewer, reported.space, &here).await?;
    app_page!(
        wants,
        ReportPage {
            head: community.head(&viewer, viewer.lang.t("report-title")),
            shell,
            form,
            kind,
            thing,
            space,
            spaces,
            author,
            reported,
        }
    )
}

#[derive(Deserialize)]
struct ReportInput {
    kind: String,
    thing: String,
    /// For a person: the space whose moderators review it; empty: the host.
    #[serde(default)]
    space: String,
    reason: Reason,
    #[serde(default)]
    words: String,
}

async fn report(moderation: Moderation, viewer: Viewer, input: ReportInput) -> Result<Outcome> {
    use crate::base::error::Error;
    let shape = |_| Error::field("form", "error-message-shape");
    let target = Target {
        id: input.thing.parse().map_err(shape)?,
        space: match input.space.as_str() {
            "" => None,
            space => Some(SpaceId(space.parse().map_err(shape)?)),
        },
    };
    let why = (input.reason, input.words.as_str());
    moderation
        .report(&viewer, (&input.kind, target), why)
        .await?;
    Ok(Outcome::new(Value::Null, "/reports"))
}

#[derive(Template)]
#[template(path = "moderation/reports.html", blocks = ["app"])]
struct ReportsPage {
    head: Head,
    shell: Shell,
    reports: Vec<OwnReport>,
}

/// `GET /reports`: one's own, and that they were reviewed.
async fn own_reports(
    State(moderation): State<Moderation>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    let reports = moderation.reports_of(viewer.account).await?;
    // Neither a full disk nor a long queue of writes keeps the page back.
    if let Err(error) = moderation.mark_reports_seen(viewer.account).await {
        tracing::warn!(%error, "seen reports were not noted");
    }
    let shell = layout.shell(&viewer, None, "/reports").await?;
    let community = &moderation.community;
    app_page!(
        wants,
        ReportsPage {
            head: community.head(&viewer, viewer.lang.t("reports-title")),
            shell,
            reports,
        }
    )
}

/// Tells in the sidebar that a report was reviewed, until the reporter has seen it.
pub(super) async fn nav_entry(
    moderation: &Moderation,
    viewer: &Viewer,
    deps: &Dependencies,
) -> Result<Option<NavEntry>> {
    deps.add(ReportsOfAccount(viewer.account.0));
    let unseen = moderation.unseen_reports(viewer.account).await?;
    Ok((unseen > 0).then(|| NavEntry {
        mentions: 0,
        counts: "count-mentions",
        is_muted: false,
        href: "/reports".to_owned(),
        icon: "flag",
        label: viewer.lang.t("reports-reviewed").to_owned(),
        unread: true,
        key: "reports".to_owned(),
    }))
}
