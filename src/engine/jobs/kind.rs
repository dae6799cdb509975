//! Kinds of jobs, as modules declare them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::backoff;
use super::run::Run;

/// That a job has ended well: from [`Run::done`] or [`Run::settle`].
pub struct Settled {
    /// Whether its row is gone already.
    pub(super) stored: bool,
}

/// Why an attempt failed.
#[derive(Debug)]
pub enum Failure {
    /// It may go better another time. What any error becomes.
    Retry(String),
    /// It cannot succeed: no further attempt is made.
    GiveUp(String),
}

impl<E: std::fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Retry(format!("{error:#}"))
    }
}

pub(in crate::engine) type Handler =
    Arc<dyn Fn(Run) -> BoxFuture<'static, Result<Settled, Failure>> + Send + Sync>;

/// The name and the limits of a kind of job.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// `module.verb`, such as `files.thumbnail`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    pub(super) at_once: usize,
    pub(super) limit: Duration,
    pub(super) attempts: i64,
    pub(super) backoff: Duration,
    pub(super) per_second: Option<f64>,
}

impl JobSpec {
    pub(super) fn wait_after(&self, attempt: i64) -> Duration {
        backoff::delay_after(attempt, self.backoff)
    }
}

/// A kind of job as a module with state `S` declares it: its limits, and its handler.
pub struct JobKind<S> {
    pub(in crate::engine) spec: JobSpec,
    bind: Box<dyn FnOnce(&S) -> Handler>,
}

impl<S: Clone + Send + Sync + 'static> JobKind<S> {
    /// A kind whose payload decodes into `P`, handled by an `async fn(S, Run, P)`: four at once, a
    /// minute each, five attempts, the second after about a second.
    pub fn new<P, F, R>(name: &'static str, about: &'static str, run: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        F: Fn(S, Run, P) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Settled, Failure>> + Send + 'static,
    {
        let bind = move |state: &S| -> Handler {
            let state = state.clone();
            Arc::new(
                move |job: Run| match serde_json::from_str::<P>(job.payload()) {
                    Ok(payload) => run(state.clone(), job, payload).boxed(),
                    Err(error) => {
                        let failure = Failure::GiveUp(format!("its payload does not fit: {error}"));
                        async move { Err(failure) }.boxed()
                    }
                },
            )
        };
        let spec = JobSpec {
            name,
            about,
            at_once: 4,
            limit: Duration::from_secs(60),
            attempts: 5,
            backoff: Duration::from_secs(1),
            per_second: None,
        };
        Self {
            spec,
            bind: Box::new(bind),
        }
    }

    pub(in crate::engine) fn bind(self, state: &S) -> (&'static str, Handler) {
        (self.spec.name, (self.bind)(state))
    }

    /// How many run at once.
    pub fn at_once(mut self, most: usize) -> Self {
        self.spec.at_once = most.max(1);
        self
    }

    /// How long one attempt may take. What waits is dropped then; a thread that computes is not
    /// stopped, so bound it otherwise.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.spec.limit = limit;
        self
    }

    /// How many attempts are made before it has failed for good.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.spec.attempts = i64::from(attempts.max(1));
        self
    }

    /// How long the second attempt waits; each further one twice as long, an hour at most, a
    /// quarter more or less by chance.
    pub fn backoff(mut self, first: Duration) -> Self {
        self.spec.backoff = first;
        self
    }

    /// How many begin in a second, on average; as many may begin together.
    pub fn per_second(mut self, rate: f64) -> Self {
        self.spec.per_second = Some(rate);
        self
    }
}
