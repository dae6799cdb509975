//! A letter, and what of it who may see.

use sqlx::FromRow;

use super::bags::BagId;
use super::contests::DesignId;
use super::model::{Kind, LetterId, Signature, State, Way};
use super::places::PlaceId;
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::jobs::JobId;

/// A letter as it is stored, with the names of both people as they are now.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Letter {
    pub(super) id: LetterId,
    pub(super) space_id: SpaceId,
    pub(super) author_id: AccountId,
    pub(super) recipient_id: Option<AccountId>,
    /// How the author knows a recipient who did not sign with their own name; else empty.
    pub(super) recipient_name: String,
    pub(super) kind: Kind,
    pub(super) way: Way,
    pub(super) state: State,
    /// One of [`PAPERS`](super::text::PAPERS).
    pub(super) paper: String,
    pub(super) signature: Signature,
    pub(super) pen_name: String,
    pub(super) body: String,
    pub(super) revision: i64,
    pub(super) reply_to: Option<LetterId>,
    pub(super) thread_id: LetterId,
    pub(super) opens_at: Option<Micros>,
    pub(super) departs_at: Option<Micros>,
    pub(super) arrives_at: Option<Micros>,
    pub(super) job_id: Option<JobId>,
    /// The city it was sealed in; empty when that is not told.
    pub(super) sent_from: String,
    pub(super) created_at: Micros,
    pub(super) sealed_at: Option<Micros>,
    pub(super) delivered_at: Option<Micros>,
    pub(super) hidden_at: Option<Micros>,
    /// Whether it is the last of its correspondence.
    pub(super) closes: bool,
    /// One of [`STAMPS`](super::text::STAMPS), or empty.
    pub(super) stamp: String,
    /// The design of its envelope, if it has one of its own.
    pub(super) envelope_id: Option<DesignId>,
    /// That of its sticker.
    pub(super) code: Option<String>,
    /// Its address.
    pub(super) place_id: Option<PlaceId>,
    /// The courier who has it.
    pub(super) holder_id: Option<AccountId>,
    /// The courier to whom the holder offers it.
    pub(super) offered_to: Option<AccountId>,
    /// When it should have moved on.
    pub(super) due_at: Option<Micros>,
    /// The bag that it is carried in.
    pub(super) bag_id: Option<BagId>,
    /// The courier who should pick it up.
    pub(super) assigned_to: Option<AccountId>,
    /// The rank that has to decide about it; 0 is nobody.
    pub(super) escalated: i64,
    /// Questions that a machine suggested for a draft, one on each line.
    pub(super) suggested: String,
    pub(super) author_account: String,
    pub(super) recipient_account: String,
}

/// The columns of [`Letter`], of `letters l` with the accounts of both.
macro_rules! letter_columns {
    () => {
        "l.*, a.name AS author_account, COALESCE(r.name, '') AS recipient_account \
         FROM letters l JOIN accounts a ON a.id = l.author_id \
         LEFT JOIN accounts r ON r.id = l.recipient_id "
    };
}
pub(super) use letter_columns;

/// What a viewer is to a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Author,
    Recipient,
    /// A member who may read an open letter.
    Reader,
    Stranger,
}

impl Letter {
    /// What an account is to it. Who wrote to themselves is the recipient once it has arrived.
    pub(super) fn role(&self, account: AccountId) -> Role {
        let has_arrived = self.state.has_arrived();
        if self.recipient_id == Some(account) && has_arrived {
            Role::Recipient
        } else if self.author_id == account {
            Role::Author
        } else if self.kind == Kind::Open && has_arrived {
            Role::Reader
        } else {
            Role::Stranger
        }
    }

    /// Whether it is to its own author.
    pub(super) fn is_to_self(&self) -> bool {
        self.recipient_id == Some(self.author_id)
    }

    /// Whether an account may know of it.
    pub(super) fn is_visible_to(&self, account: AccountId) -> bool {
        match self.role(account) {
            Role::Author => true,
            Role::Recipient | Role::Reader => self.hidden_at.is_none(),
            Role::Stranger => false,
        }
    }

    /// Whether an account may read its text: a letter to oneself only once it has come, one to
    /// somebody else once it is opened.
    pub(super) fn is_readable_by(&self, account: AccountId) -> bool {
        self.is_visible_to(account)
            && match self.role(account) {
                Role::Author => !self.is_to_self() || self.state == State::Draft,
                Role::Recipient => self.state != State::Delivered,
                Role::Reader => true,
                Role::Stranger => false,
            }
    }

    /// Whether it can be taken back.
    pub(super) fn is_recallable(&self) -> bool {
        use super::model::{Actor, Step, next};
        next(self.way, self.state, Step::Recall, Actor::Author).is_some()
    }

    /// Whether it names its author to who has it: a letter that drifted only once it is answered.
    pub(super) fn is_signed(&self) -> bool {
        self.signature == Signature::Own && !self.is_anonymous_drift()
    }

    fn is_anonymous_drift(&self) -> bool {
        self.way == Way::Drift && self.state != State::Replied
    }

    /// Who wrote it, for everybody but the author.
    pub(super) fn author_name(&self, lang: Lang) -> String {
        match self.is_anonymous_drift() {
            true => lang.t("letters-somebody").to_owned(),
            false => self.signature_words(lang),
        }
    }

    fn signature_words(&self, lang: Lang) -> String {
        match self.signature {
            Signature::Own => self.author_account.clone(),
            Signature::Pen => self.pen_name.clone(),
            Signature::None => lang.t("letters-somebody").to_owned(),
        }
    }

    /// Whom it is to, for its author.
    pub(super) fn recipient_shown(&self, lang: Lang) -> String {
        match (self.kind, self.recipient_id) {
            (Kind::Open, _) => lang.t("letters-everybody").to_owned(),
            _ if self.way == Way::Drift => lang.t("letters-drift-whom").to_owned(),
            _ if self.is_to_self() => lang.t("letters-myself").to_owned(),
            (_, Some(_)) if self.recipient_name.is_empty() => self.recipient_account.clone(),
            (_, Some(_)) => self.recipient_name.clone(),
            (_, None) => lang.t("letters-nobody").to_owned(),
        }
    }

    /// How it is signed, for its author.
    pub(super) fn own_signature(&self, lang: Lang) -> String {
        match self.signature {
            Signature::None => String::new(),
            _ => self.signature_words(lang),
        }
    }
}
