//! What people do in the voice of a room.

mod moderate;
mod set_rules;
mod take_part;

use super::{Voice, connection_test};
use crate::engine::actions::Class;
use crate::engine::module::Module;

/// Declares the actions.
pub(super) fn declare(module: Module<Voice>) -> Module<Voice> {
    module
        .action(
            "voice.join",
            "Joins the voice of a room with an offer (SDP), and gets the answer",
            Class::Ephemeral,
            take_part::join,
        )
        .action(
            "voice.negotiate",
            "Answers a further offer of somebody in the voice of a room",
            Class::Ephemeral,
            take_part::negotiate,
        )
        .action(
            "voice.receive",
            "Says which streams somebody wants on which lines",
            Class::Ephemeral,
            take_part::receive,
        )
        .action(
            "voice.set-doing",
            "Says whether one is muted or deafened, and shows a camera or a screen",
            Class::Ephemeral,
            take_part::set_doing,
        )
        .action(
            "voice.leave",
            "Leaves the voice of a room",
            Class::Ephemeral,
            take_part::leave,
        )
        .action(
            "voice.decline",
            "Declines a call of a direct conversation, on all devices",
            Class::Ephemeral,
            take_part::decline,
        )
        .action(
            "voice.test",
            "Begins a connection test with an offer (SDP), and gets the answer",
            Class::Ephemeral,
            connection_test::test,
        )
        .action(
            "voice.silence",
            "Mutes somebody in a room for everybody, or lets them speak again",
            Class::Write,
            moderate::silence,
        )
        .action(
            "voice.set-speaker",
            "Lets somebody speak on a stage, or only listen again",
            Class::Write,
            moderate::set_speaker,
        )
        .action(
            "voice.move",
            "Moves somebody to the voice of another room",
            Class::Write,
            moderate::move_to,
        )
        .action(
            "voice.set-rules",
            "Sets how many people fit in the voice of a room, its bitrate, whether it is a stage, \
             and when silence ends it",
            Class::Write,
            set_rules::set_rules,
        )
        .action(
            "voice.disconnect",
            "Takes somebody out of the voice of a room",
            Class::Write,
            moderate::disconnect,
        )
}
