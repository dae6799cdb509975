//! Codes of stickers: eight characters without look-alikes, of which the last one checks the
//! others, drawn from the operating system's random numbers.

use anyhow::Context;

use crate::base::error::Result;

/// Characters of a code.
pub(super) const CODE_LENGTH: usize = 8;
/// Without 0 and O, 1 and I and L, 2 and Z, 5 and S, 8 and B, U and V. A prime number of them, so
/// that the check finds every wrong character and every two that changed places.
const ALPHABET: &[u8; 23] = b"34679ACDEFGHJKMNPQRTWXY";

/// The character that checks the ones before it.
fn check_character(code: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (place, byte) in code.iter().enumerate() {
        let value = ALPHABET.iter().position(|one| one == byte)?;
        sum += (place + 1) * value;
    }
    Some(ALPHABET[sum % ALPHABET.len()])
}

/// The code as it is stored, however it was typed; nothing where it cannot be one.
pub(super) fn parse(typed: &str) -> Option<String> {
    if typed.len() > 4 * CODE_LENGTH {
        return None;
    }
    let code: Vec<u8> = typed
        .bytes()
        .filter(|byte| !matches!(byte, b'-' | b' '))
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let (last, others) = code.split_last()?;
    let fits = code.len() == CODE_LENGTH && check_character(others) == Some(*last);
    fits.then(|| String::from_utf8(code).ok()).flatten()
}

/// A code as people read it: `7KX3-M9QD`.
pub(super) fn shown(code: &str) -> String {
    match code.split_at_checked(CODE_LENGTH / 2) {
        Some((one, two)) => format!("{one}-{two}"),
        None => code.to_owned(),
    }
}

/// A new code.
///
/// # Errors
/// `Internal` when the system has no random numbers.
pub(super) fn random() -> Result<String> {
    // Bytes past the last multiple of 23 would make some characters likelier than others.
    const FAIR: u8 = 230;
    let mut code = Vec::with_capacity(CODE_LENGTH);
    while code.len() < CODE_LENGTH - 1 {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).context("no random numbers")?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        let left = CODE_LENGTH - 1 - code.len();
        let drawn = fair.map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()]);
        code.extend(drawn.take(left));
    }
    code.extend(check_character(&code));
    Ok(String::from_utf8(code).context("codes are letters and digits")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_code_is_read_with_dashes_and_small_letters() {
        let code = random().unwrap();
        let typed = format!(" {}", shown(&code).to_lowercase());
        assert_eq!(parse(&typed), Some(code));
        for wrong in ["", "-", "AAAA", "0000-0000", "ÄÄÄÄÄÄÄÄ", &"A".repeat(500)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn wrong_and_swapped_characters_are_found() {
        for _ in 0..50 {
            let code = random().unwrap().into_bytes();
            for place in 0..CODE_LENGTH {
                for other in ALPHABET.iter().filter(|one| **one != code[place]) {
                    let mut wrong = code.clone();
                    wrong[place] = *other;
                    assert_eq!(parse(&String::from_utf8(wrong).unwrap()), None);
                }
                let mut swapped = code.clone();
                swapped.swap(place, (place + 1).min(CODE_LENGTH - 1));
                if swapped != code {
                    assert_eq!(parse(&String::from_utf8(swapped).unwrap()), None);
                }
            }
        }
    }

    #[test]
    fn codes_do_not_repeat() {
        let codes: std::collections::HashSet<String> =
            (0..2000).map(|_| random().unwrap()).collect();
        assert_eq!(codes.len(), 2000);
    }
}
