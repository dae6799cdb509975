//! Kinds of jobs, as modules declare them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::backoff;
use super::run::Run;

/// Proof that a job succeeded; only [`Run::done`] and [`Run::settle`] make one.
pub struct Settled {
    /// Whether the job's row is deleted already, in the transaction of [`Run::settle`].
    pub(super) is_deleted: bool,
}

/// Why an attempt failed.
#[derive(Debug)]
pub enum Failure {
    /// Temporary: the job is retried until its attempts are used up. Any error converts to this.
    Retry(String),
    /// Permanent: the job fails without a further attempt.
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
    /// One sentence for the host's page: what the job does.
    pub about: &'static str,
    pub(super) concurrency: usize,
    pub(super) timeout: Duration,
    pub(super) max_attempts: i64,
    pub(super) backoff: Duration,
    pub(super) max_per_second: Option<f64>,
}

impl JobSpec {
    pub(super) fn delay_after(&self, attempt: i64) -> Duration {
        backoff::delay_after(attempt, self.backoff)
    }
}

/// A kind of job as a module with state `S` declares it: its limits and its handler.
pub struct JobKind<S> {
    pub(in crate::engine) spec: JobSpec,
    bind: Box<dyn FnOnce(&S) -> Handler>,
}

impl<S: Clone + Send + Sync + 'static> JobKind<S> {
    /// A kind whose JSON payload decodes into `P`, handled by an `async fn(S, Run, P)`. Defaults:
    /// concurrency 4, timeout one minute, 5 attempts, backoff from one second, no rate limit.
    pub fn new<P, F, R>(name: &'static str, about: &'static str, handler: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        F: Fn(S, Run, P) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Settled, Failure>> + Send + 'static,
    {
        let bind = move |state: &S| -> Handler {
            let state = state.clone();
            Arc::new(
                move |run: Run| match serde_json::from_str::<P>(run.payload()) {
                    Ok(payload) => handler(state.clone(), run, payload).boxed(),
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
            concurrency: 4,
            timeout: Duration::from_secs(60),
            max_attempts: 5,
            backoff: Duration::from_secs(1),
            max_per_second: None,
        };
        Self {
            spec,
            bind: Box::new(bind),
        }
    }

    pub(in crate::engine) fn bind(self, state: &S) -> (&'static str, Handler) {
        (self.spec.name, (self.bind)(state))
    }

    /// The number of jobs of this kind that may run at the same time, at least 1.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.spec.concurrency = jobs.max(1);
        self
    }

    /// The time one attempt may take. Its future is dropped then; a blocking thread that it started
    /// is not stopped and has to bound itself.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.spec.timeout = timeout;
        self
    }

    /// The number of attempts, at least 1, after which the job has failed permanently.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.spec.max_attempts = i64::from(attempts.max(1));
        self
    }

    /// The delay before the second attempt. It doubles with each further attempt up to an hour, and
    /// varies by ±25 %.
    pub fn backoff(mut self, first: Duration) -> Self {
        self.spec.backoff = first;
        self
    }

    /// The number of jobs that may begin per second on average; the burst is one second's worth.
    pub fn max_per_second(mut self, rate: f64) -> Self {
        self.spec.max_per_second = Some(rate);
        self
    }
}
