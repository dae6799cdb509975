//! The host's page of bans of the whole server, and their audit log.

use askama::Template;
use axum::extract::{Query, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use super::audit_list::AuditQuery;
use super::permissions::MANAGE_SERVER;
use super::role_views::AuditPage;
use super::server_bans::{MAX_ON_PAGE, ServerBan, ServerBanForm, ServerBanId};
use super::shell::{Layout, Shell};
use super::{Community, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;
use crate::engine::actions::{Class, Outcome};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::SignedIn, "/server/bans", get(bans))
        .page(Audience::SignedIn, "/audit", get(audit))
        .action(
            "community.suspend",
            "Suspends an account: it is signed out, and nobody signs in to it",
            Class::Write,
            suspend,
        )
        .action(
            "community.ban-network",
            "Refuses everything that comes from a network",
            Class::Write,
            ban_network,
        )
        .action(
            "community.lift-server-ban",
            "Lifts a suspension, or the ban of a network",
            Class::Write,
            lift,
        )
}

#[derive(Template)]
#[template(path = "community/server_bans.html", blocks = ["app"])]
struct ServerBansPage {
    head: Head,
    shell: Shell,
    form: Form,
    /// The name to suspend, from the page of a person.
    person: String,
    bans: Vec<ServerBan>,
    /// What the next page ends before.
    next: Option<ServerBanId>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BansQuery {
    name: String,
    before: Option<ServerBanId>,
}

/// `GET /server/bans?name=…&before=…`.
async fn bans(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<BansQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let bans = community.server_bans(viewer.account, query.before).await?;
    let shell = layout.shell(&viewer, None, "/server/bans").await?;
    let is_full = i64::try_from(bans.len()).is_ok_and(|count| count == MAX_ON_PAGE);
    app_page!(
        wants,
        ServerBansPage {
            head: community.head(&viewer, viewer.lang.t("server-bans-title")),
            shell,
            form,
            person: query.name.chars().take(100).collect(),
            next: bans.last().filter(|_| is_full).map(|last| last.id),
            bans,
        }
    )
}

/// `GET /audit?q=…&act=…&before=…`: what was done to the server as a whole.
async fn audit(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<AuditQuery>,
) -> Result<PageAnswer> {
    let access = &community.access;
    access
        .permit(viewer.account, &MANAGE_SERVER, Scope::Server)
        .await?;
    let (entries, next) = community.audit_entries(None, &query).await?;
    let shell = layout.shell(&viewer, None, "/audit").await?;
    app_page!(
        wants,
        AuditPage {
            head: community.head(&viewer, viewer.lang.t("server-audit-title")),
            shell,
            tabs: Vec::new(),
            here: "/audit".to_owned(),
            next,
            community: community.clone(),
            query,
            entries,
        }
    )
}

/// A number of days; zero when it is empty.
fn days(text: &str) -> Result<u64> {
    match text.trim() {
        "" => Ok(0),
        text => text
            .parse()
            .map_err(|_| Error::field("days", "error-number")),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Suspend {
    /// Whom: by id, or else by name.
    account: Option<AccountId>,
    name: String,
    reason: String,
    /// Days until it ends; empty: never.
    days: String,
    /// A checkbox: `yes` or nothing. The network that it last signed in from is banned, too.
    address: String,
}

async fn suspend(community: Community, viewer: Viewer, input: Suspend) -> Result<Outcome> {
    let by = viewer.account;
    let access = &community.access;
    access.permit(by, &MANAGE_SERVER, Scope::Server).await?;
    let account = match input.account {
        Some(account) => account,
        None => community.account_named(&input.name).await?,
    };
    let form = ServerBanForm {
        reason: input.reason,
        days: days(&input.days)?,
    };
    let host = (by, viewer.address);
    community
        .suspend(host, account, &form, input.address == "yes")
        .await?;
    SecurityEvent::RightsChanged.record(by, viewer.address, "suspended");
    Ok(Outcome::new(Value::Null, "/server/bans"))
}

#[derive(Deserialize)]
struct BanNetwork {
    network: String,
    #[serde(default)]
    reason: String,
    /// Days until it ends; empty: never.
    #[serde(default)]
    days: String,
}

async fn ban_network(community: Community, viewer: Viewer, input: BanNetwork) -> Result<Outcome> {
    let by = viewer.account;
    let access = &community.access;
    access.permit(by, &MANAGE_SERVER, Scope::Server).await?;
    let form = ServerBanForm {
        reason: input.reason,
        days: days(&input.days)?,
    };
    let host = (by, viewer.address);
    community.ban_network(host, &input.network, &form).await?;
    SecurityEvent::RightsChanged.record(by, viewer.address, "network_banned");
    Ok(Outcome::new(Value::Null, "/server/bans"))
}

#[derive(Deserialize)]
struct Lift {
    ban: ServerBanId,
}

async fn lift(community: Community, viewer: Viewer, input: Lift) -> Result<Outcome> {
    community.lift_server_ban(viewer.account, input.ban).await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "server_ban_lifted");
    Ok(Outcome::new(Value::Null, "/server/bans"))
}
