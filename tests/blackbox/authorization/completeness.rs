//! The tables of this folder name every route, action and feed that the source declares.

use std::collections::BTreeSet;
use std::path::Path;

use super::actions::ACTIONS;
use super::feeds::FEEDS;
use super::routes::ROUTES;

/// The engine's own routes: tested with the actions, with health, and with the sockets.
const ENGINE: &[&str] = &[
    "/act/{action}",
    "/uploads",
    "/uploads/{upload}",
    "/files/{file}/{name}",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/live",
    "/live/data",
];

/// Every file below a folder of the source.
fn sources(folder: &Path, found: &mut String) {
    for path in std::fs::read_dir(folder)
        .expect("the source is there")
        .flatten()
        .map(|entry| entry.path())
    {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).expect("it is text");
            found.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
}

/// The first string after each of these beginnings, where nothing but words stand between.
fn declared(source: &str, beginning: &str) -> BTreeSet<String> {
    let strings = source.split(beginning).skip(1).filter_map(|rest| {
        let (between, rest) = rest.split_once('"')?;
        between
            .chars()
            .all(|c| c.is_alphanumeric() || c.is_whitespace() || ":,".contains(c))
            .then(|| rest.split('"').next())?
    });
    strings.map(str::to_owned).collect()
}

#[test]
fn authorization_tables_are_complete() {
    let mut source = String::new();
    for layer in ["community", "modules"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(layer);
        sources(&folder, &mut source);
        source.push_str(
            &std::fs::read_to_string(folder.with_extension("rs")).expect("the layer has a module"),
        );
    }
    // The feed of the jobs is the engine's, followed by who may see the admin module's page.
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/jobs/changes.rs");
    source.push_str(&std::fs::read_to_string(jobs).expect("jobs are there"));
    let listed = |names: &mut dyn Iterator<Item = &'static str>| {
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        declared(&source, ".page("),
        listed(&mut ROUTES.iter().map(|row| row.1)),
        "routes"
    );
    let mut actions = declared(&source, ".action(");
    actions.extend(declared(&source, ".action_with_files("));
    assert_eq!(
        actions,
        listed(&mut ACTIONS.iter().map(|row| row.0)),
        "actions"
    );
    assert_eq!(
        declared(&source, "Feed::new("),
        listed(&mut FEEDS.iter().map(|row| row.0)),
        "feeds"
    );
    let mut engine = String::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"),
        &mut engine,
    );
    assert_eq!(
        declared(&engine, ".route("),
        listed(&mut ENGINE.iter().copied()),
        "the engine's own, each tested elsewhere"
    );
}
