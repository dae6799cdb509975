//! Settings: flags over environment over `tidepool.toml` in the data folder over the profile's own
//! values.

pub(super) mod database;
mod file;
mod oidc;
mod profile;
mod unknown;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use confique::Config;
use serde::Serialize;

use file::SettingsFile;
pub(crate) use oidc::is_oidc_address;
pub use profile::Profile;
pub(in crate::base) use unknown::read_table;

/// The settings in force.
#[derive(Clone, Debug, Serialize)]
#[allow(
    missing_docs,
    reason = "documented once, on `SettingsFile`, where the printed file takes it from"
)]
pub struct Settings {
    #[serde(skip)]
    pub data: PathBuf,
    pub address: SocketAddr,
    pub profile: Profile,
    pub https: bool,
    pub behind_proxy: bool,
    pub hosts: Vec<String>,
    pub log: String,
    pub log_json: bool,
    pub cache_mib: u64,
    pub cache_ttl_seconds: u64,
    #[serde(serialize_with = "database::serialize")]
    pub database: String,
    pub write_shards: usize,
    #[serde(serialize_with = "database::serialize")]
    pub nats: String,
    pub nats_prefix: String,
    pub readers: u32,
    pub write_batch: usize,
    pub write_wait_micros: u64,
    pub presence_batch_millis: u64,
    pub idle_after_seconds: u64,
    pub feed_frames: usize,
    pub writes_per_10_seconds: u32,
    pub max_waiting_writes: usize,
    pub requests_per_minute: u32,
    pub max_connections: usize,
    pub max_connections_per_address: usize,
    pub head_seconds: u64,
    pub max_sockets: usize,
    pub max_sockets_per_account: usize,
    pub max_requests: usize,
    pub voice_port: u16,
    pub voice_addresses: Vec<String>,
    pub max_voice_people: usize,
    pub terminals: bool,
    pub room_shells: bool,
    pub s3_bucket: String,
    pub s3_endpoint: String,
    pub s3_region: String,
    pub s3_access_key: String,
    #[serde(skip)]
    pub s3_secret_key: String,
    pub s3_patience_seconds: u64,
    #[serde(serialize_with = "database::serialize")]
    pub mail: String,
    #[serde(skip)]
    pub mail_password: String,
    pub mail_from: String,
    pub public_address: String,
    pub oidc_issuer: String,
    pub oidc_client_id: String,
    #[serde(skip)]
    pub oidc_client_secret: String,
    pub oidc_name: String,
    pub oidc_create_accounts: bool,
    pub letters_prompts_url: String,
    pub letters_prompts_model: String,
    #[serde(skip)]
    pub letters_prompts_key: String,
    pub push_to_loopback: bool,
    pub link_previews: bool,
    pub link_previews_from_loopback: bool,
    pub max_file_mib: u64,
    pub max_files_mib_per_account: u64,
    pub max_files_mib_per_space: u64,
    pub max_uploads: usize,
    pub upload_hours: u64,
    pub picture_memory_mib: u64,
    pub max_messages_per_day: u64,
    pub max_message_kib_per_day: u64,
    pub max_checked_mib_per_night: u64,
}

/// What the command line sets; it wins over everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Where to listen.
    pub address: Option<SocketAddr>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The profile.
    pub profile: Option<Profile>,
}

impl Settings {
    /// Reads environment and file, and fills the rest by profile.
    ///
    /// # Errors
    /// When the file cannot be read, has a key that no setting has, or a value of the wrong type or
    /// out of range.
    pub fn load(flags: &Flags) -> Result<Self> {
        let data = flags
            .data
            .clone()
            .or_else(|| std::env::var_os("TIDEPOOL_DATA").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("./data"));
        let path = data.join("tidepool.toml");
        unknown::refuse_unknown_keys(&path)?;
        let file = SettingsFile::builder()
            .env()
            .file(&path)
            .load()
            .with_context(|| {
                format!(
                    "the settings cannot be read (environment, then {})",
                    path.display()
                )
            })?;
        let mut settings = Self::of(flags.profile.or(file.profile).unwrap_or_default(), &data);
        settings.take(file);
        if let Some(address) = flags.address {
            settings.address = address;
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        ensure!(self.readers >= 1, "readers must be at least 1");
        ensure!(
            (1..=64).contains(&self.write_shards),
            "write_shards must be from 1 to 64"
        );
        ensure!(
            self.nats.is_empty() || !self.database.is_empty(),
            "nats joins several servers on one PostgreSQL database: set database, too"
        );
        let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        ensure!(
            !self.nats_prefix.is_empty() && self.nats_prefix.chars().all(is_token),
            "nats_prefix must be letters, digits, '-' and '_'"
        );
        ensure!(self.write_batch >= 1, "write_batch must be at least 1");
        ensure!(
            self.writes_per_10_seconds >= 1,
            "writes_per_10_seconds must be at least 1"
        );
        ensure!(
            self.max_waiting_writes >= 1,
            "max_waiting_writes must be at least 1"
        );
        ensure!(
            self.max_connections >= 8,
            "max_connections must be at least 8"
        );
        ensure!(self.head_seconds >= 1, "head_seconds must be at least 1");
        ensure!(self.feed_frames >= 16, "feed_frames must be at least 16");
        ensure!(
            self.picture_memory_mib >= 32,
            "picture_memory_mib must be at least 32"
        );
        ensure!(self.max_requests >= 8, "max_requests must be at least 8");
        self.check_oidc()?;
        ensure!(
            self.letters_prompts_url.is_empty() || is_oidc_address(&self.letters_prompts_url),
            "letters_prompts_url must be an https address, or one of this machine"
        );
        ensure!(
            self.write_wait_micros <= 100_000,
            "write_wait_micros must be at most 100000 (a tenth of a second)"
        );
        Ok(())
    }

    /// Variables of the environment that begin like ours and that no setting has, each with the
    /// nearest name that one has. Other programs may use them, so they are to be logged only.
    pub fn unknown_variables() -> Vec<String> {
        unknown::unknown_variables(std::env::vars_os().map(|(name, _)| name))
    }

    /// What the server works with, in a line for the log.
    pub fn joined_to(&self) -> String {
        let database = match self.database.as_str() {
            "" => format!("SQLite in {}", self.data.display()),
            address => database::without_password(address),
        };
        match self.nats.as_str() {
            "" => format!("the database is {database}; this server is alone"),
            nats => format!(
                "the database is {database}; joined to other servers over {}, as {}",
                database::without_password(nats),
                self.nats_prefix
            ),
        }
    }

    /// How long things stay cached unused.
    pub fn cache_ttl(&self) -> Duration {
        Duration::from_secs(self.cache_ttl_seconds)
    }
}
