//! Writing: formatting, completion, the emoji picker, what Enter does, and what is pasted.

use serde_json::{Value, json};

use super::driver::acquire_browsers;
use super::file_transfer::{draw_picture, transfer_script};
use super::session::{Browser, Kind};
use crate::support::TestServer;

const ENTER: &str = "\u{e007}";
const FIELD: &str = ".compose textarea";

/// Ctrl with a key.
fn ctrl(key: &str) -> String {
    format!("\u{e009}{key}\u{e000}")
}

impl Browser {
    /// Puts a text into the composer as typing would, with a part of it selected.
    async fn write(&self, text: &str, start: usize, end: usize) {
        let (text, field) = (json!(text), json!(FIELD));
        self.wait_visible(FIELD).await;
        self.js(&format!(
            "(() => {{ const field = document.querySelector({field}); field.focus(); \
                field.value = {text}; field.setSelectionRange({start}, {end}); \
                field.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
        ))
        .await;
    }

    /// What the composer holds.
    async fn written(&self) -> String {
        let value = self
            .js(&format!("document.querySelector('{FIELD}').value"))
            .await;
        value.as_str().expect("a text").to_owned()
    }

    async fn wait_written(&self, text: &str) {
        let text = json!(text);
        self.wait_until(&format!(
            "document.querySelector('{FIELD}').value === {text}"
        ))
        .await;
    }

    /// Pastes what a clipboard holds: texts by type, and pictures of these names.
    async fn paste(&self, texts: &[(&str, &str)], pictures: &[&str]) {
        let (texts, pictures) = (json!(texts), json!(pictures));
        self.js(&format!(
            "(() => {{ const data = new DataTransfer(); \
                for (const [type, text] of {texts}) data.setData(type, text); \
                for (const name of {pictures}) \
                    data.items.add(new File(['x'], name, {{ type: 'image/png' }})); \
                document.querySelector('{FIELD}').dispatchEvent(new ClipboardEvent('paste', \
                    {{ clipboardData: data, bubbles: true, cancelable: true }})); }})()"
        ))
        .await;
    }

    /// Has the next posts wait for [`release_posts`](Self::release_posts).
    async fn hold_posts(&self) {
        self.js("(() => { const send = window.fetch; const held = []; \
                window.fetch = (url, ...rest) => String(url).includes('chat.post') \
                    ? new Promise((go) => held.push(go)).then(() => send(url, ...rest)) \
                    : send(url, ...rest); \
                window.__release = () => { window.fetch = send; held.forEach((go) => go()); }; \
            })()")
            .await;
    }

    async fn release_posts(&self) {
        self.js("(window.__release(), true)").await;
    }
}

async fn owner_in_room(kind: Kind) -> (TestServer, Browser) {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in_as(kind, &ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    (server, browser)
}

#[tokio::test]
async fn formatting_toggles_whole_selection_and_is_undone() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    let button = |name: &str| format!("[data-format={name}]");
    let cases: &[(&str, usize, usize, &str, &str)] = &[
        ("one two", 4, 7, "b", "one **two**"),
        ("one **two**", 6, 9, "b", "one two"),
        ("one **two**", 4, 11, "b", "one two"),
        ("a\nb\n\nc", 0, 6, "b", "**a**\n**b**\n\n**c**"),
        ("**a**\n**b**", 0, 11, "b", "a\nb"),
        ("**bold** and", 0, 12, "b", "**bold and**"),
        ("**x**", 2, 3, "i", "***x***"),
        ("***x***", 3, 4, "i", "**x**"),
        ("日本語", 0, 3, "i", "*日本語*"),
        ("x", 0, 1, "e", "`x`"),
        ("a`b", 0, 3, "e", "`` a`b ``"),
        ("a\nb", 0, 3, "e", "```\na\nb\n```"),
        ("```\na\nb\n```", 4, 7, "e", "a\nb"),
        ("hi", 0, 2, "k", "[hi](https://)"),
        ("a\nb\n\nc", 0, 6, "list", "- a\n- b\n\n- c"),
        ("- a\n- b", 0, 7, "list", "a\nb"),
        ("a\nb", 1, 1, "quote", "> a\nb"),
        ("a\nb", 0, 3, "quote", "> a\n> b"),
        ("> a\n> b", 0, 7, "quote", "a\nb"),
        ("[hi](https://e.org)", 0, 19, "link", "hi"),
    ];
    for (text, start, end, command, expected) in cases {
        browser.write(text, *start, *end).await;
        match command.len() {
            1 => browser.press_with_ctrl(command).await,
            _ => browser.click(&button(command)).await,
        }
        browser.wait_written(expected).await;
        browser.press_with_ctrl("z").await;
        browser.wait_written(text).await;
    }
    browser.close().await;
}

#[tokio::test]
async fn emoji_and_rooms_are_completed_and_picked() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    browser.type_into(FIELD, "hi :wav").await;
    browser
        .wait_text(".completion li[aria-selected=true]", ":wave:")
        .await;
    browser.type_into(FIELD, ENTER).await;
    browser.wait_written("hi 👋 ").await;
    browser.type_into(FIELD, "#gen").await;
    browser.wait_text(".completion li", "general").await;
    browser.type_into(FIELD, "\u{e004}").await;
    browser.wait_written("hi 👋 #general ").await;
    // A name that is written out needs no completion: Enter sends it.
    browser.write("", 0, 0).await;
    browser
        .type_into(FIELD, &format!("see #general{ENTER}"))
        .await;
    browser.wait_message("see #general").await;
    // Escape closes the list and nothing else; a time of day opens none.
    browser.type_into(FIELD, ":smi").await;
    browser.wait_visible(".completion").await;
    browser.type_into(FIELD, "\u{e00c}").await;
    browser.wait_hidden(".completion").await;
    browser
        .wait_until("document.activeElement.name === 'body'")
        .await;

    browser.write("", 0, 0).await;
    browser.click("[data-emoji]").await;
    browser.wait_visible(".emoji-picker .emoji-grid").await;
    browser
        .js(
            "(() => { const tone = document.querySelector('.emoji-picker select'); \
            tone.value = '3'; tone.dispatchEvent(new Event('change', { bubbles: true })); })()",
        )
        .await;
    browser.fill(".emoji-picker input", "raised hand").await;
    browser
        .wait_text(".emoji-grid button:first-child", "✋🏽")
        .await;
    browser.type_into(".emoji-picker input", ENTER).await;
    browser.wait_written("✋🏽").await;
    browser
        .wait_until("document.activeElement.name === 'body'")
        .await;
    // The tone and what was used lately are kept.
    browser.reload().await;
    browser.wait_live().await;
    browser.click("[data-emoji]").await;
    browser
        .wait_text(".emoji-picker section:first-child button", "✋🏽")
        .await;
    browser.fill(".emoji-picker input", "zzzz").await;
    browser.wait_text(".emoji-picker .hint", "no such").await;
    browser.close().await;
}

#[tokio::test]
async fn enter_breaks_lines_on_touch_and_by_choice() {
    let _browsers = acquire_browsers(2).await;
    let phone = Kind {
        phone: true,
        ..Kind::default()
    };
    let (server, browser) = owner_in_room(phone).await;
    browser.type_into(FIELD, &format!("one{ENTER}two")).await;
    assert_eq!(browser.written().await, "one\ntwo");
    browser.click(".compose .send").await;
    browser.wait_message("one\ntwo").await;
    browser.close().await;

    let bob = server.member("Bob").await;
    let desk = Browser::signed_in(&bob, &server.base()).await;
    desk.open_room(&bob.room("general")).await;
    desk.type_into(FIELD, &format!("by Enter{ENTER}")).await;
    desk.wait_message("by Enter").await;
    desk.type_into(FIELD, &format!("a{}b", ctrl(ENTER))).await;
    assert_eq!(desk.written().await, "a\nb", "Ctrl+Enter breaks the line");
    desk.click(".compose .hint").await;
    desk.click(".enter-choice input").await;
    desk.click("#keys header button").await;
    desk.wait_hidden("#keys").await;
    desk.write("c", 1, 1).await;
    desk.type_into(FIELD, &format!("{ENTER}d")).await;
    assert_eq!(desk.written().await, "c\nd", "now Enter does");
    desk.type_into(FIELD, &ctrl(ENTER)).await;
    desk.wait_message("c\nd").await;
    desk.close().await;
}

#[tokio::test]
async fn input_method_never_sends() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    browser.write("かな", 2, 2).await;
    // As Chromium, Firefox and Safari tell of the key that ends a composition.
    for events in [
        "[['compositionstart'], ['keydown', { isComposing: true }], ['compositionend']]",
        "[['compositionstart'], ['compositionend'], ['keydown', { keyCode: 229 }]]",
        "[['compositionstart'], ['compositionend'], ['keydown', {}]]",
    ] {
        browser
            .js(&format!(
                "(() => {{ const field = document.querySelector('{FIELD}'); \
                    for (const [kind, more] of {events}) field.dispatchEvent(more \
                        ? new KeyboardEvent(kind, {{ key: 'Enter', bubbles: true, \
                            cancelable: true, ...more }}) \
                        : new CompositionEvent(kind, {{ bubbles: true }})); }})()"
            ))
            .await;
        assert_eq!(browser.written().await, "かな", "{events}");
    }
    browser.type_into(FIELD, ENTER).await;
    browser.wait_message("かな").await;
    browser.close().await;
}

/// Texts by type, pictures, and what the composer holds then.
type Pasted = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
);

#[tokio::test]
async fn pasted_content_becomes_markdown_or_files() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    const SHEET: &str =
        "<table><tr><td>a|b</td><td>c</td></tr><tr><td>1</td><td>2</td></tr></table>";
    const RICH: &str = "<h2>Head</h2><p>Some <b>bold</b> and <a href=\"https://e.org/\">a link</a>.</p>\
        <ul><li>one<ul><li>inner</li></ul></li></ul><blockquote><p>said</p></blockquote>\
        <pre>let *a*;</pre><script>bad()</script>";
    const DOCS: &str = "<b style=\"font-weight:normal\"><span>plain </span>\
        <span style=\"font-weight:700\">bold</span></b>";
    const EDITOR: &str = "<div style=\"font-family:monospace\"><span>let *a* = 1;</span></div>";
    let cases: &[Pasted] = &[
        // A sheet also puts a picture of its cells into the clipboard.
        (
            &[("text/plain", "a|b\tc\n1\t2"), ("text/html", SHEET)],
            &["cells.png"],
            "| a\\|b | c |\n| --- | --- |\n| 1 | 2 |",
        ),
        (
            &[("text/plain", "a\tb\n1\t2\n")],
            &[],
            "| a | b |\n| --- | --- |\n| 1 | 2 |",
        ),
        (&[("text/plain", "if x:\n\ty\n\tz")], &[], "if x:\n\ty\n\tz"),
        (
            &[("text/plain", "x"), ("text/html", RICH)],
            &[],
            "## Head\n\nSome **bold** and [a link](https://e.org/).\n\n- one\n  - inner\n\n\
                > said\n\n```\nlet *a*;\n```",
        ),
        (
            &[("text/plain", "plain bold"), ("text/html", DOCS)],
            &[],
            "plain **bold**",
        ),
        (
            &[("text/plain", "let *a* = 1;"), ("text/html", EDITOR)],
            &[],
            "let *a* = 1;",
        ),
    ];
    for (texts, pictures, expected) in cases {
        browser.write("", 0, 0).await;
        browser.paste(texts, pictures).await;
        browser.wait_written(expected).await;
        assert_eq!(browser.count(".tray .upload").await, 0, "{expected}");
    }
    browser.write("click here", 6, 10).await;
    browser
        .paste(&[("text/plain", "https://example.org/x")], &[])
        .await;
    browser
        .wait_written("click [here](https://example.org/x)")
        .await;
    // A long text may become a file, a picture is one.
    let long = "a line of text\n".repeat(200);
    browser.write("", 0, 0).await;
    browser.paste(&[("text/plain", &long)], &[]).await;
    browser.click(".offer [data-do=file]").await;
    browser.wait_written("").await;
    browser.wait_text(".tray .name", "pasted text.txt").await;
    browser.paste(&[], &["a picture.png"]).await;
    browser
        .wait_text(".tray .upload:nth-child(2) .name", "a picture.png")
        .await;
    browser.close().await;
}

#[tokio::test]
async fn too_long_text_is_told_once_and_in_words() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    browser.write(&"x".repeat(4_100), 0, 0).await;
    browser
        .wait_text(".compose .count", "4,100 of 4,000 characters")
        .await;
    browser.click(".compose .send").await;
    browser
        .wait_text(".compose .error", "4,100 of 4,000 characters")
        .await;
    browser.wait_hidden(".compose .count").await;
    browser.click(".offer [data-do=file]").await;
    browser.wait_written("").await;
    browser.wait_hidden(".compose .error").await;
    browser.close().await;
}

/// Where a message stands, how high it is, and what its body looks like.
async fn look(browser: &Browser, message: &str) -> Value {
    browser
        .wait_until(&format!(
            "(() => {{ const all = document.querySelectorAll('{message}'); \
                const one = all[all.length - 1]; \
                if (!one || one.querySelector('.plain')) return null; \
                const {{ top, height }} = one.getBoundingClientRect(); \
                return [Math.round(top), Math.round(height), \
                    one.querySelector('.body').innerText, \
                    [...one.querySelectorAll('.body *')].map((part) => part.tagName) \
                        .filter((tag) => tag !== 'SPAN').join()]; }})()"
        ))
        .await
}

#[tokio::test]
async fn sent_message_looks_at_once_as_it_will() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    for text in [
        "the first",
        "**bold** and *it* `code` ~~no~~ https://example.org/a_b",
        "one\ntwo\n\nthree",
        "- a\n- b\n  - c\n\n3. x\n4. y",
        "> said",
        "```\nlet a = 1;\n```",
        "## Head\n\ntext",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "<b>raw</b> & <i>x",
        "> asked\nanswered",
        "> > a\n> b\nc",
        "- a\n- b\nc",
        "3. x\n7. y\n7. z",
        "[x]: https://a.example",
        "```\n> a\nb\n```",
        "hi :wave: there",
        "👋 🎉",
        "in #general, not in C#general, `#general` or #nowhere",
    ] {
        browser.hold_posts().await;
        browser.write(text, text.len(), text.len()).await;
        browser.type_into(FIELD, ENTER).await;
        let before = look(&browser, ".pending > .msg").await;
        browser.release_posts().await;
        browser
            .wait_until("!document.querySelector('.pending > .msg')")
            .await;
        let after = look(&browser, ".log[data-live] > .msg").await;
        assert_eq!(before, after, "{text}");
    }
    browser.close().await;
}

#[tokio::test]
async fn files_of_a_pending_message_are_shown() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    draw_picture(&browser).await;
    browser.js(&transfer_script("drop", "window.drawn")).await;
    browser
        .js(&transfer_script("drop", "new File(['kept'], 'kept.txt')"))
        .await;
    browser
        .wait_until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    browser.hold_posts().await;
    browser.click(".compose .send").await;
    browser
        .wait_until("document.querySelector('.pending .attachment.picture img')?.naturalWidth")
        .await;
    browser
        .wait_text(".pending .attachment.file", "kept.txt")
        .await;
    browser.release_posts().await;
    browser
        .wait_text(".log[data-live] > .msg .attachment", "kept.txt")
        .await;
    browser.close().await;
}

#[tokio::test]
async fn slow_answers_show_that_they_are_awaited() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    browser
        .js("(() => { const send = window.fetch; \
            window.fetch = (...all) => new Promise((go) => { window.__go = go; }) \
                .then(() => { window.fetch = send; return send(...all); }); })()")
        .await;
    browser.click(".side .me > a").await;
    browser
        .wait_until(
            "getComputedStyle(document.documentElement, '::before').content === '\"\"' \
                && getComputedStyle(document.documentElement, '::before').opacity === '1'",
        )
        .await;
    browser.js("(window.__go(), true)").await;
    browser.wait_until("location.pathname === '/account'").await;
    browser
        .wait_until("!document.documentElement.hasAttribute('data-waiting')")
        .await;
    browser.close().await;
}

#[tokio::test]
async fn low_window_keeps_log_and_send_button_in_view() {
    let _browsers = acquire_browsers(1).await;
    let (_server, browser) = owner_in_room(Kind::default()).await;
    browser.type_into(FIELD, &format!("hello{ENTER}")).await;
    browser.wait_message("hello").await;
    let draft = (0..11).map(|line| format!("line {line}\n"));
    browser.write(&draft.collect::<String>(), 0, 0).await;
    // 400 % and 200 % of 1280 × 1024, and a phone.
    for (width, height, log) in [(320, 256, 40), (640, 512, 80), (320, 568, 80)] {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": false });
        browser
            .devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let inside = format!(
            "(() => {{ const box = (css) => document.querySelector(css).getBoundingClientRect(); \
                const send = box('.compose .send'), log = box('.scroller'); \
                return innerWidth === {width} && send.bottom <= innerHeight && send.top >= 0 \
                    && send.right <= innerWidth && log.height >= {log} \
                    && document.documentElement.scrollWidth <= innerWidth; }})()"
        );
        browser.wait_until(&inside).await;
    }
    browser.close().await;
}
