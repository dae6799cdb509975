//! Compression of single messages (RFC 7692) without context takeover: every message starts anew.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::header::Fault;

const SCRATCH_BYTES: usize = 16 * 1024; // bytes inflated at a time

/// What follows a message's bytes: the four that the sender left off (RFC 7692, section 7.2.2),
/// then a final empty block. It is read as an end only between blocks, so a message
/// that breaks off inside a block is detected.
const TAIL: [u8; 9] = [0x00, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0xFF, 0xFF];

/// Measured on fragments of 400 bytes to 4 KiB: higher levels gain at most 1.5 % and take up to
/// twice as long; level 1 takes 40 % of the time, but makes a quarter to over a third more, which
/// every socket then pays for.
const LEVEL: Compression = Compression::new(3);

/// Inflates messages. About 64 KiB, used again for every message: one for each thread is enough.
pub struct Inflater {
    stream: Decompress,
    scratch: Box<[u8]>,
}

impl Inflater {
    /// Allocates its state.
    pub fn new() -> Self {
        Self {
            stream: Decompress::new(false),
            scratch: vec![0; SCRATCH_BYTES].into(),
        }
    }

    /// Inflates the payload of one message to at most `max_bytes` bytes. An empty payload is an
    /// empty message.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] as soon as it inflates to more, having kept no more than `max_bytes`;
    /// [`Fault::NotDeflate`] when it is no deflated data or breaks off within.
    pub fn inflate(&mut self, deflated: &[u8], max_bytes: usize) -> Result<Vec<u8>, Fault> {
        let mut plain = Vec::new();
        if deflated.is_empty() {
            return Ok(plain);
        }
        self.stream.reset(false);
        let mut ended = false;
        for mut rest in [deflated, &TAIL] {
            loop {
                // A block may say that it is the last one (RFC 7692, section 7.2.3.4). What follows
                // it starts anew.
                if ended {
                    self.stream.reset(false);
                }
                let (taken, given) = (self.stream.total_in(), self.stream.total_out());
                let status = self
                    .stream
                    .decompress(rest, &mut self.scratch, FlushDecompress::None)
                    .map_err(|_| Fault::NotDeflate)?;
                let (taken, given) = (
                    (self.stream.total_in() - taken) as usize,
                    (self.stream.total_out() - given) as usize,
                );
                if given > max_bytes - plain.len() {
                    return Err(Fault::TooLarge);
                }
                append(&mut plain, &self.scratch[..given], max_bytes);
                rest = &rest[taken..];
                ended = status == Status::StreamEnd;
                let more = if ended {
                    !rest.is_empty()
                } else {
                    given == SCRATCH_BYTES
                };
                if !more {
                    break;
                }
            }
        }
        if ended {
            Ok(plain)
        } else {
            Err(Fault::NotDeflate)
        }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// Deflates messages. About 300 KiB, used again for every message.
pub struct Deflater {
    stream: Compress,
}

impl Deflater {
    /// Allocates its state.
    pub fn new() -> Self {
        Self {
            stream: Compress::new(LEVEL, false),
        }
    }

    /// Deflates one message to what goes into a frame: with a window of 32 KiB, up to a sync flush
    /// whose last four bytes are left off (RFC 7692, section 7.2.1).
    pub fn deflate(&mut self, plain: &[u8]) -> Vec<u8> {
        self.stream.reset();
        let mut deflated = Vec::with_capacity(plain.len() / 2 + 64);
        let mut rest = plain;
        loop {
            let taken = self.stream.total_in();
            self.stream
                .compress_vec(rest, &mut deflated, FlushCompress::Sync)
                .expect("a stream that was reset can be written to");
            rest = &rest[(self.stream.total_in() - taken) as usize..];
            // Capacity that is left over means that everything is out, the flush included.
            if deflated.len() < deflated.capacity() {
                break;
            }
            deflated.reserve(deflated.len());
        }
        deflated.truncate(deflated.len() - 4);
        deflated
    }
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds to a buffer that will hold at most `max_bytes` bytes. First exactly what there is, for most
/// messages come in one piece; then twice the room each time, but never more than `max_bytes`.
pub(super) fn append(buffer: &mut Vec<u8>, more: &[u8], max_bytes: usize) {
    let needed = buffer.len() + more.len();
    if needed > buffer.capacity() {
        let room = needed.max(max_bytes.min(2 * buffer.capacity()));
        buffer.reserve_exact(room - buffer.len());
    }
    buffer.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn deflater_makes_the_bytes_of_the_rfc() {
        let mut deflater = Deflater::new();
        assert_eq!(deflater.deflate(b""), [0]);
        assert_eq!(deflater.deflate(b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
        assert_eq!(
            deflater.deflate(b"Hello"),
            b"\xf2\x48\xcd\xc9\xc9\x07\x00",
            "nothing is carried over"
        );
    }

    #[test]
    fn message_of_scratch_size_inflates() {
        let (mut deflater, mut inflater) = (Deflater::new(), Inflater::new());
        for length in [
            SCRATCH_BYTES - 1,
            SCRATCH_BYTES,
            SCRATCH_BYTES + 1,
            2 * SCRATCH_BYTES,
            2 * SCRATCH_BYTES + 300,
        ] {
            let plain = vec![b'a'; length];
            assert_eq!(
                inflater.inflate(&deflater.deflate(&plain), length),
                Ok(plain)
            );
            assert_eq!(
                inflater.inflate(&deflater.deflate(&vec![b'a'; length]), length - 1),
                Err(Fault::TooLarge)
            );
        }
    }

    #[test]
    fn inflater_is_usable_after_a_fault() {
        let mut inflater = Inflater::new();
        assert_eq!(inflater.inflate(b"\xff", 100), Err(Fault::NotDeflate));
        assert_eq!(
            inflater.inflate(b"\xf2\x48", 100),
            Err(Fault::NotDeflate),
            "breaks off within a block"
        );
        assert_eq!(
            inflater.inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", 100),
            Ok(b"Hello".to_vec())
        );
    }

    #[test]
    fn several_final_blocks_inflate_to_one_message() {
        let hello = b"\xf3\x48\xcd\xc9\xc9\x07\x00";
        let twice = [&hello[..], hello, b"\x00"].concat();
        assert_eq!(
            Inflater::new().inflate(&twice, 100),
            Ok(b"HelloHello".to_vec())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn deflated_message_inflates_to_itself(
            plain in prop::collection::vec(any::<u8>(), 0..5000),
            times in 1..20_usize,
        ) {
            let plain = plain.repeat(times);
            let deflated = Deflater::new().deflate(&plain);
            let inflated = Inflater::new().inflate(&deflated, plain.len()).unwrap();
            prop_assert!(inflated.capacity() <= plain.len());
            prop_assert_eq!(inflated, plain);
        }
    }
}
