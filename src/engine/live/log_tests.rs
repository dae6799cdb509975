//! Tests of the log's rules.

use super::log::{Bounds, Entry, Log, ReadAfter};

#[derive(Clone)]
struct Numbered(u64, &'static str);

impl Entry for Numbered {
    fn number(&self) -> u64 {
        self.0
    }

    fn weight(&self) -> usize {
        10
    }
}

fn log_with(entries: u64, bounds: Bounds) -> Log<Numbered> {
    let log = Log::new(100);
    for _ in 0..entries {
        log.append(bounds, |number| Numbered(number, "as it was"), None, |_| {});
    }
    log
}

fn numbers(read: ReadAfter<Numbered>) -> Option<Vec<u64>> {
    match read {
        ReadAfter::Entries(entries, _) => Some(entries.iter().map(|entry| entry.0).collect()),
        ReadAfter::OutOfRange => None,
    }
}

const EIGHT: Bounds = Bounds {
    entries: 8,
    weight: usize::MAX,
};

#[test]
fn read_after_gives_exactly_the_newer_entries() {
    let log = log_with(5, EIGHT);
    assert_eq!(
        numbers(log.read_after(100, 64)),
        Some(vec![101, 102, 103, 104, 105])
    );
    assert_eq!(numbers(log.read_after(103, 64)), Some(vec![104, 105]));
    assert_eq!(numbers(log.read_after(105, 64)), Some(vec![]));
    assert_eq!(numbers(log.read_after(100, 2)), Some(vec![101, 102]));
}

#[test]
fn read_after_unknown_number_is_out_of_range() {
    let log = log_with(20, EIGHT);
    assert_eq!(numbers(log.read_after(111, 64)), None);
    assert_eq!(numbers(log.read_after(112, 64)).map(|n| n.len()), Some(8));
    assert_eq!(numbers(log.read_after(121, 64)), None);
    assert_eq!(numbers(log.read_after(0, 64)), None);
    assert!(log.reaches(120) && !log.reaches(111));
}

#[test]
fn log_over_its_weight_keeps_the_newest() {
    let log = log_with(
        20,
        Bounds {
            entries: 8,
            weight: 35,
        },
    );
    assert_eq!(numbers(log.read_after(117, 64)), Some(vec![118, 119, 120]));
    assert_eq!(numbers(log.read_after(116, 64)), None);
    assert_eq!(
        numbers(
            log_with(
                3,
                Bounds {
                    entries: 8,
                    weight: 1
                }
            )
            .read_after(102, 64)
        ),
        Some(vec![103])
    );
}

#[test]
fn change_supersedes_entries_and_bumps_rewrite_version() {
    let log = log_with(3, EIGHT);
    let before = log.rewrite_version();
    let supersede = |old: &Numbered| (old.0 == 102).then_some(Numbered(102, "as it is"));
    log.append(
        EIGHT,
        |number| Numbered(number, "the change"),
        Some(&supersede),
        |_| {},
    );
    assert_ne!(log.rewrite_version(), before);
    let ReadAfter::Entries(entries, rewrite_version) = log.read_after(100, 64) else {
        panic!("gone")
    };
    assert_eq!(rewrite_version, log.rewrite_version());
    assert_eq!(
        entries.iter().map(|entry| entry.1).collect::<Vec<_>>(),
        ["as it was", "as it is", "as it was", "the change"]
    );
}

#[test]
fn shard_is_woken_once_until_it_acknowledges() {
    let log = log_with(0, EIGHT);
    let wakes = std::cell::RefCell::new(Vec::new());
    let publish = || {
        log.append(
            EIGHT,
            |number| Numbered(number, ""),
            None,
            |shard| wakes.borrow_mut().push(shard),
        )
    };
    publish();
    log.listen(0);
    log.listen(5);
    publish();
    publish();
    assert_eq!(wakes.take(), [0, 5]);
    log.acknowledge(5);
    publish();
    assert_eq!(wakes.take(), [5]);
    log.leave(5);
    log.acknowledge(5);
    log.acknowledge(0);
    publish();
    assert_eq!(wakes.take(), [0]);
}

fn append(log: &Log<Numbered>, entries: u64) {
    for _ in 0..entries {
        log.append(EIGHT, |number| Numbered(number, ""), None, |_| {});
    }
}

#[test]
fn log_lags_from_half_a_ring_until_taken() {
    let log = log_with(3, EIGHT);
    log.listen(0);
    append(&log, 4);
    assert!(!log.is_lagging(), "half of the ring is still free");
    append(&log, 1);
    assert!(log.is_lagging());
    assert!(!log.set_taken(0, 103), "nothing new was taken");
    assert!(log.set_taken(0, 104), "the change is reported once");
    assert!(!log.is_lagging() && !log.set_taken(0, 108));
}

#[test]
fn log_lags_behind_its_slowest_listening_shard() {
    let log = log_with(0, EIGHT);
    append(&log, 20);
    assert!(!log.is_lagging(), "nobody listens");
    log.listen(0);
    log.listen(5);
    append(&log, 5);
    assert!(!log.set_taken(0, 125) && log.is_lagging());
    assert!(log.leave(5), "a shard without followers is not waited for");
    append(&log, 4);
    assert!(!log.is_lagging());
}

#[test]
fn log_near_weight_limit_lags_at_half() {
    let bounds = Bounds {
        entries: 512,
        weight: 45,
    };
    let log = log_with(4, bounds);
    log.listen(0);
    for expected in [false, false, true] {
        log.append(bounds, |number| Numbered(number, ""), None, |_| {});
        assert_eq!(log.is_lagging(), expected);
    }
}
