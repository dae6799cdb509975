//! The table of states, cell by cell, and in random orders.

use proptest::prelude::*;

use super::*;

const WAYS: [Way; 3] = [Way::Tide, Way::Hand, Way::Drift];
const STATES: [State; 12] = [
    State::Draft,
    State::Sealed,
    State::Posted,
    State::InTransit,
    State::Delivered,
    State::Read,
    State::Replied,
    State::Recalled,
    State::Undeliverable,
    State::Returned,
    State::Lost,
    State::Expired,
];
const STEPS: [Step; 15] = [
    Step::Seal,
    Step::Post,
    Step::Take,
    Step::HandOver,
    Step::Deliver,
    Step::Open,
    Step::Answer,
    Step::Recall,
    Step::Fail,
    Step::Retry,
    Step::Return,
    Step::Lose,
    Step::Find,
    Step::Expire,
    Step::Drift,
];
const ACTORS: [Actor; 5] = [
    Actor::Author,
    Actor::Recipient,
    Actor::Courier,
    Actor::Organiser,
    Actor::Clock,
];

/// What is allowed, in words: way, state, step, actor, state after, who is told.
const ALLOWED: &str = "
    any  draft         seal      author    sealed        nobody
    any  sealed        post      author    posted        nobody
    any  sealed        recall    author    recalled      nobody
    any  posted        recall    author    recalled      nobody
    any  delivered     open      recipient read          nobody
    any  read          answer    recipient replied       nobody
    any  replied       answer    recipient replied       nobody
    tide posted        take      clock     in_transit    nobody
    tide in_transit    recall    author    recalled      nobody
    tide in_transit    deliver   clock     delivered     both
    tide in_transit    fail      clock     undeliverable nobody
    tide undeliverable return    clock     returned      author
    drift posted       take      clock     in_transit    nobody
    drift in_transit   recall    author    recalled      nobody
    drift in_transit   deliver   clock     delivered     both
    drift in_transit   expire    clock     expired       author
    drift delivered    drift     recipient in_transit    nobody
    drift delivered    drift     clock     in_transit    nobody
    drift delivered    expire    clock     expired       author
    drift read         drift     recipient in_transit    nobody
    drift read         drift     clock     in_transit    nobody
    drift read         expire    clock     expired       author
    hand sealed        expire    clock     expired       author
    hand posted        expire    clock     expired       author
    hand posted        take      courier   in_transit    nobody
    hand posted        lose      organiser lost          author
    hand posted        deliver   recipient delivered     author
    hand in_transit    hand_over courier   in_transit    courier
    hand in_transit    take      courier   in_transit    nobody
    hand in_transit    deliver   courier   delivered     both
    hand in_transit    deliver   recipient delivered     author
    hand in_transit    fail      courier   undeliverable author
    hand in_transit    lose      organiser lost          author
    hand in_transit    retry     organiser posted        nobody
    hand undeliverable retry     courier   in_transit    nobody
    hand undeliverable retry     organiser posted        nobody
    hand undeliverable return    courier   returned      author
    hand undeliverable return    organiser returned      author
    hand undeliverable lose      organiser lost          author
    hand undeliverable deliver   recipient delivered     author
    hand lost          find      organiser posted        author
    hand lost          return    organiser returned      author
    hand lost          deliver   recipient delivered     author
";

/// State after and who is told, by the list above.
fn allowed(
    way: Way,
    from: State,
    step: Step,
    actor: Actor,
) -> Option<(&'static str, &'static str)> {
    let lines = ALLOWED
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut found = None;
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [of, state, named, by, to, told] = words[..] else {
            panic!("six words: {line}");
        };
        let fits = (of == "any" || of == way.as_str())
            && state == from.as_str()
            && named == step.as_str()
            && by == actor.as_str();
        if fits {
            assert!(found.is_none(), "twice: {line}");
            found = Some((to, told));
        }
    }
    found
}

#[test]
fn every_cell_is_allowed_or_refused_as_listed() {
    let (mut steps, mut cells) = (0, 0);
    for way in WAYS {
        for from in STATES {
            for step in STEPS {
                for actor in ACTORS {
                    cells += 1;
                    let row = next(way, from, step, actor);
                    let told = row.map(|row| format!("{:?}", row.told).to_lowercase());
                    let is = row.map(|row| row.to.as_str()).zip(told.as_deref());
                    assert_eq!(
                        is,
                        allowed(way, from, step, actor),
                        "{way:?} {from:?} {step:?} {actor:?}"
                    );
                    steps += usize::from(row.is_some());
                }
            }
        }
    }
    assert_eq!((cells, steps), (3 * 12 * 15 * 5, 57));
}

proptest! {
    /// Whatever is tried in whatever order: a sealed letter is never a draft again, what was read
    /// stays with its reader, and the ends stay ends.
    #[test]
    fn no_order_of_steps_leaves_the_table(
        way in prop::sample::select(WAYS.to_vec()),
        tries in prop::collection::vec((0..STEPS.len(), 0..ACTORS.len()), 0..200),
    ) {
        let mut state = State::Draft;
        for (step, actor) in tries {
            let before = state;
            if let Some(row) = next(way, state, STEPS[step], ACTORS[actor]) {
                state = row.to;
            }
            prop_assert!(state != State::Draft || before == State::Draft);
            let is_answered = before == State::Replied;
            if before.has_arrived() && (is_answered || way != Way::Drift) {
                prop_assert!(state.has_arrived());
            }
            if matches!(before, State::Recalled | State::Returned | State::Expired) {
                prop_assert_eq!(state, before);
            }
            if state == State::Recalled && before != State::Recalled {
                prop_assert_eq!(ACTORS[actor], Actor::Author);
                prop_assert!(before != State::InTransit || way != Way::Hand);
            }
            if state == State::Delivered && before != State::Delivered && way != Way::Hand {
                prop_assert_eq!(before, State::InTransit);
            }
        }
    }
}
