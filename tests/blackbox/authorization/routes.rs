//! Every route as somebody who may not use it.

use super::fixture::{Fixture, MARK};
use crate::support::{Answer, Person};

/// What someone may get of a route.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gets {
    /// The page.
    It,
    /// The way to somewhere else.
    Redirect,
    /// Nothing, with this status.
    No(u16),
}

use Gets::{It, No, Redirect};

/// Route, then what a stranger to the space, a member outside the room, and a member of the room
/// get of it. Visitors are sent to sign-in, unless the last field says otherwise.
pub(super) struct Row(
    &'static str,
    pub(super) &'static str,
    [Gets; 3],
    Option<Gets>,
);

const fn row(method: &'static str, path: &'static str, gets: [Gets; 3]) -> Row {
    Row(method, path, gets, None)
}

const fn open(method: &'static str, path: &'static str, gets: Gets) -> Row {
    Row(method, path, [gets; 3], Some(gets))
}

pub(super) const ROUTES: &[Row] = &[
    open("GET", "/", Redirect),
    open("GET", "/setup", No(404)),
    open("POST", "/setup", No(422)),
    Row("GET", "/sign-in", [Redirect; 3], Some(It)),
    open("POST", "/sign-in", No(422)),
    row("POST", "/sign-out", [No(0); 3]),
    open("GET", "/join/{code}", No(404)),
    Row("POST", "/join/{code}", [No(409); 3], Some(No(409))),
    open("GET", "/accounts/{account}/mine.css", It),
    row("GET", "/spaces/{space}", [No(404), It, It]),
    row("GET", "/spaces/{space}/settings", [No(404), It, It]),
    row("GET", "/spaces/{space}/people", [No(404), It, It]),
    row(
        "GET",
        "/spaces/{space}/rooms/new",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/rooms/{room}/settings", [No(404), No(404), No(403)]),
    row(
        "GET",
        "/rooms/{room}/permissions",
        [No(404), No(404), No(403)],
    ),
    row("GET", "/spaces/{space}/rooms", [No(404), No(403), No(403)]),
    row("GET", "/spaces", [It; 3]),
    row("GET", "/spaces/{space}/web", [No(404), No(403), No(403)]),
    open("GET", "/web/{space}", No(404)),
    open("GET", "/web/{space}/{room}", No(404)),
    open("GET", "/web/{space}/{room}/files/{file}/{name}", No(404)),
    row("GET", "/rooms/{room}/people", [No(404), No(404), It]),
    row("GET", "/spaces/{space}/letters", [No(404), It, It]),
    row("GET", "/spaces/{space}/letters/sent", [No(404), It, It]),
    row("GET", "/spaces/{space}/letters/drafts", [No(404), It, It]),
    row("GET", "/spaces/{space}/letters/plaza", [No(404), It, It]),
    row("GET", "/spaces/{space}/letters/new", [No(404), It, It]),
    row(
        "GET",
        "/spaces/{space}/letters/settings",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/spaces/{space}/letters/places", [No(404); 3]),
    row("GET", "/spaces/{space}/letters/couriers", [No(404); 3]),
    row("GET", "/spaces/{space}/letters/round", [No(404); 3]),
    row("GET", "/spaces/{space}/letters/board", [No(404); 3]),
    row("GET", "/spaces/{space}/letters/drift", [No(404), It, It]),
    row("GET", "/spaces/{space}/letters/points", [No(404), It, It]),
    row("GET", "/spaces/{space}/letters/contests", [No(404), It, It]),
    row(
        "GET",
        "/spaces/{space}/letters/hidden",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/letters/{letter}", [No(404); 3]),
    row("GET", "/letters/{letter}/pages", [No(404); 3]),
    row("GET", "/letters/{letter}/exhibit", [No(404); 3]),
    row("GET", "/letters/{letter}/desk", [No(404); 3]),
    row("GET", "/letters/{letter}/journey", [No(404); 3]),
    row("GET", "/letters/places/{place}", [No(404); 3]),
    row("GET", "/letters/sheets/{sheet}", [No(404); 3]),
    row("GET", "/spaces/{space}/letters/museum", [No(404), It, It]),
    open("GET", "/l/{code}", No(404)),
    row("GET", "/rooms/{room}/voice/side", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/voice/room", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/voice/call", [No(404), No(404), It]),
    row(
        "GET",
        "/rooms/{room}/voice/rules",
        [No(404), No(404), No(403)],
    ),
    row(
        "GET",
        "/rooms/{room}/voice/people/{participant}/move",
        [No(404), No(404), No(403)],
    ),
    row("GET", "/rooms/{room}/voice/bar", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/terminals", [No(404), No(404), It]),
    row(
        "GET",
        "/rooms/{room}/terminals/strip",
        [No(404), No(404), It],
    ),
    row(
        "GET",
        "/rooms/{room}/terminals/list",
        [No(404), No(404), It],
    ),
    // There is none of this number.
    row("GET", "/rooms/{room}/terminals/{terminal}", [No(404); 3]),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/about",
        [No(404); 3],
    ),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/people",
        [No(404); 3],
    ),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/text",
        [No(404); 3],
    ),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/watch",
        [No(404); 3],
    ),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/replay",
        [No(404); 3],
    ),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/recording",
        [No(404); 3],
    ),
    // It asks for a token instead of a session.
    open("GET", "/terminals/share", No(404)),
    row(
        "GET",
        "/rooms/{room}/terminals/{terminal}/links",
        [No(404); 3],
    ),
    row(
        "POST",
        "/rooms/{room}/terminals/{terminal}/links",
        [No(404); 3],
    ),
    open("GET", "/terminals/links/{secret}", No(404)),
    open("GET", "/terminals/links/{secret}/watch", No(404)),
    row("GET", "/terminals", [No(403); 3]),
    row("GET", "/account/terminals", [It; 3]),
    row("POST", "/account/terminals", [No(422); 3]),
    row("GET", "/rooms/{room}/readers", [No(404), No(404), It]),
    row("GET", "/spaces/{space}/members", [No(404), It, It]),
    row(
        "GET",
        "/spaces/{space}/members/{account}",
        [No(404), It, It],
    ),
    row("GET", "/spaces/{space}/roles", [No(404), It, It]),
    row(
        "GET",
        "/spaces/{space}/roles/{role}",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/spaces/{space}/groups", [No(404), It, It]),
    row("GET", "/spaces/{space}/groups/{group}", [No(404); 3]),
    row("GET", "/mentions", [It; 3]),
    row("GET", "/inbox", [It; 3]),
    row("GET", "/inbox/list", [It; 3]),
    row("GET", "/inbox/newest", [It; 3]),
    row("GET", "/inbox/{notice}", [No(404); 3]),
    row("GET", "/account/notices", [It; 3]),
    row("GET", "/account/voice", [It; 3]),
    open("GET", "/manifest.webmanifest", It),
    open("GET", "/sw.js", It),
    open("GET", "/offline", It),
    row("GET", "/rooms/{room}/notices", [No(404), No(404), It]),
    row("GET", "/spaces/{space}/notices", [No(404), It, It]),
    row("GET", "/bookmarks", [It; 3]),
    row("GET", "/rooms/{room}/pins", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/menu", [No(404), No(404), It]),
    row("GET", "/messages/{message}/menu", [No(404), No(404), It]),
    row("GET", "/messages/{message}/react", [No(404), No(404), It]),
    row("GET", "/messages/{message}/forward", [No(404), No(404), It]),
    row("GET", "/messages/{message}/preview", [No(404), No(404), It]),
    // It is no poll.
    row("GET", "/messages/{message}/votes", [No(404); 3]),
    row("GET", "/rooms/{room}/commands", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/poll", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/schedule", [No(404), No(404), It]),
    row("GET", "/scheduled", [It; 3]),
    row("GET", "/reminders", [It; 3]),
    row("GET", "/reminders/new", [It; 3]),
    row(
        "GET",
        "/messages/{message}/reactions",
        [No(404), No(404), It],
    ),
    row("GET", "/messages/{message}/history", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/mentionable", [No(404), No(404), It]),
    row("GET", "/threads", [It; 3]),
    row("GET", "/rooms/{room}/receipts", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/threads", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/name", [No(404); 3]),
    row("GET", "/rooms/{room}/posts", [No(404); 3]),
    row("GET", "/rooms/{room}/tags", [No(404); 3]),
    row("GET", "/messages/{message}/thread", [No(404), No(404), It]),
    row("GET", "/spaces/{space}/audit", [No(404), No(403), No(403)]),
    row("GET", "/spaces/{space}/bans", [No(404), No(403), No(403)]),
    row(
        "GET",
        "/spaces/{space}/invitations",
        [No(404), No(403), No(403)],
    ),
    row(
        "GET",
        "/spaces/{space}/invitations/{invite}",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/spaces/{space}/start", [No(404), No(403), No(403)]),
    row(
        "GET",
        "/spaces/{space}/joining",
        [No(404), No(403), No(403)],
    ),
    row(
        "GET",
        "/spaces/{space}/applications",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/spaces/open", [It; 3]),
    row("GET", "/spaces/{space}/join", [No(404), Redirect, Redirect]),
    row("GET", "/spaces/{space}/rules-text", [No(404), It, It]),
    row("GET", "/spaces/{space}/welcome", [No(404), It, It]),
    Row("GET", "/register", [Redirect; 3], Some(No(404))),
    open("POST", "/register", No(422)),
    row("GET", "/registration", [No(403); 3]),
    row("GET", "/guest", [Redirect; 3]),
    row("POST", "/guest", [No(422); 3]),
    row("GET", "/spaces/{space}/rules", [No(404), No(403), No(403)]),
    row(
        "GET",
        "/spaces/{space}/rules/{rule}",
        [No(404), No(403), No(403)],
    ),
    row(
        "POST",
        "/spaces/{space}/dry-run",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/spaces/{space}/held", [No(404), No(403), No(403)]),
    row("GET", "/spaces/{space}/closed", [It, Redirect, Redirect]),
    row("GET", "/rooms/{room}/closed", [It, It, Redirect]),
    row("GET", "/emoji", [It; 3]),
    row("GET", "/direct", [It; 3]),
    row("GET", "/account", [It; 3]),
    row("GET", "/account/profile", [It; 3]),
    row("GET", "/account/privacy", [It; 3]),
    row("GET", "/people/{account}", [It; 3]),
    row("GET", "/account/security", [It; 3]),
    row("GET", "/account/data", [It; 3]),
    row("GET", "/account/data/copy", [No(404); 3]),
    row("GET", "/account/totp", [It; 3]),
    row("POST", "/account/totp", [No(422); 3]),
    row("POST", "/account/passkeys", [No(422); 3]),
    row("POST", "/account/passkeys/challenge", [It; 3]),
    open("POST", "/sign-in/passkey", No(422)),
    open("POST", "/sign-in/passkey/challenge", It),
    open("GET", "/account/email", No(404)),
    open("POST", "/account/email", No(404)),
    open("GET", "/digest/{token}", It),
    open("POST", "/digest/{token}", It),
    open("GET", "/forgot", It),
    open("POST", "/forgot", No(409)),
    open("GET", "/reset", No(404)),
    open("POST", "/reset", No(422)),
    open("GET", "/sign-in/oidc", No(404)),
    open("GET", "/sign-in/oidc/return", No(404)),
    open("GET", "/sign-in/oidc/link", No(404)),
    open("POST", "/sign-in/oidc/link", No(404)),
    row("GET", "/account/oidc", [No(404); 3]),
    open("GET", "/sign-in/code", Redirect),
    open("POST", "/sign-in/code", No(422)),
    row("GET", "/report/{kind}/{thing}", [No(404); 3]),
    row("GET", "/reports", [It; 3]),
    row("GET", "/spaces/{space}/queue", [No(404), No(403), No(403)]),
    row("GET", "/queue", [No(403); 3]),
    row("GET", "/cases/{case}", [No(404); 3]),
    row("GET", "/spaces/{space}/appeal", [No(404); 3]),
    row("GET", "/appeals/{appeal}", [No(404); 3]),
    row("GET", "/rooms/{room}/select", [No(404), No(404), No(403)]),
    row("GET", "/server/bans", [No(403); 3]),
    row("GET", "/audit", [No(403); 3]),
    row("GET", "/find", [It; 3]),
    row("GET", "/find/results", [It; 3]),
    row("GET", "/search", [It; 3]),
    row("GET", "/search/results", [It; 3]),
    row("GET", "/search/brief", [It; 3]),
    row("GET", "/unread", [It; 3]),
    row("GET", "/sidebar", [No(404), It, It]),
    row("GET", "/dead-letters", [No(403); 3]),
    row("GET", "/jobs", [No(403); 3]),
    row("GET", "/accounts/{account}/picture", [It; 3]),
    row("GET", "/spaces/{space}/picture", [No(404), It, It]),
    row("GET", "/rooms/{room}/emoji", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/files", [No(404), No(404), It]),
    row("GET", "/rooms/{room}", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/log", [No(404), No(404), It]),
    row("GET", "/messages/{message}", [No(404), No(404), Redirect]),
    row(
        "GET",
        "/messages/{message}/source",
        [No(404), No(404), No(403)],
    ),
    row(
        "GET",
        "/messages/{message}/edit",
        [No(404), No(404), No(403)],
    ),
    row(
        "GET",
        "/messages/{message}/delete",
        [No(404), No(404), No(403)],
    ),
];

fn check(who: &str, row: &Row, gets: Gets, answer: &Answer, inside: bool) {
    let what = format!(
        "{who}: {} {}: {} {}",
        row.0,
        row.1,
        answer.status,
        answer.header("location")
    );
    assert!(inside || !answer.body.contains(MARK), "{what} holds data");
    match gets {
        It => assert_eq!(answer.status, 200, "{what}"),
        Redirect => assert!(
            answer.status == 303 && !answer.header("location").starts_with("/sign-in"),
            "{what}"
        ),
        No(status) => assert_eq!(answer.status, status, "{what}"),
    }
}

#[tokio::test]
async fn routes_refuse_the_unauthorised() {
    let fixture = Fixture::start().await;
    let visitor = fixture.server.visitor();
    for row in ROUTES {
        let Row(method, template, gets, door) = row;
        let path = fixture.fill(template)
            + if *template == "/sidebar" {
                "?space=SPACE"
            } else {
                ""
            };
        let path = fixture.fill(&path);
        for accept in ["text/html", "application/json", "htmx"] {
            let ask = async |person: &Person| {
                let request = person.request(method, &path);
                let request = if accept == "htmx" {
                    request.header("HX-Request", "true")
                } else {
                    request.header("Accept", accept)
                };
                person.send(request).await
            };
            let answer = ask(&visitor).await;
            match door {
                Some(Redirect) => assert_eq!(answer.status, 303, "{path}"),
                Some(gets) => check("a visitor", row, *gets, &answer, false),
                None if accept == "text/html" && *method == "GET" => {
                    assert!(answer.location().starts_with("/sign-in?next="), "{path}")
                }
                None => check("a visitor", row, No(401), &answer, false),
            }
            if *template == "/sign-out" {
                continue;
            }
            for ((person, gets), inside) in
                fixture.people.iter().zip(gets).zip([false, false, true])
            {
                check(&person.name, row, *gets, &ask(person).await, inside);
            }
        }
    }
}
