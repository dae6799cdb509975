//! Continuous sequence numbers and times for a stream whose packets come from one source after
//! another: layers of a camera, or people who share a place.
//!
//! A receiver takes a jump in sequence numbers for loss and asks for what never was. So each
//! outgoing stream counts for itself, and takes over only the differences within one source.

use std::time::{Duration, Instant};

/// Where packets of one source come to stand in the outgoing stream.
#[derive(Clone, Copy, Debug)]
struct Base {
    /// The first sequence number that was taken from the source.
    first: u64,
    /// Added to its numbers.
    sequence: i64,
    /// Added to its times.
    time: u32,
    /// Added to the numbers of its pictures, of which VP8 has 15 bits.
    picture: u16,
    /// Added to its numbers of pictures of the base layer.
    base_picture: u8,
}

/// The numbers of an outgoing packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The extended sequence number.
    pub sequence: u64,
    /// The RTP time.
    pub time: u32,
    /// VP8's PictureID, of 15 bits.
    pub picture: u16,
    /// VP8's TL0PICIDX.
    pub base_picture: u8,
}

/// Numbers the packets of one outgoing stream.
#[derive(Clone, Debug)]
pub struct Rewriter {
    clock_rate: u32,
    base: Option<Base>,
    /// The greatest that were sent, and when.
    last: Option<(Numbers, Instant)>,
}

impl Rewriter {
    /// A stream whose times advance by `clock_rate` a second.
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            base: None,
            last: None,
        }
    }

    /// Has the times of the sources that follow advance by another number of ticks a second.
    pub fn set_clock_rate(&mut self, clock_rate: u32) {
        self.clock_rate = clock_rate;
    }

    /// Has the next packet begin a new source, which may be the old one after a pause.
    pub fn restart(&mut self) {
        self.base = None;
    }

    /// The numbers of a packet of the present source; nothing for one from before its first.
    pub fn next(&mut self, packet: Numbers, now: Instant) -> Option<Numbers> {
        let base = match self.base {
            Some(base) => base,
            None => *self.base.insert(self.base_for(packet, now)),
        };
        if packet.sequence < base.first {
            return None;
        }
        let numbers = Numbers {
            sequence: packet.sequence.checked_add_signed(base.sequence)?,
            time: packet.time.wrapping_add(base.time),
            picture: packet.picture.wrapping_add(base.picture) & 0x7FFF,
            base_picture: packet.base_picture.wrapping_add(base.base_picture),
        };
        if self
            .last
            .is_none_or(|(last, _)| last.sequence < numbers.sequence)
        {
            self.last = Some((numbers, now));
        }
        Some(numbers)
    }

    fn base_for(&self, packet: Numbers, now: Instant) -> Base {
        let Some((last, at)) = self.last else {
            // A receiver starts to count the rounds of 65,536 numbers at none.
            let sequence = 1 - i64::try_from(packet.sequence).unwrap_or(0);
            return Base {
                first: packet.sequence,
                sequence,
                time: 0,
                picture: 0,
                base_picture: 0,
            };
        };
        let next = i64::try_from(last.sequence + 1).unwrap_or(i64::MAX);
        let passed = now
            .saturating_duration_since(at)
            .max(Duration::from_millis(1));
        let ticks = passed.as_micros() * u128::from(self.clock_rate) / 1_000_000;
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX).max(1);
        Base {
            first: packet.sequence,
            sequence: next - i64::try_from(packet.sequence).unwrap_or(0),
            time: last.time.wrapping_add(ticks).wrapping_sub(packet.time),
            picture: last.picture.wrapping_add(1).wrapping_sub(packet.picture) & 0x7FFF,
            base_picture: last
                .base_picture
                .wrapping_add(1)
                .wrapping_sub(packet.base_picture),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64, time: u32) -> Numbers {
        Numbers {
            sequence,
            time,
            picture: 0,
            base_picture: 0,
        }
    }

    fn sent(rewriter: &mut Rewriter, sequence: u64, time: u32, now: Instant) -> Option<(u64, u32)> {
        let numbers = rewriter.next(packet(sequence, time), now)?;
        Some((numbers.sequence, numbers.time))
    }

    #[test]
    fn numbers_of_one_source_keep_their_differences() {
        let mut rewriter = Rewriter::new(48_000);
        let now = Instant::now();
        assert_eq!(sent(&mut rewriter, 70_000, 500, now), Some((1, 500)));
        assert_eq!(sent(&mut rewriter, 70_002, 2_420, now), Some((3, 2_420)));
        // Late, but not from before the first.
        assert_eq!(sent(&mut rewriter, 70_001, 1_460, now), Some((2, 1_460)));
        assert_eq!(sent(&mut rewriter, 69_999, 0, now), None);
    }

    #[test]
    fn next_source_goes_on_where_the_last_one_ended() {
        let mut rewriter = Rewriter::new(48_000);
        let start = Instant::now();
        sent(&mut rewriter, 10, 1_000, start);
        sent(&mut rewriter, 11, 1_960, start);
        rewriter.restart();
        let later = start + Duration::from_millis(100);
        // 100 ms are 4,800 ticks.
        assert_eq!(sent(&mut rewriter, 9_000, 77, later), Some((3, 6_760)));
        assert_eq!(sent(&mut rewriter, 9_001, 1_037, later), Some((4, 7_720)));
        // A late packet of the source before has no place any more.
        assert_eq!(sent(&mut rewriter, 12, 2_920, later), None);
    }

    #[test]
    fn pictures_of_the_next_layer_go_on_within_their_bits() {
        let mut rewriter = Rewriter::new(90_000);
        let now = Instant::now();
        let first = Numbers {
            sequence: 1,
            time: 0,
            picture: 0x7FFF,
            base_picture: 255,
        };
        rewriter.next(first, now);
        rewriter.restart();
        let other = Numbers {
            sequence: 50,
            time: 9,
            picture: 300,
            base_picture: 7,
        };
        let numbers = rewriter.next(other, now).expect("sent");
        assert_eq!((numbers.picture, numbers.base_picture), (0, 0));
    }
}
