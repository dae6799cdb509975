//! A subscriber: a named handler for some topics, run by the engine with retries, lag and dead
//! letters.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Bus, DeadLetters, Envelope, Event, Topic};
use crate::base::error::{Error, Result};

/// Pauses before the second, third and fourth try of a failed handler. Later events of the
/// subscriber wait meanwhile, so that order holds; a little over a second in all.
const RETRY_AFTER: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];

type Handle = Arc<dyn Fn(Arc<Envelope>) -> BoxFuture<'static, Result<()>> + Send + Sync>;
type Lagged = Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>;

/// A named handler of events.
#[derive(Clone)]
pub struct Subscriber {
    /// Its name, `module.what`, as dead letters and logs show it.
    pub name: &'static str,
    topics: Vec<&'static Topic>,
    handle: Handle,
    lagged: Lagged,
}

impl Subscriber {
    /// A subscriber to no topic yet. `handle` is called with one event at a time, in order.
    pub fn new<F, R>(name: &'static str, handle: F) -> Self
    where
        F: Fn(Arc<Envelope>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let ignore: Lagged = Arc::new(|_| Box::pin(async {}));
        Self {
            name,
            topics: Vec::new(),
            handle: Arc::new(move |envelope| handle(envelope).boxed()),
            lagged: ignore,
        }
    }

    /// Also hears events of type `E`.
    pub fn on<E: Event>(mut self) -> Self {
        self.topics.push(E::topic());
        self
    }

    /// What to do when `missed` events passed by unheard: read the store again.
    pub fn when_lagged<F, R>(mut self, lagged: F) -> Self
    where
        F: Fn(u64) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.lagged = Arc::new(move |missed| lagged(missed).boxed());
        self
    }

    /// Whether it hears this topic.
    pub fn hears(&self, topic: &str) -> bool {
        self.topics.iter().any(|t| t.name == topic)
    }

    /// Starts listening, on a task for each module whose topics it hears.
    ///
    /// # Panics
    /// When it hears a topic that no module declares: a mistake of the program, found at start.
    pub fn start(&self, bus: &Bus, dead: &DeadLetters) {
        let owners: BTreeSet<_> = self.topics.iter().map(|topic| topic.owner()).collect();
        for owner in owners {
            let lane = bus.lane(owner).unwrap_or_else(|| {
                panic!("{} listens to {owner}, which declares no topic", self.name)
            });
            tokio::spawn(self.clone().listen(lane, dead.clone()));
        }
    }

    async fn listen(self, mut lane: broadcast::Receiver<Arc<Envelope>>, dead: DeadLetters) {
        loop {
            match lane.recv().await {
                Ok(envelope) if self.hears(envelope.topic.name) => {
                    self.deliver(envelope, &dead).await
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(
                        subscriber = self.name,
                        missed,
                        "fell behind and reads the store again"
                    );
                    metrics::counter!("tidepool_events_missed_total", "subscriber" => self.name)
                        .increment(missed);
                    (self.lagged)(missed).await;
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn deliver(&self, envelope: Arc<Envelope>, dead: &DeadLetters) {
        let mut failure = match self.attempt(envelope.clone()).await {
            Ok(()) => return,
            Err(error) => error,
        };
        for pause in RETRY_AFTER {
            tokio::time::sleep(pause).await;
            match self.attempt(envelope.clone()).await {
                Ok(()) => return,
                Err(error) => failure = error,
            }
        }
        tracing::error!(subscriber = self.name, topic = envelope.topic.name, %failure, "gave up; the event is kept as a dead letter");
        metrics::counter!("tidepool_dead_letters_total", "subscriber" => self.name).increment(1);
        dead.keep(self.name, &envelope, &failure.to_string()).await;
    }

    /// One try; a panic counts as a failure.
    pub(super) async fn attempt(&self, envelope: Arc<Envelope>) -> Result<()> {
        let handle = self.handle.clone();
        let tried = AssertUnwindSafe(async move { handle(envelope).await })
            .catch_unwind()
            .await;
        tried.unwrap_or_else(|_| Err(Error::Internal(anyhow::anyhow!("the handler panicked"))))
    }
}
