//! `<hx-partial>`: how a frame changes a page. Markup for htmx, the same for every viewer.

use std::fmt;

/// What happens to the target.
#[derive(Clone, Copy, Debug)]
enum Swap {
    Append,
    Morph,
    Replace,
    Inner,
    Delete,
}

/// One change of a page: a target (a CSS selector), and what becomes of it. A target that is not
/// on the page is left alone.
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

    /// Adds to the end of the target.
    pub fn append(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Append, html)
    }

    /// Changes the target into this element, keeping what is the same: focus, scroll position.
    pub fn morph(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Morph, html)
    }

    /// Puts another element in the target's stead, so that its animations begin anew.
    pub fn replace(target: impl Into<String>, html: &'a str) -> Self {
        Self::new(target, Swap::Replace, html)
    }

    /// Changes what is in the target.
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
