//! Jobs outlive the server, happen once, and are seen by who runs it.

use std::collections::BTreeSet;

use serde_json::json;
use tokio::sync::Semaphore;

use crate::one_instance_only;
use crate::support::{Person, TestServer, WAIT_TIMEOUT, eventually};

async fn set_alarm(person: &Person, text: &str) -> Option<()> {
    let answer = person
        .try_act("alarms.set", json!({ "text": text, "seconds": 0 }))
        .await?;
    (answer.status == 200).then_some(())
}

async fn alarms_told(person: &Person) -> Vec<String> {
    let answer = person.act("alarms.list", json!({})).await.done();
    answer["told"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

#[tokio::test]
async fn job_effect_happens_once_across_kills() {
    let mut server = TestServer::example("alarms").await;
    let ann = server.owner("ann").await;
    let mut acknowledged = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for round in 0..5 {
        // One permit for each acknowledged alarm.
        let answered = Semaphore::new(0);
        let many = (0..60).map(|number| {
            let (ann, answered, text) = (&ann, &answered, format!("{round}-{number}"));
            async move {
                let is_set = set_alarm(ann, &text).await.is_some();
                answered.add_permits(usize::from(is_set));
                (is_set, text)
            }
        });
        let all = futures_util::future::join_all(many);
        let killing = async {
            // In the middle of adding and doing, later in each round: the others are in flight.
            let enough = answered.acquire_many(1 + 8 * round);
            tokio::time::timeout(WAIT_TIMEOUT, enough)
                .await
                .expect("alarms are acknowledged in time")
                .expect("the semaphore stays open")
                .forget();
            server.kill().await;
        };
        let (all, ()) = tokio::join!(all, killing);
        for (done, text) in all {
            asked.insert(text.clone());
            if done {
                acknowledged.insert(text);
            }
        }
        server.start_again().await;
    }
    let mut following = ann.following(&format!("alarms/{}", ann.id)).await;
    set_alarm(&ann, "the last")
        .await
        .expect("the server is well");
    following
        .expect("the last alarm", |received| {
            received["event"]["text"] == "the last"
        })
        .await;
    acknowledged.insert("the last".to_owned());
    asked.insert("the last".to_owned());
    let missing = |alarms_told: &[String]| {
        acknowledged
            .iter()
            .filter(|text| !alarms_told.contains(text))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(acknowledged.len() > 5, "each round acknowledged something");
    let all = eventually("effect of every acknowledged job", || async {
        let all = alarms_told(&ann).await;
        missing(&all).is_empty().then_some(all)
    })
    .await;
    let different: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(different.len(), all.len(), "nothing happened twice");
    assert!(different.is_subset(&asked));
}

#[tokio::test]
async fn host_pauses_and_cancels_jobs_live() {
    one_instance_only!("a page of jobs hears of its own instance's");
    let server = TestServer::example("alarms").await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    bob.get("/jobs").await.expect(403);
    let mut page = ann.html_socket().await;
    page.follow("server/jobs").await;
    ann.form(
        "/act/admin.pause-jobs",
        &[("kind", "alarms.tell"), ("pause", "true")],
    )
    .await
    .expect(303);
    assert_eq!(page.wait_for("frame").await["html"], "<!--reread-->");
    let job = bob
        .act("alarms.set", json!({ "text": "tea", "seconds": 0 }))
        .await
        .done()["job"]
        .as_str()
        .expect("an id")
        .to_owned();
    bob.act("alarms.set", json!({ "text": "cake", "seconds": 3600 }))
        .await
        .done();
    let shown = ann.page("/jobs").await;
    let row = shown
        .split("id=\"kind-alarms.tell\"")
        .nth(1)
        .and_then(|rest| rest.split("</tr>").next())
        .expect("a row");
    let cells: Vec<_> = row
        .split("<td>")
        .skip(1)
        .map(|cell| cell.split("</td>").next().unwrap_or_default())
        .collect();
    assert!(row.contains("Paused"), "{row}");
    assert_eq!(
        (cells[0], cells[2], cells[3], cells[4]),
        ("1", "1", "0", "0"),
        "waiting, later, running, failed: {row}"
    );
    assert!(
        cells[1].contains("<time"),
        "since when the oldest waits: {row}"
    );
    let lists = ann.page("/jobs?lists").await;
    assert!(
        lists.starts_with("<div class=\"region\"") && !lists.contains("<html"),
        "{lists}"
    );
    ann.act("admin.cancel-job", json!({ "job": job }))
        .await
        .done();
    ann.act("admin.cancel-job", json!({ "job": job }))
        .await
        .expect(404);
    ann.act(
        "admin.pause-jobs",
        json!({ "kind": "alarms.tell", "pause": false }),
    )
    .await
    .done();
    ann.act(
        "admin.pause-jobs",
        json!({ "kind": "alarms.unheard", "pause": false }),
    )
    .await
    .expect(404);
    let mut bobs = bob.following(&format!("alarms/{}", bob.id)).await;
    bob.act("alarms.set", json!({ "text": "soup", "seconds": 0 }))
        .await
        .done();
    bobs.event("alarms.alarm.told").await;
    assert_eq!(alarms_told(&bob).await, ["soup"]);
}

#[tokio::test]
async fn second_server_on_data_folder_is_refused() {
    let server = TestServer::start().await;
    let refused = server.run(&["serve", "--address", "127.0.0.1:0"]);
    assert!(!refused.status.success());
    let received = String::from_utf8_lossy(&refused.stderr);
    assert!(received.contains("another server"), "{received}");
}
