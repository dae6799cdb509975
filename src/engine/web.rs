//! The web: one router, pages and fragments, errors in words, and the layers every request passes.

mod act;
mod assets;
mod connections;
mod errors;
mod front;
mod health;
mod kept;
mod layers;
mod limits;
mod pages;
mod parts;
mod unread;
mod wants;

pub use act::{answer, redisplay};
pub use assets::VERSION;
pub use connections::{ConnectionPermit, serve};
pub use errors::{allowance_headers, problem, retry_headers, worded, words_of};
pub use front::Front;
pub use health::Health;
pub use kept::{Kept, PartKey};
pub use layers::assemble;
pub use limits::Requests;
pub(crate) use pages::app_page;
pub use pages::{Head, Html, Pages};
pub use parts::{PageAnswer, Part};
pub use wants::Wants;
