//! The community's actions. Each function serves forms, JSON and sockets.

mod account;
mod credentials;
mod deletion;
mod emoji;
mod groups;
mod invites;
mod joining;
mod positions;
mod profile;
mod roles;
mod room_order;
mod rooms;
mod sanctions;
mod spaces;
mod web_access;

use super::Community;
use super::emoji::EMOJI;
use super::portraits::{EMBLEM, PORTRAIT};
use crate::engine::actions::Class;
use crate::engine::module::Module;

fn declare_profile(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.set-profile",
            "Sets what one tells about oneself, and the name that is shown",
            Class::Write,
            profile::set_profile,
        )
        .action(
            "community.set-status",
            "Sets one's status, or clears it",
            Class::Write,
            profile::set_status,
        )
        .action(
            "community.set-presence",
            "Chooses how others see one's presence, and for how long",
            Class::Write,
            profile::set_presence,
        )
        .action(
            "community.set-writers",
            "Sets who may begin a conversation with one",
            Class::Write,
            profile::set_writers,
        )
        .action(
            "community.set-receipts",
            "Sets whether people of one's conversations see what one has read there",
            Class::Write,
            profile::set_receipts,
        )
        .action(
            "community.block",
            "Blocks or ignores somebody",
            Class::Write,
            profile::block,
        )
        .action(
            "community.unblock",
            "Takes a block back",
            Class::Write,
            profile::unblock,
        )
}

fn declare_sanctions(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.time-out",
            "Has a member only read for some minutes; zero ends that",
            Class::Write,
            sanctions::time_out,
        )
        .action(
            "community.ban",
            "Bans an account from a space, and its network if wanted",
            Class::Write,
            sanctions::ban,
        )
        .action(
            "community.unban",
            "Lifts a ban",
            Class::Write,
            sanctions::unban,
        )
        .action(
            "community.add-note",
            "Adds a note about a member, for moderators",
            Class::Create,
            sanctions::add_note,
        )
}

fn declare_room_order(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.create-category",
            "Makes a category of rooms",
            Class::Create,
            room_order::create_category,
        )
        .action(
            "community.rename-category",
            "Gives a category of rooms another name",
            Class::Write,
            room_order::rename_category,
        )
        .action(
            "community.delete-category",
            "Deletes a category, whose rooms stay",
            Class::Write,
            room_order::delete_category,
        )
        .action(
            "community.move-category",
            "Moves a category one place up or down",
            Class::Write,
            room_order::move_category,
        )
        .action(
            "community.move-room",
            "Moves a room one place up or down",
            Class::Write,
            room_order::move_room,
        )
        .action(
            "community.set-category",
            "Puts a room under a category",
            Class::Write,
            room_order::set_category,
        )
}

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let parts = [
        roles::declare,
        groups::declare,
        joining::declare,
        credentials::declare,
        deletion::declare,
        positions::declare,
        web_access::declare,
        declare_profile,
        declare_sanctions,
        declare_room_order,
    ];
    let module = parts
        .into_iter()
        .fold(module, |module, declare| declare(module));
    module
        .action(
            "community.create-space",
            "Makes a space with a room",
            Class::Create,
            spaces::create_space,
        )
        .action(
            "community.rename-space",
            "Gives a space another name",
            Class::Write,
            spaces::rename_space,
        )
        .action(
            "community.tell-joins",
            "Sets whether a space tells in its first room who joins",
            Class::Write,
            spaces::tell_joins,
        )
        .action(
            "community.remove-member",
            "Removes someone from a space, or leaves it",
            Class::Write,
            spaces::remove_member,
        )
        .action(
            "community.invite",
            "Makes an invitation link",
            Class::Create,
            invites::invite,
        )
        .action(
            "community.revoke-invite",
            "Takes an invitation link back",
            Class::Write,
            invites::revoke_invite,
        )
        .action(
            "community.create-room",
            "Makes a room",
            Class::Create,
            rooms::create_room,
        )
        .action(
            "community.change-room",
            "Changes a room's name, privacy and members",
            Class::Write,
            rooms::change_room,
        )
        .action(
            "community.archive-room",
            "Closes a room, or opens it again",
            Class::Write,
            rooms::archive_room,
        )
        .action(
            "community.set-room-permissions",
            "Sets what a room allows and denies to all members, to a role or to a person",
            Class::Write,
            rooms::set_room_permissions,
        )
        .action(
            "community.set-slow-mode",
            "Sets how long members wait between two messages in a room",
            Class::Write,
            rooms::set_slow_mode,
        )
        .action(
            "community.open-direct",
            "Opens the direct conversation with these people",
            Class::Create,
            rooms::open_direct,
        )
        .action(
            "community.end-session",
            "Ends one of one's sessions",
            Class::Write,
            account::end_session,
        )
        .action(
            "community.end-other-sessions",
            "Ends all of one's sessions but the one that asks",
            Class::Write,
            account::end_other_sessions,
        )
        .action(
            "community.set-language",
            "Chooses the language of one's pages, and how their hours are counted",
            Class::Write,
            account::set_language,
        )
        .action(
            "community.set-theme",
            "Chooses the colours of one's pages",
            Class::Write,
            account::set_theme,
        )
        .action_with_files(
            "community.set-portrait",
            "Gives one's account a picture, or none",
            Class::Write,
            PORTRAIT,
            account::set_portrait,
        )
        .action_with_files(
            "community.set-emblem",
            "Gives a space a picture, or none",
            Class::Write,
            EMBLEM,
            spaces::set_emblem,
        )
        .action_with_files(
            "community.add-emoji",
            "Adds an emoji to a space",
            Class::Write,
            EMOJI,
            emoji::add_emoji,
        )
        .action(
            "community.remove-emoji",
            "Takes an emoji from a space",
            Class::Write,
            emoji::remove_emoji,
        )
}
