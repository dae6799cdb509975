//! The web: one router, pages and fragments, errors in words, and the layers every request passes.

mod act;
mod assets;
mod errors;
mod health;
mod kept;
mod layers;
mod pages;
mod parts;
mod wants;

pub use act::{answer, redisplay};
pub use assets::VERSION;
pub use errors::{problem, words_of};
pub use health::Health;
pub use kept::{Kept, PageKey, PartKey};
pub use layers::{RequestId, assemble};
pub(crate) use pages::app_page;
pub use pages::{Head, Html, Pages};
pub use parts::{Page, PageAnswer, Part};
pub use wants::Wants;
