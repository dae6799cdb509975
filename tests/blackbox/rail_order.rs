//! The order of one's spaces, and rooms and categories that are dragged.

use serde_json::json;

use crate::support::{Person, TestServer, eventually, text};

/// The spaces in a person's rail, from top to bottom.
async fn rail(person: &Person) -> Vec<String> {
    let page = person
        .page(&format!("/sidebar?space={}", person.space))
        .await;
    let rail = page.split("</ul>").next().unwrap_or_default().to_owned();
    text::attributes(&rail, "data-item")
}

#[tokio::test]
async fn rail_has_each_members_own_order() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let first = ann.space.clone();
    let mut spaces = vec![first.clone()];
    for name in ["Harbour", "Island"] {
        let made = ann
            .act("community.create-space", json!({ "name": name }))
            .await
            .done();
        spaces.push(made["space"].as_str().expect("an id").to_owned());
    }
    assert_eq!(rail(&ann).await, spaces, "by name");
    let mut socket = ann.following(&format!("account/{}", ann.id)).await;
    let up = json!({ "space": spaces[2], "to": "up" });
    ann.act("community.move-space", up).await.done();
    socket.event("community.spaces.ordered").await;
    let sees = async |order: [usize; 3]| {
        let wanted: Vec<_> = order.map(|index| spaces[index].clone()).to_vec();
        eventually(&format!("{order:?}"), async || {
            (rail(&ann).await == wanted).then_some(())
        })
        .await;
    };
    sees([0, 2, 1]).await;
    // As a drag: those that are not named follow as they were.
    let order = json!({ "spaces": [spaces[1], "1"] });
    ann.act("community.order-spaces", order).await.done();
    sees([1, 0, 2]).await;
    let refused = bob
        .act(
            "community.move-space",
            json!({ "space": spaces[1], "to": "up" }),
        )
        .await;
    assert_eq!(refused.code(), "not_found");
    assert_eq!(rail(&bob).await, [first]);
    let answer = ann
        .form(
            "/act/community.move-space",
            &[("space", spaces[2].as_str()), ("to", "up")],
        )
        .await;
    assert_eq!((answer.status, answer.location()), (303, "/spaces"));
    sees([1, 2, 0]).await;
}

#[tokio::test]
async fn rooms_and_categories_are_put_where_they_were_dragged() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (tools, seeds) = (
        ann.create_room("tools").await,
        ann.create_room("seeds").await,
    );
    let general = ann.room("general");
    let category = async |name: &str| {
        let fields = json!({ "space": ann.space, "name": name });
        let made = ann.act("community.create-category", fields).await.done();
        made["category"].as_str().expect("an id").to_owned()
    };
    let (garden, house) = (category("Garden").await, category("House").await);
    let put = async |room: &str, category: &str, before: &str| {
        let fields = json!({ "room": room, "category": category, "before": before });
        ann.act("community.put-room", fields).await.done();
    };
    let items = async || {
        let page = ann.page(&format!("/spaces/{}/rooms", ann.space)).await;
        let start = page.find("data-sort=\"rooms\"").expect("the list");
        text::attributes(&page[start..], "data-item")
    };
    put(&tools, "", &general).await;
    put(&seeds, "", &general).await;
    assert_eq!(items().await, [&tools, &seeds, &general].map(Clone::clone));
    put(&general, &garden, "").await;
    put(&tools, &garden, &general).await;
    assert_eq!(items().await, [&seeds, &tools, &general].map(Clone::clone));
    put(&seeds, &house, "").await;
    let fields = json!({ "space": ann.space, "category": house, "before": garden });
    ann.act("community.put-category", fields).await.done();
    assert_eq!(items().await, [&seeds, &tools, &general].map(Clone::clone));
    let refused = bob
        .act("community.put-room", json!({ "room": tools }))
        .await;
    assert_eq!(refused.code(), "forbidden");
    let unknown = json!({ "room": tools, "category": "7" });
    assert_eq!(
        ann.act("community.put-room", unknown).await.code(),
        "not_found"
    );
}
