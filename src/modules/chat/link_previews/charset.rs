//! The text of a page: in the charset of its header, of its byte order mark or of its first bytes.

use encoding_rs::{Encoding, UTF_8};

/// Bytes in which a page has to name its charset; the standard asks for 1,024.
const DECLARED_WITHIN: usize = 4_096;

/// Decodes a page with this `Content-Type`. What is no text becomes replacement characters.
pub(super) fn decode(body: &[u8], content_type: &str) -> String {
    let head = &body[..body.len().min(DECLARED_WITHIN)];
    let encoding = named_in(content_type.as_bytes())
        .or_else(|| named_in(head))
        .unwrap_or(UTF_8);
    // A byte order mark wins over both.
    let (text, ..) = encoding.decode(body);
    text.into_owned()
}

/// The charset after the first `charset=`.
fn named_in(text: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"charset";
    let at = text
        .windows(NAME.len())
        .position(|window| window.eq_ignore_ascii_case(NAME))?;
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let mut rest = text[at + NAME.len()..].iter().copied().skip_while(is_space);
    if rest.next() != Some(b'=') {
        return None;
    }
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:.+".contains(byte);
    let label: Vec<u8> = rest
        .skip_while(|byte| is_space(byte) || matches!(byte, b'"' | b'\''))
        .take_while(is_label)
        .take(40)
        .collect();
    match Encoding::for_label(&label) {
        // A page whose declaration could be read is not in UTF-16.
        Some(named) if named == encoding_rs::UTF_16LE || named == encoding_rs::UTF_16BE => {
            Some(UTF_8)
        }
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_read_in_its_charset() {
        const TITLE: &str = "<title>潮だまり</title>";
        let (japanese, ..) = encoding_rs::SHIFT_JIS.encode(TITLE);
        assert_eq!(decode(&japanese, "text/html; charset=Shift_JIS"), TITLE);
        let declared = [b"<meta charset='shift_jis'>", &*japanese].concat();
        assert!(decode(&declared, "text/html").ends_with(TITLE));
        let (chinese, ..) = encoding_rs::GBK.encode("<title>潮池</title>");
        let old = b"<meta http-equiv=content-type content=\"text/html; charset = gb2312\">";
        let declared = [old, &*chinese].concat();
        assert!(decode(&declared, "text/html").ends_with("<title>潮池</title>"));
        // The header wins, an unknown name is nothing, and so is none.
        assert_eq!(
            decode(TITLE.as_bytes(), "text/html;charset=\"utf-8\""),
            TITLE
        );
        for content_type in ["text/html", "text/html; charset=klingon"] {
            assert_eq!(decode(TITLE.as_bytes(), content_type), TITLE);
        }
        let marked = [b"\xef\xbb\xbf", TITLE.as_bytes()].concat();
        assert_eq!(decode(&marked, "text/html; charset=shift_jis"), TITLE);
        assert!(decode(b"\xff\x00 a", "text/html").ends_with(" a"));
    }
}
