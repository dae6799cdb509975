//! The form of a mail: headers, a text part and an HTML part.

use askama::Template;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::Mail;
use crate::base::locale::Lang;

#[derive(Template)]
#[template(path = "engine/mail.html")]
struct HtmlPart<'a> {
    lang: Lang,
    mail: &'a Mail,
}

/// The message as it is sent. `id` is the same for each attempt at one mail.
///
/// # Errors
/// When its receiver is no address that mail can be sent to.
pub(super) fn build(mail: &Mail, from: &Mailbox, id: &str) -> anyhow::Result<Message> {
    let to = Mailbox::new(None, mail.to.parse()?);
    let lang = Lang::negotiate(Some(&mail.language), None);
    let html = HtmlPart { lang, mail }.render()?;
    // Without these two, answers of absent people and of list servers come back to the sender.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let automatic = HeaderValue::new(automatic, "auto-generated".to_owned());
    let suppress = HeaderName::new_from_ascii_str("X-Auto-Response-Suppress");
    let suppress = HeaderValue::new(suppress, "All".to_owned());
    let mut message = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(one_line(&mail.subject))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .raw_header(automatic)
        .raw_header(suppress)
        .date_now();
    if let Some((_, address)) = &mail.stop {
        let name = HeaderName::new_from_ascii_str("List-Unsubscribe");
        let address = one_line(address);
        message = message.raw_header(HeaderValue::new(name, format!("<{address}>")));
        // Only for addresses that nobody on the way can read or change.
        if address.starts_with("https://") {
            let name = HeaderName::new_from_ascii_str("List-Unsubscribe-Post");
            let value = "List-Unsubscribe=One-Click".to_owned();
            message = message.raw_header(HeaderValue::new(name, value));
        }
    }
    let message = message.multipart(MultiPart::alternative_plain_html(text(mail), html))?;
    Ok(message)
}

/// The text part: paragraphs with a blank line between them, and each link in a line of its own.
fn text(mail: &Mail) -> String {
    let mut text = mail.paragraphs.join("\n\n");
    for (words, address) in mail.link.iter().chain(&mail.stop) {
        text.push_str(&format!("\n\n{words}:\n{address}"));
    }
    text.push('\n');
    text
}

/// A header's value must not hold what begins another header.
fn one_line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, to: &str) -> Mail {
        Mail {
            to: to.to_owned(),
            language: "en".to_owned(),
            subject: subject.to_owned(),
            paragraphs: vec!["<b>Hello</b>".to_owned()],
            link: Some((
                "Open".to_owned(),
                "https://chat.example/a?b=1&c=2".to_owned(),
            )),
            stop: None,
        }
    }

    fn built(mail: &Mail) -> anyhow::Result<String> {
        let from = "chat@example.org".parse()?;
        Ok(String::from_utf8(build(mail, &from, "7")?.formatted())?)
    }

    #[test]
    fn subject_with_line_breaks_adds_no_header() {
        let sent = built(&mail(
            "Hi\r\nBcc: eve@example.org\n\nBody",
            "ann@example.org",
        ))
        .unwrap();
        let (headers, _) = sent.split_once("\r\n\r\n").unwrap();
        assert!(!headers.contains("\nBcc:"), "{sent}");
        assert!(sent.contains("Message-ID: <7@example.org>"), "{sent}");
        assert!(sent.contains("Auto-Submitted: auto-generated"), "{sent}");
    }

    #[test]
    fn link_that_ends_mails_is_in_the_headers() {
        let mut mail = mail("Hi", "ann@example.org");
        let header = "List-Unsubscribe: <https://chat.example/stop/1>\r\n";
        let one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
        assert!(!built(&mail).unwrap().contains("List-Unsubscribe"));
        mail.stop = Some(("Stop".into(), "https://chat.example/stop/1".into()));
        let sent = built(&mail).unwrap();
        assert!(sent.contains(header) && sent.contains(one_click), "{sent}");
        mail.stop = Some(("Stop".into(), "http://chat.lan/stop/1".into()));
        assert!(!built(&mail).unwrap().contains(one_click));
    }

    #[test]
    fn receiver_with_line_break_is_refused() {
        for to in [
            "ann@example.org\r\nBcc: eve@example.org",
            "ann",
            "<a@b>, c@d",
        ] {
            assert!(built(&mail("Hi", to)).is_err(), "{to}");
        }
    }

    #[test]
    fn html_part_escapes_text() {
        let mail = mail("Hi", "ann@example.org");
        let html = HtmlPart {
            lang: Lang::default(),
            mail: &mail,
        }
        .render()
        .unwrap();
        assert!(html.contains("&#60;b&#62;Hello"), "{html}");
        assert!(text(&mail).contains("\nhttps://chat.example/a?b=1&c=2\n"));
    }
}
