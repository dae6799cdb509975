//! Actions: what a browser or a program may do, each declared by a module, denied unless declared.
//!
//! One function serves every way in: a form posted to `/act/<name>` (with or without JavaScript),
//! JSON posted there, and an `act` message on a socket. It gets the person and the decoded fields,
//! and says what happened in an [`Outcome`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::AccountId;
use crate::base::telemetry::refused;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Viewer;

/// What an action did.
pub struct Outcome {
    /// For programs.
    pub result: Value,
    /// Where a plain form goes next.
    pub location: String,
    fragment: Option<BoxFuture<'static, Result<String>>>,
}

impl Outcome {
    /// Done; a plain form goes on to `location`.
    pub fn new(result: Value, location: impl Into<String>) -> Self {
        Self {
            result,
            location: location.into(),
            fragment: None,
        }
    }

    /// What a page that asked for a fragment gets. Rendered for nobody else.
    pub fn fragment(
        mut self,
        render: impl Future<Output = Result<String>> + Send + 'static,
    ) -> Self {
        self.fragment = Some(render.boxed());
        self
    }

    /// The fragment, rendered now; nothing when there is none.
    ///
    /// # Errors
    /// What rendering fails with.
    pub async fn into_fragment(self) -> Result<Option<String>> {
        match self.fragment {
            Some(render) => render.await.map(Some),
            None => Ok(None),
        }
    }
}

/// How often one account may do an action, over all its devices and every way in. Actions of one
/// class share an allowance; `n` is the setting `writes_per_10_seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What people say: `n` in ten seconds.
    Post,
    /// Every other change that is kept, such as an edit: `n` in ten seconds.
    Write,
    /// What makes something for many, such as a room or an invitation: `n` in a minute.
    Create,
    /// Signs of life that pages send by themselves, such as typing or having read: `2 n` in ten
    /// seconds.
    Ephemeral,
    /// Reading for programs: `2 n` in ten seconds.
    Read,
}

type Run<I> = Arc<dyn Fn(Viewer, I) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;

/// One declared action.
#[derive(Clone)]
pub struct Action {
    /// `module.verb`, such as `chat.post`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    class: Class,
    files: Option<&'static str>,
    form: Run<Vec<u8>>,
    json: Run<Value>,
}

impl Action {
    /// An action whose fields decode into `I`. The person is signed in; every further right is the
    /// function's to ask. Forms may hold files of the kind `files`: they are stored first, and the
    /// action gets their ids in their place.
    pub(super) fn new<I, F, R>(
        name: &'static str,
        about: &'static str,
        class: Class,
        files: Option<&'static str>,
        run: F,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        F: Fn(Viewer, I) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<Outcome>> + Send + 'static,
    {
        let run_form = run.clone();
        Self {
            name,
            about,
            class,
            files,
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

    /// The kind of files its forms may hold.
    pub(super) fn files(&self) -> Option<&'static str> {
        self.files
    }

    /// Does it with the fields of a form.
    ///
    /// # Errors
    /// `Invalid` for fields that do not fit, and what the action itself refuses with.
    pub async fn run_form(&self, viewer: &Viewer, body: Vec<u8>) -> Result<Outcome> {
        (self.form)(viewer.clone(), body).await
    }

    /// Does it with JSON fields.
    ///
    /// # Errors
    /// As [`run_form`](Self::run_form).
    pub async fn run_json(&self, viewer: &Viewer, fields: Value) -> Result<Outcome> {
        (self.json)(viewer.clone(), fields).await
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
    rates: Rates,
}

/// The allowances of every class.
struct Rates {
    post: Rate<AccountId>,
    write: Rate<AccountId>,
    create: Rate<AccountId>,
    ephemeral: Rate<AccountId>,
    read: Rate<AccountId>,
}

impl Rates {
    fn new(writes: u32) -> Self {
        const TEN: Duration = Duration::from_secs(10);
        Self {
            post: Rate::new(writes, TEN),
            write: Rate::new(writes, TEN),
            create: Rate::new(writes, Duration::from_secs(60)),
            ephemeral: Rate::new(writes.saturating_mul(2), TEN),
            read: Rate::new(writes.saturating_mul(2), TEN),
        }
    }

    fn of(&self, class: Class) -> &Rate<AccountId> {
        match class {
            Class::Post => &self.post,
            Class::Write => &self.write,
            Class::Create => &self.create,
            Class::Ephemeral => &self.ephemeral,
            Class::Read => &self.read,
        }
    }
}

impl Actions {
    /// These and no others; `writes` is the setting from which the rates of every [`Class`] follow.
    ///
    /// # Panics
    /// When two share a name: a mistake of the program, found at start.
    pub fn new(declared: impl IntoIterator<Item = Action>, writes: u32) -> Self {
        let mut by_name = BTreeMap::new();
        for action in declared {
            let name = action.name;
            assert!(
                by_name.insert(name, action).is_none(),
                "action {name} is declared twice"
            );
        }
        Self(Arc::new(Inner {
            by_name,
            rates: Rates::new(writes),
        }))
    }

    /// Lets someone do an action once, whichever way they came: the action, and what is left of its
    /// class's allowance.
    ///
    /// # Errors
    /// `NotFound` for an undeclared name, `TooMany`.
    pub fn admit(&self, viewer: &Viewer, name: &str) -> Result<(&Action, Allowance)> {
        let action = self.0.by_name.get(name).ok_or(Error::NotFound)?;
        let left = self
            .0
            .rates
            .of(action.class)
            .check(&viewer.account)
            .inspect_err(|_| refused("actions"))?;
        metrics::counter!("tidepool_actions_total", "action" => action.name).increment(1);
        Ok((action, left))
    }

    /// All of them, by name.
    pub fn list(&self) -> impl Iterator<Item = &Action> {
        self.0.by_name.values()
    }

    /// Forgets counters that no longer matter. Called every minute.
    pub fn evict(&self) {
        for class in [
            Class::Post,
            Class::Write,
            Class::Create,
            Class::Ephemeral,
            Class::Read,
        ] {
            self.0.rates.of(class).evict();
        }
    }
}
