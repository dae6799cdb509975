//! The order of a space's rooms, and the categories they are listed under.

use serde_json::json;

use crate::support::{Person, TestServer, eventually};

/// The rooms and headings of the sidebar, from top to bottom.
async fn sidebar(person: &Person) -> Vec<String> {
    let page = person
        .page(&format!("/sidebar?space={}", person.space))
        .await;
    let rooms = page
        .split("aria-label=\"Rooms\"")
        .nth(1)
        .unwrap_or_default();
    let mut found = Vec::new();
    for line in rooms.split("<h3").skip(1) {
        let (heading, rest) = line.split_once("</h3>").expect("a heading");
        let heading = heading.split_once('>').expect("its text").1;
        found.push(format!("# {heading}"));
        for room in rest.split("<span class=\"name\"").skip(1) {
            let name = room.split_once('>').expect("a name").1;
            found.push(name.split('<').next().unwrap_or_default().to_owned());
        }
    }
    found.retain(|one| !one.starts_with("# Direct"));
    let rooms = found.iter().position(|one| one == "# Rooms");
    found.split_off(rooms.unwrap_or(0))
}

async fn sees(person: &Person, expected: &[&str]) {
    eventually(&format!("{expected:?}"), async || {
        (sidebar(person).await == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn rooms_move_and_stand_under_categories() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let tools = ann.create_room("tools").await;
    let seeds = ann.create_room("seeds").await;
    sees(&bob, &["# Rooms", "general", "seeds", "tools"]).await;
    let mut socket = bob.following(&format!("space/{}", bob.space)).await;
    let up = json!({ "room": tools, "to": "up" });
    ann.act("community.move-room", up.clone()).await.done();
    socket.event("community.space.changed").await;
    sees(&bob, &["# Rooms", "general", "tools", "seeds"]).await;
    ann.act("community.move-room", up.clone()).await.done();
    ann.act("community.move-room", up).await.done();
    sees(&bob, &["# Rooms", "tools", "general", "seeds"]).await;

    let category = async |name: &str| {
        let fields = json!({ "space": ann.space, "name": name });
        let made = ann.act("community.create-category", fields).await.done();
        made["category"].as_str().expect("an id").to_owned()
    };
    let (garden, house) = (category("Garden").await, category("House").await);
    // One without a room that somebody sees is not named to them.
    sees(&bob, &["# Rooms", "tools", "general", "seeds"]).await;
    let put = async |room: &str, category: &str| {
        let fields = json!({ "room": room, "category": category });
        ann.act("community.set-category", fields).await.done();
    };
    put(&seeds, &garden).await;
    put(&tools, &house).await;
    let listed = [
        "# Rooms", "general", "# Garden", "seeds", "# House", "tools",
    ];
    sees(&bob, &listed).await;
    let up = json!({ "space": ann.space, "category": house, "to": "up" });
    ann.act("community.move-category", up).await.done();
    let listed = [
        "# Rooms", "general", "# House", "tools", "# Garden", "seeds",
    ];
    sees(&bob, &listed).await;

    // As forms without scripts, from the page that lists them.
    let path = format!("/spaces/{}/rooms", ann.space);
    let page = ann.page(&path).await;
    assert!(page.contains("Garden") && page.contains("seeds"), "{page}");
    let fields = [
        ("space", ann.space.as_str()),
        ("category", garden.as_str()),
        ("name", "Beds"),
    ];
    let answer = ann.form("/act/community.rename-category", &fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, path.as_str())
    );
    let gone = json!({ "space": ann.space, "category": house });
    ann.act("community.delete-category", gone).await.done();
    sees(&bob, &["# Rooms", "general", "tools", "# Beds", "seeds"]).await;
    let unknown = json!({ "room": seeds, "category": house });
    let refused = ann.act("community.set-category", unknown).await;
    assert_eq!(refused.code(), "not_found");
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    for words in [
        "Made a category of rooms",
        "Moved a room",
        "Deleted a category",
    ] {
        assert!(log.contains(words), "{words}");
    }
}
