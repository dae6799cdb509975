//! Comparing stored contents with their digests: all of them for `tidepool check`, and some each
//! night, those first that were compared longest ago.

use std::time::Duration;

use futures_util::TryStreamExt;

use super::blobs::Blobs;
use super::transfers::Transfers;
use super::{Files, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Rule};
use crate::base::error::{Error, Result};
use crate::base::settings::Settings;
use crate::engine::jobs::{Failure, JobKind, Run, Schedule, Settled};
use crate::engine::module::Module;

const CHECK: &str = "files.check";
const MAX_LISTED: usize = 100;

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let about = "Compares stored files with their digests, and looks for damage in the database";
    let check = JobKind::new(CHECK, about, check_some);
    module
        // Hours on slow disks; what one night does not reach, the next does.
        .job(
            check
                .concurrency(1)
                .max_attempts(1)
                .timeout(Duration::from_secs(4 * 3600)),
        )
        .schedule(Schedule::new(CHECK, "17 3 * * *"))
}

const RULES: [Rule; 5] = [
    Rule {
        broken: "the size of a content is none",
        find: "SELECT digest FROM blobs WHERE size < 1 OR length(digest) <> 64 LIMIT 50",
    },
    Rule {
        broken: "a file has another size or type than its content",
        find: "SELECT CAST(f.id AS TEXT) FROM files f JOIN blobs b ON b.digest = f.digest \
            WHERE f.size <> b.size OR f.media <> b.media LIMIT 50",
    },
    Rule {
        broken: "a picture has no smaller versions, or no width and height",
        find: "SELECT CAST(id AS TEXT) FROM files WHERE picture = 'made' AND (small IS NULL \
            OR large IS NULL OR width NOT BETWEEN 1 AND 16384 OR height NOT BETWEEN 1 AND 16384 \
            OR width IS NULL OR height IS NULL) LIMIT 50",
    },
    Rule {
        broken: "a file is charged less than its size",
        find: "SELECT CAST(id AS TEXT) FROM files WHERE charged < size LIMIT 50",
    },
    Rule {
        broken: "the usage of an account is not that of its files and uploads",
        find: "SELECT CAST(u.id AS TEXT) FROM storage_used u WHERE u.scope = 'account' \
            AND u.bytes <> \
            (SELECT COALESCE(SUM(charged), 0) FROM files WHERE owner_id = u.id) + \
            (SELECT COALESCE(SUM(size), 0) FROM uploads \
            WHERE owner_id = u.id AND file_id IS NULL) LIMIT 50",
    },
];

/// What is wrong with the files and their rows, in English: reads every content. Works on a stopped
/// or a running server.
///
/// # Errors
/// When the database, or the bucket, cannot be read.
pub async fn problems(settings: &Settings, db: &Db) -> anyhow::Result<Vec<String>> {
    let blobs = Blobs::new(settings)?;
    let mut problems = db.broken_rules(&RULES).await?;
    let mut after = String::new();
    loop {
        let contents = store::blobs_after(db, &after).await?;
        let Some((last, _)) = contents.last() else {
            return Ok(problems);
        };
        if *last <= after {
            problems.push("contents are not in the order of their digests".to_owned());
            return Ok(problems);
        }
        after.clone_from(last);
        for (digest, size) in contents {
            problems.extend(content_problem(db, &blobs, &digest, size).await?);
            if problems.len() >= MAX_LISTED {
                return Ok(problems);
            }
        }
    }
}

/// What is wrong with one content: missing, or of another size or digest.
async fn content_problem(
    db: &Db,
    blobs: &Blobs,
    digest: &str,
    size: i64,
) -> Result<Option<String>> {
    let found = match digest_of_stored(blobs, digest, size.unsigned_abs()).await {
        Ok(found) if found == digest => return Ok(None),
        Ok(_) => "is damaged",
        Err(Error::NotFound) => "is missing",
        // Shorter than its row says.
        Err(Error::Internal(error)) => {
            tracing::debug!(%error, "content cannot be read");
            "cannot be read in full"
        }
        Err(error) => return Err(error),
    };
    // It may have been deleted meanwhile.
    if !store::has_blob(db, digest).await? {
        return Ok(None);
    }
    let files = store::files_with(db, digest).await?;
    let ids: Vec<_> = files
        .iter()
        .map(|(id, name)| format!("{id} ({name})"))
        .collect();
    Ok(Some(format!(
        "the content {digest} of file {} {found}",
        ids.join(", ")
    )))
}

/// The digest of what is stored, which is read once, in pieces.
async fn digest_of_stored(blobs: &Blobs, digest: &str, size: u64) -> Result<String> {
    let mut pieces = blobs.get(digest, 0, size).await?;
    let mut hasher = blake3::Hasher::new();
    while let Some(piece) = pieces.try_next().await.map_err(anyhow::Error::new)? {
        hasher.update(&piece);
    }
    if blobs.size(digest).await? != size {
        return Ok(String::new());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The nightly job. What it finds makes it fail, so that the host's page shows it.
async fn check_some(transfers: Transfers, run: Run, (): ()) -> Result<Settled, Failure> {
    let files = &transfers.files;
    let settings = &files.0.settings;
    let allowance = settings.max_checked_mib_per_night.saturating_mul(1 << 20);
    let database = files.0.db.size().await?;
    let mut problems = Vec::new();
    if database <= allowance {
        problems = Db::problems(settings).await?;
        problems.extend(files.0.db.broken_rules(&RULES).await?);
    }
    let rest = allowance.saturating_sub(database);
    problems.extend(check_contents(files, &run, rest).await?);
    if problems.is_empty() {
        return run.done();
    }
    for problem in &problems {
        tracing::error!(problem, "damage was found; see docs/operate.md");
    }
    metrics::counter!("tidepool_damage_total").increment(problems.len() as u64);
    problems.truncate(MAX_LISTED);
    Err(Failure::GiveUp(problems.join("\n")))
}

/// Compares contents with their digests until `allowance` bytes are read.
async fn check_contents(files: &Files, run: &Run, allowance: u64) -> Result<Vec<String>> {
    let (mut problems, mut read, started) = (Vec::new(), 0, Micros::now());
    while read < allowance {
        let contents = store::blobs_checked_before(&files.0.db, started).await?;
        if contents.is_empty() {
            break;
        }
        for (digest, size) in contents {
            read += size.unsigned_abs();
            if read > allowance {
                break;
            }
            problems.extend(content_problem(&files.0.db, &files.0.blobs, &digest, size).await?);
            let checked = Micros::now();
            let mark = files
                .0
                .db
                .write_queued(async move |tx| store::set_checked(tx, &digest, checked).await);
            mark.await?;
            run.progress(read >> 20, allowance >> 20);
        }
    }
    Ok(problems)
}
