//! Prompts for a blank page: questions by mood. Nothing of them gets into a letter by itself.

use crate::base::locale::Lang;

/// Each mood with its questions.
pub(super) fn by_mood(lang: Lang) -> Vec<(&'static str, [&'static str; 3])> {
    let glad = [
        lang.t("letters-prompt-glad-1"),
        lang.t("letters-prompt-glad-2"),
        lang.t("letters-prompt-glad-3"),
    ];
    let quiet = [
        lang.t("letters-prompt-quiet-1"),
        lang.t("letters-prompt-quiet-2"),
        lang.t("letters-prompt-quiet-3"),
    ];
    let missing = [
        lang.t("letters-prompt-missing-1"),
        lang.t("letters-prompt-missing-2"),
        lang.t("letters-prompt-missing-3"),
    ];
    let thanks = [
        lang.t("letters-prompt-thanks-1"),
        lang.t("letters-prompt-thanks-2"),
        lang.t("letters-prompt-thanks-3"),
    ];
    let heavy = [
        lang.t("letters-prompt-heavy-1"),
        lang.t("letters-prompt-heavy-2"),
        lang.t("letters-prompt-heavy-3"),
    ];
    let curious = [
        lang.t("letters-prompt-curious-1"),
        lang.t("letters-prompt-curious-2"),
        lang.t("letters-prompt-curious-3"),
    ];
    let questions = [glad, quiet, missing, thanks, heavy, curious];
    let words = moods(lang).into_iter().map(|(_, words)| words);
    words.zip(questions).collect()
}

/// The moods by their names, with words.
pub(super) fn moods(lang: Lang) -> [(&'static str, &'static str); 6] {
    [
        ("glad", lang.t("letters-mood-glad")),
        ("quiet", lang.t("letters-mood-quiet")),
        ("missing", lang.t("letters-mood-missing")),
        ("thanks", lang.t("letters-mood-thanks")),
        ("heavy", lang.t("letters-mood-heavy")),
        ("curious", lang.t("letters-mood-curious")),
    ]
}
