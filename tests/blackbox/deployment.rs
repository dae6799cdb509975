//! What `deploy/` gives to hosts fits the server and itself.

use std::collections::BTreeSet;

use saphyr::{LoadableYamlNode, Yaml};

use crate::support::TestServer;

const COMPOSE: &str = include_str!("../../deploy/compose.yaml");
const PROXY: &str = include_str!("../../deploy/haproxy.cfg");
const IMAGE: &str = include_str!("../../Dockerfile");

/// The keys of a mapping.
fn keys<'a>(mapping: &'a Yaml) -> impl Iterator<Item = &'a str> {
    let mapping = mapping.as_mapping().expect("a mapping");
    mapping.keys().map(|key| key.as_str().expect("a name"))
}

/// The words of a text that begin like a variable of ours.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("TIDEPOOL_"))
}

#[tokio::test]
async fn compose_file_sets_existing_settings() {
    let server = TestServer::start().await;
    let printed = server.run(&["settings"]).stdout;
    let printed = String::from_utf8(printed).expect("text");
    let mut known: BTreeSet<_> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("# Environment: "))
        .collect();
    known.insert("TIDEPOOL_DATA");
    let compose = &Yaml::load_from_str(COMPOSE).expect("YAML")[0];
    let instances: Vec<_> = keys(&compose["services"])
        .filter(|name| name.starts_with("tidepool-"))
        .collect();
    let mut voice_ports = BTreeSet::new();
    for name in &instances {
        // What all have is merged into each.
        let service = &compose["services"][*name];
        let own = keys(&service["environment"]).filter(|key| *key != "<<");
        for variable in own.chain(keys(&compose["x-environment"])) {
            assert!(known.contains(variable), "{variable} is no setting");
        }
        let port = service["environment"]["TIDEPOOL_VOICE_PORT"].as_str();
        let port = port.expect("a port for voice");
        let published = service["ports"].as_sequence().expect("a list");
        let published = published.iter().map(|one| one.as_str().expect("a text"));
        let expected = ["udp", "tcp"].map(|kind| format!("{port}:{port}/{kind}"));
        assert!(published.eq(expected.iter().map(String::as_str)), "{port}");
        voice_ports.insert(port);
        for needed in keys(&compose["x-tidepool"]["depends_on"]) {
            assert!(keys(&compose["services"]).any(|service| service == needed));
        }
        let address = format!("{name}:8080");
        assert!(
            PROXY.contains(&address),
            "the proxy does not know {address}"
        );
    }
    assert_eq!(voice_ports.len(), instances.len());
    assert_eq!(PROXY.matches("\n    server ").count(), instances.len());
    for variable in variables(IMAGE) {
        assert!(known.contains(variable), "{variable} is no setting");
    }
}

#[tokio::test]
async fn compose_file_mounts_only_folders_of_the_image() {
    let compose = &Yaml::load_from_str(COMPOSE).expect("YAML")[0];
    let volumes = compose["x-tidepool"]["volumes"]
        .as_sequence()
        .expect("a list");
    for volume in volumes {
        let volume = volume.as_str().expect("a text");
        let (name, folder) = volume.split_once(':').expect("a name and a folder");
        assert!(keys(&compose["volumes"]).any(|volume| volume == name));
        // A volume takes its owner from the image; without the folder it would be root's.
        assert!(IMAGE.contains(&format!(" {folder}")), "{folder}");
    }
}
