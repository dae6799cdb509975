//! The settings as a file: `tidepool.toml`, and the variables of the environment that win over it.

use std::net::SocketAddr;

use anyhow::Result;
use confique::Config;
use confique::meta::FieldKind;

use super::{Profile, Settings};

/// What can be set in `tidepool.toml` or the environment; the profile decides the rest. The
/// comments are printed into the file.
#[derive(Debug, Config)]
pub(super) struct SettingsFile {
    /// Where to listen. Use 0.0.0.0:8080 to be reached from other machines.
    #[config(env = "TIDEPOOL_ADDRESS")]
    address: Option<SocketAddr>,
    /// development, production or high-scale: the values of everything below that is not set.
    #[config(env = "TIDEPOOL_PROFILE")]
    pub(super) profile: Option<Profile>,
    /// True when people reach the server by https (through a proxy): cookies then never travel
    /// unencrypted.
    #[config(env = "TIDEPOOL_HTTPS")]
    https: Option<bool>,
    /// True when a proxy in front sets X-Forwarded-For. Never set it without one: the header would
    /// be believed.
    #[config(env = "TIDEPOOL_BEHIND_PROXY")]
    behind_proxy: Option<bool>,
    /// Host names that the server answers to, besides the one it was set up under and addresses of
    /// the own machine and network: ["chat.example.org"]. In the environment separated by commas.
    /// Another name is answered 421.
    #[config(env = "TIDEPOOL_HOSTS", parse_env = confique::env::parse::list_by_comma)]
    hosts: Option<Vec<String>>,
    /// How much to log: error, warn, info, debug, or per part, such as
    /// "info,tidepool::engine=debug".
    #[config(env = "TIDEPOOL_LOG")]
    log: Option<String>,
    /// Log lines as JSON.
    #[config(env = "TIDEPOOL_LOG_JSON")]
    log_json: Option<bool>,
    /// Memory for rendered fragments, in MiB.
    #[config(env = "TIDEPOOL_CACHE_MIB")]
    cache_mib: Option<u64>,
    /// Seconds after which an unused fragment, account or right is read afresh.
    #[config(env = "TIDEPOOL_CACHE_TTL_SECONDS")]
    cache_ttl_seconds: Option<u64>,
    /// Where the database is: empty for an SQLite file in the data folder, or the address of a
    /// PostgreSQL database (15 or newer), such as
    /// postgres://tidepool@db.example.org/tidepool?sslmode=verify-full. It is printed without its
    /// password, which PGPASSWORD may hold instead.
    #[config(env = "TIDEPOOL_DATABASE")]
    database: Option<String>,
    /// Connections that write to PostgreSQL at the same time, from 1 to 64. SQLite has one.
    #[config(env = "TIDEPOOL_WRITE_SHARDS")]
    write_shards: Option<usize>,
    /// The address of NATS, which joins several servers on one PostgreSQL database:
    /// nats://10.0.0.5:4222, with user and password before an @ where it asks for them, or
    /// tls://…; several addresses of one NATS cluster with commas. Empty: this server is alone.
    #[config(env = "TIDEPOOL_NATS")]
    nats: Option<String>,
    /// What subjects on NATS begin with. Every installation on one NATS needs its own.
    #[config(env = "TIDEPOOL_NATS_PREFIX")]
    nats_prefix: Option<String>,
    /// Connections that read from the database.
    #[config(env = "TIDEPOOL_READERS")]
    readers: Option<u32>,
    /// Writes that share one commit, at most.
    #[config(env = "TIDEPOOL_WRITE_BATCH")]
    write_batch: Option<usize>,
    /// Microseconds a commit waits for further writes. 0 commits what is waiting and no more.
    #[config(env = "TIDEPOOL_WRITE_WAIT_MICROS")]
    write_wait_micros: Option<u64>,
    /// Milliseconds over which changes of presence are gathered into one frame.
    #[config(env = "TIDEPOOL_PRESENCE_BATCH_MILLIS")]
    presence_batch_millis: Option<u64>,
    /// Seconds without a move after which someone counts as idle.
    #[config(env = "TIDEPOOL_IDLE_AFTER_SECONDS")]
    idle_after_seconds: Option<u64>,
    /// Recent frames a feed keeps for sockets that come back.
    #[config(env = "TIDEPOOL_FEED_FRAMES")]
    feed_frames: Option<usize>,
    /// Posts one account may make in ten seconds, and as many other kept changes. What makes
    /// something for many (rooms, invitations) may be done so often in a minute; typing, read marks
    /// and reading for programs twice as often in ten seconds. One more is answered 429.
    #[config(env = "TIDEPOOL_WRITES_PER_10_SECONDS")]
    writes_per_10_seconds: Option<u32>,
    /// Open sockets of the whole server. One more is answered 503.
    #[config(env = "TIDEPOOL_MAX_SOCKETS")]
    max_sockets: Option<usize>,
    /// Writes that may wait for the database. One more is answered 503 at once; reading goes on.
    #[config(env = "TIDEPOOL_MAX_WAITING_WRITES")]
    max_waiting_writes: Option<usize>,
    /// Requests that one account, or one address while nobody is signed in, may make in a minute,
    /// without assets. One more is answered 429. 0 means any number.
    #[config(env = "TIDEPOOL_REQUESTS_PER_MINUTE")]
    requests_per_minute: Option<u32>,
    /// Open connections of the whole server, sockets among them. One more is answered 503. Never
    /// more than the system's limit of open files allows.
    #[config(env = "TIDEPOOL_MAX_CONNECTIONS")]
    max_connections: Option<usize>,
    /// Open connections of one address (of IPv6, of one /64). One more is answered 429. 0 means any
    /// number. Not counted behind a proxy, whose address would be everybody's.
    #[config(env = "TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS")]
    max_connections_per_address: Option<usize>,
    /// Seconds that the head of a request may take, and that a connection may wait for its next
    /// request. At least 130 behind a proxy, which keeps connections for later.
    #[config(env = "TIDEPOOL_HEAD_SECONDS")]
    head_seconds: Option<u64>,
    /// Open sockets of one account. It may open four times as many in a minute.
    #[config(env = "TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT")]
    max_sockets_per_account: Option<usize>,
    /// Requests in work at once, without assets and health. One more is answered 503 at once.
    #[config(env = "TIDEPOOL_MAX_REQUESTS")]
    max_requests: Option<usize>,
    /// The port of voice and video, for both UDP and TCP: the one thing besides the web address that a
    /// firewall has to let in. Each instance on one machine needs its own. 0: any free port.
    #[config(env = "TIDEPOOL_VOICE_PORT")]
    voice_port: Option<u16>,
    /// Names or addresses under which browsers reach that port, with commas between them in the
    /// environment. Empty: the host of the page, and this machine's own address.
    #[config(env = "TIDEPOOL_VOICE_ADDRESSES", parse_env = confique::env::parse::list_by_comma)]
    voice_addresses: Option<Vec<String>>,
    /// People in voice rooms and calls of this instance at once. One more is answered 507.
    #[config(env = "TIDEPOOL_MAX_VOICE_PEOPLE")]
    max_voice_people: Option<usize>,
    /// Whether members may share terminals of their own machines in rooms. The server runs nothing
    /// either way. false: nobody can begin to.
    #[config(env = "TIDEPOOL_TERMINALS")]
    terminals: Option<bool>,
    /// Whether people whom a space gives the right may open shells on this server in its rooms:
    /// contained by bubblewrap, without network, each with its own folder in memory. What cannot
    /// be contained is refused. See docs/terminals.md.
    #[config(env = "TIDEPOOL_ROOM_SHELLS")]
    room_shells: Option<bool>,
    /// Where files are kept: empty for the folder "files" in the data folder, or the name of an S3
    /// bucket.
    #[config(env = "TIDEPOOL_S3_BUCKET")]
    s3_bucket: Option<String>,
    /// The bucket's server, such as https://s3.eu-central-1.amazonaws.com or http://127.0.0.1:9000.
    /// Empty: Amazon's, by region.
    #[config(env = "TIDEPOOL_S3_ENDPOINT")]
    s3_endpoint: Option<String>,
    /// The bucket's region.
    #[config(env = "TIDEPOOL_S3_REGION")]
    s3_region: Option<String>,
    /// The access key's name. The key itself is never written here: it is TIDEPOOL_S3_SECRET_KEY in
    /// the environment, or s3_secret_key in secrets.toml.
    #[config(env = "TIDEPOOL_S3_ACCESS_KEY")]
    s3_access_key: Option<String>,
    /// Seconds after which an S3 server that says nothing is given up.
    #[config(env = "TIDEPOOL_S3_PATIENCE_SECONDS")]
    s3_patience_seconds: Option<u64>,
    /// How mail is sent: smtps://user@mail.example.org (encrypted from the start, port 465) or
    /// smtp://user@mail.example.org:587 (encrypted by STARTTLS), or folder:/path, which writes
    /// .eml files there. Empty: no mail is sent. It is printed without its password, which
    /// TIDEPOOL_MAIL_PASSWORD in the environment or mail_password in secrets.toml may hold instead.
    #[config(env = "TIDEPOOL_MAIL")]
    mail: Option<String>,
    /// The sender of mail, such as chat@example.org. Needed wherever mail is set.
    #[config(env = "TIDEPOOL_MAIL_FROM")]
    mail_from: Option<String>,
    /// Where links in mail lead: the address by which people reach this server, such as
    /// https://chat.example.org. Empty: the host name that it was set up under.
    #[config(env = "TIDEPOOL_PUBLIC_ADDRESS")]
    public_address: Option<String>,
    /// The service that people can sign in with by OpenID Connect, exactly as its discovery document
    /// names itself, such as https://login.example.org/realms/main. Empty: none.
    #[config(env = "TIDEPOOL_OIDC_ISSUER")]
    oidc_issuer: Option<String>,
    /// The name of this server at that service. The secret is never written here: it is
    /// TIDEPOOL_OIDC_CLIENT_SECRET in the environment, or oidc_client_secret in secrets.toml.
    #[config(env = "TIDEPOOL_OIDC_CLIENT_ID")]
    oidc_client_id: Option<String>,
    /// What the service is called on the button. Empty: its host name.
    #[config(env = "TIDEPOOL_OIDC_NAME")]
    oidc_name: Option<String>,
    /// Whether people of that service who have no account get one, without an invitation.
    #[config(env = "TIDEPOOL_OIDC_CREATE_ACCOUNTS")]
    oidc_create_accounts: Option<bool>,
    /// A service that suggests questions to begin a letter with: the address of an API like
    /// OpenAI's, such as https://api.example.org/v1 or http://127.0.0.1:11434/v1. It gets the mood
    /// and the few words that a member chooses, never a letter or a name. Empty: none.
    #[config(env = "TIDEPOOL_LETTERS_PROMPTS_URL")]
    letters_prompts_url: Option<String>,
    /// The model that is asked there. The key is never written here: it is
    /// TIDEPOOL_LETTERS_PROMPTS_KEY in the environment, or letters_prompts_key in secrets.toml.
    #[config(env = "TIDEPOOL_LETTERS_PROMPTS_MODEL")]
    letters_prompts_model: Option<String>,
    /// Whether notices may be pushed over plain http and to this machine: for tests only.
    #[config(env = "TIDEPOOL_PUSH_TO_LOOPBACK")]
    push_to_loopback: Option<bool>,
    /// Whether the server fetches the pages that messages link to, and shows their titles and
    /// pictures in cards. It then connects to any public address that a member names. Without it
    /// nothing of a link leaves this machine.
    #[config(env = "TIDEPOOL_LINK_PREVIEWS")]
    link_previews: Option<bool>,
    /// Whether previews are also fetched from this machine and its network, from any port: for
    /// tests only.
    #[config(env = "TIDEPOOL_LINK_PREVIEWS_FROM_LOOPBACK")]
    link_previews_from_loopback: Option<bool>,
    /// The largest file, in MiB.
    #[config(env = "TIDEPOOL_MAX_FILE_MIB")]
    max_file_mib: Option<u64>,
    /// What one account may keep in files, in MiB.
    #[config(env = "TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT")]
    max_files_mib_per_account: Option<u64>,
    /// What one space may keep in files, in MiB.
    #[config(env = "TIDEPOOL_MAX_FILES_MIB_PER_SPACE")]
    max_files_mib_per_space: Option<u64>,
    /// Files that may be on their way in at once. One more is answered 503.
    #[config(env = "TIDEPOOL_MAX_UPLOADS")]
    max_uploads: Option<usize>,
    /// Hours after which a half-made upload, or a file that nothing refers to, is deleted.
    #[config(env = "TIDEPOOL_UPLOAD_HOURS")]
    upload_hours: Option<u64>,
    /// Memory for decoding pictures, in MiB, of the whole server. A picture waits until there is
    /// room for it; one that needs more than all of it can only be downloaded.
    #[config(env = "TIDEPOOL_PICTURE_MEMORY_MIB")]
    picture_memory_mib: Option<u64>,
    /// Messages one account may post in a day (UTC). One more is answered 429. 0 means any number.
    #[config(env = "TIDEPOOL_MAX_MESSAGES_PER_DAY")]
    max_messages_per_day: Option<u64>,
    /// Text one account may write in a day (UTC), edits included, in KiB. More is answered 429. 0
    /// means any amount.
    #[config(env = "TIDEPOOL_MAX_MESSAGE_KIB_PER_DAY")]
    max_message_kib_per_day: Option<u64>,
    /// Files that are compared with their digests in a night, in MiB, those first that were checked
    /// longest ago. 0 means none.
    #[config(env = "TIDEPOOL_MAX_CHECKED_MIB_PER_NIGHT")]
    max_checked_mib_per_night: Option<u64>,
}

impl SettingsFile {
    /// The key in the file and the variable of the environment of each setting.
    pub(super) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        Self::META
            .fields
            .iter()
            .filter_map(|field| match field.kind {
                FieldKind::Leaf {
                    env: Some(variable),
                    ..
                } => Some((field.name, variable)),
                _ => None,
            })
    }
}

impl Settings {
    /// Overrides the profile's values with those that are set.
    pub(super) fn take(&mut self, file: SettingsFile) {
        macro_rules! take {
            ($($field:ident),*) => {
                $(if let Some(value) = file.$field {
                    self.$field = value;
                })*
            };
        }
        take!(
            address,
            https,
            behind_proxy,
            hosts,
            log,
            log_json,
            cache_mib,
            cache_ttl_seconds,
            database,
            write_shards,
            nats,
            nats_prefix,
            readers,
            write_batch,
            write_wait_micros,
            presence_batch_millis,
            idle_after_seconds,
            feed_frames,
            writes_per_10_seconds,
            max_waiting_writes,
            requests_per_minute,
            max_connections,
            max_connections_per_address,
            head_seconds,
            max_sockets,
            max_sockets_per_account,
            max_requests,
            voice_port,
            voice_addresses,
            max_voice_people,
            terminals,
            room_shells,
            s3_bucket,
            s3_endpoint,
            s3_region,
            s3_access_key,
            s3_patience_seconds,
            mail,
            mail_from,
            public_address,
            oidc_issuer,
            oidc_client_id,
            oidc_name,
            oidc_create_accounts,
            letters_prompts_url,
            letters_prompts_model,
            push_to_loopback,
            link_previews,
            link_previews_from_loopback,
            max_file_mib,
            max_files_mib_per_account,
            max_files_mib_per_space,
            max_uploads,
            upload_hours,
            picture_memory_mib,
            max_messages_per_day,
            max_message_kib_per_day,
            max_checked_mib_per_night
        );
    }

    /// The settings in force as a commented file that can be saved as `tidepool.toml`.
    pub fn as_file(&self) -> Result<String> {
        let values = serde_json::to_value(self)?;
        let mut file = String::from(
            "# Settings of Tidepool, with the values in force. Save as tidepool.toml in the data\n\
             # folder and change what you like; a line left out follows the profile. The\n\
             # environment wins over this file, and flags win over both.\n",
        );
        for field in SettingsFile::META.fields {
            let value = &values[field.name];
            file.push('\n');
            for line in field.doc {
                file.push_str(&format!("#{line}\n"));
            }
            if let FieldKind::Leaf { env: Some(env), .. } = &field.kind {
                file.push_str(&format!("# Environment: {env}\n"));
            }
            file.push_str(&format!("{} = {value}\n", field.name));
        }
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Flags;
    use super::*;

    #[test]
    fn printed_file_reads_back_to_the_same_settings() {
        for profile in [
            Profile::Development,
            Profile::Production,
            Profile::HighScale,
        ] {
            let folder = std::env::temp_dir().join(format!(
                "tidepool-settings-{}-{profile:?}",
                std::process::id()
            ));
            std::fs::create_dir_all(&folder).unwrap();
            let settings = Settings::of(profile, &folder);
            std::fs::write(folder.join("tidepool.toml"), settings.as_file().unwrap()).unwrap();
            let read = Settings::load(&Flags {
                data: Some(folder.clone()),
                ..Flags::default()
            })
            .unwrap();
            assert_eq!(
                serde_json::to_value(&read).unwrap(),
                serde_json::to_value(&settings).unwrap()
            );
            std::fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn every_setting_is_printed_with_its_meaning() {
        let file = Settings::of(Profile::Production, Path::new("data"))
            .as_file()
            .unwrap();
        for (name, _) in serde_json::to_value(Settings::of(Profile::Production, Path::new(".")))
            .unwrap()
            .as_object()
            .unwrap()
        {
            assert!(file.contains(&format!("\n{name} = ")), "{name} is missing");
        }
        assert!(file.contains("# Environment: TIDEPOOL_ADDRESS"));
    }
}
