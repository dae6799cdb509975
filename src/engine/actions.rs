//! Actions: the commands that browsers and API clients may run. Modules declare them; there are no
//! others.
//!
//! One function handles an action over every transport: a form posted to `/act/<name>` (with or
//! without JavaScript), JSON posted there, and an `act` message on a socket. It gets the viewer and
//! the decoded fields, and returns an [`Outcome`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use askama::filters::{Escaper, Html};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;
use crate::base::telemetry::refused;
use crate::engine::partial::Partial;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Viewer;

/// The result of an action, for each kind of client.
pub struct Outcome {
    /// The response to API clients.
    pub result: Value,
    /// The address to which a form without JavaScript is redirected.
    pub location: String,
    fragment: Option<BoxFuture<'static, Result<String>>>,
    note: Option<String>,
}

impl Outcome {
    /// A result for API clients; a form without JavaScript is redirected to `location`.
    pub fn new(result: Value, location: impl Into<String>) -> Self {
        Self {
            result,
            location: location.into(),
            fragment: None,
            note: None,
        }
    }

    /// Sets the HTML fragment for pages that ask for one. Rendered only for those.
    pub fn fragment(
        mut self,
        render: impl Future<Output = Result<String>> + Send + 'static,
    ) -> Self {
        self.fragment = Some(render.boxed());
        self
    }

    /// Has pages show a short note about what was done, as plain text.
    pub fn note(mut self, text: String) -> Self {
        self.note = Some(text);
        self
    }

    /// Renders the fragment, with the note; nothing when the action has neither.
    ///
    /// # Errors
    /// What rendering fails with.
    pub async fn into_fragment(self) -> Result<Option<String>> {
        let fragment = match self.fragment {
            Some(render) => Some(render.await?),
            None => None,
        };
        let Some(note) = self.note else {
            return Ok(fragment);
        };
        let mut text = String::new();
        // Writing strings into a string does not fail.
        let _ = Html.write_escaped_str(&mut text, &note);
        let shown = Partial::inner("#note", &text).to_string();
        Ok(Some(fragment.unwrap_or_default() + &shown))
    }
}

/// The rate limit of an action. Each account has one allowance per class, shared by the actions of
/// that class, all devices and all transports; `n` is the setting `writes_per_10_seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Posting messages: `n` in ten seconds.
    Post,
    /// Every other stored change, such as an edit: `n` in ten seconds.
    Write,
    /// Creating something that many see, such as a room or an invitation: `n` in a minute.
    Create,
    /// Signals that pages send by themselves, such as typing or read markers: `2 n` in ten seconds.
    Ephemeral,
    /// Queries by API clients: `2 n` in ten seconds.
    Read,
}

/// Pairs of a URL-encoded form, repeated names included. Each costs fifty times its two bytes.
const MAX_FORM_FIELDS: usize = 2_000;

type Run = Arc<dyn Fn(Viewer, &[u8]) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;

/// One declared action.
#[derive(Clone)]
pub struct Action {
    /// `module.verb`, such as `chat.post`.
    pub name: &'static str,
    /// One sentence: what the action does.
    pub about: &'static str,
    class: Class,
    files: Option<&'static str>,
    form: Run,
    json: Run,
}

impl Action {
    /// An action whose fields decode into `I`. The viewer is signed in; the function checks every
    /// further permission. Forms may contain files of the kind `files`: they are uploaded first,
    /// and the action gets their ids as the values of their fields.
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
            form: Arc::new(move |viewer, body| match decode_form(body) {
                Ok(input) => run_form(viewer, input).boxed(),
                Err(error) => async { Err(error) }.boxed(),
            }),
            // Straight into the input: a `Value` takes up to a hundred times the bytes of its text.
            json: Arc::new(move |viewer, text| match serde_json::from_slice(text) {
                Ok(input) => run(viewer, input).boxed(),
                Err(error) => async move { Err(malformed(&error)) }.boxed(),
            }),
        }
    }

    /// The kind of files that its forms may contain.
    pub(super) fn files(&self) -> Option<&'static str> {
        self.files
    }

    /// Runs the action with the fields of a URL-encoded form.
    ///
    /// # Errors
    /// `Invalid` for fields that do not decode; the errors of the action.
    pub async fn run_form(&self, viewer: &Viewer, body: &[u8]) -> Result<Outcome> {
        (self.form)(viewer.clone(), body).await
    }

    /// Runs the action with the JSON text of its fields.
    ///
    /// # Errors
    /// As [`run_form`](Self::run_form).
    pub async fn run_json(&self, viewer: &Viewer, fields: &[u8]) -> Result<Outcome> {
        (self.json)(viewer.clone(), fields).await
    }
}

/// Decodes a form; repeated names become lists.
///
/// # Errors
/// `Invalid` when fields are missing or of the wrong kind, or more than [`MAX_FORM_FIELDS`].
pub fn decode_form<I: DeserializeOwned>(body: &[u8]) -> Result<I> {
    let separators = body.iter().filter(|byte| **byte == b'&').count();
    if separators >= MAX_FORM_FIELDS {
        refused("form_fields");
        return Err(Error::field("form", "error-message-shape"));
    }
    serde_html_form::from_bytes(body).map_err(|error| malformed(&error))
}

fn malformed(error: &dyn std::error::Error) -> Error {
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
    /// These actions and no others; `writes` is the `n` of every [`Class`].
    ///
    /// # Panics
    /// When two actions share a name: a programming error.
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

    /// Looks up an action and counts one use of it. Returns the action, and what is left of its
    /// class's allowance.
    ///
    /// # Errors
    /// `NotFound` for an undeclared name; `Forbidden` for guests, who change nothing; `TooMany` when
    /// the allowance is used up.
    pub fn admit(&self, viewer: &Viewer, name: &str) -> Result<(&Action, Allowance)> {
        let action = self.0.by_name.get(name).ok_or(Error::NotFound)?;
        if viewer.is_guest && !matches!(action.class, Class::Read | Class::Ephemeral) {
            return Err(Error::Forbidden("error-guest"));
        }
        let left = self
            .0
            .rates
            .of(action.class)
            .check(&viewer.account)
            .inspect_err(|_| {
                refused("actions");
                SecurityEvent::LimitReached.record(viewer.account, viewer.address, "actions");
            })?;
        metrics::counter!("tidepool_actions_total", "action" => action.name).increment(1);
        Ok((action, left))
    }

    /// All actions, sorted by name.
    pub fn list(&self) -> impl Iterator<Item = &Action> {
        self.0.by_name.values()
    }

    /// Drops rate limit state that is full again. Called every minute.
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
