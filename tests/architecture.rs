//! The map of the code, read from its imports: layers only point down, modules do not import one
//! another, and no more than two files import each other in a circle.
//!
//! A module's root file (`live.rs` beside `live/`) declares and re-exports what is below it; these
//! edges are not counted, since every reference through the root would close a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LAYERS: [&str; 6] = ["base", "engine", "community", "modules", "app", "cli"];
const MAX_CIRCLE: usize = 2;

/// Every source file with its module path: `engine::live::hub`.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![root.clone()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.insert(module_path(&root, &path), without_tests(&text).to_owned());
            }
        }
    }
    files
}

fn module_path(root: &Path, file: &Path) -> String {
    let relative: PathBuf = file.strip_prefix(root).unwrap().with_extension("");
    let parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap()).collect();
    parts.join("::")
}

/// Unit tests stand at the end of a file and may import what they like.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}

/// The paths that a file names after `use`, with groups written out.
fn imports(module: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in text
        .split("\nuse ")
        .skip(1)
        .chain(text.split("\npub use ").skip(1))
    {
        let statement: String = statement
            .split(';')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        expand("", &statement, &mut found);
    }
    let resolve = |path: String| {
        let mut base: Vec<&str> = module.split("::").collect();
        let mut rest = path.as_str();
        if let Some(absolute) = rest.strip_prefix("crate::") {
            return Some(absolute.to_owned());
        }
        if !rest.starts_with("super::") {
            // A child of a root file, or another crate.
            return Some(format!("{module}::{rest}"));
        }
        while let Some(outer) = rest.strip_prefix("super::") {
            base.pop();
            rest = outer;
        }
        Some(if base.is_empty() {
            rest.to_owned()
        } else {
            format!("{}::{rest}", base.join("::"))
        })
    };
    found.into_iter().filter_map(resolve).collect()
}

fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let Some((head, group)) = tree.split_once('{') else {
        found.push(format!("{prefix}{tree}"));
        return;
    };
    let (mut depth, mut start) = (0, 0);
    let group = &group[..group.len() - 1];
    for (at, letter) in group.char_indices().chain([(group.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if at > start {
                    expand(&format!("{prefix}{head}"), &group[start..at], found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The file that a path leads to: the longest prefix that is one.
fn target<'a>(files: &'a BTreeMap<String, String>, path: &str) -> Option<&'a str> {
    let mut path = path.trim_end_matches("::self");
    loop {
        if let Some((file, _)) = files.get_key_value(path) {
            return Some(file);
        }
        path = path.rsplit_once("::")?.0;
    }
}

fn graph(files: &BTreeMap<String, String>) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, text) in files {
        let edges = graph.entry(module).or_default();
        for path in imports(module, text) {
            if let Some(file) = target(files, &path)
                && file != module
            {
                edges.insert(file);
            }
        }
    }
    graph
}

fn layer(module: &str) -> Option<usize> {
    let first = module.split("::").next()?;
    LAYERS.iter().position(|layer| *layer == first)
}

fn feature(module: &str) -> Option<&str> {
    module.strip_prefix("modules::")?.split("::").next()
}

#[test]
fn imports_point_down_the_layers() {
    let files = sources();
    let mut wrong = Vec::new();
    for (module, edges) in graph(&files) {
        for edge in edges {
            let climbs = layer(module)
                .zip(layer(edge))
                .is_some_and(|(from, to)| to > from);
            let crosses = feature(module)
                .zip(feature(edge))
                .is_some_and(|(from, to)| from != to);
            if climbs || crosses {
                wrong.push(format!("{module} imports {edge}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(files.len() > 100, "the sources were not found");
}

#[test]
fn no_circle_has_more_than_two_files() {
    let files = sources();
    let mut graph = graph(&files);
    for (module, edges) in &mut graph {
        let below = format!("{module}::");
        edges.retain(|edge| !edge.starts_with(&below));
    }
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|module| (*module, reachable(&graph, module)))
        .collect();
    let mut circles = BTreeSet::new();
    for (module, reached) in &reach {
        let circle: Vec<&str> = reached
            .iter()
            .copied()
            .filter(|other| reach[other].contains(module))
            .collect();
        if circle.len() > MAX_CIRCLE {
            circles.insert(circle);
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

fn reachable<'a>(graph: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for edge in graph.get(module).into_iter().flatten() {
            if seen.insert(*edge) {
                next.push(edge);
            }
        }
    }
    seen
}

/// Writes that need no permission of a space or room: those of one's own account and sessions, and
/// those that check everything themselves in their transaction.
const UNPERMITTED_WRITES: [(&str, usize); 49] = [
    ("community::account_deletion", 2),
    ("community::accounts", 1),
    ("community::bans", 1),
    ("community::blocks", 2),
    ("community::credentials", 6),
    ("community::data_export", 2),
    ("community::devices", 2),
    ("community::direct_rooms", 1),
    ("community::guests", 3),
    ("community::invites", 2),
    ("community::join_requests", 2),
    ("community::joining", 1),
    ("community::name_skeletons", 1),
    ("community::oidc", 3),
    ("community::oidc::identities", 3),
    ("community::one_time_tokens", 1),
    ("community::passkeys", 4),
    ("community::password_reset", 1),
    ("community::portraits", 1),
    ("community::presence_choice", 1),
    ("community::profiles", 2),
    ("community::raid_mode", 1),
    ("community::rail_order", 1),
    ("community::registration", 1),
    ("community::second_step", 2),
    ("community::session_store", 3),
    ("community::sessions", 3),
    ("community::setup", 2),
    ("community::space_deletion", 1),
    ("community::time_outs", 2),
    ("community::totp", 3),
    ("modules::chat::actions::bookmark", 1),
    ("modules::chat::actions::schedule", 1),
    ("modules::chat::read_all", 1),
    ("modules::chat::seed", 2),
    ("modules::letters::museum", 1),
    ("modules::moderation::appeals", 1),
    ("modules::moderation::reports", 1),
    ("modules::notices::actions", 3),
    ("modules::notices::digest", 1),
    ("modules::notices::digest::stop_page", 1),
    ("modules::notices::push::subscriptions", 2),
    ("modules::reminders", 1),
    ("modules::reminders::actions", 1),
    ("modules::search::recent", 1),
    ("modules::terminals::actions", 1),
    ("modules::terminals::tokens", 2),
    ("modules::voice::calls", 1),
    ("modules::voice::lease", 2),
];

fn unpermitted_writes(text: &str) -> usize {
    let calls = [".write(async", ".write_protective(async"];
    calls.map(|call| text.matches(call).count()).iter().sum()
}

#[test]
fn writes_check_permissions_in_their_transaction() {
    let unpermitted: Vec<(String, usize)> = sources()
        .into_iter()
        .filter(|(module, _)| layer(module) >= layer("community::spaces"))
        .filter(|(module, _)| module != "community::access")
        .map(|(module, text)| (module, unpermitted_writes(&text)))
        .filter(|(_, writes)| *writes > 0)
        .collect();
    let allowed = UNPERMITTED_WRITES.map(|(module, writes)| (module.to_owned(), writes));
    assert_eq!(
        unpermitted, allowed,
        "a change goes through `Access::permitted_write`; other writes are listed"
    );
}

/// Control: the reader sees a climb and a circle where there is one.
#[test]
fn climbs_and_groups_are_seen() {
    let text =
        "\nuse crate::community::{Community, permissions::{self, READ}};\nuse super::hub::Hub;\n";
    let found = imports("engine::live::shard", text);
    assert_eq!(
        found,
        [
            "community::Community",
            "community::permissions::self",
            "community::permissions::READ",
            "engine::live::hub::Hub"
        ]
    );
    assert!(layer("community") > layer("engine::live"));
}
