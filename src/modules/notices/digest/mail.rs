//! What a mail digest says.

use super::super::inbox::Item;
use super::store::Digest;
use crate::base::locale::Lang;
use crate::engine::mail::Mail;

/// The mail about these notices, the newest first. `origin` is that of this server.
pub(super) fn digest(
    digest: &Digest,
    items: &[Item],
    has_more: bool,
    origin: &str,
    lang: Lang,
) -> Mail {
    let server = origin.split_once("://").map_or(origin, |(_, host)| host);
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let about = [("count", count.into()), ("server", server.into())];
    let subject = match has_more {
        true => lang.with("digest-subject-more", &about),
        false => lang.with("digest-subject", &about),
    };
    let mut paragraphs: Vec<String> = items.iter().map(paragraph).collect();
    if has_more {
        paragraphs.push(lang.t("digest-more").to_owned());
    }
    let inbox = (lang.t("digest-link").to_owned(), format!("{origin}/inbox"));
    let stop = (
        lang.t("digest-stop-link").to_owned(),
        format!("{origin}/digest/{}", digest.token),
    );
    Mail {
        to: digest.email.clone(),
        language: lang.tag().to_owned(),
        subject,
        paragraphs,
        link: Some(inbox),
        stop: Some(stop),
    }
}

/// One notice: what happened, where, and the beginning of the text.
fn paragraph(item: &Item) -> String {
    let mut words = item.line.clone();
    if !item.place.is_empty() && !item.is_direct {
        words.push_str(&format!(" · #{}", item.place));
    }
    if !item.text.is_empty() {
        // Each part keeps its direction, whatever the other's.
        words = format!("\u{2068}{words}\u{2069}: \u{2068}{}\u{2069}", item.text);
    }
    words
}
