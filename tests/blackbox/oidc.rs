//! Sign-in with OpenID Connect, at a service that the test runs itself.

mod provider;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, TestServer};
use provider::{Provider, Signing};

async fn start_with(create_accounts: &str) -> (TestServer, Provider, Person) {
    let provider = Provider::start().await;
    let settings = [
        ("TIDEPOOL_OIDC_ISSUER", provider.issuer()),
        ("TIDEPOOL_OIDC_CLIENT_ID", "tidepool"),
        ("TIDEPOOL_OIDC_CLIENT_SECRET", "a secret&more"),
        ("TIDEPOOL_OIDC_NAME", "Harbour"),
        ("TIDEPOOL_OIDC_CREATE_ACCOUNTS", create_accounts),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    (server, provider, ann)
}

/// Goes to the service and comes back.
async fn come_back(
    visitor: &Person,
    provider: &Provider,
    signing: Signing,
    change: impl FnOnce(&mut Value),
) -> crate::support::Answer {
    let there = visitor.get("/sign-in/oidc?next=/account").await;
    let back = provider.sign_in(there.location(), signing, change);
    visitor.get(&back).await
}

fn as_ann(claims: &mut Value) {
    claims["email"] = json!("Ann@Example.org");
    claims["email_verified"] = json!(true);
}

/// Links ann's account from her security page.
async fn link(ann: &Person, provider: &Provider) {
    let action = "/act/community.link-identity";
    let wrong = [("current_password", "not my password")];
    ann.form_from("/account/security", action, &wrong)
        .await
        .expect(422);
    let fields = [("current_password", PASSWORD)];
    let begun = ann.form_from("/account/security", action, &fields).await;
    let page = ann.page(begun.location()).await;
    let start = page.find("/sign-in/oidc?link=").expect("a link");
    let way = page[start..].split('"').next().expect("an address");
    let there = ann.get(way).await;
    let back = provider.sign_in(there.location(), Signing::Es256, |_| ());
    let linked = ann.get(&back).await;
    assert_eq!(linked.location(), "/account/security?done=linked");
    let page = ann.page(linked.location()).await;
    assert!(page.contains("Your account is linked to one at"), "{page}");
}

#[tokio::test]
async fn oidc_not_configured_is_not_offered() {
    let (server, ann) = TestServer::start_with_owner().await;
    let page = server.visitor().page("/sign-in").await;
    assert!(!page.contains("oidc"));
    server.visitor().get("/sign-in/oidc").await.expect(404);
    assert!(!ann.page("/account/security").await.contains("oidc"));
}

#[tokio::test]
async fn linked_identity_signs_in_until_unlinked() {
    let (server, provider, ann) = start_with("false").await;
    let page = server.visitor().page("/sign-in").await;
    assert!(page.contains("Sign in with"), "{page}");
    link(&ann, &provider).await;
    for signing in [Signing::Es256, Signing::Rs256] {
        let visitor = server.visitor();
        let back = come_back(&visitor, &provider, signing, |_| ()).await;
        assert_eq!(back.location(), "/account");
        assert!(visitor.page("/account").await.contains("ann"));
    }
    let fields = [("current_password", PASSWORD)];
    let action = "/act/community.unlink-identity";
    let ended = ann.form_from("/account/security", action, &fields).await;
    assert_eq!(ended.location(), "/account/security?done=unlinked");
    let back = come_back(&server.visitor(), &provider, Signing::Es256, |_| ()).await;
    assert!(back.expect(409).body.contains("Nobody here is linked"));
}

#[tokio::test]
async fn token_that_is_not_verified_is_refused() {
    let (server, provider, ann) = start_with("true").await;
    link(&ann, &provider).await;
    type Change = fn(&mut Value);
    let cases: [(&str, Signing, Change); 12] = [
        ("nonce", Signing::Es256, |c| c["nonce"] = json!("other")),
        ("audience", Signing::Es256, |c| c["aud"] = json!("other")),
        ("several audiences", Signing::Es256, |c| {
            c["aud"] = json!(["tidepool", "other"]);
        }),
        ("party", Signing::Es256, |c| c["azp"] = json!("other")),
        ("issuer", Signing::Es256, |c| c["iss"] = json!("http://a")),
        ("expired", Signing::Es256, |c| {
            c["exp"] = json!(1_700_000_000)
        }),
        ("not valid yet", Signing::Es256, |c| {
            c["nbf"] = json!(4_000_000_000_i64)
        }),
        ("no expiry", Signing::Es256, |c| c["exp"] = Value::Null),
        ("nobody", Signing::Es256, |c| c["sub"] = json!("")),
        ("forged", Signing::Forged, |_| ()),
        ("unknown key", Signing::Unknown, |_| ()),
        ("unsigned", Signing::Unsigned, |_| ()),
    ];
    for (case, signing, change) in cases {
        let visitor = server.visitor();
        let back = come_back(&visitor, &provider, signing, change).await;
        assert_eq!(back.status, 409, "{case}: {}", back.body);
        assert!(back.body.contains("could not be verified"), "{case}");
        visitor.get("/account").await.location();
    }
    let back = come_back(&server.visitor(), &provider, Signing::Es256, |_| ()).await;
    assert_eq!(back.location(), "/account");
}

#[tokio::test]
async fn link_of_another_site_signs_nobody_in() {
    let (server, _provider, _ann) = start_with("false").await;
    let visitor = server.visitor();
    for site in ["cross-site", "same-site"] {
        let request = visitor.request("GET", "/sign-in/oidc");
        let there = visitor.send(request.header("Sec-Fetch-Site", site)).await;
        assert_eq!(there.location(), "/sign-in", "{site}");
    }
}

#[tokio::test]
async fn state_is_used_once_and_by_its_browser() {
    let (server, provider, ann) = start_with("false").await;
    link(&ann, &provider).await;
    let (visitor, other) = (server.visitor(), server.visitor());
    let there = visitor.get("/sign-in/oidc").await;
    let back = provider.sign_in(there.location(), Signing::Es256, |_| ());
    other.get("/sign-in/oidc").await.location();
    other.get(&back).await.expect(409);
    other.get("/account").await.location();
    assert_eq!(visitor.get(&back).await.location(), "/");
    let again = visitor.get(&back).await.expect(409);
    assert!(again.body.contains("took too long"));
    // Refused by the service: the sign-in is over, too.
    let there = other.get("/sign-in/oidc").await;
    let back = provider.sign_in(there.location(), Signing::Es256, |_| ());
    let state = provider::field(back.split_once('?').expect("a query").1, "state");
    let denied = format!("/sign-in/oidc/return?error=access_denied&state={state}");
    let denied = other.get(&denied).await.expect(409);
    assert!(denied.body.contains("did not sign you in"));
    other.get(&back).await.expect(409);
}

#[tokio::test]
async fn verified_address_is_linked_after_its_password() {
    let (server, provider, _ann) = start_with("true").await;
    let visitor = server.visitor();
    let back = come_back(&visitor, &provider, Signing::Es256, as_ann).await;
    assert_eq!(back.location(), "/sign-in/oidc/link");
    let page = visitor.page(back.location()).await;
    assert!(page.contains("ann@example.org"), "{page}");
    visitor.get("/account").await.location();
    let way = "/sign-in/oidc/link";
    let wrong = visitor.form(way, &[("password", "not my password")]).await;
    assert!(wrong.expect(422).body.contains("id=\"f-password-error\""));
    let right = visitor.form(way, &[("password", PASSWORD)]).await;
    assert_eq!(right.location(), "/account");
    assert!(visitor.page("/account").await.contains("ann"));
    let other = server.visitor();
    let back = come_back(&other, &provider, Signing::Es256, as_ann).await;
    assert_eq!(back.location(), "/account");
    other.form(way, &[("password", PASSWORD)]).await.expect(409);
}

#[tokio::test]
async fn linked_identity_still_needs_a_code() {
    let (server, provider, ann) = start_with("false").await;
    link(&ann, &provider).await;
    super::totp::turn_on(&ann).await;
    let visitor = server.visitor();
    let back = come_back(&visitor, &provider, Signing::Es256, |_| ()).await;
    assert_eq!(back.location(), "/sign-in/code");
    visitor.get("/account").await.location();
}

#[tokio::test]
async fn address_not_verified_gets_no_account() {
    let (server, provider, _ann) = start_with("true").await;
    let unverified: [fn(&mut Value); 2] = [
        |claims| claims["email"] = json!("ann@example.org"),
        |claims| {
            claims["email"] = json!("new@example.org");
            claims["email_verified"] = json!(false);
        },
    ];
    for change in unverified {
        let visitor = server.visitor();
        let back = come_back(&visitor, &provider, Signing::Es256, change).await;
        assert!(back.expect(409).body.contains("Nobody here is linked"));
        visitor.get("/account").await.location();
    }
}

#[tokio::test]
async fn account_is_created_only_where_allowed() {
    let new = |claims: &mut Value| {
        claims["email"] = json!("other@example.org");
        claims["email_verified"] = json!(true);
        claims["preferred_username"] = json!("Ann@corp");
    };
    let (server, provider, _ann) = start_with("false").await;
    let back = come_back(&server.visitor(), &provider, Signing::Es256, new).await;
    assert!(back.expect(409).body.contains("Nobody here is linked"));
    let (server, provider, _ann) = start_with("true").await;
    for _ in 0..2 {
        let visitor = server.visitor();
        let back = come_back(&visitor, &provider, Signing::Es256, new).await;
        assert_eq!(back.location(), "/account");
        assert!(visitor.page("/account").await.contains("Ann 2"));
    }
}
