//! The events the community publishes.

use std::net::IpAddr;

use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::{event, id};

id!(
    /// Which space an account visited last, as a dependency of its own: it changes more often than
    /// the account, and must not invalidate what is cached of its rights.
    LastSpace
);

id!(
    /// The groups that a member is in, as a dependency of its own: they decide no rights.
    MemberGroups
);
id!(
    /// The restrictions of a space's members, as a dependency of its own: they change for all of
    /// them at once, while joins must not invalidate what is cached of other members.
    Restrictions
);
id!(
    /// The applications to join a space, as a dependency of its own.
    JoinRequests
);
id!(
    /// Whether a space is deleted, as a dependency of its own: every membership depends on it, and
    /// must not become stale with every other change of the space.
    SpaceDeletion
);
id!(
    /// The networks that are banned from the server, as a dependency: `0` is the only one.
    BannedNetworks
);

event! {
    /// The host banned a network or account from the whole server, or lifted such a ban.
    pub struct ServerBansChanged on "community.server-bans.changed" by server
        changes(server as BannedNetworks) {
        /// Always zero.
        server: u64 = 0,
    }
}

event! {
    /// An account's settings changed.
    pub struct AccountChanged on "community.account.changed" by account {
        /// The account.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// An account changed its profile, and may have another name.
    pub struct ProfileChanged on "community.profile.changed" by account
        changes(account, spaces, rooms) {
        /// The account.
        account: AccountId = AccountId(7),
        /// The name that is shown.
        name: String = "Ann".into(),
        /// The spaces that it is a member of.
        spaces: Vec<SpaceId> = vec![SpaceId(3)],
        /// Its direct conversations.
        rooms: Vec<RoomId> = vec![],
    }
}

event! {
    /// An account blocked or ignored somebody, or took it back. Only its own pages are told.
    pub struct BlocksChanged on "community.blocks.changed" by account {
        /// The account that blocks.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// An account got another name.
    pub struct AccountRenamed on "community.account.renamed" by account
        changes(account, spaces, rooms) {
        /// The account.
        account: AccountId = AccountId(7),
        /// Its name.
        name: String = "Ann".into(),
        /// Its spaces.
        spaces: Vec<SpaceId> = vec![SpaceId(3)],
        /// Its direct conversations.
        rooms: Vec<RoomId> = vec![],
    }
}

event! {
    /// A space was created.
    pub struct SpaceCreated on "community.space.created" by space changes(space, owner) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// The owner's account.
        owner: AccountId = AccountId(7),
    }
}

event! {
    /// A space was deleted, which closes it, or brought back. It is erased some days later.
    pub struct SpaceDeleted on "community.space.deleted" by space
        changes(space, space as SpaceDeletion) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Whether it was brought back.
        restored: bool = false,
        /// The members whose list of spaces is told. A frame names the account that reads it only.
        members: Vec<AccountId> = vec![],
    }
}

event! {
    /// An account put its spaces in another order.
    pub struct SpacesOrdered on "community.spaces.ordered" by account {
        /// The account.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// A space or rooms of it became readable for the whole web, or no longer.
    pub struct WebAccessChanged on "community.web.changed" by space changes(space, rooms) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Its rooms whose readers may have changed.
        rooms: Vec<RoomId> = vec![RoomId(12)],
    }
}

event! {
    /// A space got another name, picture or setting.
    pub struct SpaceChanged on "community.space.changed" by space {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Its name.
        name: String = "Glasshouse".into(),
    }
}

event! {
    /// An account opened a page of another space than before.
    pub struct SpaceVisited on "community.space.visited" by account
        changes(account as LastSpace) {
        /// The account.
        account: AccountId = AccountId(7),
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// An emoji was added to a space or removed from it.
    pub struct EmojiChanged on "community.emoji.changed" by space {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// Someone joined a space.
    pub struct MemberJoined on "community.member.joined" by space changes(space, account) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// The new member.
        account: AccountId = AccountId(7),
        /// Their name.
        name: String = "Ann".into(),
        /// Whether they only read, under a name for a day.
        is_guest: bool = false,
    }
}

event! {
    /// A space is joined in another way.
    pub struct JoiningChanged on "community.joining.changed" by space {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// Somebody asked to join a space, or took that back.
    pub struct JoinRequested on "community.join.requested" by space
        changes(space as JoinRequests) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Who asked.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// Somebody who asked to join a space was accepted or declined.
    pub struct JoinAnswered on "community.join.answered" by space
        changes(space as JoinRequests) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Who had asked.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// The rules of a space were changed; all members may have to accept them again.
    pub struct SpaceRulesChanged on "community.space-rules.changed" by space
        changes(space, space as Restrictions) {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// An account left a space or was removed from it. Its sockets have lost the space's feeds
    /// already.
    pub struct MemberLeft on "community.member.left" by space changes(space, account) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// The former member.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// An account was banned from a space, and has left it if it was a member.
    pub struct MemberBanned on "community.member.banned" by space changes() {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Who was banned.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// A room or direct conversation was created.
    pub struct RoomCreated on "community.room.created" by room changes(room, space, members) {
        /// The room.
        room: RoomId = RoomId(12),
        /// Its space; none for a direct conversation.
        space: Option<SpaceId> = Some(SpaceId(3)),
        /// Whether only its own members may know of it.
        private: bool = false,
        /// Its own members; empty for a public room.
        members: Vec<AccountId> = vec![],
    }
}

event! {
    /// A room was renamed, archived or restored, made public or private, or its members changed.
    pub struct RoomChanged on "community.room.changed" by room changes(room, space, members) {
        /// The room.
        room: RoomId = RoomId(12),
        /// Its space; none for a direct conversation.
        space: Option<SpaceId> = Some(SpaceId(3)),
        /// The accounts whose list of rooms changed; empty when it is the whole space. A frame
        /// names the account that reads it only.
        members: Vec<AccountId> = vec![],
    }
}

event! {
    /// A session ended: signed out, or ended from another device. Its sockets are being closed.
    pub struct SessionEnded on "community.session.ended" by account {
        /// The account it belonged to.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// The server was set up: it has a host, and answers to one name.
    pub struct ServerSetUp on "community.server.set-up" by owner {
        /// The host's account.
        owner: AccountId = AccountId(7),
        /// The name under which it was set up.
        host: String = "chat.example.org".into(),
    }
}

event! {
    /// Somebody tried what is limited, such as to sign in, on one instance of the server; the others
    /// count it, too.
    pub struct SignInTried on "community.sign-in.tried" by kind changes() {
        /// 0: to sign in, 1: to join, 2: the password of an account, 3: a code of an account,
        /// 4: to reset a password, 5: to register, 6: the password of a space.
        kind: u64 = 0,
        /// The digest of the login or address, or the account's id, or `account:space`; empty for
        /// joining and registering.
        login: String = "9f86d081884c7d65".into(),
        /// The network.
        network: IpAddr = IpAddr::from([192, 0, 2, 0]),
    }
}

event! {
    /// The roles of a space changed, or what its members may do.
    pub struct RolesChanged on "community.roles.changed" by space {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// A member got or lost a role, the space or a time-out.
    pub struct MemberChanged on "community.member.changed" by space changes(space, account) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// The member.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// Groups of a space were made, changed or deleted.
    pub struct GroupsChanged on "community.groups.changed" by space {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// Somebody joined a group of a space, or left it.
    pub struct GroupJoined on "community.group.joined" by account
        changes(account as MemberGroups) {
        /// The member.
        account: AccountId = AccountId(7),
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Whether it is in the group now.
        joined: bool = true,
    }
}

event! {
    /// An account chose how others see its presence.
    pub struct PresenceChosen on "community.presence.chosen" by account {
        /// The account.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// An account wants to be told of more or less of a room or space. Only its own pages are told.
    pub struct NoticeLevelChanged on "community.notice-level.changed" by account {
        /// The account.
        account: AccountId = AccountId(7),
    }
}

event! {
    /// An account has another status.
    pub struct StatusChanged on "community.status.changed" by account {
        /// The account.
        account: AccountId = AccountId(7),
    }
}
