//! The first evening, and the command line.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::only_in_modes;
use crate::support::{Instance, PASSWORD, TestServer, eventually};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o777
}

fn filled() -> Value {
    json!({
        "community": "Glasshouse", "name": "Ann",
        "email": "ann@example.org", "password": PASSWORD,
    })
}

#[tokio::test]
async fn first_visit_leads_through_setup() {
    let server = TestServer::start().await;
    let visitor = server.visitor();
    assert_eq!(visitor.get("/").await.location(), "/setup");
    assert_eq!(visitor.get("/sign-in").await.location(), "/setup");
    let page = visitor.page("/setup").await;
    for field in ["community", "name", "email", "password"] {
        assert!(
            page.contains(&format!("name=\"{field}\"")),
            "{field} is missing in {page}"
        );
    }
    let fields = [
        ("community", "Glasshouse"),
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ];
    let first = visitor.form("/setup", &fields).await.location().to_owned();
    assert!(
        first.starts_with("/spaces/") && first.ends_with("/start"),
        "{first}"
    );
    assert!(visitor.page(&first).await.contains("Glasshouse is ready"));
    let room = visitor.get("/").await.location().to_owned();
    let page = visitor.page(&room).await;
    assert!(page.contains("general") && page.contains("Glasshouse") && page.contains("Ann"));
}

#[tokio::test]
async fn setup_reports_all_errors_at_once() {
    let server = TestServer::start().await;
    let visitor = server.visitor();
    let wrong =
        json!({ "community": " ", "name": "x".repeat(41), "email": "nobody", "password": "short" });
    let answer = visitor.submit("/setup", &wrong).await.expect(422);
    for field in ["community", "name", "email", "password"] {
        assert!(
            answer.problem(field).is_some(),
            "{field} passes: {}",
            answer.body
        );
    }
    let fields = [
        ("community", "Glass & house"),
        ("name", "Ann"),
        ("email", "nobody"),
        ("password", "too secret to echo"),
    ];
    let page = visitor.form("/setup", &fields).await.expect(422).body;
    assert!(
        page.contains("value=\"Glass &#38; house\"")
            || page.contains("value=\"Glass &amp; house\""),
        "{page}"
    );
    assert!(!page.contains("too secret to echo"));
    visitor
        .submit("/setup", &json!({ "name": "Ann" }))
        .await
        .expect(422);
    visitor.submit("/setup", &filled()).await.done();
}

#[tokio::test]
async fn setup_closes_after_first_owner() {
    let mut server = TestServer::start().await;
    server.owner("Ann").await;
    for _ in 0..2 {
        let visitor = server.visitor();
        visitor.get("/setup").await.expect(404);
        assert_eq!(
            visitor.submit("/setup", &filled()).await.expect(409).code(),
            "conflict"
        );
        visitor
            .form(
                "/setup",
                &[
                    ("community", "Mine"),
                    ("name", "Eve"),
                    ("email", "e@x"),
                    ("password", PASSWORD),
                ],
            )
            .await
            .expect(409);
        assert_eq!(visitor.get("/").await.location(), "/sign-in");
        server.restart().await;
    }
}

#[tokio::test]
async fn concurrent_setups_make_one_owner() {
    let server = TestServer::start().await;
    let tries = (0..10).map(|number| {
        let visitor = server.visitor();
        let mut fields = filled();
        fields["name"] = json!(format!("Ann {number}"));
        fields["email"] = json!(format!("ann{number}@example.org"));
        tokio::spawn(async move { (visitor.submit("/setup", &fields).await.status, visitor) })
    });
    let mut made = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        let (status, visitor) = attempt.await.expect("the try ends");
        assert!([200, 409].contains(&status), "{status}");
        if status == 200 {
            made.push(visitor);
        } else {
            assert_eq!(
                visitor.get("/").await.location(),
                "/sign-in",
                "a refused setup signs nobody in"
            );
        }
    }
    assert_eq!(made.len(), 1);
    assert!(made[0].get("/").await.location().starts_with("/rooms/"));
}

#[tokio::test]
async fn data_folder_is_private() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    assert_eq!(mode(server.data()), 0o700);
    assert_eq!(mode(&server.data().join("secrets.toml")), 0o600);
    let database = std::fs::read_dir(server.data())
        .expect("a folder")
        .flatten()
        .map(|file| file.path())
        .collect::<Vec<_>>();
    assert!(database.len() >= 2, "{database:?}");
}

#[tokio::test]
async fn readable_secrets_refuse_start() {
    let mut server = TestServer::start().await;
    server.stop().await;
    let secrets = server.data().join("secrets.toml");
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o644))
        .expect("it can be changed");
    let refused = server.run(&["serve"]);
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("chmod 600"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn printed_settings_can_be_loaded() {
    let mut server = TestServer::start().await;
    let printed = server.run(&["settings", "--profile", "high-scale"]);
    assert!(printed.status.success(), "{printed:?}");
    let file = String::from_utf8(printed.stdout).expect("text");
    for line in [
        "profile = \"high-scale\"",
        "feed_frames = 2048",
        "# Environment: TIDEPOOL_FEED_FRAMES",
    ] {
        assert!(
            file.lines().any(|one| one == line),
            "{line} is not in\n{file}"
        );
    }
    assert!(file.contains(&format!("address = \"{}\"", server.address())));
    std::fs::write(
        server.data().join("tidepool.toml"),
        "idle_after_seconds = 77\n",
    )
    .expect("it can be written");
    let printed = String::from_utf8(server.run(&["settings"]).stdout).expect("text");
    assert!(printed.contains("\nidle_after_seconds = 77\n"), "{printed}");
    server.restart().await;
    std::fs::write(
        server.data().join("tidepool.toml"),
        "idle_after_seconds = \"soon\"\n",
    )
    .expect("it can be written");
    let refused = server.run(&["settings"]);
    assert!(
        !refused.status.success()
            && String::from_utf8_lossy(&refused.stderr).contains("tidepool.toml"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn topics_have_owner_fields_and_example() {
    let server = TestServer::start().await;
    let printed = server.run(&["topics", "--json"]);
    assert!(printed.status.success(), "{printed:?}");
    let topics: Vec<Value> = serde_json::from_slice(&printed.stdout).expect("JSON");
    let text = String::from_utf8(server.run(&["topics"]).stdout).expect("text");
    assert!(topics.len() >= 13, "{} topics", topics.len());
    for topic in &topics {
        let name = topic["topic"].as_str().expect("a name");
        assert_eq!(name.split('.').count(), 3, "{name}");
        assert_eq!(
            topic["owner"],
            name.split('.').next().expect("an owner"),
            "{name}"
        );
        assert!(
            !topic["about"].as_str().expect("a meaning").is_empty(),
            "{name}"
        );
        assert!(text.contains(name), "{name} is not in the text");
        let fields = topic["fields"].as_array().expect("fields");
        let example = topic["example"].as_object().expect("an example");
        assert!(!fields.is_empty(), "{name}");
        assert_eq!(fields.len(), example.len(), "{name}");
        for field in fields {
            let (field, kind) = (
                field["name"].as_str().expect("a name"),
                field["type"].as_str().expect("a type"),
            );
            assert!(
                fits(kind, &example[field]),
                "{name}: {field} is {kind}, not {}",
                example[field]
            );
        }
        assert!(
            example.contains_key(topic["key"].as_str().expect("a key")),
            "{name}"
        );
    }
}

/// Whether an example could be of this type.
fn fits(kind: &str, value: &Value) -> bool {
    match kind.replace(' ', "").as_str() {
        kind if kind.starts_with("Option<") => {
            value.is_null() || fits(&kind[7..kind.len() - 1], value)
        }
        kind if kind.starts_with("Vec<") => value
            .as_array()
            .is_some_and(|all| all.iter().all(|one| fits(&kind[4..kind.len() - 1], one))),
        kind if kind.starts_with('(') => value.as_array().is_some_and(|all| {
            let kinds = kind[1..kind.len() - 1].split(',');
            kinds.zip(all).all(|(kind, one)| fits(kind, one))
        }),
        kind if kind.ends_with("Id") => value.as_str().is_some_and(|id| id.parse::<i64>().is_ok()),
        "String" | "State" => value.is_string(),
        "IpAddr" => value
            .as_str()
            .is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
        "bool" => value.is_boolean(),
        "u64" | "i64" => value.is_i64(),
        _ => value.is_object(),
    }
}

#[tokio::test]
async fn check_and_health_report_state() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    ann.post("general", "hi").await;
    let health = server.run(&["health"]);
    assert!(health.status.success(), "{health:?}");
    assert_eq!(health.stdout, b"ok\n");
    server.assert_undamaged();
    server.stop().await;
    let health = server.run(&["health"]);
    assert!(!health.status.success(), "{health:?}");
    server.assert_undamaged();
}

#[tokio::test]
async fn setup_over_network_needs_printed_link() {
    for (name, value) in [("host", "tide.example"), ("x-forwarded-for", "203.0.113.9")] {
        let server = TestServer::start().await;
        let visitor = server.visitor();
        let set_up = async |fields: &Value| {
            let request = visitor.request("POST", "/setup").header(name, value);
            let request = request.header("accept", "application/json");
            visitor.send(request.form(fields)).await
        };
        let shown = visitor.request("GET", "/setup").header(name, value);
        assert_eq!(visitor.send(shown).await.status, 403, "{name}");
        let mut fields = filled();
        for wrong in ["", "wrong"] {
            fields["token"] = json!(wrong);
            assert_eq!(set_up(&fields).await.status, 403, "{name}");
        }
        let token = server.setup_token().await;
        let page = visitor.request("GET", &format!("/setup?token={token}"));
        let page = visitor.send(page.header(name, value)).await.expect(200);
        assert!(
            page.body
                .contains(&format!("name=\"token\" value=\"{token}\""))
        );
        fields["token"] = json!(token);
        set_up(&fields).await.done();
    }
}

#[tokio::test]
async fn instances_print_one_setup_link() {
    only_in_modes!("needs instances that share a database", [Cluster]);
    let mut server = TestServer::start().await;
    let token = server.setup_token().await;
    for starts in [1, 2] {
        for number in 0..server.instances() {
            let instance: &Instance = server.instance(number);
            // It is printed after the address.
            let printed = eventually("a setup link", async || {
                let output = instance.output();
                let links = output.split("/setup?token=").skip(1);
                let tokens = links.filter_map(|rest| rest.split_once('\n'));
                let tokens: Vec<_> = tokens.map(|(token, _)| token.to_owned()).collect();
                (tokens.len() == starts).then_some(tokens)
            });
            assert_eq!(printed.await, vec![token.as_str(); starts]);
        }
        if starts == 1 {
            server.restart().await;
        }
    }
    // It is gone with the setup.
    const COUNT: &str = "SELECT COUNT(*) FROM setup_tokens";
    assert_eq!(server.database().number(COUNT).await, Some(1));
    server.owner("ann").await;
    assert_eq!(server.database().number(COUNT).await, Some(0));
}
