//! A Tidepool server with an additional module: a to-do list for each space.
//! `docs/module.md` of Tidepool explains it.

mod actions;
mod model;
mod pages;
mod presenter;
mod store;
mod topics;
mod views;

use std::process::ExitCode;

use axum::routing::get;
use tidepool::base::db::Tx;
use tidepool::base::error::Result;
use tidepool::base::ids::SpaceId;
use tidepool::community::permissions::{self, HeldBy, Permission, ScopeKind, is_granted};
use tidepool::community::{Community, Scope};
use tidepool::engine::actions::Class;
use tidepool::engine::bus::Subscriber;
use tidepool::engine::feed::Feed;
use tidepool::engine::module::{Audience, Module};
use tidepool::engine::viewer::Viewer;

/// To change a space's list.
static EDIT: Permission = Permission {
    name: "todo.edit",
    scope: ScopeKind::Space,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Add, mark, move and remove items of a space's to-do list",
};

/// The changes of a space's list.
const FEED: Feed<SpaceId> = Feed::new("todo/{space}", "The to-do list of a space");

/// The module's state: a handle that is cheap to clone.
#[derive(Clone)]
struct Todo {
    community: Community,
}

impl Todo {
    fn new(community: &Community) -> Self {
        Self {
            community: community.clone(),
        }
    }

    /// Changes a space's list in a transaction, for a viewer who may.
    async fn write<T, F>(&self, viewer: &Viewer, space: SpaceId, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (access, scope) = (&self.community.access, Scope::Space(space));
        access
            .permitted_write(viewer.account, &EDIT, scope, work)
            .await
    }
}

/// What the module declares to the server.
fn module() -> Module<Todo> {
    Module::new("todo")
        .migration("0001_items", store::ITEMS_TABLE)
        .locale("en", include_str!("../locales/en.ftl"))
        .embedded_stylesheet("todo.css", include_str!("../assets/todo.css"))
        .permission(&EDIT)
        .publishes::<topics::ItemAdded>()
        .publishes::<topics::ItemMarked>()
        .publishes::<topics::ListReordered>()
        .publishes::<topics::ListCleared>()
        .feed(FEED, may_follow)
        .page(Audience::SignedIn, "/spaces/{space}/todo", get(pages::list))
        .nav(pages::nav)
        .action("todo.add", "Adds an item", Class::Write, actions::add::add)
        .action(
            "todo.set-done",
            "Marks an item as done or not",
            Class::Write,
            actions::set_done::set_done,
        )
        .action(
            "todo.reorder",
            "Moves an item up or down",
            Class::Write,
            actions::reorder::reorder,
        )
        .action(
            "todo.clear",
            "Removes what is done",
            Class::Write,
            actions::clear::clear,
        )
        .subscriber(
            Subscriber::new("todo.presenter")
                .on(presenter::item_added)
                .on(presenter::item_marked)
                .on(presenter::list_reordered)
                .on(presenter::list_cleared)
                .when_lagged(presenter::refresh),
        )
}

async fn may_follow(todo: Todo, viewer: Viewer, space: SpaceId) -> Result<bool> {
    let scope = Scope::Space(space);
    let access = &todo.community.access;
    let asked = access.permit(viewer.account, &permissions::READ, scope);
    is_granted(asked.await)
}

fn main() -> ExitCode {
    tidepool::cli::main(|modules| modules.add(module(), Todo::new))
}
