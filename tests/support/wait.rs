//! Waiting for what a test cannot be told of: bounded polling.

use std::time::{Duration, Instant};

use super::Answer;

/// How long a test waits for what must happen, before it fails. Generous, because nothing waits so
/// long when all is well, and a loaded machine must not fail a test.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Between two looks at what cannot be awaited.
pub const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Polls until there is an answer; fails after [`WAIT_TIMEOUT`]. `what` names it in the failure.
pub async fn eventually<T, R: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> R,
) -> T {
    let deadline = Instant::now() + WAIT_TIMEOUT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "no {what} within {WAIT_TIMEOUT:?}"
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Repeats a request until it is answered with this status, a hundred times at most: on a slow
/// machine a rate limit refills between two requests.
pub async fn until_status<R: Future<Output = Answer>>(
    status: u16,
    mut send: impl FnMut() -> R,
) -> Answer {
    for _ in 0..100 {
        let answer = send().await;
        if answer.status == status {
            return answer;
        }
    }
    panic!("no {status} in a hundred answers");
}
