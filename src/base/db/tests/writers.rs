//! Several writers: order of a key, locked rows, and what becomes of two that wait for one another.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A row that writers count in.
async fn add_space(db: &Db, id: i64) {
    db.write(async move |tx| insert(tx, id).await)
        .await
        .unwrap();
}

const LOCK: &str = "SELECT id FROM spaces WHERE id = $1 + 1048576000000000 FOR NO KEY UPDATE";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_a_key_commit_in_order() {
    let scratch = Scratch::new().await;
    let ran: Arc<Mutex<Vec<(i64, i64)>>> = Arc::default();
    let committed = Arc::new(Mutex::new(Vec::new()));
    let writes = (0..400).map(|n| {
        let (key, ran, committed) = (n % 8, ran.clone(), committed.clone());
        scratch.db.write_for(key, async move |tx| {
            insert(tx, n).await?;
            ran.lock().unwrap().push((key, n));
            tx.after_commit(move || committed.lock().unwrap().push((key, n)));
            Ok(())
        })
    });
    for result in join_all(writes).await {
        result.unwrap();
    }
    let of_key = |all: &Mutex<Vec<(i64, i64)>>, key: i64| {
        let all = all.lock().unwrap();
        let of_key = all.iter().filter(|(k, _)| *k == key).map(|(_, n)| *n);
        of_key.collect::<Vec<_>>()
    };
    for key in 0..8 {
        assert_eq!(of_key(&ran, key), of_key(&committed, key));
        assert_eq!(of_key(&ran, key).len(), 50);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limit_holds_for_writers_of_two_servers() {
    let scratch = Scratch::new().await;
    let second = scratch.of_second_server().await;
    add_space(&scratch.db, 0).await;
    let accepted = AtomicUsize::new(0);
    let writes = (1..60).map(|n| {
        let (db, accepted) = (if n % 2 == 0 { &scratch.db } else { &second }, &accepted);
        async move {
            let added = db.write_for(n, async move |tx| {
                tx.lock::<(i64,)>(LOCK, (0_i64,)).await?;
                let count: i64 = tx.scalar("SELECT COUNT(*) FROM spaces", ()).await?;
                if count > 10 {
                    return Err(Error::Conflict("error-rooms-full"));
                }
                insert(tx, n).await
            });
            match added.await {
                Ok(()) => accepted.fetch_add(1, Ordering::Relaxed),
                Err(Error::Conflict(_)) => 0,
                Err(error) => panic!("{error}"),
            };
        }
    });
    join_all(writes).await;
    assert_eq!(accepted.load(Ordering::Relaxed), 10);
    assert_eq!(count(&scratch.db).await, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_that_takes_a_failed_statement_for_done_is_refused() {
    let scratch = Scratch::new().await;
    add_space(&scratch.db, 1).await;
    let careless = scratch.db.write(async |tx| {
        drop(insert(tx, 1).await);
        insert(tx, 2).await
    });
    let result = careless.await;
    match scratch.db {
        // A failed statement undoes only itself.
        Db::Sqlite(_) => result.unwrap(),
        Db::Postgres(_) => assert!(result.is_err()),
    }
    let expected = if scratch.db.is_shared() { 1 } else { 2 };
    assert_eq!(count(&scratch.db).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_wait_for_one_another_end() {
    let scratch = Scratch::new().await;
    let second = scratch.of_second_server().await;
    add_space(&scratch.db, 1).await;
    add_space(&scratch.db, 2).await;
    let lock_both = |db: &Db, first: i64, then: i64| {
        let db = db.clone();
        async move {
            db.write_for(first, async move |tx| {
                tx.lock::<(i64,)>(LOCK, (first,)).await?;
                tx.lock::<(i64,)>(LOCK, (then,)).await?;
                Ok(())
            })
            .await
        }
    };
    for _ in 0..20 {
        let (one, two) = tokio::join!(lock_both(&scratch.db, 1, 2), lock_both(&second, 2, 1));
        for result in [&one, &two] {
            assert!(
                matches!(result, Ok(()) | Err(Error::Unavailable)),
                "{result:?}"
            );
        }
        assert!(one.is_ok() || two.is_ok(), "one of them goes on");
        if one.is_err() || two.is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn text_with_nul_is_invalid_or_stored() {
    let scratch = Scratch::new().await;
    const RENAME: &str = "UPDATE spaces SET name = $1";
    let name = "a\0b";
    let stored = scratch
        .db
        .write(async move |tx| tx.execute(RENAME, (name,)).await);
    match stored.await {
        Ok(_) => assert!(!scratch.db.is_shared()),
        Err(error) => assert!(matches!(error, Error::Invalid(_)), "{error}"),
    }
}
