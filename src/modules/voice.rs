//! Voice.
#![allow(dead_code)]
mod media;
mod sfu;
