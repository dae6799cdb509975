//! The addresses at which one installation answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::Url;

/// One instance's address, and whether the instance runs.
#[derive(Clone)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`.
    pub base: Url,
    /// False while the test has stopped the instance.
    pub is_running: Arc<AtomicBool>,
}

impl Endpoint {
    /// One that answers as long as the test lasts.
    pub fn running(base: Url) -> Self {
        Self {
            base,
            is_running: Arc::new(AtomicBool::new(true)),
        }
    }
}

/// Hands out the instances' addresses in turn, as a proxy without sticky sessions would: no two
/// requests of one person in a row reach the same instance. Clones count together.
#[derive(Clone)]
pub struct Endpoints {
    all: Arc<[Endpoint]>,
    next: Arc<AtomicUsize>,
}

impl Endpoints {
    /// These, beginning with the first.
    pub fn new(all: Vec<Endpoint>) -> Self {
        Self {
            all: all.into(),
            next: Arc::default(),
        }
    }

    /// Where the next request goes. Instances that do not run are passed over, unless none does.
    pub fn next(&self) -> &Url {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let ahead = self.all.iter().cycle().skip(number % self.all.len());
        let mut ahead = ahead.take(self.all.len());
        let first = ahead.clone().next().expect("there is an instance");
        let running = ahead.find(|endpoint| endpoint.is_running.load(Ordering::Relaxed));
        &running.unwrap_or(first).base
    }

    /// The first instance's address, for what is the same at all of them.
    pub fn first(&self) -> &Url {
        &self.all[0].base
    }
}
