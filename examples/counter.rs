//! A complete module: a counter that everybody in a space shares, live in every window.
//! `docs/module.md` explains it.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use tidepool::base::error::{Error, Result};
use tidepool::base::ids::{AccountId, SpaceId};
use tidepool::base::settings::{Flags, Settings};
use tidepool::community::shell::Shell;
use tidepool::community::{Community, Permission, Place};
use tidepool::engine::actions::{Action, Class, Outcome};
use tidepool::engine::bus::{Origin, Subscriber};
use tidepool::engine::live::{Content, FeedSpec};
use tidepool::engine::module::{Access, Module};
use tidepool::engine::viewer::Viewer;
use tidepool::engine::web::{Head, PageAnswer};
use tidepool::event;

event! {
    /// Someone counted.
    pub struct ValueChanged on "counter.value.changed" by space {
        /// The space whose counter it is.
        space: SpaceId = SpaceId(3),
        /// What it shows now.
        value: i64 = 42,
    }
}

const TABLE: &str = "CREATE TABLE counters (space_id BIGINT PRIMARY KEY REFERENCES spaces (id) ON DELETE CASCADE, value BIGINT NOT NULL)";

/// The page is an ordinary page: it reads and counts without JavaScript, too.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "community/shell.html" %}{% block main %}<h1>Counter</h1>
<p data-feeds="{{ feed }}"><output id="counter-{{ space }}">{{ value }}</output></p>
<form method="post" action="/act/counter.add"><input type="hidden" name="space" value="{{ space }}"><button class="btn">+1</button></form>{% endblock %}"#
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

#[derive(Deserialize)]
struct Add {
    space: SpaceId,
}

impl Counter {
    /// All that the feature adds to the server. What is not declared here does not exist.
    fn module(self) -> Module {
        let (feed, act) = (self.clone(), self.clone());
        let live = self.community.engine().live.clone();
        Module::new("counter")
            .migration("0001_counters", TABLE)
            .publishes::<ValueChanged>()
            .feed(FeedSpec::new("counter/{space}", "The value of a space's counter", move |viewer, ids| {
                let counter = feed.clone();
                async move { Ok(counter.may_read(viewer.account, SpaceId(ids[0])).await.is_ok()) }
            }))
            .page(Access::SignedIn, "/spaces/{space}/counter", get(page).with_state(self))
            .action(Action::new("counter.add", "Counts one", Class::Write, move |viewer, input| act.clone().add(viewer, input)))
            .subscriber(
                Subscriber::new("counter.presenter", move |event| {
                    if let Some(ValueChanged { space, value }) = event.get() {
                        // One event, two forms: an element for pages, the event itself for
                        // programs.
                        let html = format!("<hx-partial hx-target=\"#counter-{space}\" hx-swap=\"innerHTML\">{value}</hx-partial>");
                        live.publish(&format!("counter/{space}"), Content::new(event.topic.name, event.json()).html(move |_| html.clone()));
                    }
                    async { Ok(()) }
                })
                .on::<ValueChanged>(),
            )
    }

    async fn may_read(&self, account: AccountId, space: SpaceId) -> Result<()> {
        self.community
            .permit(account, Permission::Read, Place::Space(space))
            .await
    }

    /// Serves the form, JSON over HTTP and the socket alike.
    async fn add(self, viewer: Viewer, input: Add) -> Result<Outcome> {
        let Add { space } = input;
        self.may_read(viewer.account, space).await?;
        let bus = self.community.engine().bus.clone();
        const ADD: &str = "INSERT INTO counters (space_id, value) VALUES ($1, 1) ON CONFLICT (space_id) DO UPDATE SET value = counters.value + 1 RETURNING value";
        let value: i64 = self
            .community
            .engine()
            .db
            .write(async move |tx| {
                let value = tx.scalar(ADD, (space,)).await?;
                // After the commit, in its order: nobody hears of what could still be lost.
                tx.after_commit(move || {
                    bus.publish(
                        Origin::new(viewer.account, Some(space)),
                        ValueChanged { space, value },
                    )
                });
                Ok(value)
            })
            .await?;
        Ok(Outcome::new(
            json!({ "value": value }),
            format!("/spaces/{space}/counter"),
        ))
    }
}

async fn page(
    State(counter): State<Counter>,
    viewer: Viewer,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    // What the page is made from, named before it is read: rights, and the space, by which
    // `ValueChanged` is ordered.
    let deps = counter.community.dependencies(viewer.account);
    deps.add("space", space.0);
    counter.may_read(viewer.account, space).await?;
    let engine = counter.community.engine();
    // The cursor before the value: following from it brings every change that the page does not
    // show yet.
    let feed = format!(
        "counter/{space}@{}",
        engine.live.cursor(&format!("counter/{space}"))
    );
    let value: Option<i64> = engine
        .db
        .optional_scalar("SELECT value FROM counters WHERE space_id = $1", (space,))
        .await?;
    let shell = counter
        .community
        .shell_from(
            &deps,
            &viewer,
            Some(space),
            &format!("/spaces/{space}/counter"),
        )
        .await?;
    let page = CounterPage {
        head: counter.community.head(&viewer, "Counter"),
        shell,
        space,
        feed,
        value: value.unwrap_or(0),
    };
    // The panes beside it are parts: made once, and put in here. Until a source changes the answer
    // is given again as it is.
    Ok(PageAnswer::of(&page, &page.shell.parts)?.depends_on(&deps, viewer.account))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::load(&Flags::default())?;
    let ready = |address| println!("Tidepool is at http://{address}");
    tidepool::app::serve_with(
        settings,
        |community| {
            vec![
                Counter {
                    community: community.clone(),
                }
                .module(),
            ]
        },
        ready,
    )
    .await
}
