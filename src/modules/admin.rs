//! The host's pages: jobs, and dead letters (events whose handler failed for good).

mod actions;
mod pages;
mod views;

use axum::routing::get;

use crate::base::error::Result;
use crate::community::permissions::{HeldBy, Permission, ScopeKind, is_granted};
use crate::community::{Community, Scope};
use crate::engine::Engine;
use crate::engine::actions::Class;
use crate::engine::jobs;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;

/// To see and retry jobs and dead letters.
pub static OPERATE: Permission = Permission {
    name: "admin.operate",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "See and retry jobs and failed events",
};

/// The admin module. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    community: Community,
}

impl Admin {
    /// Creates the module's state.
    pub fn new(community: &Community) -> Self {
        Self {
            community: community.clone(),
        }
    }

    /// The engine, for the host.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    async fn engine_for(&self, viewer: &Viewer) -> Result<&Engine> {
        self.community
            .access
            .permit(viewer.account, &OPERATE, Scope::Server)
            .await?;
        Ok(self.community.engine())
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Admin> {
    Module::new("admin")
        .permission(&OPERATE)
        .feed(jobs::FEED, may_follow_jobs)
        .page(Audience::SignedIn, "/jobs", get(pages::jobs))
        .page(
            Audience::SignedIn,
            "/dead-letters",
            get(pages::dead_letters),
        )
        .action(
            "admin.retry-job",
            "Has a job that failed for good tried again",
            Class::Write,
            actions::retry_job,
        )
        .action(
            "admin.cancel-job",
            "Ends a job, or deletes one that waits or failed",
            Class::Write,
            actions::cancel_job,
        )
        .action(
            "admin.pause-jobs",
            "Lets no jobs of a kind begin, or lets them begin again",
            Class::Write,
            actions::pause_jobs,
        )
        .action(
            "admin.replay-letter",
            "Gives a dead letter to its handler again",
            Class::Write,
            actions::replay_letter,
        )
        .action(
            "admin.discard-letter",
            "Deletes a dead letter",
            Class::Write,
            actions::discard_letter,
        )
}

async fn may_follow_jobs(admin: Admin, viewer: Viewer, (): ()) -> Result<bool> {
    let may = admin
        .community
        .access
        .permit(viewer.account, &OPERATE, Scope::Server);
    is_granted(may.await)
}
