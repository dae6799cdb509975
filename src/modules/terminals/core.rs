//! A terminal without sockets and without I/O: the bytes that its program wrote, the screen that
//! they make, and what each viewer of it has got. The server has one of each terminal that it
//! mirrors, and `tidepool share` has the original.

mod frame;
mod history;
mod log;
mod repeat_clamp;
mod screen;
mod signals;
mod terminal;
#[cfg(test)]
mod tests;
mod thumbnail;
mod visible_text;

pub use frame::{Frame, MAX_POSITION, Malformed, Size};
pub use history::history_lines;
pub use log::MAX_LOG_BYTES;
pub use signals::Signal;
pub use terminal::{Cursor, Gap, MAX_UNACKED_BYTES, NewScreen, Terminal};
pub use thumbnail::{Run, thumbnail};
