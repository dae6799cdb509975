//! The body of an upload while it is sent: it keeps a pace, and its sender the right to send it.

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout, timeout_at};

use super::kind::FileRule;
use super::send_permits::SendPermit;
use super::transfers::Transfers;
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;

/// A connection that sends nothing for this long counts as dead.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// On average, after the first [`IDLE_TIMEOUT`]: a sender that is slower holds a place for hours.
const MIN_BYTES_PER_SECOND: u64 = 1 << 10;
/// Between two checks of the sender's session and permission.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// A body that ends with an error when its sender falls silent or behind the slowest pace, or when
/// its permit is taken back.
pub(super) fn paced<S, E>(
    body: S,
    permit: &SendPermit,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<S, E>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
    E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let state = (body, permit.clone(), Instant::now(), 0_u64);
    let paced = stream::unfold(state, |(mut body, permit, started, sent)| async move {
        let received = tokio::select! {
            biased;
            () = permit.interrupted() => {
                let error = Err(io::ErrorKind::Interrupted.into());
                return Some((error, (body, permit, started, sent)));
            }
            received = timeout(IDLE_TIMEOUT, body.next()) => received,
        };
        let piece = match received {
            Ok(None) => return None,
            Ok(Some(piece)) => piece.map_err(io::Error::other),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let bytes = piece.as_ref().map_or(0, Bytes::len);
        permit.count(bytes);
        let sent = sent + bytes as u64;
        let piece = match piece {
            Ok(_) if is_too_slow(sent, started.elapsed()) => Err(io::ErrorKind::TimedOut.into()),
            piece => piece,
        };
        Some((piece, (body, permit, started, sent)))
    });
    Box::pin(paced)
}

fn is_too_slow(sent: u64, elapsed: Duration) -> bool {
    let counted = elapsed.saturating_sub(IDLE_TIMEOUT);
    sent < counted.as_secs() * MIN_BYTES_PER_SECOND
}

/// Why somebody may no longer send what they are sending.
#[derive(Default)]
pub(super) struct Refusal(Option<Error>);

impl Refusal {
    /// # Errors
    /// The refusal, if there was one.
    pub(super) fn check(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

impl Transfers {
    /// A body that breaks off when the session of its sender ends, or the permission to add files
    /// to the target. `refusal` then says why.
    pub(super) fn while_permitted<'a, S, E>(
        &'a self,
        (viewer, rule, target): (&'a Viewer, &'a FileRule, i64),
        refusal: &'a mut Refusal,
        body: S,
    ) -> impl Stream<Item = std::result::Result<Bytes, Interrupted>> + Send + Unpin + 'a
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin + 'a,
    {
        let next_check = Instant::now() + CHECK_INTERVAL;
        let state = (body, refusal, next_check);
        let permitted = stream::unfold(state, move |(mut body, refusal, mut next)| async move {
            loop {
                if Instant::now() >= next {
                    if let Err(error) = self.check_sender(viewer, rule, target).await {
                        refusal.0 = Some(error);
                        return Some((Err(Interrupted), (body, refusal, next)));
                    }
                    next = Instant::now() + CHECK_INTERVAL;
                }
                if let Ok(piece) = timeout_at(next, body.next()).await {
                    let piece = piece?.map_err(|_| Interrupted);
                    return Some((piece, (body, refusal, next)));
                }
            }
        });
        Box::pin(permitted)
    }

    async fn check_sender(&self, viewer: &Viewer, rule: &FileRule, target: i64) -> Result<()> {
        if !(self.is_session_valid)(viewer.clone()).await? {
            return Err(Error::SignInFirst);
        }
        (rule.may_add)(viewer.clone(), target).await.map(drop)
    }
}

/// The body of an upload broke off.
#[derive(Debug)]
pub(super) struct Interrupted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_sender_is_told_from_slow_start() {
        let is_too_slow = |sent, seconds| is_too_slow(sent, Duration::from_secs(seconds));
        assert!(!is_too_slow(1, 30));
        assert!(is_too_slow(1, 32));
        assert!(!is_too_slow(100 << 10, 130));
        assert!(is_too_slow(100 << 10, 131));
    }
}
