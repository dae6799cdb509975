//! A complete module: a counter that everybody in a space shares, live in every window.
//! `docs/module.md` explains the parts.

use std::process::ExitCode;

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use tidepool::base::db::Tx;
use tidepool::base::error::Result;
use tidepool::base::ids::{AccountId, SpaceId};
use tidepool::community::permissions::{self, is_granted};
use tidepool::community::{Community, Layout, Scope, Shell};
use tidepool::engine::actions::{Class, Outcome};
use tidepool::engine::bus::{Envelope, Origin, Subscriber};
use tidepool::engine::feed::Feed;
use tidepool::engine::live::Content;
use tidepool::engine::module::{Audience, Module};
use tidepool::engine::partial::Partial;
use tidepool::engine::viewer::Viewer;
use tidepool::engine::web::{Head, PageAnswer};
use tidepool::event;

event! {
    /// A space's counter has a new value.
    pub struct ValueChanged on "counter.value.changed" by space {
        /// The space whose counter it is.
        space: SpaceId = SpaceId(3),
        /// The new value.
        value: i64 = 42,
    }
}

const TABLE: &str = "CREATE TABLE counters (
    space_id BIGINT PRIMARY KEY REFERENCES spaces (id) ON DELETE CASCADE,
    value    BIGINT NOT NULL
)";

/// Texts in Fluent syntax: each key begins with the module's name.
const WORDS: &str = "counter-title = Counter";

/// An ordinary page, which also works without JavaScript.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "community/shell.html" %}{% block main %}<h1>{{ head.title }}</h1>
<p data-feeds="{{ feed }}"><output id="counter-{{ space }}">{{ value }}</output></p>
<form method="post" action="/act/counter.add">
<input type="hidden" name="space" value="{{ space }}"><button class="btn">+1</button>
</form>{% endblock %}"#
)]
struct CounterPage {
    head: Head,
    shell: Shell,
    space: SpaceId,
    feed: String,
    value: i64,
}

#[derive(Clone)]
struct Counter {
    community: Community,
}

impl Counter {
    fn new(community: &Community) -> Self {
        Self {
            community: community.clone(),
        }
    }
}

/// The value of a space's counter.
const FEED: Feed<SpaceId> = Feed::new("counter/{space}", "The value of a space's counter");

/// What the module declares to the server. What is not declared does not exist.
fn module() -> Module<Counter> {
    Module::new("counter")
        .migration("0001_counters", TABLE)
        .locale("en", WORDS)
        .publishes::<ValueChanged>()
        .feed(FEED, may_follow)
        .page(Audience::SignedIn, "/spaces/{space}/counter", get(page))
        .action("counter.add", "Counts one", Class::Write, add)
        .subscriber(Subscriber::new("counter.presenter").on(value_changed))
}

async fn may_follow(counter: Counter, viewer: Viewer, space: SpaceId) -> Result<bool> {
    is_granted(counter.may_read(viewer.account, space).await)
}

/// Publishes the event in two forms: HTML for pages, JSON for programs.
async fn value_changed(counter: &Counter, event: &ValueChanged, envelope: &Envelope) -> Result<()> {
    let target = format!("#counter-{}", event.space);
    let html = Partial::inner(target, &event.value.to_string()).to_string();
    let content = Content::of(event).html(move |_| html.clone());
    let live = &counter.community.engine().live;
    live.publish_at(&FEED.name(event.space), envelope, content);
    Ok(())
}

#[derive(Deserialize)]
struct AddInput {
    space: SpaceId,
}

/// Serves forms, JSON over HTTP and sockets.
async fn add(counter: Counter, viewer: Viewer, AddInput { space }: AddInput) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO counters (space_id, value) VALUES ($1, 1) \
        ON CONFLICT (space_id) DO UPDATE SET value = counters.value + 1 RETURNING value";
    let bus = counter.community.engine().bus.clone();
    let write = async move |tx: &mut Tx| {
        let value: i64 = tx.scalar(ADD, (space,)).await?;
        // After the commit, in commit order: a rolled-back write publishes nothing.
        let (feed, changed) = (FEED.name(space), ValueChanged { space, value });
        let origin = Origin::new(viewer.account, Some(space));
        bus.publish_on(tx, &[feed], origin, changed).await?;
        Ok(value)
    };
    let (access, scope) = (&counter.community.access, Scope::Space(space));
    let value = access
        .permitted_write(viewer.account, &permissions::READ, scope, write)
        .await?;
    let next = format!("/spaces/{space}/counter");
    Ok(Outcome::new(json!({ "value": value }), next))
}

impl Counter {
    async fn may_read(&self, account: AccountId, space: SpaceId) -> Result<()> {
        self.community
            .access
            .permit(account, &permissions::READ, Scope::Space(space))
            .await
    }
}

async fn page(
    State(counter): State<Counter>,
    layout: Layout,
    viewer: Viewer,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    // Dependencies are added before anything is read: the account, for its permissions, and the
    // space, whose version `ValueChanged` bumps.
    let deps = counter.community.dependencies(viewer.account);
    deps.add(space);
    counter.may_read(viewer.account, space).await?;
    let engine = counter.community.engine();
    // The cursor is taken before the value is read: frames after it hold every change that the
    // page misses.
    let feed = FEED.position(space, &engine.live).await?;
    const VALUE: &str = "SELECT value FROM counters WHERE space_id = $1";
    let value: Option<i64> = engine.db.optional_scalar(VALUE, (space,)).await?;
    let here = format!("/spaces/{space}/counter");
    let shell = layout.shell_from(&deps, &viewer, Some(space), &here);
    let page = CounterPage {
        head: counter
            .community
            .head(&viewer, viewer.lang.t("counter-title")),
        shell: shell.await?,
        space,
        feed,
        value: value.unwrap_or(0),
    };
    // The panes are cached parts and are inserted as they are. The whole response is cached until
    // a dependency changes.
    Ok(PageAnswer::of(&page, &page.shell.parts)?.depends_on(&deps, viewer.account))
}

fn main() -> ExitCode {
    tidepool::cli::main(|modules| modules.add(module(), Counter::new))
}
