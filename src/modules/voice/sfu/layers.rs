//! The layers of a picture: a camera is sent in up to three sizes at once, and each receiver gets
//! the one that fits its tile and its network.

use std::time::{Duration, Instant};

/// Sizes of one picture, the smallest first.
pub const LAYERS: usize = 3;
/// What a voice costs, in bits a second.
pub const SOUND_BITS: u64 = 64_000;
/// A layer of which nothing came for this long is not sent any more.
const GONE_AFTER: Duration = Duration::from_millis(1_500);
/// How long bytes are counted for one bitrate.
const WINDOW: Duration = Duration::from_secs(1);

/// What comes of one picture.
#[derive(Clone, Default)]
pub struct Layers([Layer; LAYERS]);

#[derive(Clone, Default)]
struct Layer {
    last_packet: Option<Instant>,
    window: Option<Instant>,
    bytes: u64,
    bitrate: u64,
}

impl Layers {
    /// Counts a packet.
    pub fn count(&mut self, layer: usize, bytes: usize, now: Instant) {
        let Some(layer) = self.0.get_mut(layer) else {
            return;
        };
        layer.last_packet = Some(now);
        let start = *layer.window.get_or_insert(now);
        layer.bytes += u64::try_from(bytes).unwrap_or(0);
        let passed = now.saturating_duration_since(start);
        if passed >= WINDOW {
            let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1);
            layer.bitrate = layer.bytes * 8_000 / millis;
            (layer.window, layer.bytes) = (Some(now), 0);
        }
    }

    /// Bits a second of each layer; nothing for one that is not sent.
    pub fn bitrates(&self, now: Instant) -> [Option<u64>; LAYERS] {
        std::array::from_fn(|index| {
            let layer = &self.0[index];
            let last = layer.last_packet?;
            let is_sent = now.saturating_duration_since(last) < GONE_AFTER;
            // Not yet known: what it has brought so far.
            is_sent.then(|| layer.bitrate.max(layer.bytes * 8))
        })
    }
}

/// A picture that a receiver wants, and the layer that they get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Their slot.
    pub slot: usize,
    /// The greatest layer they want.
    pub wanted: usize,
    /// As [`Layers::bitrates`] gives them.
    pub bitrates: [Option<u64>; LAYERS],
    /// The layer, before and after.
    pub chosen: usize,
}

/// Chooses a layer of each picture, so that all together fit into `budget` bits a second: each gets
/// its smallest, and then, one step after another, all get larger ones while they fit.
pub fn choose(choices: &mut [Choice], budget: Option<u64>) {
    let mut spent = 0;
    for choice in choices.iter_mut() {
        let smallest = (0..LAYERS).find(|layer| choice.bitrates[*layer].is_some());
        if let Some(layer) = smallest {
            choice.chosen = layer;
            spent += choice.bitrates[layer].unwrap_or(0);
        }
    }
    for layer in 1..LAYERS {
        for choice in choices.iter_mut() {
            let Some(bits) = choice.bitrates[layer].filter(|_| layer <= choice.wanted) else {
                continue;
            };
            let present = choice.bitrates[choice.chosen].unwrap_or(0);
            let after = spent - present.min(spent) + bits;
            if layer > choice.chosen && budget.is_none_or(|budget| after <= budget) {
                (choice.chosen, spent) = (layer, after);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: [Option<u64>; LAYERS] = [Some(100_000), Some(400_000), Some(1_500_000)];

    fn choice(slot: usize, wanted: usize, bitrates: [Option<u64>; LAYERS]) -> Choice {
        Choice {
            slot,
            wanted,
            bitrates,
            chosen: 0,
        }
    }

    fn chosen(mut choices: Vec<Choice>, budget: Option<u64>) -> Vec<usize> {
        choose(&mut choices, budget);
        choices.iter().map(|choice| choice.chosen).collect()
    }

    #[test]
    fn layer_is_the_greatest_that_is_wanted_and_fits() {
        let two = || vec![choice(0, 2, CAMERA), choice(1, 1, CAMERA)];
        assert_eq!(chosen(two(), None), [2, 1]);
        assert_eq!(chosen(two(), Some(10_000_000)), [2, 1]);
        assert_eq!(chosen(two(), Some(1_000_000)), [1, 1]);
        assert_eq!(chosen(two(), Some(600_000)), [1, 0]);
        // Somebody on a very thin line still gets the smallest.
        assert_eq!(chosen(two(), Some(0)), [0, 0]);
    }

    #[test]
    fn layer_that_is_not_sent_is_not_chosen() {
        let only_middle = [None, Some(400_000), None];
        assert_eq!(chosen(vec![choice(0, 0, only_middle)], None), [1]);
        assert_eq!(chosen(vec![choice(0, 2, only_middle)], None), [1]);
        let nothing = [None; LAYERS];
        assert_eq!(chosen(vec![choice(0, 2, nothing)], None), [0]);
    }

    #[test]
    fn bitrate_is_that_of_the_last_second() {
        let mut layers = Layers::default();
        let start = Instant::now();
        for step in 0..=100_u32 {
            layers.count(1, 1_250, start + Duration::from_millis(10) * step);
        }
        let end = start + Duration::from_secs(1);
        let bits = layers.bitrates(end)[1].expect("is sent");
        assert!((990_000..1_030_000).contains(&bits), "{bits}");
        assert_eq!(layers.bitrates(end)[0], None);
        assert_eq!(layers.bitrates(end + GONE_AFTER)[1], None);
    }
}
