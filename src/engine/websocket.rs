//! The server's side of WebSocket (RFC 6455) with compression of single messages (RFC 7692),
//! without I/O of its own: bytes in, messages out, and the other way round.
//!
//! [`accept`] answers the request, a [`Reader`] for each connection makes messages of what arrives,
//! and [`frames`] encodes what a server sends. Neither side carries compression state from one
//! message to the next, so a thread needs one [`Inflater`], a message is compressed once for all
//! sockets, and an idle connection holds a `Reader` of 64 bytes and nothing else.

mod deflate;
mod deflate_offer;
pub mod frames;
mod handshake;
mod header;
mod reader;

pub use deflate::{Deflater, Inflater};
pub use deflate_offer::Window;
pub use handshake::{Agreed, Refused, accept};
pub use header::Fault;
pub use reader::{Message, Reader};
