//! The order of a stored feed's frames. Their positions come from the store; frames of different
//! instances, or of different subscribers, may reach the feed in another order.

use std::collections::BTreeMap;

/// Frames that wait for an earlier one. More than this are not waited for.
const MAX_PENDING: usize = 256;

/// Frames by position, until those before them have come.
pub(super) struct Sequence<T> {
    /// Whether the feed knows where it begins. Until then all frames wait.
    is_open: bool,
    pending: BTreeMap<u64, T>,
    /// Whether somebody watches the gap before the first pending frame.
    is_watched: bool,
}

impl<T> Default for Sequence<T> {
    fn default() -> Self {
        Self {
            is_open: false,
            pending: BTreeMap::new(),
            is_watched: false,
        }
    }
}

/// What becomes of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed<T> {
    /// It is next.
    Next(T),
    /// It waits for those before it. Whether the caller has to watch the gap.
    Waits { watch: bool },
    /// It is known already, or its gap was given up.
    Old,
}

impl<T> Sequence<T> {
    /// Takes the frame at `position` of a feed that has all frames up to `head`.
    pub(super) fn push(&mut self, head: u64, position: u64, frame: T) -> Pushed<T> {
        if !self.is_open {
            self.pending.insert(position, frame);
            // Those that the store knows are dropped when it opens, so the newest are kept.
            if self.pending.len() > MAX_PENDING {
                self.pending.pop_first();
            }
            return Pushed::Waits { watch: false };
        }
        if position <= head {
            return Pushed::Old;
        }
        if position == head + 1 {
            return Pushed::Next(frame);
        }
        self.pending.insert(position, frame);
        let watch = !std::mem::replace(&mut self.is_watched, true);
        Pushed::Waits { watch }
    }

    /// The frame after `head`, if it waits.
    pub(super) fn pop(&mut self, head: u64) -> Option<T> {
        self.pending.remove(&(head + 1))
    }

    /// Opens the feed after `head`, and forgets what waits before it.
    pub(super) fn open(&mut self, head: u64) {
        self.is_open = true;
        self.pending.retain(|position, _| *position > head);
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The number before the first pending frame, where it is past `head`: the end of a gap.
    pub(super) fn gap_after(&self, head: u64) -> Option<u64> {
        let (first, _) = self.pending.first_key_value()?;
        (*first > head + 1).then_some(first - 1)
    }

    /// Whether a gap is not to be waited for any longer.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() > MAX_PENDING
    }

    /// Nobody watches the gap any more.
    pub(super) fn end_watch(&mut self) {
        self.is_watched = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes and takes out what is in order then.
    fn push(sequence: &mut Sequence<u64>, head: &mut u64, position: u64) -> Vec<u64> {
        let mut taken = match sequence.push(*head, position, position) {
            Pushed::Next(frame) => vec![frame],
            _ => return Vec::new(),
        };
        *head += 1;
        while let Some(frame) = sequence.pop(*head) {
            taken.push(frame);
            *head += 1;
        }
        taken
    }

    #[test]
    fn frames_leave_in_the_order_of_positions() {
        let (mut sequence, mut head) = (Sequence::default(), 10);
        sequence.open(head);
        assert_eq!(push(&mut sequence, &mut head, 13), [0; 0]);
        assert_eq!(push(&mut sequence, &mut head, 12), [0; 0]);
        assert_eq!(push(&mut sequence, &mut head, 11), [11, 12, 13]);
        assert_eq!(push(&mut sequence, &mut head, 12), [0; 0], "known already");
        assert_eq!(push(&mut sequence, &mut head, 14), [14]);
    }

    #[test]
    fn gap_is_watched_once_and_ends_before_the_first_pending() {
        let mut sequence = Sequence::default();
        sequence.open(10);
        assert_eq!(sequence.push(10, 13, ()), Pushed::Waits { watch: true });
        assert_eq!(sequence.push(10, 14, ()), Pushed::Waits { watch: false });
        assert_eq!(sequence.gap_after(10), Some(12));
        assert_eq!(sequence.gap_after(12), None);
    }

    #[test]
    fn frames_before_opening_continue_from_the_store() {
        let mut sequence = Sequence::default();
        for position in 5..9 {
            let pushed = sequence.push(0, position, position);
            assert_eq!(pushed, Pushed::Waits { watch: false });
        }
        sequence.open(6);
        assert_eq!(sequence.gap_after(6), None);
        assert_eq!(sequence.pop(6), Some(7));
        assert_eq!(sequence.pop(7), Some(8));
        assert_eq!(sequence.pop(8), None);
    }
}
