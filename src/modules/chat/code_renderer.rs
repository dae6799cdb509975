//! Renders messages with code when they are posted or edited. Highlighting costs a hundred times
//! what a text costs, so it is done once, and the HTML is stored with the message.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::markdown;
use crate::base::error::{Error, Result};

/// How long a message waits for its turn. After that its code is stored without colours.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Renders with half of the cores, so that the others answer other requests. Cheap to clone.
#[derive(Clone)]
pub(super) struct CodeRenderer {
    turns: Arc<Semaphore>,
}

impl Default for CodeRenderer {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores.div_ceil(2))),
        }
    }
}

impl CodeRenderer {
    /// The HTML to store with a message; `None` for one without highlighted code.
    pub(super) async fn render(&self, source: &str) -> Result<Option<String>> {
        if !markdown::needs_highlighting(source) {
            return Ok(None);
        }
        let source = source.to_owned();
        let turn = timeout(MAX_WAIT, self.turns.clone().acquire_owned()).await;
        let html = tokio::task::spawn_blocking(move || match turn {
            Ok(_turn) => markdown::to_html_with_code(&source),
            Err(_) => markdown::to_html(&source),
        });
        let html = html.await;
        html.map(Some)
            .map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }
}
