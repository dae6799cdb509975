use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::{Semaphore, mpsc};

use super::subscriber::QUEUE_CAPACITY;
use super::*;
use crate::base::db::tests::Scratch;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::event;

event! {
    /// Something was put in.
    pub struct Put on "box.thing.put" by room {
        /// The box.
        room: RoomId = RoomId(1),
        /// What.
        number: i64 = 7,
    }
}

event! {
    /// Something was taken out.
    pub struct Taken on "box.thing.taken" by room {
        /// The box.
        room: RoomId = RoomId(1),
        /// What.
        number: i64 = 7,
    }
}

fn bus() -> Bus {
    Bus::new(Versions::default(), [Put::topic(), Taken::topic()])
}

fn put(number: i64) -> Put {
    Put {
        room: RoomId(1),
        number,
    }
}

fn taken(number: i64) -> Taken {
    Taken {
        room: RoomId(1),
        number,
    }
}

/// The state of the handlers: reports what they get.
#[derive(Clone)]
struct Seen {
    numbers: mpsc::UnboundedSender<i64>,
    missed: mpsc::UnboundedSender<u64>,
    gate: Arc<Semaphore>,
    broken: Arc<AtomicBool>,
}

struct Sight {
    numbers: mpsc::UnboundedReceiver<i64>,
    missed: mpsc::UnboundedReceiver<u64>,
}

fn seen() -> (Seen, Sight) {
    let (numbers, seen_numbers) = mpsc::unbounded_channel();
    let (missed, seen_missed) = mpsc::unbounded_channel();
    let state = Seen {
        numbers,
        missed,
        gate: Arc::new(Semaphore::new(0)),
        broken: Arc::default(),
    };
    let sight = Sight {
        numbers: seen_numbers,
        missed: seen_missed,
    };
    (state, sight)
}

async fn record_put(seen: &Seen, event: &Put, _: &Envelope) -> Result<()> {
    seen.numbers.send(event.number).unwrap();
    Ok(())
}

async fn record_taken(seen: &Seen, event: &Taken, _: &Envelope) -> Result<()> {
    seen.numbers.send(-event.number).unwrap();
    Ok(())
}

async fn wait_at_gate(seen: &Seen, _: &Put, _: &Envelope) -> Result<()> {
    seen.gate.acquire().await.unwrap().forget();
    Ok(())
}

async fn record_missed(seen: Seen, missed: u64) {
    seen.missed.send(missed).unwrap();
}

/// Fails for the number 1 while broken, every second time by a panic.
async fn fail_when_broken(seen: &Seen, event: &Put, _: &Envelope) -> Result<()> {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    seen.numbers.send(event.number).unwrap();
    if event.number != 1 || !seen.broken.load(Ordering::Relaxed) {
        return Ok(());
    }
    let tried = TRIES.fetch_add(1, Ordering::Relaxed);
    assert!(tried.is_multiple_of(2), "a panic counts as a failure, too");
    Err(Error::Unavailable)
}

#[tokio::test]
async fn events_keep_their_order_across_topics() {
    let (scratch, bus) = (Scratch::new().await, bus());
    let (state, mut sight) = seen();
    Subscriber::new("test.order")
        .on(record_put)
        .on(record_taken)
        .bind(&state)
        .start(&bus, &DeadLetters::new(scratch.db.clone()));
    for number in 1..=500 {
        bus.publish(Origin::default(), put(number));
        bus.publish(Origin::default(), taken(number));
    }
    for number in 1..=500 {
        assert_eq!(sight.numbers.recv().await, Some(number));
        assert_eq!(sight.numbers.recv().await, Some(-number));
    }
}

#[tokio::test]
async fn slow_subscriber_lags_and_blocks_nobody() {
    let (scratch, bus) = (Scratch::new().await, bus());
    let dead = DeadLetters::new(scratch.db.clone());
    let (state, mut sight) = seen();
    Subscriber::new("test.slow")
        .on(wait_at_gate)
        .when_lagged(record_missed)
        .bind(&state)
        .start(&bus, &dead);
    Subscriber::new("test.quick")
        .on(record_put)
        .bind(&state)
        .start(&bus, &dead);
    for number in 0..2 * QUEUE_CAPACITY as i64 {
        bus.publish(Origin::default(), put(number));
        assert_eq!(sight.numbers.recv().await, Some(number));
    }
    state.gate.add_permits(2 * QUEUE_CAPACITY);
    let missed = sight.missed.recv().await.unwrap();
    assert!(missed >= QUEUE_CAPACITY as u64 - 1, "{missed}");
}

#[tokio::test]
async fn failed_handler_leaves_dead_letter_for_replay() {
    let (scratch, bus) = (Scratch::new().await, bus());
    let dead = DeadLetters::new(scratch.db.clone());
    let (state, mut sight) = seen();
    state.broken.store(true, Ordering::Relaxed);
    let subscriber = Subscriber::new("test.fails")
        .on(fail_when_broken)
        .bind(&state);
    subscriber.start(&bus, &dead);
    bus.publish(Origin::default(), put(1));
    bus.publish(Origin::default(), put(2));
    for number in [1, 1, 1, 1, 2] {
        let seen = sight.numbers.recv().await;
        assert_eq!(seen, Some(number), "four tries, and then the next event");
    }
    let letters = dead.newest().await.unwrap();
    let letter = &letters[0];
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (&*letter.topic, &*letter.subscriber),
        ("box.thing.put", "test.fails")
    );
    let id = letter.id;
    assert!(dead.replay(id, "test.fails", &bus).await.is_err());
    assert_eq!(
        dead.newest().await.unwrap().len(),
        1,
        "still broken, still kept"
    );
    state.broken.store(false, Ordering::Relaxed);
    dead.replay(id, "test.fails", &bus).await.unwrap();
    assert!(dead.newest().await.unwrap().is_empty());
}

#[test]
#[should_panic(expected = "no module declares it")]
fn undeclared_topic_is_refused() {
    let bus = Bus::new(Versions::default(), [Taken::topic()]);
    bus.publish(Origin::default(), put(1));
}

#[test]
fn event_declaration_matches_its_json() {
    let topic = Put::topic().json();
    assert_eq!(topic["fields"][1]["name"], "number");
    assert_eq!(
        topic["example"],
        serde_json::json!({ "room": "1", "number": 7 })
    );
    let body = (Put::topic().decode)(topic["example"].clone()).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>((Put::topic().encode)(body.as_ref()).get())
            .unwrap(),
        topic["example"]
    );
}
