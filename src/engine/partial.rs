//! `<hx-partial>`: the element by which a frame tells htmx how to change a page. The same for every
//! viewer.

use std::fmt;

/// How the target is changed: a value of `hx-swap`.
#[derive(Clone, Copy, Debug)]
enum Swap {
    Append,
    Prepend,
    Morph,
    Replace,
    Inner,
    Delete,
}

/// One change of a page: a CSS selector of the target, and how it changes. Does nothing on pages
/// without the target.
#[derive(Clone, Debug)]
pub struct Partial<'a> {
    target: String,
    swap: Swap,
    html: &'a str,
}

impl<'a> Partial<'a> {
    fn new(target: impl Into<String>, swap: Swap, html: &'a str) -> Self {
        Self {
            target: target.into(),
            swap,
            html,
        }
    }

    /// Appends to the children of the target.
    pub fn append(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Append, html)
    }

    /// Inserts before the children of the target.
    pub fn prepend(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Prepend, html)
    }

    /// Morphs the target into this element, which preserves focus and scroll position.
    pub fn morph(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Morph, html)
    }

    /// Replaces the target by another element, which restarts animations.
    pub fn replace(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Replace, html)
    }

    /// Replaces the children of the target.
    pub fn inner(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Inner, html)
    }

    /// Removes the target.
    pub fn delete(target: impl Into<String>) -> Self {
        Self::new(target, Swap::Delete, "")
    }
}

impl fmt::Display for Partial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let swap = match self.swap {
            Swap::Append => "beforeend",
            Swap::Prepend => "afterbegin",
            Swap::Morph => "outerMorph",
            Swap::Replace => "outerHTML",
            Swap::Inner => "innerHTML",
            Swap::Delete => "delete",
        };
        let Self { target, html, .. } = self;
        debug_assert!(
            !target.contains(['"', '<']),
            "a selector that ends its attribute"
        );
        write!(
            f,
            "<hx-partial hx-target=\"{target}\" hx-swap=\"{swap}\">{html}</hx-partial>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_and_prepend_name_the_end_of_the_list() {
        let list = "#list:not(:has(#row-1))";
        let swap = |partial: Partial<'_>| {
            let html = partial.to_string();
            let (before, after) = html.split_once(" hx-swap=\"").unwrap();
            assert_eq!(before, format!("<hx-partial hx-target=\"{list}\""));
            after.to_owned()
        };
        let appended = swap(Partial::append(list, "<li>"));
        assert_eq!(appended, "beforeend\"><li></hx-partial>");
        let prepended = swap(Partial::prepend(list, "<li>"));
        assert_eq!(prepended, "afterbegin\"><li></hx-partial>");
    }
}
