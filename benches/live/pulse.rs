//! The real server with one module more, whose frames come from nowhere: the engine's own part of a delivery, without what a
//! post is for (rights, a commit, rendering).

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use tidepool::base::ids::SpaceId;
use tidepool::base::settings::{Flags, Settings};
use tidepool::engine::Engine;
use tidepool::engine::actions::{Action, Class, Outcome};
use tidepool::engine::live::{Content, FeedSpec};
use tidepool::engine::module::Module;
use tidepool::event;

/// What is told with each beat, so that a frame has about 360 bytes.
const TEXT: &str = "The tide comes in and the tide goes out, and every pool among the rocks is another world for a while: anemones, \
    blennies, a crab under its stone, and somebody who looks: it is all there, for as long as one stays.";
const FEED: &str = "pulse/1";

event! {
    /// A beat.
    pub struct BeatTold on "bench.beat.told" by space {
        /// Where.
        space: SpaceId = SpaceId(1),
        /// Which.
        id: String = "10000001".into(),
        /// What.
        text: String = TEXT.into(),
    }
}

#[derive(Deserialize)]
struct Beats {
    frames: u64,
}

fn module(engine: Engine) -> Module {
    let number = Arc::new(Mutex::new(10_000_000_u64));
    Module::new("bench").publishes::<BeatTold>().feed(FeedSpec::new("pulse/{pulse}", "Beats", |_, _| async { Ok(true) })).action(
        Action::new("bench.beat", "Tells all who follow of a beat", Class::Write, move |_, Beats { frames }| {
            let (engine, number) = (engine.clone(), number.clone());
            async move {
                let mut number = number.lock().unwrap_or_else(PoisonError::into_inner);
                for _ in 0..frames {
                    *number += 1;
                    let beat = BeatTold { space: SpaceId(1), id: number.to_string(), text: TEXT.into() };
                    engine.live.publish(FEED, Content::of(&beat)); // under the lock: in the order of the numbers
                }
                Ok(Outcome::new(json!({ "message": { "id": number.to_string() } }), "/"))
            }
        }),
    )
}

/// Serves until it is killed.
#[tokio::main]
pub async fn serve() -> Result<()> {
    let ready = |address| println!("Tidepool is at http://{address}");
    let settings = Settings::load(&Flags::default())?;
    tidepool::app::serve_with(settings, |community| vec![module(community.engine().clone())], ready).await
}
