//! The SQL of terminals.

use std::time::Duration;

use super::model::{Role, Roles, Standing, TerminalId, TerminalRow};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};

/// Terminals that one account shares at once.
pub(super) const MAX_TERMINALS_PER_ACCOUNT: i64 = 8;
/// Recordings of one account that are kept at once; it deletes older ones, or they go after 30
/// days.
const MAX_RECORDINGS_PER_ACCOUNT: i64 = 20;
/// Terminals of one room at once.
pub(super) const MAX_TERMINALS_PER_ROOM: i64 = 50;
/// People whose role in one terminal is stored. Removing somebody goes on past them.
const MAX_PEOPLE: i64 = 200;
/// How long a terminal that has ended is listed.
pub(super) const ENDED_TTL: Duration = Duration::from_secs(24 * 3_600);
/// How long an instance has a terminal without saying so again.
pub(super) const LEASE_TTL: Duration = Duration::from_secs(10);
/// How long a terminal waits for a sharer whose connection is lost.
pub(super) const AWAY_TIMEOUT: Duration = Duration::from_secs(600);

/// A terminal that somebody begins to share.
pub(super) struct NewTerminal {
    pub(super) room: RoomId,
    pub(super) host: AccountId,
    pub(super) title: String,
    pub(super) command: String,
    pub(super) takes_input: bool,
    pub(super) recorded: bool,
    pub(super) is_shell: bool,
    pub(super) takes_files: bool,
    /// The instance that has it.
    pub(super) instance: String,
}

/// Has other transactions wait that begin a terminal of an account or in a room.
///
/// # Errors
/// `Full` where there are too many already.
async fn check_room(tx: &mut Tx, new: &NewTerminal) -> Result<()> {
    const LOCK_ROOM: &str = "SELECT id FROM rooms WHERE id = $1 FOR NO KEY UPDATE";
    const LOCK_ACCOUNT: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK_ROOM, (new.room,)).await?;
    tx.lock::<(i64,)>(LOCK_ACCOUNT, (new.host,)).await?;
    const OF_ACCOUNT: &str =
        "SELECT COUNT(*) FROM terminals WHERE account_id = $1 AND ended_at IS NULL";
    let own: i64 = tx.scalar(OF_ACCOUNT, (new.host,)).await?;
    if own >= MAX_TERMINALS_PER_ACCOUNT {
        return Err(Error::Full("error-terminals-own"));
    }
    // Each is bounded in bytes: so are all of an account.
    const RECORDED: &str = "SELECT COUNT(*) FROM terminals WHERE account_id = $1 AND recorded";
    if new.recorded {
        let recorded: i64 = tx.scalar(RECORDED, (new.host,)).await?;
        if recorded >= MAX_RECORDINGS_PER_ACCOUNT {
            return Err(Error::Full("error-terminal-recordings"));
        }
    }
    const OF_ROOM: &str = "SELECT COUNT(*) FROM terminals WHERE room_id = $1 AND ended_at IS NULL";
    let here: i64 = tx.scalar(OF_ROOM, (new.room,)).await?;
    match here >= MAX_TERMINALS_PER_ROOM {
        true => Err(Error::Full("error-terminals-room")),
        false => Ok(()),
    }
}

/// Stores a terminal.
///
/// # Errors
/// `Full` past [`MAX_TERMINALS_PER_ACCOUNT`], [`MAX_TERMINALS_PER_ROOM`] or
/// [`MAX_RECORDINGS_PER_ACCOUNT`].
pub(super) async fn add(tx: &mut Tx, new: &NewTerminal) -> Result<TerminalRow> {
    check_room(tx, new).await?;
    const ADD: &str = "INSERT INTO terminals (id, room_id, account_id, title, command, \
        started_at, locked, takes_input, recorded, is_shell, instance, expires_at, takes_files) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING *";
    let now = Micros::now();
    let row = (
        TerminalId::new(),
        new.room,
        new.host,
        &new.title,
        &new.command,
        now,
        false,
        new.takes_input,
        new.recorded,
        new.is_shell,
        &new.instance,
        now.plus(LEASE_TTL),
        new.takes_files,
    );
    tx.one(ADD, row).await
}

/// Has no more shells be open in a room and of an account than there may, this one included.
///
/// # Errors
/// `Full`.
pub(super) async fn check_shells(
    tx: &mut Tx,
    new: &TerminalRow,
    max_per_room: i64,
    max_per_account: i64,
) -> Result<()> {
    const OF_ROOM: &str =
        "SELECT COUNT(*) FROM terminals WHERE room_id = $1 AND is_shell AND ended_at IS NULL";
    const OF_ACCOUNT: &str =
        "SELECT COUNT(*) FROM terminals WHERE account_id = $1 AND is_shell AND ended_at IS NULL";
    if tx.scalar::<i64>(OF_ROOM, (new.room,)).await? > max_per_room {
        return Err(Error::Full("error-shells-room"));
    }
    match tx.scalar::<i64>(OF_ACCOUNT, (new.host,)).await? > max_per_account {
        true => Err(Error::Full("error-shells-own")),
        false => Ok(()),
    }
}

/// Gives a terminal to the instance that its sharer came back to.
///
/// # Errors
/// `NotFound` when it has ended, or is somebody else's.
pub(super) async fn claim(
    tx: &mut Tx,
    (id, host): (TerminalId, AccountId),
    instance: &str,
) -> Result<TerminalRow> {
    const CLAIM: &str = "UPDATE terminals SET instance = $3, expires_at = $4 \
        WHERE id = $1 AND account_id = $2 AND NOT is_shell AND ended_at IS NULL RETURNING *";
    let until = Micros::now().plus(LEASE_TTL);
    tx.one(CLAIM, (id, host, instance, until)).await
}

/// A terminal.
///
/// # Errors
/// `NotFound` when it is not there.
pub(super) async fn get(db: &Db, id: TerminalId) -> Result<TerminalRow> {
    const GET: &str = "SELECT * FROM terminals WHERE id = $1";
    db.one(GET, (id,)).await
}

/// The same in a transaction that changes it.
///
/// # Errors
/// As [`get`].
pub(super) async fn lock(tx: &mut Tx, id: TerminalId) -> Result<TerminalRow> {
    const LOCK: &str = "SELECT id FROM terminals WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (id,)).await?;
    get_in(tx, id).await
}

/// The same in a transaction.
///
/// # Errors
/// As [`get`].
pub(super) async fn get_in(tx: &mut Tx, id: TerminalId) -> Result<TerminalRow> {
    const GET: &str = "SELECT * FROM terminals WHERE id = $1";
    tx.one(GET, (id,)).await
}

/// The terminals of a room that are open, or have ended lately; the newest first.
pub(super) async fn of_room(db: &Db, room: RoomId) -> Result<Vec<TerminalRow>> {
    const READ: &str = "SELECT * FROM terminals WHERE room_id = $1 \
        AND (ended_at IS NULL OR ended_at > $2) ORDER BY id DESC LIMIT 200";
    let since = Micros(Micros::now().0 - ENDED_TTL.as_micros() as i64);
    db.all(READ, (room, since)).await
}

/// The open terminals of the server, the newest first.
pub(super) async fn all_open(db: &Db) -> Result<Vec<TerminalRow>> {
    const READ: &str = "SELECT * FROM terminals WHERE ended_at IS NULL ORDER BY id DESC LIMIT 500";
    db.all(READ, ()).await
}

/// Who is what in a terminal.
pub(super) async fn roles(db: &Db, terminal: &TerminalRow) -> Result<Roles> {
    const READ: &str = "SELECT account_id, role, raised_hand, typed FROM terminal_people \
        WHERE terminal_id = $1";
    let rows: Vec<(AccountId, String, bool, i64)> = db.all(READ, (terminal.id,)).await?;
    let people = rows.into_iter().map(|(account, role, raised_hand, typed)| {
        let standing = Standing {
            role: Role::from_name(&role),
            raised_hand,
            typed,
        };
        (account, standing)
    });
    Ok(Roles {
        host: terminal.host,
        locked: terminal.locked,
        takes_input: terminal.takes_input,
        one_at_a_time: terminal.one_at_a_time,
        baton: terminal.baton,
        people: people.collect(),
    })
}

/// Sets what somebody is in a terminal. A hand that was raised is answered.
///
/// # Errors
/// `Full` past [`MAX_PEOPLE`] for somebody who is to type.
pub(super) async fn set_role(
    tx: &mut Tx,
    terminal: TerminalId,
    account: AccountId,
    role: Role,
) -> Result<()> {
    if role == Role::Viewer {
        // Of whom nothing is stored is one.
        const DEMOTE: &str = "UPDATE terminal_people SET role = $3, raised_hand = $4 \
            WHERE terminal_id = $1 AND account_id = $2";
        let row = (terminal, account, role.name(), false);
        return tx.execute(DEMOTE, row).await.map(drop);
    }
    if role == Role::Typist {
        check_people(tx, terminal, account).await?;
    }
    const SET: &str = "INSERT INTO terminal_people \
        (terminal_id, account_id, role, raised_hand, typed) VALUES ($1, $2, $3, $4, 0) \
        ON CONFLICT (terminal_id, account_id) DO UPDATE SET role = $3, raised_hand = $4";
    tx.execute(SET, (terminal, account, role.name(), false))
        .await?;
    Ok(())
}

/// Raises somebody's hand, or takes it down. Those who were removed cannot.
///
/// # Errors
/// `Full` past [`MAX_PEOPLE`] for a hand that is raised.
pub(super) async fn raise_hand(
    tx: &mut Tx,
    terminal: TerminalId,
    account: AccountId,
    is_raised: bool,
) -> Result<()> {
    if !is_raised {
        const LOWER: &str = "UPDATE terminal_people SET raised_hand = $3 \
            WHERE terminal_id = $1 AND account_id = $2";
        return tx
            .execute(LOWER, (terminal, account, false))
            .await
            .map(drop);
    }
    check_people(tx, terminal, account).await?;
    const RAISE: &str = "INSERT INTO terminal_people \
        (terminal_id, account_id, role, raised_hand, typed) VALUES ($1, $2, 'viewer', $3, 0) \
        ON CONFLICT (terminal_id, account_id) DO UPDATE SET raised_hand = $3 \
        WHERE terminal_people.role <> 'removed'";
    tx.execute(RAISE, (terminal, account, true)).await?;
    Ok(())
}

/// Whether there is room for somebody of whom nothing is stored yet.
async fn check_people(tx: &mut Tx, terminal: TerminalId, account: AccountId) -> Result<()> {
    const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM terminal_people \
        WHERE terminal_id = $1 AND account_id = $2)";
    if tx.scalar::<bool>(IS_KNOWN, (terminal, account)).await? {
        return Ok(());
    }
    const COUNT: &str = "SELECT COUNT(*) FROM terminal_people WHERE terminal_id = $1";
    let people: i64 = tx.scalar(COUNT, (terminal,)).await?;
    match people >= MAX_PEOPLE {
        true => Err(Error::Full("error-terminal-people")),
        false => Ok(()),
    }
}

/// Adds to the bytes that somebody has typed.
pub(super) async fn add_typed(
    tx: &mut Tx,
    terminal: TerminalId,
    account: AccountId,
    bytes: i64,
) -> Result<()> {
    const ADD: &str = "INSERT INTO terminal_people \
        (terminal_id, account_id, role, raised_hand, typed) VALUES ($1, $2, 'viewer', $4, $3) \
        ON CONFLICT (terminal_id, account_id) DO UPDATE \
        SET typed = terminal_people.typed + $3";
    tx.execute(ADD, (terminal, account, bytes, false)).await?;
    Ok(())
}

/// Lets nobody but the host type, or those who may again.
pub(super) async fn set_locked(tx: &mut Tx, terminal: TerminalId, locked: bool) -> Result<()> {
    const SET: &str = "UPDATE terminals SET locked = $2 WHERE id = $1";
    tx.execute(SET, (terminal, locked)).await?;
    Ok(())
}

/// Ends a terminal. False when it had ended already.
pub(super) async fn end(tx: &mut Tx, terminal: TerminalId, code: Option<i32>) -> Result<bool> {
    const END: &str = "UPDATE terminals SET ended_at = $2, exit_code = $3 \
        WHERE id = $1 AND ended_at IS NULL";
    let row = (terminal, Micros::now(), code.map(i64::from));
    Ok(tx.execute(END, row).await? > 0)
}

/// Keeps the terminals of an instance.
pub(super) async fn renew(tx: &mut Tx, instance: &str) -> Result<()> {
    const RENEW: &str =
        "UPDATE terminals SET expires_at = $2 WHERE instance = $1 AND ended_at IS NULL";
    let until = Micros::now().plus(LEASE_TTL);
    tx.execute(RENEW, (instance, until)).await?;
    Ok(())
}

/// Ends terminals that no instance has had for [`AWAY_TIMEOUT`], and shells whose instance has
/// gone: nobody brings those back. Returns their rooms.
pub(super) async fn end_abandoned(tx: &mut Tx) -> Result<Vec<(TerminalId, RoomId)>> {
    const END: &str = "UPDATE terminals SET ended_at = $1 \
        WHERE ended_at IS NULL AND (expires_at < $2 OR (is_shell AND expires_at < $1)) \
        RETURNING id, room_id";
    const FIND: &str = "SELECT id, room_id FROM terminals \
        WHERE ended_at IS NULL AND (expires_at < $2 OR (is_shell AND expires_at < $1)) LIMIT 100";
    let now = Micros::now();
    let before = Micros(now.0 - AWAY_TIMEOUT.as_micros() as i64);
    let found: Vec<(TerminalId, RoomId)> = tx.all(FIND, (now, before)).await?;
    match found.is_empty() {
        true => Ok(found),
        false => tx.all(END, (now, before)).await,
    }
}

/// Deletes terminals that ended before [`ENDED_TTL`], without those that were recorded: their hosts
/// delete them, or they go after `recording_ttl`.
pub(super) async fn delete_old(tx: &mut Tx, recording_ttl: Duration) -> Result<()> {
    const DELETE: &str = "DELETE FROM terminals WHERE id IN (SELECT id FROM terminals \
        WHERE (ended_at < $1 AND recorded = $3) OR ended_at < $2 LIMIT 100)";
    let before = |ttl: Duration| Micros(Micros::now().0 - ttl.as_micros() as i64);
    let row = (before(ENDED_TTL), before(recording_ttl), false);
    tx.execute(DELETE, row).await?;
    Ok(())
}

/// Deletes what is stored of an account: its terminals, and what it is in others.
pub(super) async fn erase_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    const OWN: &str = "DELETE FROM terminals WHERE account_id = $1";
    const OTHERS: &str = "DELETE FROM terminal_people WHERE account_id = $1";
    tx.execute(OWN, (account,)).await?;
    tx.execute(OTHERS, (account,)).await?;
    Ok(())
}

/// Terminals of an account after one, oldest first, at most a hundred.
pub(super) async fn of_account(
    db: &Db,
    account: AccountId,
    after: TerminalId,
) -> Result<Vec<TerminalRow>> {
    const READ: &str = "SELECT * FROM terminals WHERE account_id = $1 AND id > $2 \
        ORDER BY id LIMIT 100";
    db.all(READ, (account, after)).await
}
