//! What people do with letters: which actions there are.

use super::{
    Letters, absence, bag_actions, carry, contest_actions, courier_actions, courier_rules, drafts,
    drifting, envelopes, escalation, exhibitions, kindness, museum, museum_notes, pages,
    place_actions, points_page, post, promotion, scans, settings, settle, shift, stickers,
    substitute, suggestions,
};
use crate::engine::actions::Class;
use crate::engine::module::Module;

/// Declares the actions.
pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    let module = declare_carrying(declare_writing(module));
    let module = declare_contests(declare_couriers(module));
    declare_museum(declare_kindness(module))
}

fn declare_contests(module: Module<Letters>) -> Module<Letters> {
    module
        .action(
            "letters.open-contest",
            "Opens a contest for an envelope",
            Class::Create,
            contest_actions::open,
        )
        .action(
            "letters.close-contest",
            "Closes a contest for an envelope",
            Class::Write,
            contest_actions::close,
        )
        .action_with_files(
            "letters.propose-design",
            "Proposes an envelope in a contest",
            Class::Write,
            envelopes::KIND,
            contest_actions::propose,
        )
        .action(
            "letters.vote",
            "Votes for an envelope, once in a contest",
            Class::Write,
            contest_actions::vote,
        )
        .action(
            "letters.withdraw-design",
            "Takes a design of an envelope away",
            Class::Write,
            contest_actions::withdraw,
        )
}

fn declare_couriers(module: Module<Letters>) -> Module<Letters> {
    module
        .action(
            "letters.pack-bag",
            "Puts letters that one carries into a bag",
            Class::Write,
            bag_actions::pack,
        )
        .action(
            "letters.unpack",
            "Takes a letter out of its bag",
            Class::Write,
            bag_actions::unpack,
        )
        .action(
            "letters.carry-bag",
            "Hands a bag of letters on, takes it, or opens it",
            Class::Write,
            bag_actions::carry,
        )
        .action(
            "letters.escalate",
            "Asks the rank above to decide about a letter",
            Class::Write,
            escalation::escalate,
        )
        .action(
            "letters.set-shift",
            "Says when one carries letters",
            Class::Write,
            shift::set,
        )
        .action(
            "letters.set-substitute",
            "Names who stands in for a courier who pauses",
            Class::Write,
            substitute::set,
        )
        .action(
            "letters.decide-promotion",
            "Gives a courier the next rank, or declines",
            Class::Write,
            promotion::decide,
        )
        .action(
            "letters.set-courier-rules",
            "Says how a space has its couriers work",
            Class::Write,
            courier_rules::set,
        )
}

fn declare_museum(module: Module<Letters>) -> Module<Letters> {
    module
        .action(
            "letters.set-exhibition",
            "Opens an exhibition in the museum, or changes one",
            Class::Write,
            exhibitions::set,
        )
        .action(
            "letters.remove-exhibition",
            "Takes an exhibition apart",
            Class::Write,
            exhibitions::remove,
        )
        .action(
            "letters.place-exhibit",
            "Hangs a letter in an exhibition, or moves it there",
            Class::Write,
            exhibitions::place,
        )
        .action(
            "letters.heart",
            "Gives a letter of the museum a heart, or takes it back",
            Class::Write,
            museum_notes::heart,
        )
        .action(
            "letters.note",
            "Writes a note beside a letter of the museum",
            Class::Write,
            museum_notes::write,
        )
        .action(
            "letters.remove-note",
            "Takes a note of the museum away",
            Class::Write,
            museum_notes::remove,
        )
        .action(
            "letters.buy",
            "Buys a paper or a stamp with points",
            Class::Write,
            points_page::buy,
        )
        .action(
            "letters.set-points",
            "Says what a space gives for deeds",
            Class::Write,
            points_page::set,
        )
}

fn declare_kindness(module: Module<Letters>) -> Module<Letters> {
    module
        .action(
            "letters.join-drift",
            "Takes letters that drift, and may send them",
            Class::Write,
            drifting::join,
        )
        .action(
            "letters.leave-drift",
            "Takes no drifting letters any more",
            Class::Write,
            drifting::leave,
        )
        .action(
            "letters.drift-on",
            "Lets a letter that one found drift on",
            Class::Write,
            drifting::drift_on,
        )
        .action_with_files(
            "letters.add-page",
            "Adds photographs to a draft, as its pages",
            Class::Write,
            pages::KIND,
            pages::add,
        )
        .action(
            "letters.arrange-page",
            "Moves a page of a draft up or down, or takes it away",
            Class::Write,
            pages::arrange,
        )
        .action(
            "letters.away",
            "Says when one is away",
            Class::Write,
            absence::set,
        )
        .action(
            "letters.ask-here",
            "Asks whether somebody is still here, after a long silence",
            Class::Write,
            kindness::ask,
        )
        .action(
            "letters.answer-here",
            "Answers whether one is still here",
            Class::Write,
            kindness::answer,
        )
        .action(
            "letters.send-back",
            "Brings a letter back that cannot be delivered",
            Class::Write,
            carry::send_back,
        )
        .action(
            "letters.scan",
            "Says what one did with the letter of a sticker, also later",
            Class::Write,
            scans::scan,
        )
}

fn declare_writing(module: Module<Letters>) -> Module<Letters> {
    module
        .action(
            "letters.write",
            "Begins a letter",
            Class::Write,
            drafts::write,
        )
        .action(
            "letters.suggest",
            "Asks a machine for questions to begin a letter with",
            Class::Create,
            suggestions::suggest,
        )
        .action("letters.save", "Saves a draft", Class::Write, drafts::save)
        .action(
            "letters.restore",
            "Makes an earlier version the text of a draft",
            Class::Write,
            drafts::restore,
        )
        .action(
            "letters.discard",
            "Throws a draft away",
            Class::Write,
            drafts::discard,
        )
        .action(
            "letters.seal",
            "Seals a letter for ever",
            Class::Write,
            post::seal,
        )
        .action(
            "letters.recall",
            "Takes a letter back that is not picked up",
            Class::Write,
            post::recall,
        )
        .action(
            "letters.open",
            "Opens a letter that arrived",
            Class::Write,
            post::open,
        )
        .action(
            "letters.hide",
            "Takes a letter down, or brings it back",
            Class::Write,
            post::hide,
        )
        .action(
            "letters.refuse",
            "Says that one wants no letters",
            Class::Write,
            settings::refuse,
        )
        .action(
            "letters.configure",
            "Says how a space has its letters",
            Class::Write,
            settings::configure,
        )
        .action(
            "letters.give",
            "Gives a letter to the museum, or takes it back",
            Class::Write,
            museum::give,
        )
        .action(
            "letters.curate",
            "Hangs a letter in the museum, or declines it",
            Class::Write,
            museum::curate,
        )
}

fn declare_carrying(module: Module<Letters>) -> Module<Letters> {
    module
        .action(
            "letters.add-place",
            "Opens a place",
            Class::Write,
            place_actions::add,
        )
        .action(
            "letters.apply-place",
            "Asks for a door",
            Class::Write,
            place_actions::apply,
        )
        .action(
            "letters.decide-place",
            "Approves or declines a door",
            Class::Write,
            place_actions::decide,
        )
        .action(
            "letters.retire-place",
            "Closes a place",
            Class::Write,
            place_actions::retire,
        )
        .action(
            "letters.apply-courier",
            "Applies to carry letters",
            Class::Write,
            courier_actions::apply,
        )
        .action(
            "letters.appoint",
            "Gives a courier a post, or ends it",
            Class::Write,
            courier_actions::appoint,
        )
        .action(
            "letters.pause",
            "Takes a break from carrying",
            Class::Write,
            substitute::pause,
        )
        .action(
            "letters.print-sheet",
            "Makes a sheet of stickers",
            Class::Create,
            stickers::print,
        )
        .action(
            "letters.bind",
            "Puts a sticker on a letter",
            Class::Write,
            stickers::bind,
        )
        .action(
            "letters.take",
            "Takes a letter to carry it",
            Class::Write,
            carry::take,
        )
        .action(
            "letters.hand-over",
            "Offers a letter to another courier",
            Class::Write,
            carry::hand_over,
        )
        .action(
            "letters.deliver",
            "Delivers a letter",
            Class::Write,
            carry::deliver,
        )
        .action(
            "letters.fail",
            "Says why a letter cannot be delivered",
            Class::Write,
            carry::fail,
        )
        .action(
            "letters.retry",
            "Tries to deliver a letter again",
            Class::Write,
            carry::retry,
        )
        .action(
            "letters.receive",
            "Says that a letter was brought",
            Class::Write,
            settle::receive,
        )
        .action(
            "letters.settle",
            "Decides about a letter that is late or lost",
            Class::Write,
            settle::settle,
        )
}
