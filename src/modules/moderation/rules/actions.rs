//! The actions on rules. Each is one transaction, with an entry in the audit log.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::topics::RulesChanged;
use super::super::{Moderation, RULES};
use super::form::RuleForm;
use super::model::{Condition, MAX_RULES, MAX_SPACE_PATTERNS, Rule, RuleId};
use super::store;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::raid_mode::{self, RaidLimits};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// Letters of a list that the audit log keeps.
const MAX_AUDITED_CHARS: usize = 500;

impl Moderation {
    /// The rooms of a space that somebody sees.
    pub(super) async fn seen_rooms(&self, by: AccountId, space: SpaceId) -> Result<Vec<RoomId>> {
        let deps = self.community.dependencies(by);
        let rooms = self.community.rooms.open_in(&deps, by, space).await?;
        Ok(rooms.iter().map(|room| room.id).collect())
    }

    /// The rule of a form, whose rooms are of the space and seen by who sends it, and whose roles
    /// are of the space.
    pub(super) async fn checked(
        &self,
        by: AccountId,
        space: SpaceId,
        form: &RuleForm,
    ) -> Result<Rule> {
        let rule = form.check()?;
        let (seen, roles) = (
            self.seen_rooms(by, space).await?,
            self.community.roles.list(by, space).await?,
        );
        let mut named = rule.exempt_roles.iter();
        let are_roles = named.all(|id| roles.iter().any(|role| role.id == *id));
        let are_rooms = rule.rooms.iter().all(|room| seen.contains(room));
        match are_roles && are_rooms {
            true => Ok(rule),
            false => Err(Error::field("rooms", "error-message-shape")),
        }
    }

    async fn write_rules<T, F>(&self, by: AccountId, space: SpaceId, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let bus = self.engine.bus.clone();
        let write = async move |tx: &mut Tx| {
            let done = work(tx).await?;
            let origin = Origin::new(by, Some(space));
            bus.publish_after_commit(tx, origin, RulesChanged { space });
            Ok(done)
        };
        let access = &self.community.access;
        let scope = Scope::Space(space);
        access.permitted_write(by, &RULES, scope, write).await
    }
}

/// What the audit log says of a rule. Rooms are only counted: not everybody sees them.
fn audited(rule: &Rule) -> Value {
    let short = |list: &[String]| -> String {
        let list = list.join(", ");
        list.chars().take(MAX_AUDITED_CHARS).collect()
    };
    let looks_for = match &rule.condition {
        Condition::Words { words, patterns } => {
            json!({ "words": short(words), "patterns": short(patterns) })
        }
        Condition::Links { policy, domains } => {
            json!({ "links": policy.as_str(), "domains": short(domains) })
        }
        condition => json!({ "looks_for": condition }),
    };
    let mut words = json!({
        "name": rule.name,
        "action": rule.action.as_str(),
        "time_out": rule.time_out,
        "exempt_roles": rule.exempt_roles.len(),
        "rooms": rule.rooms.len(),
    });
    if let (Some(words), Value::Object(looks_for)) = (words.as_object_mut(), looks_for) {
        words.extend(looks_for);
    }
    words
}

/// Records that a rule was switched on or off.
async fn record_switch(tx: &mut Tx, by: AccountId, space: SpaceId, rule: &Rule) -> Result<()> {
    let act = match rule.enabled {
        true => "rule.switched-on",
        false => "rule.switched-off",
    };
    let act = Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: subject(rule),
        name: &rule.name,
        before: Value::Null,
        after: Value::Null,
    };
    audit::record(tx, act).await
}

/// What an entry is about. A rule without a name would be taken for an account.
fn subject(rule: &Rule) -> Option<i64> {
    (!rule.name.is_empty()).then_some(rule.id.0)
}

async fn record(
    tx: &mut Tx,
    (by, space): (AccountId, SpaceId),
    act: &'static str,
    before: Option<&Rule>,
    after: Option<&Rule>,
) -> Result<()> {
    let rule = after.or(before);
    let value = |rule: Option<&Rule>| rule.map_or(Value::Null, audited);
    let act = Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: rule.and_then(subject),
        name: rule.map_or("", |rule| &rule.name),
        before: value(before),
        after: value(after),
    };
    audit::record(tx, act).await
}

/// Checks the bounds of a space's rules with this one among them.
fn check_bounds(others: &[Rule], rule: &Rule) -> Result<()> {
    if others.len() >= MAX_RULES {
        return Err(Error::Conflict("error-rules-full"));
    }
    let patterns = others.iter().chain([rule]);
    let patterns: usize = patterns.map(|rule| rule.condition.patterns()).sum();
    match patterns <= MAX_SPACE_PATTERNS {
        true => Ok(()),
        false => Err(Error::field("patterns", "error-rules-patterns")),
    }
}

/// Adds a rule, or changes the one that the form names. Rooms of it that who changes it does not
/// see stay.
pub(super) async fn save_rule(
    moderation: Moderation,
    viewer: Viewer,
    form: RuleForm,
) -> Result<Outcome> {
    let space = form.space.ok_or(Error::NotFound)?;
    let by = viewer.account;
    let access = &moderation.community.access;
    access.permit(by, &RULES, Scope::Space(space)).await?;
    let mut rule = moderation.checked(by, space, &form).await?;
    let changed: Option<RuleId> = match form.rule.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::NotFound)?),
    };
    let seen = moderation.seen_rooms(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let mut rules = store::own_rules(tx, space).await?;
        let Some(id) = changed else {
            rule.id = RuleId::new();
            check_bounds(&rules, &rule)?;
            store::insert(tx, space, &rule, None).await?;
            record(tx, (by, space), "rule.created", None, Some(&rule)).await?;
            return Ok(rule.id);
        };
        rule.id = store::find_id(tx, space, id).await?;
        let at = rules.iter().position(|one| one.id == rule.id);
        let before = rules.remove(at.ok_or(Error::NotFound)?);
        if before.condition.kind() != rule.condition.kind() {
            return Err(Error::field("kind", "error-message-shape"));
        }
        let unseen = before.rooms.iter().filter(|room| !seen.contains(room));
        rule.rooms.extend(unseen);
        check_bounds(&rules, &rule)?;
        store::update(tx, space, &rule).await?;
        record(tx, (by, space), "rule.changed", Some(&before), Some(&rule)).await?;
        if before.enabled != rule.enabled {
            record_switch(tx, by, space, &rule).await?;
        }
        Ok(rule.id)
    };
    let rule = moderation.write_rules(by, space, work).await?;
    Ok(Outcome::new(
        json!({ "rule": rule }),
        format!("/spaces/{space}/rules"),
    ))
}

#[derive(Deserialize)]
pub(super) struct RuleInput {
    space: SpaceId,
    rule: RuleId,
    /// `yes` or `no`.
    #[serde(default)]
    on: String,
}

async fn existing(tx: &mut Tx, space: SpaceId, rule: RuleId) -> Result<Rule> {
    let rules = store::own_rules(tx, space).await?;
    let id = store::find_id(tx, space, rule).await?;
    let found = rules.into_iter().find(|one| one.id == id);
    found.ok_or(Error::NotFound)
}

pub(super) async fn switch_rule(
    moderation: Moderation,
    viewer: Viewer,
    input: RuleInput,
) -> Result<Outcome> {
    let (by, space, on) = (viewer.account, input.space, input.on == "yes");
    let work = async move |tx: &mut Tx| {
        let before = existing(tx, space, input.rule).await?;
        if before.enabled == on {
            return Ok(());
        }
        let mut rule = before.clone();
        rule.enabled = on;
        store::update(tx, space, &rule).await?;
        record_switch(tx, by, space, &rule).await
    };
    moderation.write_rules(by, space, work).await?;
    Ok(Outcome::new(
        json!({ "on": on }),
        format!("/spaces/{space}/rules"),
    ))
}

pub(super) async fn delete_rule(
    moderation: Moderation,
    viewer: Viewer,
    input: RuleInput,
) -> Result<Outcome> {
    let (by, space) = (viewer.account, input.space);
    let work = async move |tx: &mut Tx| {
        let before = existing(tx, space, input.rule).await?;
        store::delete(tx, space, before.id).await?;
        record(tx, (by, space), "rule.deleted", Some(&before), None).await
    };
    moderation.write_rules(by, space, work).await?;
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/rules")))
}

#[derive(Deserialize)]
pub(super) struct RaidLimitsInput {
    space: SpaceId,
    /// Empty: raid mode never begins by itself.
    #[serde(default)]
    joins: String,
    #[serde(default)]
    minutes: String,
    #[serde(default)]
    length: String,
}

pub(super) async fn set_raid_limits(
    moderation: Moderation,
    viewer: Viewer,
    input: RaidLimitsInput,
) -> Result<Outcome> {
    let (by, space) = (viewer.account, input.space);
    let number = |text: &str, field| match text.trim() {
        "" => Ok(0),
        text => text
            .parse::<i64>()
            .map_err(|_| Error::field(field, "error-number")),
    };
    let limits = RaidLimits {
        joins: number(&input.joins, "joins")?,
        minutes: number(&input.minutes, "minutes")?,
        length: number(&input.length, "length")?,
    };
    let write = async move |tx: &mut Tx| raid_mode::set_limits(tx, by, space, limits).await;
    let access = &moderation.community.access;
    let scope = Scope::Space(space);
    access.permitted_write(by, &RULES, scope, write).await?;
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/rules")))
}
