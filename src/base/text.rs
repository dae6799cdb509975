//! Checks of short texts that people write: names, descriptions, captions, file names. Each is
//! bounded in characters, bytes and combining marks: a name of 60,000 marks on one letter is one
//! character.

use icu_properties::props::{DefaultIgnorableCodePoint, NoncharacterCodePoint};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::error::Check;

/// Combining marks on one base character. Tibetan stacks and pointed Hebrew with accents need up to
/// six, Vietnamese, Thai and the Indic scripts two to four.
const MAX_MARKS: usize = 6;
/// Bytes per character (grapheme) of a text that is as long as it may be: letters take up to 12 in
/// Indic scripts, emoji of families 25.
const MAX_BYTES_PER_CHAR: usize = 32;

/// One line without control characters, bidirectional overrides, runs of white space or white space
/// at the ends.
pub fn normalize_line(text: &str) -> String {
    // Bidirectional overrides would reorder the line that shows the text.
    let plain: String = text
        .chars()
        .filter(|c| !is_reordering(*c) && !matches!(c, '\u{200b}' | '\u{feff}'))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As [`normalize_line`], for a text that may be left out: empty if nothing of it can be seen.
pub fn normalize_optional_line(text: &str) -> String {
    let line = normalize_line(text);
    if is_blank(&line) { String::new() } else { line }
}

/// Whether a text is within `max_chars` graphemes and the bytes that these may have.
pub fn is_short(text: &str, max_chars: usize) -> bool {
    // Bytes first: counting graphemes takes time in proportion to them.
    text.len() <= max_chars * MAX_BYTES_PER_CHAR && text.graphemes(true).count() <= max_chars
}

/// Whether some character has more combining marks than any script needs.
pub fn has_excess_marks(text: &str) -> bool {
    limit_marks(text).len() < text.len()
}

/// The text without combining marks past the sixth on one character.
pub fn limit_marks(text: &str) -> String {
    let mut marks = 0;
    let is_kept = |c: &char| {
        marks = if is_combining_mark(*c) { marks + 1 } else { 0 };
        marks <= MAX_MARKS
    };
    text.chars().filter(is_kept).collect()
}

/// Records under `field` if a text is longer than `max_chars` or the bytes that these may have, or
/// piles up combining marks. Used by every field of one line.
pub fn check_short_text(text: &str, field: &'static str, max_chars: usize, check: &mut Check) {
    check
        .that(
            is_short(text, max_chars),
            field,
            "error-too-long",
            max_chars,
        )
        .that(!has_excess_marks(text), field, "error-marks", MAX_MARKS);
}

/// Whether nothing of a text can be seen: it is empty or has no visible character. The one check
/// of messages, names, captions and descriptions.
pub fn is_blank(text: &str) -> bool {
    !text.chars().any(is_visible)
}

/// Whether a character has a shape of its own: it is neither white space, a control or format
/// character without one, a filler, nor a mark, which needs another character to stand on.
pub fn is_visible(c: char) -> bool {
    const NONCHARACTERS: CodePointSetDataBorrowed<'static> =
        CodePointSetData::new::<NoncharacterCodePoint>();
    // Most texts are ASCII.
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    !c.is_whitespace()
        && !c.is_control()
        && !is_invisible(c)
        && !is_combining_mark(c)
        && !NONCHARACTERS.contains(c)
}

/// The key by which names and addresses are compared: NFKC with folded case, without invisible
/// characters.
pub fn fold(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let compatible: String = visible.nfkc().collect();
    let folded = caseless::default_case_fold_str(&compatible);
    // Folding may leave characters that are not composed, and normalizing may bring invisible ones.
    let composed = folded.nfkc().filter(|c| !is_invisible(*c));
    normalize_line(&composed.collect::<String>())
}

/// Bidirectional embeddings, overrides and isolates.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters without a shape: those that Unicode calls default ignorable (joiners, direction marks,
/// variation selectors, tags, Hangul fillers), and those that it does not, but that are blank in
/// every font: of Braille, music and hieroglyphs, annotation marks and the object replacement.
fn is_invisible(c: char) -> bool {
    const IGNORABLE: CodePointSetDataBorrowed<'static> =
        CodePointSetData::new::<DefaultIgnorableCodePoint>();
    IGNORABLE.contains(c)
        || matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffc}' | '\u{13441}'..='\u{13442}'
            | '\u{1d159}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names as people have them, in more than ten scripts, composed and decomposed.
    const NAMES: [&str; 28] = [
        "Ann Okafor",
        "Nguyễn Thị Hồng Ánh",
        "Zoë Ångström-Łuczak",
        "Анна Ёлкина",
        "Ελένη Παπαδοπούλου",
        "שִׁמְעוֹן בֶּן־דָּוִד",
        "בְּרֵאשִׁ֖ית",
        "محمّد عبد الرّحمٰن",
        "فاطِمَةُ ٱلزَّهْرَاءُ",
        "नरेन्द्र श्रीवास्तव",
        "ক্ষিতীশ চন্দ্র রায়",
        "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
        "જિજ્ઞેશ ક્ષત્રિય",
        "தமிழ்ச்செல்வன்",
        "శ్రీనివాస్ కృష్ణమూర్తి",
        "ಶ್ರೀಕಾಂತ್",
        "ശ്രീക്കുട്ടൻ",
        "ශ්‍රී ලංකා",
        "ปิ่นเกล้า น้ำผึ้ง",
        "ຄຳຜູ້ນ້ຳ",
        "བསྒྲུབས་རྒྱལ་མཚན།",
        "သီရိ ကြွယ်",
        "សុខ ស្រីនាង",
        "王小明",
        "さくら がぎぐげご",
        "김민수",
        "አበበ ቢቂላ",
        "👩‍👩‍👧‍👦 ❤️ 🏳️‍🌈",
    ];

    fn problems(text: &str, max_chars: usize) -> bool {
        let mut check = Check::default();
        check_short_text(text, "name", max_chars, &mut check);
        check.done().is_err()
    }

    #[test]
    fn legal_names_of_many_scripts_pass() {
        for name in NAMES {
            for form in [name.to_owned(), name.nfd().collect(), name.nfc().collect()] {
                assert!(!problems(&form, 40) && !is_blank(&form), "{name}");
                assert_eq!(limit_marks(&form), form, "{name}");
            }
            assert_eq!(fold(name), fold(&name.nfd().collect::<String>()), "{name}");
        }
    }

    #[test]
    fn piles_of_marks_are_refused() {
        for mark in ['\u{301}', '\u{489}', '\u{20dd}', '\u{903}', '\u{fe0f}'] {
            let pile = format!("a{}", mark.to_string().repeat(MAX_MARKS + 1));
            assert!(problems(&pile, 40), "{mark:?}");
            assert_eq!(limit_marks(&pile).chars().count(), MAX_MARKS + 1);
        }
        assert!(problems(&format!("a{}", "\u{200d}".repeat(40 * 16)), 40));
    }

    #[test]
    fn text_without_a_visible_character_is_blank() {
        for nothing in [
            "",
            " ",
            "\u{2060}",
            "\u{200d}\u{fe0f}",
            "\u{202e}",
            "\u{3164}",
            "\u{2800}",
            "\u{301}",
            "\u{e0041}",
            "\u{0}\u{7}",
            "\u{3000}",
            "\u{ad}",
            "\u{ffa0}",
            "\u{fffc}",
            "\u{1680}\u{205f}",
            "\u{e0020}\u{e007f}",
            "\u{fe0f}\u{e0100}",
            "\u{903}\u{20dd}",
            "\u{fdd0}",
        ] {
            assert!(is_blank(nothing), "{nothing:?}");
        }
        for text in [
            ".", "´", "￣", "¨", "。", "؀", "🏽", "🇫", "語", "\u{e000}", "\u{378}",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    /// Every character of the property, in the version of Unicode that ICU knows.
    #[test]
    fn default_ignorable_characters_are_blank() {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let chars: Vec<_> = ignorable
            .iter_ranges()
            .flatten()
            .filter_map(char::from_u32)
            .collect();
        assert!(chars.len() > 4000, "{}", chars.len());
        for c in chars {
            assert!(is_blank(&c.to_string()), "{c:?}");
        }
    }

    #[test]
    fn variants_of_one_text_have_one_key() {
        for (one, other) in [
            ("ANN  Okafor", "ann okafor"),
            ("A\u{2060}nn\u{200d}", "ann"),
            ("Ａｎｎ", "ann"),
            ("vic＠example.org", "vic@example.org"),
            ("vic﹫example.org", "vic@example.org"),
            ("Straße", "STRASSE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ﬁona", "Fiona"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
    }

    proptest! {
        #[test]
        fn names_joined_of_legal_ones_pass(picked in prop::collection::vec(0..NAMES.len(), 1..5)) {
            let name = picked.iter().map(|one| NAMES[*one]).collect::<Vec<_>>().join(" ");
            prop_assert!(!problems(&normalize_line(&name), 120), "{name}");
        }

        #[test]
        fn checked_text_is_bounded(text in "\\PC{0,80}") {
            prop_assert!(problems(&text, 40) || text.len() <= 40 * MAX_BYTES_PER_CHAR);
        }

        #[test]
        fn key_of_a_key_is_itself(text in "\\PC{0,40}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
