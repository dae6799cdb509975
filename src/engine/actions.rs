//! Actions: what a browser or a program may do, each declared by a module, denied unless declared.
//!
//! One function serves every way in: a form posted to `/act/<name>` (with or without JavaScript), JSON posted there,
//! and an `act` message on a socket. It gets the person and the decoded fields, and says what happened in an [`Outcome`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::rates::Rate;
use crate::engine::viewer::Viewer;

/// What an action did.
pub struct Outcome {
    /// For programs.
    pub result: Value,
    /// Where a plain form goes next.
    pub location: String,
    fragment: Option<Box<dyn FnOnce() -> String + Send>>,
}

impl Outcome {
    /// Done; a plain form goes on to `location`.
    pub fn new(result: Value, location: impl Into<String>) -> Self {
        Self { result, location: location.into(), fragment: None }
    }

    /// What a page that asked for a fragment gets.
    pub fn fragment(mut self, render: impl FnOnce() -> String + Send + 'static) -> Self {
        self.fragment = Some(Box::new(render));
        self
    }

    /// The fragment, rendered now.
    pub fn into_fragment(self) -> Option<String> {
        self.fragment.map(|render| render())
    }
}

/// How often one account may do an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Changes that are kept: as the settings say.
    Write,
    /// Signs of life that nothing keeps, such as typing: five a second.
    Light,
}

type Run<I> = Arc<dyn Fn(Viewer, I) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;

/// One declared action.
#[derive(Clone)]
pub struct Action {
    /// `module.verb`, such as `chat.post`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    pace: Pace,
    form: Run<Vec<u8>>,
    json: Run<Value>,
}

impl Action {
    /// An action whose fields decode into `I`. The person is signed in; every further right is the function's to ask.
    pub fn new<I, F, R>(name: &'static str, about: &'static str, pace: Pace, run: F) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        F: Fn(Viewer, I) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<Outcome>> + Send + 'static,
    {
        let run_form = run.clone();
        Self {
            name,
            about,
            pace,
            form: Arc::new(move |viewer, body| match decode_form(&body) {
                Ok(input) => run_form(viewer, input).boxed(),
                Err(error) => async { Err(error) }.boxed(),
            }),
            json: Arc::new(move |viewer, value| match serde_json::from_value(value) {
                Ok(input) => run(viewer, input).boxed(),
                Err(error) => async move { Err(misshapen(&error)) }.boxed(),
            }),
        }
    }
}

/// Decodes a form; repeated names become lists.
///
/// # Errors
/// `Invalid` when fields are missing or of the wrong kind.
pub fn decode_form<I: DeserializeOwned>(body: &[u8]) -> Result<I> {
    serde_html_form::from_bytes(body).map_err(|error| misshapen(&error))
}

fn misshapen(error: &dyn std::error::Error) -> Error {
    tracing::debug!(%error, "fields that do not fit their action");
    Error::field("form", "error-message-shape")
}

/// Every declared action. Cheap to clone.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

struct Inner {
    by_name: BTreeMap<&'static str, Action>,
    writes: Rate<AccountId>,
    light: Rate<AccountId>,
}

impl Actions {
    /// These and no others; `writes` is how many kept changes one account may make in ten seconds.
    ///
    /// # Panics
    /// When two share a name: a mistake of the program, found at start.
    pub fn new(declared: impl IntoIterator<Item = Action>, writes: u32) -> Self {
        let mut by_name = BTreeMap::new();
        for action in declared {
            let name = action.name;
            assert!(by_name.insert(name, action).is_none(), "action {name} is declared twice");
        }
        let light = Rate::new(20, Duration::from_secs(4));
        Self(Arc::new(Inner { by_name, writes: Rate::new(writes, Duration::from_secs(10)), light }))
    }

    /// Does an action with the fields of a form.
    ///
    /// # Errors
    /// `NotFound` for an undeclared name, `TooMany`, `Invalid`, and what the action itself refuses with.
    pub async fn run_form(&self, viewer: &Viewer, name: &str, body: Vec<u8>) -> Result<Outcome> {
        let action = self.admit(viewer, name)?;
        (action.form)(viewer.clone(), body).await
    }

    /// Does an action with JSON fields; only what programs get of its outcome.
    ///
    /// # Errors
    /// As [`run_form`](Self::run_form).
    pub async fn run_json(&self, viewer: &Viewer, name: &str, fields: Value) -> Result<Value> {
        let action = self.admit(viewer, name)?;
        Ok((action.json)(viewer.clone(), fields).await?.result)
    }

    fn admit(&self, viewer: &Viewer, name: &str) -> Result<&Action> {
        let action = self.0.by_name.get(name).ok_or(Error::NotFound)?;
        match action.pace {
            Pace::Write => self.0.writes.check(&viewer.account)?,
            Pace::Light => self.0.light.check(&viewer.account)?,
        }
        metrics::counter!("tidepool_actions_total", "action" => action.name).increment(1);
        Ok(action)
    }

    /// All of them, by name.
    pub fn list(&self) -> impl Iterator<Item = &Action> {
        self.0.by_name.values()
    }

    /// Forgets counters that no longer matter. Called every minute.
    pub fn tidy(&self) {
        self.0.writes.tidy();
        self.0.light.tidy();
    }
}
