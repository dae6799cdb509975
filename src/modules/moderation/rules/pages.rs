//! The pages of rules: the list, the form of one, and a dry run.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::super::{Moderation, RULES};
use super::dry_run::DryRun;
use super::form::RuleForm;
use super::model::{KINDS, Rule};
use super::store;
use super::views::{RulePage, RulesPage};
use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::community::permissions::{KICK, is_granted};
use crate::community::{Layout, RoleId, Scope, raid_mode};
use crate::engine::actions::decode_form;
use crate::engine::forms::Form;
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

type Here = State<Moderation>;

/// `GET /spaces/{space}/rules`.
pub(super) async fn rules(
    State(moderation): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let (community, by) = (&moderation.community, viewer.account);
    let scope = Scope::Space(space);
    community.access.permit(by, &RULES, scope).await?;
    let here = format!("/spaces/{space}/rules");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = community.access.held(by, scope).await?;
    app_page!(
        wants,
        RulesPage {
            head: community.head(&viewer, viewer.lang.t("rules-title")),
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            rules: store::rules_of(&moderation.engine.db, space).await?,
            raid: raid_mode::limits(&moderation.engine, space).await?,
            raid_until: shell.raid_until,
            may_raid: is_granted(community.access.permit(by, &KICK, scope).await)?,
            shell,
        }
    )
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RuleQuery {
    /// Of a new rule: one of [`KINDS`].
    kind: String,
}

/// `GET /spaces/{space}/rules/{rule}`, also for `new`.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
pub(super) async fn rule(
    State(moderation): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((space, rule)): Path<(SpaceId, String)>,
    Query(query): Query<RuleQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let scope = Scope::Space(space);
    let access = &moderation.community.access;
    access.permit(viewer.account, &RULES, scope).await?;
    let found = match rule.as_str() {
        "new" => None,
        id => Some(moderation.find_rule(space, id).await?),
    };
    let kind = match &found {
        Some(rule) => rule.condition.kind().to_owned(),
        None => query.kind,
    };
    if !KINDS.contains(&kind.as_str()) {
        return Err(Error::NotFound);
    }
    let page = moderation.rule_page(&layout, &viewer, space, kind, found, form, None);
    app_page!(wants, page.await?)
}

/// `POST /spaces/{space}/dry-run`: the form of a rule again, with what the rule would have done.
pub(super) async fn dry_run(
    State(moderation): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    body: Bytes,
) -> Result<PageAnswer> {
    let scope = Scope::Space(space);
    let access = &moderation.community.access;
    access.permit(viewer.account, &RULES, scope).await?;
    let sent: RuleForm = decode_form(&body)?;
    let found = match sent.rule.as_str() {
        "" => None,
        id => Some(moderation.find_rule(space, id).await?),
    };
    let (tried, error) = match moderation.checked(viewer.account, space, &sent).await {
        Ok(rule) => {
            let run = moderation.dry_run(viewer.account, space, rule).await?;
            (Some(run), Error::Invalid(Vec::new()))
        }
        Err(error @ Error::Invalid(_)) => (None, error),
        Err(error) => return Err(error),
    };
    let form = Form::refused("moderation.save-rule", &body, &error, viewer.lang);
    let kind = match KINDS.contains(&sent.kind.as_str()) {
        true => sent.kind,
        false => return Err(Error::field("kind", "error-message-shape")),
    };
    let page = moderation.rule_page(&layout, &viewer, space, kind, found, form, tried);
    app_page!(wants, page.await?)
}

impl Moderation {
    async fn find_rule(&self, space: SpaceId, id: &str) -> Result<Rule> {
        let id = id.parse().map_err(|_| Error::NotFound)?;
        let rules = store::rules_of(&self.engine.db, space).await?;
        let found = rules.into_iter().find(|rule| rule.id == id);
        found.ok_or(Error::NotFound)
    }

    #[allow(clippy::too_many_arguments, reason = "what a page is made of")]
    async fn rule_page(
        &self,
        layout: &Layout,
        viewer: &Viewer,
        space: SpaceId,
        kind: String,
        rule: Option<Rule>,
        form: Form,
        tried: Option<DryRun>,
    ) -> Result<RulePage> {
        let (community, by) = (&self.community, viewer.account);
        let here = format!("/spaces/{space}/rules");
        let shell = layout.shell(viewer, Some(space), &here).await?;
        let held = community.access.held(by, Scope::Space(space)).await?;
        let roles = community.roles.list(by, space).await?.into_iter();
        let is_exempt = |id: &RoleId| {
            rule.as_ref()
                .is_some_and(|rule| rule.exempt_roles.contains(id))
        };
        let deps = community.dependencies(by);
        let rooms = community.rooms.open_in(&deps, by, space).await?;
        let is_named = |id: &RoomId| rule.as_ref().is_some_and(|rule| rule.rooms.contains(id));
        let title = match &rule {
            Some(rule) => rule.title(&viewer.lang),
            None => viewer.lang.t(&format!("rule-kind-{kind}")).to_owned(),
        };
        Ok(RulePage {
            head: community.head(viewer, title),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            current: RuleForm::of(&kind, rule.as_ref(), viewer.lang),
            roles: roles
                .map(|role| (is_exempt(&role.id), role))
                .map(|(is, role)| (role, is))
                .collect(),
            rooms: rooms
                .iter()
                .map(|room| (room.clone(), is_named(&room.id)))
                .collect(),
            rule,
            tried,
        })
    }
}
