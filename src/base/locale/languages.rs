//! The languages compiled in.

use super::PSEUDO_TAG;

/// A language, as it is compiled in.
pub(super) struct Source {
    /// The tag that chooses it, which is also its file's name.
    pub(super) code: &'static str,
    /// The tag of its pages, always valid BCP 47.
    pub(super) tag: &'static str,
    /// Its name in itself, for the settings.
    pub(super) own_name: &'static str,
    /// The side a line starts at: `ltr` or `rtl`.
    pub(super) dir: &'static str,
    /// The text of its Fluent file.
    pub(super) ftl: &'static str,
    /// Whether it is the pseudo-locale.
    pub(super) is_pseudo: bool,
}

/// The languages compiled in: English first, then any others, the pseudo-locale last. Adding a
/// language is one entry here and one file in `locales`.
pub(super) static SOURCES: [Source; 2] = [
    Source {
        code: "en",
        tag: "en",
        own_name: "English",
        dir: "ltr",
        ftl: include_str!("../../../locales/en.ftl"),
        is_pseudo: false,
    },
    Source {
        code: PSEUDO_TAG,
        tag: "en-x-pseudo",
        own_name: "⟦Pseudo⟧",
        dir: "ltr",
        ftl: include_str!("../../../locales/en.ftl"),
        is_pseudo: true,
    },
];
