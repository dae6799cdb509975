//! The body of a form with files, before its parts are told apart.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt, stream};

use crate::engine::forms::MAX_FORM_BYTES;

/// The boundary of a form with files; `None` when the content type is another.
pub(super) fn parse_boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// Counts the bytes of a form that are no content of files: texts and the headers of parts. They
/// have the same limit as a form without files.
#[derive(Clone, Default)]
pub(super) struct TextBytes(Arc<AtomicI64>);

impl TextBytes {
    fn add(&self, bytes: usize) -> i64 {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// What turned out to be content of a file.
    pub(super) fn subtract(&self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A body that is counted and breaks off at the limit. The parser reads ahead as long as there
    /// is something to read, and keeps a part's headers however long they are: so it gets one piece
    /// at a time, and has to use it before the next.
    pub(super) fn count<S>(self, mut body: S) -> impl Stream<Item = io::Result<Bytes>> + Send
    where
        S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
    {
        let mut has_piece = false;
        stream::poll_fn(move |context| {
            if std::mem::take(&mut has_piece) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let polled = body.poll_next_unpin(context);
            if let Poll::Ready(Some(Ok(piece))) = &polled {
                has_piece = true;
                if self.add(piece.len()) > MAX_FORM_BYTES as i64 + piece.len() as i64 {
                    return Poll::Ready(Some(Err(io::ErrorKind::FileTooLarge.into())));
                }
            }
            polled
        })
    }
}
