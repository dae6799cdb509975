//! Bodies of forms: read whole, within bounds, before a request takes its place among those in
//! work. A client that sends slowly holds no place that others need.
//!
//! Uploads are not read here: they stream to the disk and have limits of their own (`files`).

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{Method, header};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::drain::drain_refused;
use super::request_limit::Client;
use crate::base::error::{Allowance, Error, Result};
use crate::base::places::{Place, Places};
use crate::base::telemetry::refused;
use crate::engine::forms::MAX_FORM_BYTES;

/// For a whole body: the largest form takes that long at 200 kbit/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Bodies of one client that are being read.
const MAX_READING_PER_CLIENT: usize = 32;
/// The largest form of somebody who is not signed in: those to sign in and to join are smaller.
const MAX_STRANGERS_FORM_BYTES: usize = 16 << 10;
/// Bytes of all bodies of members that are being read or in work.
const MAX_MEMBERS_BYTES: usize = 64 << 20;
/// The same of people who are not signed in: what 64 networks can send.
const MAX_STRANGERS_BYTES: usize = 32 << 20;
/// Bytes of one permit.
const PERMIT_BYTES: usize = 1 << 10;

/// The bodies that are being read or in work.
pub(super) struct Bodies {
    reading: Places<Client>,
    of_members: Arc<Semaphore>,
    of_strangers: Arc<Semaphore>,
}

/// Bytes that a request holds while it is in work; freed when dropped.
pub(super) type BufferedBytes = Option<OwnedSemaphorePermit>;

impl Default for Bodies {
    fn default() -> Self {
        Self {
            reading: Places::default(),
            of_members: Arc::new(Semaphore::new(MAX_MEMBERS_BYTES / PERMIT_BYTES)),
            of_strangers: Arc::new(Semaphore::new(MAX_STRANGERS_BYTES / PERMIT_BYTES)),
        }
    }
}

impl Bodies {
    /// The request with its body read, and the bytes to hold while it is in work.
    ///
    /// # Errors
    /// `TooLarge` past [`MAX_FORM_BYTES`] (16 KiB of a stranger), `TooMany` when 32 bodies of this
    /// client are being read, `Unavailable` when the body takes longer than [`BODY_TIMEOUT`] or all
    /// bytes are held.
    pub(super) async fn read(
        &self,
        request: Request,
        client: Client,
    ) -> Result<(Request, BufferedBytes)> {
        if is_streamed(&request) || request.body().is_end_stream() {
            return Ok((request, None));
        }
        let (max_bytes, memory) = match client {
            Client::Account(_) => (MAX_FORM_BYTES, &self.of_members),
            Client::Address(_) => (MAX_STRANGERS_FORM_BYTES, &self.of_strangers),
        };
        let is_too_large = request.body().size_hint().lower() > max_bytes as u64;
        let _reading = self.reserve(client)?;
        let (head, body) = request.into_parts();
        let mut body = body.into_data_stream();
        let read = match is_too_large {
            true => Err(too_large(max_bytes)),
            false => collect_in_time(&mut body, max_bytes, memory).await,
        };
        if let Err(Error::TooLarge(..)) = &read {
            drain_refused(&mut body).await;
        }
        let (body, held) = read?;
        Ok((Request::from_parts(head, Body::from(body)), held))
    }

    fn reserve(&self, client: Client) -> Result<Place<Client>> {
        let place = self.reading.take(client, MAX_READING_PER_CLIENT);
        place.ok_or_else(|| {
            refused("bodies_of_client");
            let limit = MAX_READING_PER_CLIENT as u32;
            Error::TooMany(Allowance::used_up(limit, BODY_TIMEOUT))
        })
    }
}

async fn collect_in_time(
    body: &mut BodyDataStream,
    max_bytes: usize,
    memory: &Arc<Semaphore>,
) -> Result<(Vec<u8>, BufferedBytes)> {
    let read = timeout(BODY_TIMEOUT, collect(body, max_bytes, memory)).await;
    read.unwrap_or_else(|_| {
        refused("bodies_slow");
        Err(Error::Unavailable)
    })
}

async fn collect(
    body: &mut BodyDataStream,
    max_bytes: usize,
    memory: &Arc<Semaphore>,
) -> Result<(Vec<u8>, BufferedBytes)> {
    let (mut bytes, mut held): (Vec<u8>, BufferedBytes) = (Vec::new(), None);
    while let Some(piece) = body.next().await {
        // The client is gone; nobody reads the answer.
        let piece = piece.map_err(|_| Error::Unavailable)?;
        if bytes.len() + piece.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        bytes.extend_from_slice(&piece);
        hold(&mut held, bytes.len(), memory)?;
    }
    Ok((bytes, held))
}

/// Holds permits for so many bytes in all.
fn hold(held: &mut BufferedBytes, bytes: usize, memory: &Arc<Semaphore>) -> Result<()> {
    let holds = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let missing = bytes.div_ceil(PERMIT_BYTES).saturating_sub(holds);
    if missing == 0 {
        return Ok(());
    }
    let missing = u32::try_from(missing).unwrap_or(u32::MAX);
    let more = memory.clone().try_acquire_many_owned(missing);
    let more = more.map_err(|_| {
        refused("bodies_memory");
        Error::Unavailable
    })?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

fn too_large(max_bytes: usize) -> Error {
    Error::TooLarge("error-form-large", max_bytes as u64)
}

/// Whether the body streams to the disk: that of an upload, or of a form with files.
pub(super) fn is_streamed(request: &Request) -> bool {
    let path = request.uri().path();
    let is_upload = path.starts_with("/uploads/")
        && (request.method() == Method::PATCH
            || request.headers().contains_key("x-http-method-override"));
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let has_files =
        content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
    is_upload || (path.starts_with("/act/") && has_files)
}
