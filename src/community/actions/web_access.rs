//! The action that chooses what people without an account read.

use serde::Deserialize;
use serde_json::Value;

use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::base::list::List;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::web_access::WebSettings;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

/// Rooms that a form may name: as many as a space has.
const MAX_ROOMS_NAMED: usize = 500;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.action(
        "community.set-web",
        "Chooses the rooms that people without an account read",
        Class::Write,
        set_web,
    )
}

#[derive(Deserialize)]
struct SetWeb {
    space: SpaceId,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    on: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    indexed: String,
    #[serde(default)]
    rooms: List<RoomId, MAX_ROOMS_NAMED>,
}

async fn set_web(community: Community, viewer: Viewer, input: SetWeb) -> Result<Outcome> {
    let settings = WebSettings {
        is_on: input.on == "yes",
        is_indexed: input.indexed == "yes",
        rooms: input.rooms.into_vec(),
    };
    let (by, space) = (viewer.account, input.space);
    community.spaces.set_web(by, space, settings).await?;
    SecurityEvent::RightsChanged.record(by, viewer.address, "changed_web_access");
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/web")))
}
