//! Bodies of forms: read whole, within bounds, before a request takes its place among those in
//! work. A client that sends slowly holds no place that others need.
//!
//! Uploads are not read here: they stream to the disk and have limits of their own (`files`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{Method, header};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::drain::drain_refused;
use crate::base::error::{Allowance, Error, Result};
use crate::base::places::{Place, Places};
use crate::base::telemetry::refused;
use crate::engine::forms::MAX_FORM_BYTES;
use crate::engine::viewer::Address;

/// For a whole body: the largest form takes that long at 200 kbit/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Bodies of one network that are being read.
const MAX_READING_PER_ADDRESS: usize = 32;
/// Bytes of all bodies that are being read or in work.
const MAX_BUFFERED_BYTES: usize = 64 << 20;
/// Bytes of one permit.
const PERMIT_BYTES: usize = 1 << 10;

/// The bodies that are being read or in work.
pub(super) struct Bodies {
    reading: Places<IpAddr>,
    memory: Arc<Semaphore>,
}

/// Bytes that a request holds while it is in work; freed when dropped.
pub(super) type BufferedBytes = Option<OwnedSemaphorePermit>;

impl Default for Bodies {
    fn default() -> Self {
        Self {
            reading: Places::default(),
            memory: Arc::new(Semaphore::new(MAX_BUFFERED_BYTES / PERMIT_BYTES)),
        }
    }
}

impl Bodies {
    /// The request with its body read, and the bytes to hold while it is in work.
    ///
    /// # Errors
    /// `TooLarge` past [`MAX_FORM_BYTES`], `TooMany` when 32 bodies from this network are being
    /// read, `Unavailable` when the body takes longer than [`BODY_TIMEOUT`] or 64 MiB are held.
    pub(super) async fn read(
        &self,
        request: Request,
        address: Address,
    ) -> Result<(Request, BufferedBytes)> {
        if is_streamed(&request) || request.body().is_end_stream() {
            return Ok((request, None));
        }
        let is_too_large = request.body().size_hint().lower() > MAX_FORM_BYTES as u64;
        let _reading = self.reserve(address.network())?;
        let (head, body) = request.into_parts();
        let mut body = body.into_data_stream();
        let read = match is_too_large {
            true => Err(too_large()),
            false => self.collect_in_time(&mut body).await,
        };
        if let Err(Error::TooLarge(..)) = &read {
            drain_refused(&mut body).await;
        }
        let (body, held) = read?;
        Ok((Request::from_parts(head, Body::from(body)), held))
    }

    async fn collect_in_time(&self, body: &mut BodyDataStream) -> Result<(Vec<u8>, BufferedBytes)> {
        let read = timeout(BODY_TIMEOUT, self.collect(body)).await;
        read.unwrap_or_else(|_| {
            refused("bodies_slow");
            Err(Error::Unavailable)
        })
    }

    async fn collect(&self, body: &mut BodyDataStream) -> Result<(Vec<u8>, BufferedBytes)> {
        let (mut bytes, mut held): (_, BufferedBytes) = (Vec::new(), None);
        while let Some(piece) = body.next().await {
            // The client is gone; nobody reads the answer.
            let piece = piece.map_err(|_| Error::Unavailable)?;
            if bytes.len() + piece.len() > MAX_FORM_BYTES {
                return Err(too_large());
            }
            let more = self.hold(piece.len())?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
            bytes.extend_from_slice(&piece);
        }
        Ok((bytes, held))
    }

    fn hold(&self, bytes: usize) -> Result<OwnedSemaphorePermit> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let held = self.memory.clone().try_acquire_many_owned(permits);
        held.map_err(|_| {
            refused("bodies_memory");
            Error::Unavailable
        })
    }

    fn reserve(&self, network: IpAddr) -> Result<Place<IpAddr>> {
        let place = self.reading.take(network, MAX_READING_PER_ADDRESS);
        place.ok_or_else(|| {
            refused("bodies_of_address");
            let limit = MAX_READING_PER_ADDRESS as u32;
            Error::TooMany(Allowance::used_up(limit, BODY_TIMEOUT))
        })
    }
}

fn too_large() -> Error {
    Error::TooLarge("error-form-large", MAX_FORM_BYTES as u64)
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
