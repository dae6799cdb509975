//! Frames that one socket of a pool received.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::socket::{Frame, inflate};

/// One socket's account of what it got.
#[derive(Default)]
pub struct ReceivedFrames {
    /// How many frames.
    pub frames: AtomicU64,
    /// A digest of all frames in their order: equal digests are equal histories.
    pub chain: AtomicU64,
    /// The frames themselves, inflated, where they are kept.
    pub payloads: Option<Mutex<Vec<Box<[u8]>>>>,
}

impl ReceivedFrames {
    /// Takes in a frame. The digest of all before goes in, that with this one comes out.
    pub fn take(&self, chain: u64, frame: &Frame<'_>) -> Result<u64> {
        if let Some(kept) = &self.payloads {
            let payload = if frame.compressed {
                inflate(frame.payload)?.into()
            } else {
                frame.payload.into()
            };
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(payload);
        }
        Ok(digest(chain, frame.payload))
    }

    /// Notes that so many frames more have come, with this digest.
    pub fn note(&self, frames: u64, chain: u64) {
        self.chain.store(chain, Ordering::Release);
        self.frames.fetch_add(frames, Ordering::AcqRel);
    }
}

fn digest(chain: u64, payload: &[u8]) -> u64 {
    let step =
        |chain: u64, word: u64| (chain.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, rest) = payload.as_chunks::<8>();
    let chain = words
        .iter()
        .fold(step(chain, payload.len() as u64), |chain, word| {
            step(chain, u64::from_le_bytes(*word))
        });
    rest.iter()
        .fold(chain, |chain, byte| step(chain, u64::from(*byte)))
}
