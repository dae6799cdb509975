//! What docs/using.md tells members about Markdown.

use super::check;

/// The rows of the table of what is written and what others see.
fn rows() -> Vec<(String, String)> {
    let page = include_str!("../../../../../docs/using.md");
    let table = page.split("| you write |").nth(1).expect("the table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let (written, seen) = row.trim_matches('|').split_once(" | ").expect("two cells");
        (written.trim().to_owned(), seen.trim().to_owned())
    })
    .collect()
}

/// What stands between backticks in a cell.
fn sources(cell: &str) -> Vec<String> {
    if let Some(inner) = cell.strip_prefix("`` ") {
        return vec![inner.trim_end_matches(" ``").to_owned()];
    }
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn documented_markdown_becomes_what_the_page_shows() {
    let rows = rows();
    assert!(rows.len() > 5, "{rows:?}");
    for (written, seen) in rows {
        for source in sources(&written) {
            assert_eq!(check(&source), check(&seen), "{source}");
        }
    }
}

#[test]
fn documented_blocks_are_made() {
    let page = include_str!("../../../../../docs/using.md");
    let block = page.split("    # A heading\n").nth(1).expect("the example");
    let block: String = block
        .lines()
        .take_while(|line| line.starts_with("    "))
        .fold("# A heading\n".to_owned(), |text, line| {
            text + &line[4..] + "\n"
        });
    let html = check(&block);
    for part in [
        "<h3>",
        "<blockquote>",
        "<ul>",
        "<ol start=\"3\">",
        "☑ done",
        "☐ still",
        "<table>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}
