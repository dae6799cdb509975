//! The rule cell by cell, and what holds for every combination of roles and rooms.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::permissions::{
    BAN, CREATE_SPACE, INVITE, KICK, MANAGE_ROLES, MANAGE_ROOMS, MANAGE_SPACE, TIME_OUT, VIEW_AUDIT,
};
use super::*;
use crate::engine::permission::{HeldBy, ScopeKind};

static POST: Permission = Permission {
    name: "test.post",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: true,
    about: "Write",
};

static MODERATE: Permission = Permission {
    name: "test.moderate",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Delete",
};

const ALL: [&Permission; 12] = [
    &READ,
    &POST,
    &MODERATE,
    &MANAGE_ROOMS,
    &MANAGE_SPACE,
    &MANAGE_ROLES,
    &INVITE,
    &KICK,
    &BAN,
    &TIME_OUT,
    &VIEW_AUDIT,
    &CREATE_SPACE,
];

const ANN: AccountId = AccountId(1);
const MODERATOR: RoleId = RoleId(10);
const GARDENER: RoleId = RoleId(11);

fn declared() -> DeclaredPermissions {
    DeclaredPermissions::new(&ALL)
}

fn space() -> SpaceRules {
    let declared = declared();
    SpaceRules {
        everyone: declared.by_members(),
        roles: vec![
            RoleRule {
                id: MODERATOR,
                position: 2,
                preset: Some(Preset::Moderator),
                grants: declared.by_moderators(),
            },
            RoleRule {
                id: GARDENER,
                position: 1,
                preset: None,
                grants: declared.parse("community.invite"),
            },
        ],
    }
}

fn member(roles: &[RoleId]) -> Member {
    Member {
        roles: roles.iter().copied().collect(),
        ..Member::default()
    }
}

fn owner() -> Member {
    Member {
        is_owner: true,
        ..Member::default()
    }
}

/// The names of what a member holds in a room, in the order of [`ALL`].
fn held(rules: &RoomRules, member: &Member, is_in_room: bool) -> String {
    let declared = declared();
    let held = rules.held(&declared, &space(), ANN, member, is_in_room);
    declared.names(held.unwrap())
}

fn room(overrides: &[(Subject, &str, &str)]) -> RoomRules {
    let declared = declared();
    let one = |(subject, allowed, denied): &(Subject, &str, &str)| Override {
        subject: *subject,
        allowed: declared.parse(allowed),
        denied: declared.parse(denied),
    };
    RoomRules {
        overrides: overrides.iter().map(one).collect(),
        ..RoomRules::default()
    }
}

const MODERATES: &str = "community.read test.post test.moderate community.invite community.kick \
    community.ban community.time-out community.view-audit";
const OWNS: &str = "community.read test.post test.moderate community.manage-rooms \
    community.manage-space community.manage-roles community.invite community.kick community.ban \
    community.time-out community.view-audit";
const INVITES: &str = "community.read test.post community.invite";

#[test]
fn open_room_gives_what_the_space_does() {
    let rules = room(&[]);
    assert_eq!(
        held(&rules, &member(&[]), false),
        "community.read test.post"
    );
    assert_eq!(held(&rules, &member(&[GARDENER]), false), INVITES);
    assert_eq!(held(&rules, &member(&[MODERATOR]), false), MODERATES);
    assert_eq!(held(&rules, &owner(), false), OWNS);
}

#[test]
fn private_room_is_for_its_members_and_allowed_roles_only() {
    let mut rules = room(&[(Subject::Role(GARDENER), "community.read", "")]);
    rules.private = true;
    for outside in [member(&[]), member(&[MODERATOR]), owner()] {
        assert_eq!(held(&rules, &outside, false), "", "{outside:?}");
    }
    assert_eq!(held(&rules, &member(&[]), true), "community.read test.post");
    assert_eq!(held(&rules, &member(&[GARDENER]), false), INVITES);
    assert_eq!(held(&rules, &member(&[MODERATOR]), true), MODERATES);
    assert_eq!(held(&rules, &owner(), true), OWNS);
}

#[test]
fn announcement_room_is_written_by_moderators_and_the_allowed() {
    let mut rules = room(&[(Subject::Role(GARDENER), "test.post", "")]);
    rules.kind = RoomKind::Announcement;
    assert_eq!(held(&rules, &member(&[]), false), "community.read");
    assert_eq!(held(&rules, &member(&[GARDENER]), false), INVITES);
    assert_eq!(held(&rules, &member(&[MODERATOR]), false), MODERATES);
    assert_eq!(held(&rules, &owner(), false), OWNS);
}

#[test]
fn overrides_go_from_everyone_over_roles_to_the_account() {
    let (everyone, role, own) = (
        Subject::Everyone,
        Subject::Role(GARDENER),
        Subject::Account(ANN),
    );
    let gardener = member(&[GARDENER]);
    let cell = |overrides: &[(Subject, &str, &str)]| {
        let held = held(&room(overrides), &gardener, false);
        held.contains("test.post")
    };
    assert!(!cell(&[(everyone, "", "test.post")]));
    assert!(cell(&[
        (everyone, "", "test.post"),
        (role, "test.post", "")
    ]));
    assert!(!cell(&[(role, "", "test.post")]));
    assert!(cell(&[(role, "", "test.post"), (own, "test.post", "")]));
    assert!(!cell(&[(role, "test.post", ""), (own, "", "test.post")]));
    // The order in which they are stored does not matter.
    assert!(cell(&[
        (role, "test.post", ""),
        (everyone, "", "test.post")
    ]));
    // Of two roles, what one allows wins over what the other denies.
    let both = member(&[GARDENER, MODERATOR]);
    let rules = room(&[
        (Subject::Role(MODERATOR), "", "test.post"),
        (role, "test.post", ""),
    ]);
    assert!(held(&rules, &both, false).contains("test.post"));
    // Of another account's nothing is taken, and without reading nothing is held.
    assert!(cell(&[(Subject::Account(AccountId(2)), "", "test.post")]));
    let hidden = room(&[(everyone, "", "community.read")]);
    assert_eq!(held(&hidden, &gardener, false), "");
    assert_eq!(held(&hidden, &owner(), false), OWNS);
}

#[test]
fn restricted_members_read_and_archived_rooms_take_nothing() {
    let (declared, all) = (declared(), space());
    let later = Micros::now().plus(std::time::Duration::from_secs(600));
    let cases = [
        (
            Member {
                is_guest: true,
                ..member(&[])
            },
            "error-guest",
        ),
        (
            Member {
                is_pending: true,
                ..member(&[])
            },
            "error-rules-first",
        ),
        (
            Member {
                timed_out_until: Some(later),
                ..member(&[MODERATOR])
            },
            "error-timed-out",
        ),
    ];
    let rules = room(&[]);
    for (member, expected) in cases {
        let held = rules.held(&declared, &all, ANN, &member, false).unwrap();
        assert!(rules.check(&declared, held, &member, &READ).is_ok());
        let refused = rules.check(&declared, held, &member, &POST);
        assert!(matches!(refused, Err(Error::Forbidden(why)) if why == expected));
    }
    let past = Member {
        timed_out_until: Some(Micros(1)),
        ..member(&[])
    };
    let held = rules.held(&declared, &all, ANN, &past, false).unwrap();
    assert!(rules.check(&declared, held, &past, &POST).is_ok());
    let archived = RoomRules {
        archived: true,
        ..room(&[])
    };
    let read_only = RoomRules {
        read_only: true,
        ..room(&[])
    };
    for closed in [&archived, &read_only] {
        let refused = closed.check(&declared, held, &past, &POST);
        assert!(matches!(refused, Err(Error::Conflict(_))));
        assert!(closed.check(&declared, held, &past, &READ).is_ok());
    }
    let own = read_only
        .held(&declared, &all, ANN, &owner(), false)
        .unwrap();
    assert!(read_only.check(&declared, own, &owner(), &POST).is_ok());
    assert!(archived.check(&declared, own, &owner(), &POST).is_err());
}

fn any_set() -> impl Strategy<Value = PermissionSet> {
    vec(0..ALL.len() - 1, 0..6).prop_map(|bits| {
        let declared = declared();
        let sets = bits.into_iter().map(|bit| declared.only(ALL[bit]).unwrap());
        sets.fold(PermissionSet::default(), PermissionSet::with)
    })
}

fn any_room() -> impl Strategy<Value = RoomRules> {
    let subject = prop_oneof![
        Just(Subject::Everyone),
        Just(Subject::Role(MODERATOR)),
        Just(Subject::Role(GARDENER)),
        Just(Subject::Account(ANN)),
    ];
    let one = (subject, any_set(), any_set()).prop_map(|(subject, allowed, denied)| Override {
        subject,
        allowed,
        denied,
    });
    (any::<bool>(), any::<bool>(), any::<bool>(), vec(one, 0..5)).prop_map(
        |(private, archived, announcement, overrides)| RoomRules {
            private,
            archived,
            read_only: false,
            kind: match announcement {
                true => RoomKind::Announcement,
                false => RoomKind::Text,
            },
            overrides,
        },
    )
}

fn any_space() -> impl Strategy<Value = SpaceRules> {
    (any_set(), any_set(), any_set()).prop_map(|(everyone, moderator, gardener)| {
        let mut rules = space();
        rules.everyone = everyone;
        rules.roles[0].grants = moderator;
        rules.roles[1].grants = gardener;
        rules
    })
}

fn any_roles() -> impl Strategy<Value = Vec<RoleId>> {
    prop::sample::subsequence(vec![MODERATOR, GARDENER], 0..=2)
}

proptest! {
    /// Without reading nothing is held, and nobody but the host holds what is the host's.
    #[test]
    fn nothing_is_held_without_reading(
        rules in any_room(), space in any_space(), roles in any_roles(), owns: bool, inside: bool,
    ) {
        let declared = declared();
        let member = Member { is_owner: owns, ..member(&roles) };
        let held = rules.held(&declared, &space, ANN, &member, inside).unwrap();
        let read = declared.only(&READ).unwrap();
        prop_assert!(held.is_empty() || held.contains(read));
        prop_assert!(!held.contains(declared.only(&CREATE_SPACE).unwrap()));
    }

    /// Who is not in a private room, and is not allowed to read it, holds nothing: owners, too.
    #[test]
    fn private_room_opens_by_membership_or_override_only(
        rules in any_room(), space in any_space(), roles in any_roles(), owns: bool,
    ) {
        let declared = declared();
        let rules = RoomRules { private: true, ..rules };
        let read = declared.only(&READ).unwrap();
        let allows = |one: &Override| one.allowed.contains(read);
        if !rules.overrides.iter().any(allows) {
            let member = Member { is_owner: owns, ..member(&roles) };
            let held = rules.held(&declared, &space, ANN, &member, false).unwrap();
            prop_assert!(held.is_empty());
        }
    }

    /// Another role never takes anything away in a room without overrides, and never lowers a rank.
    #[test]
    fn roles_only_add(space in any_space(), roles in any_roles(), more in any_roles()) {
        let declared = declared();
        let mut both = roles.clone();
        both.extend(more);
        let (few, many) = (member(&roles), member(&both));
        prop_assert!(space.held(&declared, &many).contains(space.held(&declared, &few)));
        prop_assert!(space.rank(&many) >= space.rank(&few));
        prop_assert!(space.rank(&many) < OWNER_RANK);
    }

    /// What the account itself is denied it does not hold; what it is allowed it holds, if it reads.
    #[test]
    fn the_accounts_own_override_is_last(
        rules in any_room(), space in any_space(), roles in any_roles(), what in any_set(),
    ) {
        let (declared, member) = (declared(), member(&roles));
        let read = declared.only(&READ).unwrap();
        let mut rules = rules;
        rules.overrides.retain(|one| one.subject != Subject::Account(ANN));
        rules.overrides.push(Override {
            subject: Subject::Account(ANN),
            allowed: what.with(read),
            denied: PermissionSet::default(),
        });
        let held = rules.held(&declared, &space, ANN, &member, false).unwrap();
        prop_assert!(held.contains(what));
        if let Some(last) = rules.overrides.last_mut() {
            (last.allowed, last.denied) = (read, what.without(read));
        }
        let held = rules.held(&declared, &space, ANN, &member, false).unwrap();
        prop_assert!(held.both(what.without(read)).is_empty());
    }
}
