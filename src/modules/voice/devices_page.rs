//! `/account/voice`: the microphone, camera and speaker of this device, and the connection test.
//! What is chosen stays in the browser.

use askama::Template;
use axum::extract::State;
use axum::routing::get;

use super::Voice;
use crate::base::error::Result;
use crate::community::{Layout, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Voice>) -> Module<Voice> {
    module.page(Audience::SignedIn, "/account/voice", get(devices))
}

#[derive(Template)]
#[template(path = "voice/devices.html", blocks = ["app"])]
struct DevicesPage {
    head: Head,
    shell: Shell,
}

/// `GET /account/voice`.
async fn devices(
    State(voice): State<Voice>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/account/voice").await?;
    app_page!(
        wants,
        DevicesPage {
            head: voice
                .community
                .head(&viewer, viewer.lang.t("voice-devices-title")),
            shell,
        }
    )
}
