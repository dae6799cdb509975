//! Refuses passwords that are tried first: common words, runs of keys, repetitions, and what
//! everybody knows of the person.
//!
//! What can be guessed is taken out of the password; what remains must still be worth guessing. A
//! list of common passwords would have to name every ending that people put to the same words; the
//! list here is for those that no rule takes apart.

use std::collections::BTreeSet;

use crate::base::text::fold;

/// Parts of the most common passwords, longer ones first where one contains another.
const COMMON: &str = "correcthorsebatterystaple changeme1 1q2w3e4r5t6y 1q2w3e4r5t 1qaz2wsx3edc \
    q1w2e3r4t5 1q2w3e4r 1qaz2wsx zaq12wsx passphrase passwords password passwort motdepasse \
    contrasena contraseña wachtwoord parola senha kennwort geheim secret welcome willkommen \
    bienvenue letmein iloveyou ichliebedich jetaime teamo qwerty qwertz azerty administrator \
    admin master superman batman spiderman pokemon starwars football fussball baseball \
    basketball hockey soccer liverpool arsenal chelsea barcelona juventus realmadrid princess \
    prinzessin sunshine shadow dragon monkey michael jennifer jessica ashley daniel thomas \
    andrew charlie jordan hunter killer ginger summer winter spring autumn sommer herbst \
    fruehling january february march april june july august september october november december \
    monday tuesday wednesday thursday friday saturday sunday london paris berlin madrid america \
    deutschland computer internet samsung google facebook apple iphone android whatever trustno1 \
    freedom flower blumen hello hallo bonjour hola schatz lovely loveme love cheese cookie \
    butterfly purple orange banana chocolate diamond silver golden matrix ninja mustang ferrari \
    mercedes porsche harley yamaha pepper tigger tiger eagle maggie buster soccer1 access login \
    user guest test temp default abcdef tidepool community";
/// The 3,000 most common passwords that are long enough, most common first, in lower case: of the
/// ten million that Mark Burnett put into the public domain in 2015.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");
/// Rows of keyboards, the alphabet and the digits: any four in a row count as one run.
const RUNS: [&str; 9] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiopü",
    "azertyuiop",
    "asdfghjklöä",
    "zxcvbnm",
    "yxcvbnm",
    "qsdfghjklm",
];
const MIN_RUN_CHARS: usize = 4;
/// Own words shorter than this occur in any password.
const MIN_OWN_CHARS: usize = 3;
/// Different characters that have to remain, in thirds: a letter or sign counts three, a digit one.
const MIN_REMAINING: usize = 15;
/// So many remaining characters suffice, of so many different ones: also digits alone.
const LONG_CHARS: usize = 16;
const LONG_DIFFERENT_CHARS: usize = 6;

/// Whether a password is among those that are tried first. `own` are texts of the person: the name,
/// the e-mail address, the community.
pub(super) fn is_easily_guessed(password: &str, own: &[&str]) -> bool {
    let mut rest = fold(password);
    if COMMON_PASSWORDS.lines().any(|common| common == rest) {
        return true;
    }
    let own: BTreeSet<String> = own.iter().flat_map(|text| words_of(text)).collect();
    for word in own.iter().rev().map(String::as_str) {
        rest = rest.replace(word, " ");
    }
    rest = without_common_words(&rest);
    let plain: String = rest.chars().map(plain_letter).collect();
    // Of "p4ssw0rd" nothing remains; elsewhere digits stay what they are.
    let unmasked = without_common_words(&plain);
    if unmasked != plain {
        rest = unmasked;
    }
    worth_of(&without_runs(&rest)) < MIN_REMAINING
}

fn words_of(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= MIN_OWN_CHARS)
        .map(str::to_owned)
        .collect()
}

fn without_common_words(text: &str) -> String {
    COMMON
        .split_whitespace()
        .fold(text.to_owned(), |rest, word| rest.replace(word, " "))
}

/// The letter that people write another sign for.
fn plain_letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Without runs of neighbouring keys, letters or digits, forwards and backwards.
fn without_runs(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut rest, mut at) = (String::new(), 0);
    while at < chars.len() {
        let length = run_length(&chars[at..]);
        if length >= MIN_RUN_CHARS {
            rest.push(' ');
            at += length;
        } else {
            rest.push(chars[at]);
            at += 1;
        }
    }
    rest
}

/// How many of the first characters follow one another in a row of keys.
fn run_length(chars: &[char]) -> usize {
    let follows = |one: char, next: char, row: &str| {
        let forwards = row.chars().zip(row.chars().skip(1));
        forwards.into_iter().any(|pair| pair == (one, next))
    };
    let longest_in = |row: &str, is_backwards: bool| {
        let pairs = chars.windows(2).take_while(|pair| match is_backwards {
            false => follows(pair[0], pair[1], row),
            true => follows(pair[1], pair[0], row),
        });
        pairs.count() + 1
    };
    let both = |row: &&str| longest_in(row, false).max(longest_in(row, true));
    RUNS.iter().map(both).max().unwrap_or(0)
}

fn worth_of(rest: &str) -> usize {
    let remaining = || rest.chars().filter(|c| !c.is_whitespace());
    let different: BTreeSet<char> = remaining().collect();
    if remaining().count() >= LONG_CHARS && different.len() >= LONG_DIFFERENT_CHARS {
        return MIN_REMAINING;
    }
    let worth = |c: &char| if c.is_ascii_digit() { 1 } else { 3 };
    different.iter().map(worth).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [&str; 3] = [
        "Vic Lindgren",
        "vic.l@garden-club.example",
        "Glasshouse Friends",
    ];

    #[test]
    fn long_password_of_any_characters_is_accepted() {
        assert!(!is_easily_guessed("82917364059281736", &OWN));
        assert!(is_easily_guessed("12345678901234567890", &OWN));
        assert!(is_easily_guessed("1212121212121212", &OWN));
    }

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        for common in [
            "1234567890",
            "0987654321",
            "password12",
            "Password2024!",
            "p4ssw0rd1234",
            "qwertyuiop",
            "qwertyuiop123",
            "qwertz123456",
            "asdfghjkl1",
            "1q2w3e4r5t",
            "1qaz2wsx3edc",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcabcabcabc",
            "abcdefghijkl",
            "iloveyou1234",
            "letmein12345",
            "welcome2025!",
            "Summer2024!!",
            "administrator",
            "11111122222",
            "8675309123",
            "vic.l@garden-club.example",
            "vicvicvicvic",
            "Lindgren1987",
            "glasshouse99",
            "garden-club-1",
            "ｐａｓｓｗｏｒｄ１２",
        ] {
            assert!(is_easily_guessed(common, &OWN), "{common}");
        }
    }

    #[test]
    fn most_common_passwords_are_refused_in_any_case() {
        assert_eq!(COMMON_PASSWORDS.lines().count(), 3_000);
        for common in COMMON_PASSWORDS.lines() {
            assert!(is_easily_guessed(common, &[]), "{common}");
            assert!(is_easily_guessed(&common.to_uppercase(), &[]), "{common}");
        }
    }

    #[test]
    fn other_passwords_pass() {
        for good in [
            "correct horse battery",
            "my cat naps at noon",
            "x7#Kp9!qL2",
            "tV3mWz8rQd",
            "7#2!9$4k@1&z",
            "drei blaue Kähne",
            "розовый слон летит",
            "紫の象が空を飛んでいる",
            "vic plants moss outside",
        ] {
            assert!(!is_easily_guessed(good, &OWN), "{good}");
        }
    }
}
