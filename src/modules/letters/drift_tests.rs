//! The rules of matching, with a clock that the test moves.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_795_228_200_000_000;
const WORDS: [&str; 4] = ["bread", "chess", "茶", "الشعر"];
const CODES: [&str; 3] = ["de", "en", "ja"];

fn tastes(languages: &[usize], interests: &[usize]) -> Tastes {
    let of = |all: &[&str], picked: &[usize]| {
        let mut few: Vec<String> = picked.iter().map(|one| all[*one].to_owned()).collect();
        few.sort();
        few.dedup();
        few
    };
    Tastes {
        languages: of(&CODES, languages),
        interests: of(&WORDS, interests),
    }
}

fn any_tastes() -> impl Strategy<Value = Tastes> {
    let languages = prop::collection::vec(0..CODES.len(), 0..3);
    let interests = prop::collection::vec(0..WORDS.len(), 0..4);
    (languages, interests).prop_map(|(languages, interests)| tastes(&languages, &interests))
}

/// What a small world remembers of a member.
#[derive(Clone, Debug)]
struct Member {
    tastes: Tastes,
    found_at: i64,
    rests_until: i64,
    unanswered: i64,
}

proptest! {
    /// Letters are sent and matched over three months. Whoever is found shares a language, rested,
    /// has room, and has not met the author, from either side, within 30 days.
    #[test]
    fn match_keeps_every_rule(
        all in prop::collection::vec(any_tastes(), 2..8),
        days in prop::collection::vec((0_i64..4, 0_usize..8, any::<bool>()), 1..60),
    ) {
        let mut members: Vec<Member> = all
            .into_iter()
            .map(|tastes| Member { tastes, found_at: 0, rests_until: 0, unanswered: 0 })
            .collect();
        let mut meetings: Vec<(usize, usize, i64)> = Vec::new();
        let mut now = NOW;
        for (pause, author, is_answered) in days {
            now += pause * DAY + 1;
            let author = author % members.len();
            let seeker = Seeker {
                author: AccountId(author as i64),
                tastes: members[author].tastes.clone(),
                sealed_at: Micros(now - pause * DAY),
            };
            let last = |a: usize, b: usize| {
                let is_pair = |x, y| (x, y) == (a, b) || (x, y) == (b, a);
                let of_pair = meetings.iter().filter(|(x, y, _)| is_pair(*x, *y));
                of_pair.map(|(_, _, at)| *at).max()
            };
            let candidates: Vec<Candidate> = members
                .iter()
                .enumerate()
                .map(|(index, one)| Candidate {
                    account: AccountId(index as i64),
                    tastes: one.tastes.clone(),
                    found_at: Micros(one.found_at),
                    rests_until: Micros(one.rests_until),
                    unanswered: one.unanswered,
                    met_at: last(author, index).map(Micros),
                    had_it: false,
                })
                .collect();
            let found = choose(&seeker, &candidates, Micros(now));
            let free: Vec<_> = candidates
                .iter()
                .filter(|one| one.is_free_for(&seeker, Micros(now)))
                .collect();
            let Some(found) = found else {
                let is_picky = pause < 3 && !seeker.tastes.interests.is_empty();
                let shares = |one: &&&Candidate| one.tastes.shared_interests(&seeker.tastes) > 0;
                let missed = free.iter().filter(|one| !is_picky || shares(one)).count();
                prop_assert_eq!(missed, 0, "somebody was free");
                continue;
            };
            let index = found.0 as usize;
            prop_assert_ne!(index, author);
            prop_assert!(candidates[index].tastes.shares_language(&seeker.tastes));
            prop_assert!(last(author, index).is_none_or(|at| now - at >= PAIR_REST));
            prop_assert!(members[index].rests_until <= now);
            prop_assert!(members[index].unanswered < MAX_UNANSWERED_DRIFT);
            let most = free.iter().map(|one| one.tastes.shared_interests(&seeker.tastes)).max();
            prop_assert_eq!(most, Some(candidates[index].tastes.shared_interests(&seeker.tastes)));
            meetings.push((author, index, now));
            members[index].found_at = now;
            members[index].rests_until = now + FINDER_REST;
            members[index].unanswered += i64::from(!is_answered);
        }
    }

    #[test]
    fn slots_grow_and_stay_bounded(answered in -3_i64..1_000) {
        prop_assert!((FIRST_DRIFTING..=MAX_DRIFTING).contains(&slots(answered)));
        prop_assert!(slots(answered + 1) >= slots(answered));
    }
}

#[test]
fn letter_waits_three_days_for_shared_interest() {
    let seeker = |sealed_at| Seeker {
        author: AccountId(1),
        tastes: tastes(&[0], &[0]),
        sealed_at: Micros(sealed_at),
    };
    let other = Candidate {
        account: AccountId(2),
        tastes: tastes(&[0, 1], &[1]),
        found_at: Micros(0),
        rests_until: Micros(0),
        unanswered: 0,
        met_at: None,
        had_it: false,
    };
    let all = [other.clone()];
    assert_eq!(choose(&seeker(NOW), &all, Micros(NOW)), None);
    let later = choose(&seeker(NOW - 3 * DAY), &all, Micros(NOW));
    assert_eq!(later, Some(AccountId(2)));
    // The same letter does not come twice.
    let again = [Candidate {
        had_it: true,
        ..other
    }];
    assert_eq!(choose(&seeker(0), &again, Micros(NOW)), None);
}

#[test]
fn tastes_are_bounded_and_without_doubles() {
    let chosen = |codes: &[&str]| codes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let found = Tastes::checked(&chosen(&["ja", "en", "xx"]), "Chess, chess، 茶\n  ");
    let found = found.expect("it fits");
    assert_eq!(found.languages, ["en", "ja"]);
    assert_eq!(found.interests, ["chess", "茶"]);
    assert!(Tastes::checked(&chosen(&["xx"]), "").is_err());
    assert!(Tastes::checked(&chosen(&["ar", "bn", "bg", "ca", "cs", "da"]), "").is_err());
    let many: Vec<_> = (0..11).map(|n| n.to_string()).collect();
    assert!(Tastes::checked(&chosen(&["en"]), &many.join(",")).is_err());
    assert!(Tastes::checked(&chosen(&["en"]), &"長".repeat(31)).is_err());
}
