//! What a page says of itself in its head: Open Graph, the cards of Twitter, title and description.
//! The page is read by the tokenizer of browsers, which takes any input in linear time.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer,
};
use url::Url;

use crate::base::text::{is_blank, limit_marks};
use crate::modules::chat::link_card::PageText;
use crate::modules::chat::markdown::one_line;

/// Graphemes of the name of a site, of a title and of a description in a card.
const MAX_SITE_CHARS: usize = 60;
const MAX_CARD_TITLE_CHARS: usize = 140;
const MAX_DESCRIPTION_CHARS: usize = 300;
/// Bytes of a text in a page that are read: the rest is far past what is shown.
const MAX_READ_BYTES: usize = 8 << 10;

/// What a page says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) text: PageText,
    /// Where its picture is.
    pub(super) picture: Option<Url>,
}

/// Reads a page that was found at an address. Takes about 10 ms for 1 MiB.
pub(super) fn read(html: &str, url: &Url) -> Metadata {
    let tokenizer = Tokenizer::new(Sink::default(), Default::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    while !input.is_empty() {
        // Stops after scripts, which are not run.
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    let found = tokenizer.sink.found.take();
    let title = first_of([found.og_title, found.twitter_title, found.title]);
    let description = [
        found.og_description,
        found.twitter_description,
        found.description,
    ];
    let picture = [found.og_image, found.twitter_image];
    let picture = picture.into_iter().find(|url| !url.trim().is_empty());
    let picture = picture.and_then(|path| url.join(path.trim()).ok());
    Metadata {
        text: PageText {
            site: site_name(&first_of([found.site]), url),
            title: shown(&title, MAX_CARD_TITLE_CHARS),
            description: shown(&first_of(description), MAX_DESCRIPTION_CHARS),
            is_picture: false,
        },
        picture: picture.filter(|url| matches!(url.scheme(), "http" | "https")),
    }
}

/// The text of the card of a picture.
pub(super) fn of_picture(url: &Url) -> PageText {
    let name = url.path_segments().and_then(|mut parts| parts.next_back());
    let name = percent_decoded(name.unwrap_or_default());
    PageText {
        site: site_name("", url),
        title: shown(&name, MAX_CARD_TITLE_CHARS),
        description: String::new(),
        is_picture: true,
    }
}

fn site_name(name: &str, url: &Url) -> String {
    match is_blank(name) {
        false => shown(name, MAX_SITE_CHARS),
        true => {
            let host = url.host_str().unwrap_or_default();
            shown(host.strip_prefix("www.").unwrap_or(host), MAX_SITE_CHARS)
        }
    }
}

fn percent_decoded(text: &str) -> String {
    let query = format!("a={}", text.replace('+', "%2B").replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(query.as_bytes()).next();
    decoded.map_or_else(String::new, |(_, value)| value.into_owned())
}

fn first_of<const N: usize>(texts: [String; N]) -> String {
    let mut texts = texts.into_iter();
    texts.find(|text| !is_blank(text)).unwrap_or_default()
}

/// A text as a card shows it: one line, without what would reach out of it.
fn shown(text: &str, max_chars: usize) -> String {
    let text = one_line(&limit_marks(text), max_chars);
    match is_blank(&text) {
        true => String::new(),
        false => text,
    }
}

#[derive(Debug, Default)]
struct Found {
    site: String,
    title: String,
    og_title: String,
    twitter_title: String,
    description: String,
    og_description: String,
    twitter_description: String,
    og_image: String,
    twitter_image: String,
    /// Whether the tokens are those of the title.
    is_in_title: bool,
    has_title: bool,
}

impl Found {
    fn add_meta(&mut self, tag: &Tag) {
        let value = |names: &[&str]| {
            let named = |name: &str| names.contains(&name);
            let found = tag.attrs.iter().find(|one| named(&one.name.local));
            found.map(|one| &*one.value)
        };
        let Some(name) = value(&["property", "name"]) else {
            return;
        };
        let target = match name.trim().to_ascii_lowercase().as_str() {
            "og:site_name" => &mut self.site,
            "og:title" => &mut self.og_title,
            "og:description" => &mut self.og_description,
            "og:image" | "og:image:url" | "og:image:secure_url" => &mut self.og_image,
            "twitter:title" => &mut self.twitter_title,
            "twitter:description" => &mut self.twitter_description,
            "twitter:image" | "twitter:image:src" => &mut self.twitter_image,
            "description" => &mut self.description,
            _ => return,
        };
        if target.is_empty() {
            push_bounded(target, value(&["content"]).unwrap_or_default());
        }
    }
}

fn push_bounded(target: &mut String, text: &str) {
    let left = MAX_READ_BYTES.saturating_sub(target.len());
    target.push_str(&text[..text.floor_char_boundary(left)]);
}

#[derive(Default)]
struct Sink {
    found: RefCell<Found>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut found = self.found.borrow_mut();
        match token {
            Token::CharacterTokens(text) if found.is_in_title => {
                push_bounded(&mut found.title, &text);
            }
            Token::TagToken(tag) => {
                let is_start = tag.kind == TagKind::StartTag;
                found.is_in_title = false;
                match &*tag.name {
                    "meta" if is_start => found.add_meta(&tag),
                    "title" if is_start => {
                        found.is_in_title = !found.has_title;
                        found.has_title = true;
                        return TokenSinkResult::RawData(RawKind::Rcdata);
                    }
                    "textarea" if is_start => return TokenSinkResult::RawData(RawKind::Rcdata),
                    "script" if is_start => {
                        return TokenSinkResult::RawData(RawKind::ScriptData);
                    }
                    "style" | "xmp" | "iframe" | "noembed" | "noframes" if is_start => {
                        return TokenSinkResult::RawData(RawKind::Rawtext);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_at(html: &str) -> Metadata {
        read(html, &Url::parse("https://www.example.com/a/b").unwrap())
    }

    #[test]
    fn best_description_of_page_wins() {
        let found = read_at(
            "<!doctype html><title>plain &amp; simple</title>\
             <meta name=description content=short>\
             <meta property=og:site_name content='潮だまり'>\
             <META PROPERTY='OG:TITLE' content='هلا &lt;b&gt; ไทย 🌊'>\
             <meta name='twitter:description' content='longer'>\
             <meta property=og:image content='../p.png'>",
        );
        assert_eq!(found.text.site, "潮だまり");
        assert_eq!(found.text.title, "هلا <b> ไทย 🌊");
        assert_eq!(found.text.description, "longer");
        assert_eq!(
            found.picture.unwrap().as_str(),
            "https://www.example.com/p.png"
        );
        let found = read_at("<title>\n a &amp; \n b </title><svg><title>c</title></svg>");
        assert_eq!(
            (&*found.text.title, &*found.text.site),
            ("a & b", "example.com")
        );
        assert_eq!(found.picture, None);
    }

    #[test]
    fn hostile_page_leaves_bounded_plain_text() {
        let found = read_at(
            "<title>a\u{202e}b\u{2066}\u{0}\u{1b}[31m<script>alert(1)</script></title>\
             <meta property=og:image content='javascript:alert(1)'>\
             <script>'<meta property=\"og:title\" content=\"no\">'</script>\
             <meta name=description content='\u{202e}\u{200b}'>",
        );
        let title = &found.text.title;
        assert!(title.starts_with("ab"), "{title:?}");
        assert!(!title.contains(|c: char| c.is_control() || c == '\u{202e}'));
        assert!(
            title.contains("<script>alert(1)</script>"),
            "as text: {title}"
        );
        assert_eq!(found.text.description, "");
        assert_eq!(found.picture, None);
        let long = format!("<title>{}</title>", "字".repeat(1 << 19));
        let title = read_at(&long).text.title;
        assert!(title.ends_with('…') && title.chars().count() == MAX_CARD_TITLE_CHARS);
        let marks = format!("<title>e{}", "\u{301}".repeat(1 << 19));
        assert!(read_at(&marks).text.title.len() < 40);
        for broken in ["<title", "<meta name=", "<!--", "<script>", "", "\u{0}"] {
            assert_eq!(read_at(broken).text.title, "", "{broken}");
        }
        let many = "<meta property=og:title content=x>".repeat(30_000);
        assert_eq!(read_at(&many).text.title, "x");
    }

    #[test]
    fn picture_is_called_as_in_its_address() {
        let url = Url::parse("https://example.com/a/%E6%BD%AE+1%26%20.png?b").unwrap();
        let text = of_picture(&url);
        assert_eq!(text.title, "潮+1& .png");
        assert_eq!(text.site, "example.com");
    }
}
