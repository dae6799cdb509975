//! One case: what was reported and by whom, what can be done about it, and resolving it.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::case_store::{self, Case, CaseId, Outcome as CaseOutcome, Report};
use super::reports::check_words;
use super::topics::{QueueChanged, ReportsResolved};
use super::{Moderation, REVIEW, REVIEW_SERVER};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::community::audit::{self, Act};
use crate::community::space_tabs::Tab;
use crate::community::{ACCOUNT_FEED, Layout, Scope, Shell};
use crate::engine::actions::{Class, Outcome};
use crate::engine::bus::Origin;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Graphemes of a reviewer's note.
const MAX_CASE_NOTE_CHARS: usize = 500;

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .page(Audience::SignedIn, "/cases/{case}", get(page))
        .action(
            "moderation.resolve",
            "Resolves the reports of one thing",
            Class::Write,
            resolve,
        )
}

#[derive(Template)]
#[template(path = "moderation/case.html", blocks = ["app"])]
struct CasePage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    case: Case,
    reports: Vec<Report>,
    /// Whether the author is a member of the space.
    is_member: bool,
    may_judge: bool,
}

impl CasePage {
    /// The path of the queue.
    fn queue(&self) -> String {
        queue_path(&self.case)
    }
}

fn queue_path(case: &Case) -> String {
    match case.space_id {
        Some(space) => format!("/spaces/{space}/queue"),
        None => "/queue".to_owned(),
    }
}

impl Moderation {
    /// A case, for somebody who reviews its queue and may read the room it is in.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    async fn case_for(&self, viewer: &Viewer, id: CaseId) -> Result<Case> {
        let case = case_store::case(&self.engine.db, id).await?;
        let reviews = self.check_reviewer(viewer.account, case.space_id).await;
        // Who does not review it must not learn that there is one.
        reviews.map_err(|error| match error {
            Error::Forbidden(_) => Error::NotFound,
            error => error,
        })?;
        match self.may_see(viewer.account, &case).await? {
            true => Ok(case),
            false => Err(Error::NotFound),
        }
    }

    /// Whether a reviewer may resolve a case: not of themselves, nor, in a space, of who stands as
    /// high.
    async fn may_resolve(&self, viewer: &Viewer, case: &Case) -> Result<bool> {
        let (by, author) = (viewer.account, case.author_id);
        match case.space_id {
            Some(space) => self.community.sanctions.may_judge(by, space, author).await,
            None => Ok(by != author),
        }
    }
}

/// `GET /cases/{case}`.
async fn page(
    State(moderation): State<Moderation>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<CaseId>,
    form: Form,
) -> Result<PageAnswer> {
    let case = moderation.case_for(&viewer, id).await?;
    let reports = case_store::reports(&moderation.engine.db, id).await?;
    let (community, here) = (&moderation.community, queue_path(&case));
    let is_member = match case.space_id {
        Some(space) => community
            .access
            .member(case.author_id, space)
            .await?
            .is_some(),
        None => false,
    };
    let shell = layout.shell(&viewer, case.space_id, &here).await?;
    app_page!(
        wants,
        CasePage {
            head: community.head(&viewer, viewer.lang.t("case-title")),
            shell,
            tabs: moderation
                .tabs(viewer.account, case.space_id, &here)
                .await?,
            form,
            may_judge: moderation.may_resolve(&viewer, &case).await?,
            case,
            reports,
            is_member,
        }
    )
}

#[derive(Deserialize)]
struct Resolve {
    case: CaseId,
    outcome: CaseOutcome,
    #[serde(default)]
    note: String,
}

/// Of two reviewers who resolve a case at once, one is told that it is done.
async fn resolve(moderation: Moderation, viewer: Viewer, input: Resolve) -> Result<Outcome> {
    let note = check_words(&input.note, "note", MAX_CASE_NOTE_CHARS)?;
    let case = moderation.case_for(&viewer, input.case).await?;
    let (own, by, next) = (moderation.clone(), viewer.account, queue_path(&case));
    let space = case.space_id;
    let write = async move |tx: &mut Tx| {
        let author = case.author_id;
        match space {
            Some(space) => {
                let sanctions = &own.community.sanctions;
                sanctions.check_may_judge(tx, (by, space, author)).await?;
            }
            None if by == author => return Err(Error::Forbidden("error-judge-self")),
            None => {}
        }
        if !case_store::resolve(tx, case.id, by, input.outcome, &note).await? {
            return Err(Error::Conflict("error-case-resolved"));
        }
        let act = Act {
            space,
            actor: Some(by),
            act: "report.resolved",
            subject: Some(author.0),
            name: "",
            before: Value::Null,
            after: json!({ "outcome": input.outcome.as_str(), "note": note }),
        };
        audit::record(tx, act).await?;
        let (bus, origin) = (&own.engine.bus, Origin::new(by, space));
        bus.publish_after_commit(tx, origin, QueueChanged { space });
        let accounts = case_store::reporters(tx, case.id).await?;
        let feeds = accounts.iter().map(|account| ACCOUNT_FEED.name(*account));
        let feeds: Vec<_> = feeds.collect();
        // Its actor is nobody: who reported is not told who reviewed it.
        let resolved = ReportsResolved { accounts };
        bus.publish_on(tx, &feeds, Origin::default(), resolved)
            .await
    };
    let access = &moderation.community.access;
    match space {
        Some(space) => {
            let scope = Scope::Space(space);
            access.permitted_write(by, &REVIEW, scope, write).await?;
        }
        None => {
            let scope = Scope::Server;
            access
                .permitted_write(by, &REVIEW_SERVER, scope, write)
                .await?;
        }
    }
    Ok(Outcome::new(Value::Null, next))
}
