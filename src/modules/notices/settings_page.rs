//! `/account/notices`: quiet hours, what this browser does when something comes, and the rooms and
//! spaces that a level was set for.

use askama::Template;
use axum::extract::State;
use axum::routing::get;

use super::level_pages::words_of;
use super::quiet_hours::time_text;
use super::{Notices, digest, push, store};
use crate::base::error::Result;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, NoticeLevel, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Rooms that the page lists.
const MAX_ROOMS_LISTED: usize = 200;

pub(super) fn declare(module: Module<Notices>) -> Module<Notices> {
    module.page(Audience::SignedIn, "/account/notices", get(settings))
}

/// A room or space with its level.
struct Listed {
    href: String,
    name: String,
    level: &'static str,
}

#[derive(Template)]
#[template(path = "notices/settings.html", blocks = ["app"])]
struct SettingsPage {
    head: Head,
    shell: Shell,
    form: Form,
    /// `22:00`; empty without.
    from: String,
    to: String,
    time_zone: String,
    /// For browsers that subscribe.
    push_key: String,
    devices: Vec<push::ListedDevice>,
    /// How often the mail digest is sent, `never` included; none where there is no mail.
    digest: Option<&'static str>,
    email: String,
    spaces: Vec<Listed>,
    rooms: Vec<Listed>,
}

impl SettingsPage {
    /// Whether notices are sent to this device.
    fn pushes_here(&self) -> bool {
        self.devices.iter().any(|device| device.is_this)
    }

    /// The fields of the quiet hours: name, message key of the label, value.
    fn hours(&self) -> [(&'static str, &'static str, &str); 2] {
        [
            ("from", "field-quiet-from", &self.from),
            ("to", "field-quiet-to", &self.to),
        ]
    }
}

/// `GET /account/notices`.
async fn settings(
    State(notices): State<Notices>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let (community, account) = (&notices.community, viewer.account);
    let shell = layout.shell(&viewer, None, "/account/notices").await?;
    let (from, to, time_zone) = store::quiet_hours(&notices.engine.db, account).await?;
    let (spaces, rooms) = notices.listed(&viewer).await?;
    let own = community.accounts.get(account).await?;
    let can_mail = notices.engine.mail.is_configured() && own.guest_until.is_none();
    let rhythm = digest::rhythm_of(&notices.engine.db, account).await?;
    let rhythm = rhythm.map_or("never", |rhythm| rhythm.as_str());
    let text = |minute: Option<i64>| minute.map(time_text).unwrap_or_default();
    app_page!(
        wants,
        SettingsPage {
            head: community.head(&viewer, viewer.lang.t("notices-title")),
            shell,
            form,
            from: text(from),
            to: text(to),
            time_zone,
            push_key: push::public_key(&notices.engine.db).await?,
            devices: push::devices(&notices.engine.db, account, &viewer.session).await?,
            digest: can_mail.then_some(rhythm),
            email: own.email.clone(),
            spaces,
            rooms,
        }
    )
}

impl Notices {
    /// All spaces of the viewer, and the rooms that a level was set for.
    async fn listed(&self, viewer: &Viewer) -> Result<(Vec<Listed>, Vec<Listed>)> {
        let (community, account) = (&self.community, viewer.account);
        let deps = self.engine.versions.dependencies();
        let levels = community.notice_levels(&deps, account).await?;
        let name = |level: NoticeLevel| viewer.lang.t(words_of(level).0);
        let spaces = community.spaces.of(&deps, account).await?;
        let spaces = spaces.iter().map(|space| {
            let level = levels.spaces.get(&space.id).copied();
            let level = level.unwrap_or_else(|| NoticeLevel::default_of(Some(space.id)));
            Listed {
                href: format!("/spaces/{}/notices", space.id),
                name: space.name.clone(),
                level: name(level),
            }
        });
        let mut rooms = Vec::new();
        for (room, level) in levels.rooms.iter().take(MAX_ROOMS_LISTED) {
            let asked = community.access.permit_in_room(account, &READ, *room);
            let room = match asked.await {
                Ok(room) => room,
                Err(error) => {
                    is_granted(Err::<(), _>(error))?;
                    continue;
                }
            };
            rooms.push(Listed {
                href: format!("/rooms/{}/notices", room.id),
                name: community.rooms.title(account, &room).await?,
                level: name(*level),
            });
        }
        rooms.sort_by(|one, other| one.name.cmp(&other.name));
        Ok((spaces.collect(), rooms))
    }
}
