//! Which language to answer in: the one that was chosen, else the best that the browser accepts.

use super::Lang;
use super::languages::Source;

/// Bytes of an Accept-Language header that are read; the rest is ignored.
pub(super) const MAX_HEADER_BYTES: usize = 1024;

/// Entries of an Accept-Language header that are read; the rest is ignored.
pub(super) const MAX_HEADER_ENTRIES: usize = 16;

/// See [`Lang::negotiate`].
pub(super) fn negotiate(
    sources: &[Source],
    chosen: Option<&str>,
    accept_language: Option<&str>,
) -> Lang {
    chosen
        .and_then(|tag| find_language(sources, tag))
        .or_else(|| best_accepted(sources, accept_language.unwrap_or_default()))
        .unwrap_or_default()
}

/// The best match of an Accept-Language header: highest weight first, then the order written.
fn best_accepted(sources: &[Source], header: &str) -> Option<Lang> {
    let header = &header[..header.floor_char_boundary(MAX_HEADER_BYTES)];
    let mut wanted: Vec<(u16, &str)> = header
        .split(',')
        .take(MAX_HEADER_ENTRIES)
        .filter_map(parse_entry)
        .collect();
    wanted.sort_by_key(|&(weight, _)| std::cmp::Reverse(weight));
    wanted
        .into_iter()
        .find_map(|(_, tag)| find_language(sources, tag))
}

/// One entry of the header as (weight in thousandths, tag); none if malformed or of weight 0.
fn parse_entry(entry: &str) -> Option<(u16, &str)> {
    let mut parts = entry.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            let value: f32 = value.trim().parse().ok()?;
            let is_weight = name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&value);
            // In range by the check, so the cast cannot saturate.
            is_weight.then_some((value * 1000.0) as u16)?
        }
    };
    (weight > 0 && parts.next().is_none()).then_some((weight, tag))
}

/// The language for a tag: itself, else with its last parts dropped (`en-GB` is served by `en`),
/// else a more specific one (`pt` is served by `pt-BR`).
fn find_language(sources: &[Source], tag: &str) -> Option<Lang> {
    let position = |matches: &dyn Fn(&Source) -> bool| {
        let index = sources.iter().position(matches)?;
        u8::try_from(index).ok().map(Lang)
    };
    let mut wanted = tag;
    loop {
        let exact = |source: &Source| match source.is_pseudo {
            true => source.code == tag,
            false => source.code.eq_ignore_ascii_case(wanted),
        };
        if let Some(lang) = position(&exact) {
            return Some(lang);
        }
        match wanted.rsplit_once('-') {
            Some((shorter, _)) => wanted = shorter,
            None => break,
        }
    }
    position(&|source: &Source| {
        let primary = source.code.split('-').next().unwrap_or_default();
        !source.is_pseudo && primary.eq_ignore_ascii_case(wanted)
    })
}
