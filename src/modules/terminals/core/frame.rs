//! The binary messages of terminals: `u8 kind | u64 position | rest`, numbers in big endian.
//!
//! A position is a number of bytes of output since the program began. What changes the screen
//! carries the position at which it does so, so that everybody applies it at the same byte.

/// Bytes before the rest of a frame.
const HEADER_BYTES: usize = 9;
/// Columns and rows of a terminal, each.
pub const MAX_SIDE: u16 = 1_000;
/// Cells of a terminal: more than any screen shows, and 4 MiB of memory on a server.
const MAX_CELLS: u32 = 200_000;

/// The largest position: pages count in numbers that are whole up to it, and what is added to it
/// stays far from the end of 64 bits.
pub const MAX_POSITION: u64 = 1 << 53;

const OUTPUT: u8 = 1;
const SNAPSHOT: u8 = 2;
const RESIZE: u8 = 3;
const EXIT: u8 = 4;
const INPUT: u8 = 5;
const ACK: u8 = 6;
const PING: u8 = 7;
const PONG: u8 = 8;
const FILE_PIECE: u8 = 9;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// From 1 to 1,000.
    pub cols: u16,
    /// From 1 to 1,000.
    pub rows: u16,
}

impl Size {
    /// A size within the limits, nearest to what was asked for.
    pub fn new(cols: u16, rows: u16) -> Self {
        let cols = cols.clamp(1, MAX_SIDE);
        let most = (MAX_CELLS / u32::from(cols)).min(u32::from(MAX_SIDE)) as u16;
        Self {
            cols,
            rows: rows.clamp(1, most),
        }
    }
}

/// A message about a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Bytes that the program wrote, the first of which is at the position.
    Output {
        /// Of the first byte.
        position: u64,
        /// What it wrote.
        bytes: Vec<u8>,
    },
    /// The whole screen at a position, as escape sequences for a new terminal of this size.
    Snapshot {
        /// Of the next byte of output.
        position: u64,
        /// The size of the screen.
        size: Size,
        /// What draws it.
        bytes: Vec<u8>,
    },
    /// The terminal has another size from a position on.
    Resize {
        /// Of the next byte of output.
        position: u64,
        /// The size.
        size: Size,
    },
    /// The program ended.
    Exit {
        /// The number of all bytes of output.
        position: u64,
        /// Its exit code; 128 and the signal if one ended it.
        code: i32,
    },
    /// Bytes for the program that somebody typed. The position counts the bytes of input.
    Input {
        /// Of the first byte among those of its sender.
        position: u64,
        /// What was typed.
        bytes: Vec<u8>,
    },
    /// Everything before the position has arrived.
    Ack {
        /// Of the next byte that is expected.
        position: u64,
    },
    /// Bytes of the file that the sharer takes. The position counts them.
    FilePiece {
        /// Of the first byte.
        position: u64,
        /// What is in the file.
        bytes: Vec<u8>,
    },
    /// A watcher asks how long the way to the terminal takes.
    Ping {
        /// A number of theirs.
        position: u64,
    },
    /// The answer.
    Pong {
        /// The number that was asked with.
        position: u64,
        /// How long the way from there to the sharer and back takes, in ms.
        sharer_ms: u32,
    },
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no frame of a terminal")]
pub struct Malformed;

impl Frame {
    /// The frame as a message.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, position, rest): (u8, u64, &[u8]) = match self {
            Self::Output { position, bytes } => (OUTPUT, *position, bytes),
            Self::Snapshot {
                position, bytes, ..
            } => (SNAPSHOT, *position, bytes),
            Self::Resize { position, .. } => (RESIZE, *position, &[]),
            Self::Exit { position, .. } => (EXIT, *position, &[]),
            Self::Input { position, bytes } => (INPUT, *position, bytes),
            Self::Ack { position } => (ACK, *position, &[]),
            Self::FilePiece { position, bytes } => (FILE_PIECE, *position, bytes),
            Self::Ping { position } => (PING, *position, &[]),
            Self::Pong { position, .. } => (PONG, *position, &[]),
        };
        let mut message = Vec::with_capacity(HEADER_BYTES + 4 + rest.len());
        message.push(kind);
        message.extend(position.to_be_bytes());
        match self {
            Self::Snapshot { size, .. } | Self::Resize { size, .. } => {
                message.extend(size.cols.to_be_bytes());
                message.extend(size.rows.to_be_bytes());
            }
            Self::Exit { code, .. } => message.extend(code.to_be_bytes()),
            Self::Pong { sharer_ms, .. } => message.extend(sharer_ms.to_be_bytes()),
            _ => {}
        }
        message.extend(rest);
        message
    }

    /// Reads a message.
    ///
    /// # Errors
    /// When it is none of the above, or its position is past [`MAX_POSITION`].
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let (header, rest) = message
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(Malformed)?;
        let [kind, position @ ..] = *header;
        let position = u64::from_be_bytes(position);
        if position > MAX_POSITION {
            return Err(Malformed);
        }
        let only = |rest: &[u8]| rest.is_empty().then_some(()).ok_or(Malformed);
        Ok(match kind {
            OUTPUT => Self::Output {
                position,
                bytes: rest.to_vec(),
            },
            SNAPSHOT => {
                let (size, bytes) = read_size(rest)?;
                Self::Snapshot {
                    position,
                    size,
                    bytes: bytes.to_vec(),
                }
            }
            RESIZE => {
                let (size, rest) = read_size(rest)?;
                only(rest)?;
                Self::Resize { position, size }
            }
            EXIT => Self::Exit {
                position,
                code: i32::from_be_bytes(rest.try_into().map_err(|_| Malformed)?),
            },
            INPUT => Self::Input {
                position,
                bytes: rest.to_vec(),
            },
            ACK => {
                only(rest)?;
                Self::Ack { position }
            }
            FILE_PIECE => Self::FilePiece {
                position,
                bytes: rest.to_vec(),
            },
            PING => {
                only(rest)?;
                Self::Ping { position }
            }
            PONG => Self::Pong {
                position,
                sharer_ms: u32::from_be_bytes(rest.try_into().map_err(|_| Malformed)?),
            },
            _ => return Err(Malformed),
        })
    }
}

fn read_size(rest: &[u8]) -> Result<(Size, &[u8]), Malformed> {
    let (size, rest) = rest.split_first_chunk::<4>().ok_or(Malformed)?;
    let [a, b, c, d] = *size;
    let (cols, rows) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let size = Size::new(cols, rows);
    match size == (Size { cols, rows }) {
        true => Ok((size, rest)),
        false => Err(Malformed),
    }
}
