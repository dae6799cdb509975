//! The rules of a space, with the button that accepts them, and the page that welcomes members.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::redirects::landing_page;
use super::shell::{Layout, Shell};
use super::space_rules::paragraphs;
use super::{Community, Role, Room};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::SignedIn, "/spaces/{space}/rules-text", get(rules))
        .page(Audience::SignedIn, "/spaces/{space}/welcome", get(welcome))
}

/// A line in parts; the flag says whether a part is a web address.
fn words_of(line: &str) -> impl Iterator<Item = (bool, &str)> {
    line.split_inclusive(' ').flat_map(|word| {
        let text = word.trim_end();
        let schemes = ["https://", "http://"].into_iter();
        let mut rests = schemes.filter_map(|scheme| text.strip_prefix(scheme));
        let is_link = rests.any(|rest| !rest.is_empty());
        let end = match is_link {
            // A sentence may end with an address.
            true => text
                .trim_end_matches(['.', ',', ';', ':', '!', '?', ')'])
                .len(),
            false => text.len(),
        };
        let (address, rest) = word.split_at(end);
        [(is_link, address), (false, rest)]
    })
}

#[derive(Template)]
#[template(path = "community/rules_text.html", blocks = ["app"])]
struct RulesPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    /// Of the space.
    name: String,
    paragraphs: Vec<Vec<String>>,
    rules_at: Micros,
    /// Whether the viewer has yet to accept them.
    is_pending: bool,
}

impl RulesPage {
    fn words_of<'a>(&self, line: &'a str) -> impl Iterator<Item = (bool, &'a str)> {
        words_of(line)
    }
}

/// `GET /spaces/{space}/rules-text`.
async fn rules(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let account = viewer.account;
    let (rules, rules_at) = community.rules_of(account, space).await?;
    let member = community.access.member(account, space).await?;
    let member = member.ok_or(Error::NotFound)?;
    let here = format!("/spaces/{space}/rules-text");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    app_page!(
        wants,
        RulesPage {
            head: community.head(&viewer, viewer.lang.t("space-rules-title")),
            shell,
            form,
            space,
            name: community.spaces.get(account, space).await?.name,
            paragraphs: paragraphs(&rules),
            rules_at,
            is_pending: member.is_pending && !member.is_owner && !member.is_guest,
        }
    )
}

#[derive(Template)]
#[template(path = "community/welcome.html", blocks = ["app"])]
struct WelcomePage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    paragraphs: Vec<Vec<String>>,
    /// The rooms to look at that the viewer reads.
    rooms: Vec<Room>,
    /// The roles that members choose, and whether the viewer has them.
    roles: Vec<(Role, bool)>,
    has_rules: bool,
    has_portrait: bool,
    first_room: String,
}

impl WelcomePage {
    fn words_of<'a>(&self, line: &'a str) -> impl Iterator<Item = (bool, &'a str)> {
        words_of(line)
    }
}

/// `GET /spaces/{space}/welcome`.
async fn welcome(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let account = viewer.account;
    let welcome = community.welcome_of(account, space).await?;
    let (rules, _) = community.rules_of(account, space).await?;
    let member = community.access.member(account, space).await?;
    let member = member.ok_or(Error::NotFound)?;
    let deps = community.dependencies(account);
    let rooms = community.rooms.open_in(&deps, account, space).await?;
    let rooms = rooms.iter().filter(|room| welcome.rooms.contains(&room.id));
    let roles = community.roles.list(account, space).await?.into_iter();
    let roles = roles.filter(|role| role.self_chosen && !viewer.is_guest);
    let roles = roles.map(|role| {
        let is_given = member.roles.contains(&role.id);
        (role, is_given)
    });
    let here = format!("/spaces/{space}/welcome");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let name = community.spaces.get(account, space).await?.name;
    let title = viewer.lang.with("welcome-title", &[("space", name.into())]);
    app_page!(
        wants,
        WelcomePage {
            head: community.head(&viewer, title),
            shell,
            form,
            space,
            paragraphs: paragraphs(&welcome.text),
            rooms: rooms.cloned().collect(),
            roles: roles.collect(),
            has_rules: !rules.is_empty(),
            has_portrait: community.accounts.has_portrait(account).await?,
            first_room: landing_page(&community, account, space).await?,
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_end_before_the_punctuation() {
        let words: Vec<_> = words_of("See https://a.example/b. Not http:// ok").collect();
        let links = words.iter().filter(|(is_link, _)| *is_link);
        let links: Vec<_> = links.map(|(_, text)| *text).collect();
        assert_eq!(links, ["https://a.example/b"]);
        let text: String = words.iter().map(|(_, text)| *text).collect();
        assert_eq!(text, "See https://a.example/b. Not http:// ok");
    }
}
