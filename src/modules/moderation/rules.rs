//! Rules that act by themselves: words, links, floods and newcomers. What a text is judged by is in
//! `judge.rs`, where rules are stored in `store.rs`.

mod actions;
mod author;
mod dry_run;
mod fold;
mod form;
mod judge;
mod link_policy;
mod mask;
mod model;
mod pages;
mod presets;
mod screener;
mod store;
mod views;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::routing::{get, post};

use super::topics::{RuleSet, RulesChanged};
use super::{Moderation, RULES};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::community::{Community, StoreCache};
use crate::engine::Engine;
use crate::engine::actions::Class;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::rate_limit::Rate;
use crate::engine::versions::Dependencies;
use judge::CompiledRules;
use screener::RuleScreener;

/// Dry runs of one account in a minute: each judges thousands of messages.
const MAX_DRY_RUNS_PER_MINUTE: u32 = 10;

/// The rules of spaces, compiled and cached. Cheap to clone.
#[derive(Clone)]
pub(super) struct Rules {
    engine: Engine,
    compiled: StoreCache<SpaceId, Arc<CompiledRules>>,
    dry_runs: Arc<Rate<AccountId>>,
}

impl Rules {
    pub(super) fn new(community: &Community) -> Self {
        let engine = community.engine().clone();
        let minute = Duration::from_secs(60);
        Self {
            compiled: StoreCache::of_lists(&engine, |rules: &Arc<CompiledRules>| rules.weight()),
            dry_runs: Arc::new(Rate::new(MAX_DRY_RUNS_PER_MINUTE, minute)),
            engine,
        }
    }

    /// The rules of a space that are switched on, ready to judge.
    async fn compiled(&self, space: SpaceId) -> Result<Arc<CompiledRules>> {
        let load = async |deps: &Dependencies| {
            deps.add(RuleSet(space.0));
            let mut rules = store::rules_of(&self.engine.db, space).await?;
            rules.retain(|rule| rule.enabled);
            let hosts = self.engine.hosts.clone();
            let compile = move || CompiledRules::new(rules, hosts);
            let compiled = tokio::task::spawn_blocking(compile).await;
            Ok(Arc::new(
                compiled.map_err(|error| Error::Internal(error.into()))?,
            ))
        };
        self.compiled.get_or_load(space, load).await
    }
}

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .publishes::<RulesChanged>()
        .screener(RuleScreener::new)
        .task(screener::forget_counts)
        .space_tab(SpaceTab {
            path: "/spaces/{space}/rules",
            label: "rules-title",
            permission: Some(&RULES),
        })
        .page(
            Audience::SignedIn,
            "/spaces/{space}/rules",
            get(pages::rules),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/rules/{rule}",
            get(pages::rule),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/dry-run",
            post(pages::dry_run),
        )
        .action(
            "moderation.save-rule",
            "Adds a rule to a space, or changes one",
            Class::Write,
            actions::save_rule,
        )
        .action(
            "moderation.switch-rule",
            "Switches a rule on or off",
            Class::Write,
            actions::switch_rule,
        )
        .action(
            "moderation.delete-rule",
            "Deletes a rule",
            Class::Write,
            actions::delete_rule,
        )
        .action(
            "moderation.set-raid-limits",
            "Sets how many joins begin raid mode",
            Class::Write,
            actions::set_raid_limits,
        )
}
