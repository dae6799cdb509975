use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::*;
use crate::base::db::tests::Scratch;
use crate::base::error::Error;
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
    let bus = Bus::new(Versions::default());
    bus.declare([Put::topic(), Taken::topic()]);
    bus
}

fn put(number: i64) -> Put {
    Put {
        room: RoomId(1),
        number,
    }
}

#[tokio::test]
async fn events_of_one_key_keep_their_order_across_topics() {
    let (scratch, bus) = (Scratch::new().await, bus());
    let (heard, mut hears) = mpsc::unbounded_channel();
    Subscriber::new("test.order", move |event| {
        let number = event
            .get::<Put>()
            .map_or_else(|| -event.get::<Taken>().unwrap().number, |put| put.number);
        heard.send(number).unwrap();
        async { Ok(()) }
    })
    .on::<Put>()
    .on::<Taken>()
    .start(&bus, &DeadLetters::new(scratch.db.clone()));
    for number in 1..=500 {
        bus.publish(Origin::default(), put(number));
        bus.publish(
            Origin::default(),
            Taken {
                room: RoomId(1),
                number,
            },
        );
    }
    for number in 1..=500 {
        assert_eq!(hears.recv().await, Some(number));
        assert_eq!(hears.recv().await, Some(-number));
    }
}

#[tokio::test]
async fn a_slow_subscriber_is_told_that_it_lagged_and_holds_up_nobody() {
    let (scratch, bus) = (Scratch::new().await, bus());
    let dead = DeadLetters::new(scratch.db.clone());
    let (missed, mut misses) = mpsc::unbounded_channel();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let wait = gate.clone();
    Subscriber::new("test.slow", move |_| {
        let wait = wait.clone();
        async move {
            wait.acquire().await.unwrap().forget();
            Ok(())
        }
    })
    .on::<Put>()
    .when_lagged(move |count| {
        missed.send(count).unwrap();
        async {}
    })
    .start(&bus, &dead);
    let count = Arc::new(AtomicU32::new(0));
    let (counter, all) = (count.clone(), Arc::new(tokio::sync::Notify::new()));
    let done = all.clone();
    Subscriber::new("test.quick", move |_| {
        if counter.fetch_add(1, Ordering::Relaxed) + 1 == 2 * CHANNEL_CAPACITY as u32 {
            done.notify_one();
        }
        async { Ok(()) }
    })
    .on::<Put>()
    .start(&bus, &dead);
    for number in 0..2 * CHANNEL_CAPACITY as i64 {
        bus.publish(Origin::default(), put(number));
        if number % 64 == 0 {
            tokio::task::yield_now().await; // the quick one keeps up; the slow one stands still
        }
    }
    all.notified().await;
    gate.add_permits(2 * CHANNEL_CAPACITY);
    assert!(misses.recv().await.unwrap() >= CHANNEL_CAPACITY as u64 - 1);
}

#[tokio::test]
async fn a_handler_that_fails_for_good_leaves_a_dead_letter_that_can_be_replayed() {
    let (scratch, bus) = (Scratch::new().await, bus());
    let dead = DeadLetters::new(scratch.db.clone());
    let tries: Arc<Mutex<Vec<i64>>> = Arc::default();
    let (seen, broken) = (
        tries.clone(),
        Arc::new(std::sync::atomic::AtomicBool::new(true)),
    );
    let fails = broken.clone();
    let (after, mut reached) = mpsc::unbounded_channel();
    let subscriber = Subscriber::new("test.fails", move |event| {
        let number = event.get::<Put>().unwrap().number;
        let tried = {
            let mut seen = seen.lock().unwrap();
            seen.push(number);
            seen.len()
        };
        let fails = fails.load(Ordering::Relaxed) && number == 1;
        assert!(!fails || tried % 2 == 0, "a panic counts as a failure, too");
        after.send(number).unwrap();
        async move {
            if fails {
                Err(Error::Unavailable)
            } else {
                Ok(())
            }
        }
    })
    .on::<Put>();
    subscriber.start(&bus, &dead);
    bus.publish(Origin::default(), put(1));
    bus.publish(Origin::default(), put(2));
    while reached.recv().await != Some(2) {}
    assert_eq!(
        *tries.lock().unwrap(),
        [1, 1, 1, 1, 2],
        "four tries, and then the next event"
    );

    let letters = dead.newest().await.unwrap();
    assert_eq!(
        (
            letters.len(),
            letters[0].topic.as_str(),
            letters[0].subscriber.as_str()
        ),
        (1, "box.thing.put", "test.fails")
    );
    let (id, all) = (letters[0].id, [subscriber]);
    assert!(
        dead.replay(id, "test.fails", &bus, &all).await.is_err(),
        "still broken, still kept"
    );
    assert_eq!(dead.newest().await.unwrap().len(), 1);
    broken.store(false, Ordering::Relaxed);
    dead.replay(id, "test.fails", &bus, &all).await.unwrap();
    assert!(dead.newest().await.unwrap().is_empty());
    assert_eq!(tries.lock().unwrap().last(), Some(&1));
}

#[test]
#[should_panic(expected = "no module declares it")]
fn an_undeclared_topic_is_refused() {
    let bus = Bus::new(Versions::default());
    bus.declare([Taken::topic()]);
    bus.publish(Origin::default(), put(1));
}

#[test]
fn an_event_documents_itself_and_survives_its_json() {
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
