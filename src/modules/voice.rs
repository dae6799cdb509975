//! Voice.
#![allow(dead_code)]
mod sfu;
