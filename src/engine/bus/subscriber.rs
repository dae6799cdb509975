//! A subscriber: a named set of typed handlers, run by the engine with retries, lag and dead
//! letters.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::{Bus, DeadLetters, Envelope, Event};
use crate::base::error::{Error, Result};

/// Delays before the second, third and fourth attempt of a failed handler: about a second in all.
/// The subscriber's later events wait meanwhile, which preserves their order.
const RETRY_DELAYS: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];
/// Events that wait for a subscriber; further ones are dropped and counted as missed.
pub(super) const QUEUE_CAPACITY: usize = 4096;

/// A handler of one kind of event: an `async fn(&S, &E, &Envelope) -> Result<()>`, where `S` is its
/// module's state. Implemented for every such function; a trait only because the future borrows
/// its arguments.
pub trait EventHandler<'a, S: 'a, E: 'a>: Copy + Send + Sync + 'static {
    /// The future of the async function, which may borrow its arguments.
    type Future: Future<Output = Result<()>> + Send + 'a;

    /// Handles one event.
    fn handle(&self, state: &'a S, event: &'a E, envelope: &'a Envelope) -> Self::Future;
}

impl<'a, S: 'a, E: 'a, F, R> EventHandler<'a, S, E> for F
where
    F: Fn(&'a S, &'a E, &'a Envelope) -> R + Copy + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send + 'a,
{
    type Future = R;

    fn handle(&self, state: &'a S, event: &'a E, envelope: &'a Envelope) -> R {
        self(state, event, envelope)
    }
}

type Handle = Arc<dyn Fn(Arc<Envelope>) -> BoxFuture<'static, Result<()>> + Send + Sync>;
type Lagged = Arc<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>;
type Bind<S, T> = Box<dyn FnOnce(&S) -> T + Send>;

/// A subscriber as a module with state `S` declares it. It handles one event at a time, in the
/// order in which they were published, across topics.
pub struct Subscriber<S> {
    name: &'static str,
    handlers: Vec<(&'static str, Bind<S, Handle>)>,
    lagged: Option<Bind<S, Lagged>>,
}

impl<S: Clone + Send + Sync + 'static> Subscriber<S> {
    /// A subscriber without topics yet. The name, `module.noun`, identifies it in dead letters and
    /// logs.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            handlers: Vec::new(),
            lagged: None,
        }
    }

    /// Subscribes to events of type `E`.
    ///
    /// # Panics
    /// When `E` has a handler already: a programming error.
    pub fn on<E: Event, H>(mut self, handler: H) -> Self
    where
        H: for<'a> EventHandler<'a, S, E>,
    {
        let topic = E::topic().name;
        assert!(
            self.handlers.iter().all(|(other, _)| *other != topic),
            "{} handles {topic} twice",
            self.name
        );
        let bind = move |state: &S| -> Handle {
            let state = state.clone();
            Arc::new(move |envelope| {
                let state = state.clone();
                Box::pin(async move {
                    let event = envelope.get::<E>().ok_or_else(|| wrong_type(&envelope))?;
                    handler.handle(&state, event, &envelope).await
                })
            })
        };
        self.handlers.push((topic, Box::new(bind)));
        self
    }

    /// Calls `lagged` with the number of missed events after some were dropped. It should read the
    /// database again.
    pub fn when_lagged<F, R>(mut self, lagged: F) -> Self
    where
        F: Fn(S, u64) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.lagged = Some(Box::new(move |state| {
            let state = state.clone();
            Arc::new(move |missed| lagged(state.clone(), missed).boxed())
        }));
        self
    }

    pub(in crate::engine) fn bind(self, state: &S) -> BoundSubscriber {
        let handlers = self.handlers.into_iter();
        BoundSubscriber {
            name: self.name,
            handlers: handlers.map(|(topic, bind)| (topic, bind(state))).collect(),
            lagged: self.lagged.map(|bind| bind(state)),
        }
    }
}

fn wrong_type(envelope: &Envelope) -> Error {
    anyhow::anyhow!("an event of {} is of another type", envelope.topic.name).into()
}

/// The sending half of a subscriber's queue.
pub(super) struct Inbox {
    queue: mpsc::Sender<Arc<Envelope>>,
    missed: Arc<AtomicU64>,
}

impl Inbox {
    /// Never blocks: drops and counts an event that finds the queue full.
    pub(super) fn push(&self, envelope: &Arc<Envelope>) {
        if self.queue.try_send(envelope.clone()).is_err() {
            self.missed.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// A subscriber whose handlers have their module's state. Cheap to clone.
#[derive(Clone)]
pub struct BoundSubscriber {
    /// As given to [`Subscriber::new`].
    pub name: &'static str,
    handlers: BTreeMap<&'static str, Handle>,
    lagged: Option<Lagged>,
}

impl BoundSubscriber {
    /// Starts a task that handles the subscriber's events.
    ///
    /// # Panics
    /// When the subscriber handles an undeclared topic: a programming error, found at start.
    pub(in crate::engine) fn start(&self, bus: &Bus, dead: &DeadLetters) {
        let (queue, events) = mpsc::channel(QUEUE_CAPACITY);
        let missed = Arc::new(AtomicU64::new(0));
        let inbox = Arc::new(Inbox {
            queue,
            missed: missed.clone(),
        });
        for topic in self.handlers.keys() {
            bus.subscribe(topic, inbox.clone());
        }
        dead.add_subscriber(self.clone());
        tokio::spawn(self.clone().listen(events, missed, dead.clone()));
    }

    async fn listen(
        self,
        mut events: mpsc::Receiver<Arc<Envelope>>,
        missed: Arc<AtomicU64>,
        dead: DeadLetters,
    ) {
        while let Some(envelope) = events.recv().await {
            self.deliver(envelope, &dead).await;
            // Checked after each event: events are missed only while the queue is full, so at least
            // one event follows.
            let missed = missed.swap(0, Ordering::AcqRel);
            if missed > 0 {
                self.report_lag(missed).await;
            }
        }
    }

    async fn report_lag(&self, missed: u64) {
        tracing::warn!(
            subscriber = self.name,
            missed,
            "lagged; reading the store again"
        );
        metrics::counter!("tidepool_events_missed_total", "subscriber" => self.name)
            .increment(missed);
        if let Some(lagged) = &self.lagged {
            lagged(missed).await;
        }
    }

    async fn deliver(&self, envelope: Arc<Envelope>, dead: &DeadLetters) {
        let Err(mut failure) = self.attempt(envelope.clone()).await else {
            return;
        };
        for delay in RETRY_DELAYS {
            tokio::time::sleep(delay).await;
            match self.attempt(envelope.clone()).await {
                Ok(()) => return,
                Err(error) => failure = error,
            }
        }
        let topic = envelope.topic.name;
        tracing::error!(subscriber = self.name, topic, %failure, "gave up; kept as a dead letter");
        metrics::counter!("tidepool_dead_letters_total", "subscriber" => self.name).increment(1);
        dead.store(self.name, &envelope, &failure.to_string()).await;
    }

    /// Runs the handler once; a panic counts as an error.
    pub(super) async fn attempt(&self, envelope: Arc<Envelope>) -> Result<()> {
        let Some(handle) = self.handlers.get(envelope.topic.name) else {
            return Ok(());
        };
        let handle = handle.clone();
        // Calling the handler may panic as well as polling its future.
        AssertUnwindSafe(async move { handle(envelope).await })
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Error::Internal(anyhow::anyhow!("the handler panicked"))))
    }
}
