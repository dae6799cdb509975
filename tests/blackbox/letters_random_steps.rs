//! Whatever people do in whatever order: no letter gets into a state that the table does not lead
//! to, and no deed gives points twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::letters::{begin, draft};
use super::letters_by_hand::{act, print_sheet, with_places};
use crate::support::{Person, TestServer};

/// The source of the table of states.
const TABLE: &str = include_str!("../../src/modules/letters/model.rs");
/// Steps that are tried.
const STEPS: usize = 300;

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).expect("a small number")
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// `InTransit` as it is stored: `in_transit`.
fn stored(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The rows of the table for letters by hand, as state before, step, actor, state after.
fn rows_by_hand() -> BTreeSet<[String; 4]> {
    let (_, table) = TABLE
        .split_once("pub const TRANSITIONS")
        .expect("the table");
    let table = table.split_once("];").expect("its end").0;
    let rows = table.split("row(").skip(1);
    let of = |row: &str, kind: &str| -> Vec<String> {
        let parts = row.split(kind).skip(1);
        let names = parts.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
        names.map(|name| stored(name.expect("a name"))).collect()
    };
    rows.filter(|row| row.starts_with("ANY") || row.starts_with("HAND"))
        .map(|row| {
            let (states, steps) = (of(row, "State::"), of(row, "Step::"));
            let actors = of(row, "Actor::");
            let (from, to) = (states[0].clone(), states[1].clone());
            [from, steps[0].clone(), actors[0].clone(), to]
        })
        .collect()
}

/// What somebody may try with a letter, as action and fields.
fn tries(random: &mut Random, letter: &str, code: &str, people: &[Person]) -> (String, Value) {
    let to = &random.of(people).id;
    let this = json!({ "letter": letter });
    let with = |name: &str, value: &str| {
        let mut fields = json!({ "letter": letter });
        fields[name] = json!(value);
        fields
    };
    let deeds = ["take", "deliver", "absent", "open"];
    let settles = ["retry", "return", "lose", "find"];
    let (action, fields) = match random.below(16) {
        0 => ("seal", draft(letter, 0, "on paper")),
        1 | 2 => ("bind", with("code", code)),
        3..=5 => ("take", this),
        6 => ("hand-over", with("to", to)),
        7 | 8 => ("deliver", this),
        9 => ("fail", with("reason", "moved")),
        10 => ("retry", this),
        11 => {
            let step = *random.of(&settles);
            ("settle", with("step", step))
        }
        12 => ("receive", with("code", code)),
        13 => ("open", this),
        14 => (
            "scan",
            json!({ "code": code, "deed": random.of(&deeds), "key": random.below(9).to_string() }),
        ),
        _ => (*random.of(&["recall", "send-back", "escalate"]), this),
    };
    (format!("letters.{action}"), fields)
}

#[tokio::test]
async fn random_steps_stay_within_table_and_award_once() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let dee = server.member("dee").await;
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let codes = print_sheet(&ann).await;
    for (person, rank) in [(&cem, "1"), (&dee, "2")] {
        let post = json!({
            "space": ann.space, "account": person.id, "rank": rank, "branch": "QR07",
        });
        act(&ann, "appoint", post).await;
    }
    let mut letters = Vec::new();
    for _ in 0..5 {
        let fields = json!({ "kind": "person", "way": "hand", "to": bob.id });
        letters.push(begin(&ann, fields).await);
    }
    // Some are on their way already, so that the tries are worth something.
    for (letter, code) in letters.iter().zip(&codes).take(4) {
        act(&ann, "seal", draft(letter, 0, "on paper")).await;
        act(&ann, "bind", json!({ "letter": letter, "code": code })).await;
    }
    let people = [ann, bob, cem, dee];
    let mut random = Random(0x5eed);
    let mut done = 0;
    for _ in 0..STEPS {
        let which = random.below(letters.len());
        let (letter, code) = (&letters[which], &codes[which]);
        let (action, fields) = tries(&mut random, letter, code, &people);
        let answer = random.of(&people).act(&action, fields).await;
        assert!(answer.status < 500, "{action}: {}", answer.body);
        done += usize::from(answer.status == 200);
    }
    assert!(done > 20, "the tries are worth something: {done}");

    let Some(_) = server
        .database()
        .number("SELECT COUNT(*) FROM letters")
        .await
    else {
        return;
    };
    let rows = rows_by_hand();
    assert_eq!(rows.len(), 28, "the table was read");
    let read = async |sql: &str| server.database().number(sql).await.unwrap_or_default();
    // Each entry of a journey is a row of the table, from the state that the one before left.
    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for [from, step, actor, to] in rows {
        let which = format!(
            "(p.state = '{from}' AND j.event = '{step}' AND j.actor = '{actor}' \
             AND j.state = '{to}')"
        );
        allowed.entry(from).or_default().insert(which);
    }
    let allowed: Vec<String> = allowed.into_values().flatten().collect();
    let outside = format!(
        "SELECT COUNT(*) FROM letter_journey j JOIN letter_journey p \
         ON p.id = (SELECT MAX(q.id) FROM letter_journey q \
         WHERE q.letter_id = j.letter_id AND q.id < j.id) WHERE NOT ({})",
        allowed.join(" OR ")
    );
    assert_eq!(read(&outside).await, 0, "an entry is no row of the table");
    let other = "SELECT COUNT(*) FROM letters l WHERE l.state <> COALESCE((SELECT j.state \
        FROM letter_journey j WHERE j.letter_id = l.id ORDER BY j.id DESC LIMIT 1), 'draft')";
    assert_eq!(
        read(other).await,
        0,
        "a state is not what its journey ends with"
    );
    let stray = "SELECT COUNT(*) FROM letters WHERE (bag_id IS NOT NULL \
        AND state <> 'in_transit') OR (assigned_to IS NOT NULL AND state <> 'posted')";
    assert_eq!(
        read(stray).await,
        0,
        "in a bag, or to be picked up, in another state"
    );
    let twice = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM letter_points WHERE points > 0 \
        GROUP BY account_id, deed_key HAVING COUNT(*) > 1) again";
    assert_eq!(read(twice).await, 0, "a deed gave points twice");
    let purses = "SELECT COUNT(*) FROM letter_purses u WHERE u.points <> \
        (SELECT SUM(p.points) FROM letter_points p WHERE p.account_id = u.account_id \
        AND p.space_id = u.space_id)";
    assert_eq!(
        read(purses).await,
        0,
        "a purse is not the sum of its ledger"
    );
    assert!(
        read("SELECT COUNT(*) FROM letter_points").await > 0,
        "nothing was earned"
    );
    server.assert_undamaged();
}
