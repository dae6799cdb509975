//! Profiles: the values of everything that is not set by hand.

use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Settings;

/// The size of the server, which decides the values of everything that is not set by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// One developer: small caches, debug logs, no rate limit.
    Development,
    /// A community of hundreds on a small machine.
    #[default]
    Production,
    /// Thousands of sockets on a machine of its own.
    HighScale,
}

impl Settings {
    /// A profile's own values.
    pub fn of(profile: Profile, data: &Path) -> Self {
        let by = |development, production, high_scale| match profile {
            Profile::Development => development,
            Profile::Production => production,
            Profile::HighScale => high_scale,
        };
        Self {
            data: data.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            profile,
            https: false,
            behind_proxy: false,
            hosts: Vec::new(),
            log: match profile {
                Profile::Development => "info,tidepool=debug,memory_serve=warn,async_nats=off",
                Profile::Production => "info,memory_serve=warn,async_nats=off",
                Profile::HighScale => "warn,security=info,async_nats=off",
            }
            .to_owned(),
            log_json: false,
            cache_mib: by(16, 32, 128) as u64,
            cache_ttl_seconds: by(60, 600, 3600) as u64,
            database: String::new(),
            write_shards: by(4, 4, 4),
            nats: String::new(),
            nats_prefix: "tidepool".to_owned(),
            readers: by(2, 4, 8) as u32,
            write_batch: by(32, 128, 256),
            write_wait_micros: by(0, 0, 500) as u64,
            presence_batch_millis: by(100, 250, 500) as u64,
            idle_after_seconds: by(300, 300, 300) as u64,
            feed_frames: by(256, 512, 2048),
            writes_per_10_seconds: by(1_000, 60, 60) as u32,
            max_waiting_writes: by(1_024, 1_024, 4_096),
            // While developing everything comes from one address, and tests are quicker than
            // people.
            requests_per_minute: by(0, 1_200, 1_200) as u32,
            max_connections: by(2_048, 16_000, 70_000),
            max_connections_per_address: by(0, 1_024, 1_024),
            head_seconds: by(10, 10, 10) as u64,
            max_sockets: by(1_000, 12_000, 60_000),
            max_sockets_per_account: by(64, 64, 64),
            max_requests: by(256, 1024, 4096),
            // That of STUN and TURN, which firewalls of companies and hotels know.
            voice_port: 3478,
            voice_addresses: Vec::new(),
            max_voice_people: by(100, 300, 2_000),
            terminals: true,
            room_shells: false,
            s3_bucket: String::new(),
            s3_endpoint: String::new(),
            s3_region: "us-east-1".to_owned(),
            s3_access_key: String::new(),
            s3_secret_key: String::new(),
            s3_patience_seconds: by(20, 20, 20) as u64,
            mail: String::new(),
            mail_password: String::new(),
            mail_from: String::new(),
            public_address: String::new(),
            oidc_issuer: String::new(),
            oidc_client_id: String::new(),
            oidc_client_secret: String::new(),
            oidc_name: String::new(),
            oidc_create_accounts: false,
            letters_prompts_url: String::new(),
            letters_prompts_model: "default".to_owned(),
            letters_prompts_key: String::new(),
            push_to_loopback: false,
            link_previews: false,
            link_previews_from_loopback: false,
            max_file_mib: by(2_048, 2_048, 2_048) as u64,
            max_files_mib_per_account: by(20_480, 10_240, 10_240) as u64,
            max_files_mib_per_space: by(102_400, 102_400, 1_024_000) as u64,
            max_uploads: by(64, 64, 512),
            upload_hours: by(24, 24, 24) as u64,
            // A JPEG of 48 megapixels, and the server in a machine of 512 MiB.
            picture_memory_mib: by(256, 256, 512) as u64,
            max_messages_per_day: by(0, 20_000, 20_000) as u64,
            max_message_kib_per_day: by(0, 4_096, 4_096) as u64,
            max_checked_mib_per_night: by(4_096, 4_096, 65_536) as u64,
        }
    }
}
