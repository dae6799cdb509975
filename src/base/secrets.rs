//! Random tokens, and the file of the server's own secrets.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::settings::read_table;

/// The keys of the file.
const METRICS_TOKEN: &str = "metrics_token";
const S3_SECRET_KEY: &str = "s3_secret_key";
const MAIL_PASSWORD: &str = "mail_password";
const OIDC_CLIENT_SECRET: &str = "oidc_client_secret";
const LETTERS_PROMPTS_KEY: &str = "letters_prompts_key";

const KEYS: [&str; 5] = [
    METRICS_TOKEN,
    S3_SECRET_KEY,
    MAIL_PASSWORD,
    OIDC_CLIENT_SECRET,
    LETTERS_PROMPTS_KEY,
];

/// A token of 256 random bits in 43 characters that need no escapes in addresses.
pub fn token() -> String {
    random(32)
}

/// A token of 128 random bits in 22 characters, for links that people pass on.
pub fn short_token() -> String {
    random(16)
}

/// A number that nobody can know, to draw from.
pub fn seed() -> i64 {
    // As for tokens: a predictable one would tell what is drawn.
    let seed = getrandom::u64().expect("the system's random source answers");
    seed.cast_signed()
}

/// An id for a request, 16 hexadecimal digits: unique within a process, and almost certainly across
/// restarts. Not a secret; costs no system call.
pub fn request_id() -> String {
    static FIRST: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // An odd step reaches every number before it repeats one; that of SplitMix64 makes neighbours
    // look different.
    let step = NUMBER
        .fetch_add(1, Ordering::Relaxed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:016x}", FIRST.wrapping_add(step))
}

fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    // A predictable token would let anybody in.
    getrandom::fill(&mut buffer).expect("the system's random source answers");
    URL_SAFE_NO_PAD.encode(buffer)
}

/// SHA-256 of a token, which is stored in its place: a stolen backup signs nobody in.
pub fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// Compares in a time that does not depend on how much of `given` is right.
pub fn is_equal(given: &str, expected: &str) -> bool {
    Sha256::digest(given.as_bytes()) == Sha256::digest(expected.as_bytes())
}

/// The server's own secrets, `secrets.toml` in the data folder, mode 0600.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Bearer token of `GET /metrics`.
    pub metrics_token: String,
    /// The key of the S3 bucket's user, from TIDEPOOL_S3_SECRET_KEY or the file; empty without one.
    pub s3_secret_key: String,
    /// The password at the mail server, from TIDEPOOL_MAIL_PASSWORD or the file; empty without one.
    pub mail_password: String,
    /// The secret at the sign-in service, from TIDEPOOL_OIDC_CLIENT_SECRET or the file; empty
    /// without one.
    pub oidc_client_secret: String,
    /// The key at the service that suggests questions for letters, from
    /// TIDEPOOL_LETTERS_PROMPTS_KEY or the file; empty without one.
    pub letters_prompts_key: String,
}

impl Secrets {
    /// Reads the file, after creating it at the first start.
    ///
    /// # Errors
    /// When other users of the machine can read the file, when it has a key that no secret has or
    /// its token is too short.
    pub fn load(data: &Path) -> Result<Self> {
        let path = data.join("secrets.toml");
        if !path.exists() {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("cannot create {}", path.display()))?;
            write!(
                file,
                "# Secrets of this server. Delete the file to have new ones made at a start.\n\
                 metrics_token = \"{}\"\n",
                token()
            )?;
            file.sync_all()?;
        }
        let mode = fs::metadata(&path)?.permissions().mode();
        ensure!(
            mode & 0o077 == 0,
            "{} can be read by others; run: chmod 600 {}",
            path.display(),
            path.display()
        );
        let mut table = read_table(&path, "secret", &KEYS)?;
        let mut named = |name: &str| match table.remove(name) {
            None => Ok(None),
            Some(toml::Value::String(secret)) => Ok(Some(secret)),
            Some(_) => bail!("{name} in {} is no text in quotes", path.display()),
        };
        let metrics_token = named(METRICS_TOKEN)?.unwrap_or_else(token);
        let mut given = |variable: &str, name: &str| {
            let in_file = named(name)?;
            let secret = std::env::var(variable).ok();
            anyhow::Ok(secret.or(in_file).unwrap_or_default())
        };
        let s3_secret_key = given("TIDEPOOL_S3_SECRET_KEY", S3_SECRET_KEY)?;
        let mail_password = given("TIDEPOOL_MAIL_PASSWORD", MAIL_PASSWORD)?;
        let oidc_client_secret = given("TIDEPOOL_OIDC_CLIENT_SECRET", OIDC_CLIENT_SECRET)?;
        let letters_prompts_key = given("TIDEPOOL_LETTERS_PROMPTS_KEY", LETTERS_PROMPTS_KEY)?;
        ensure!(
            metrics_token.len() >= 16,
            "metrics_token in {} is too short",
            path.display()
        );
        Ok(Self {
            metrics_token,
            s3_secret_key,
            mail_password,
            oidc_client_secret,
            letters_prompts_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, text: &str) -> Result<Secrets, String> {
        let id = std::process::id();
        let folder = std::env::temp_dir().join(format!("tidepool-secrets-{id}-{name}"));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("secrets.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let loaded = Secrets::load(&folder).map_err(|error| format!("{error:#}"));
        fs::remove_dir_all(folder).unwrap();
        loaded
    }

    #[test]
    fn unknown_secret_is_refused_with_the_nearest() {
        let known = "metrics_token = \"0123456789abcdef\"\n";
        let secrets = load("known", &format!("{known}s3_secret_key = 'k#='\n")).unwrap();
        assert_eq!(secrets.metrics_token, "0123456789abcdef");
        assert_eq!(secrets.s3_secret_key, "k#=");
        let error = load("misspelt", &format!("{known}s3_secret = \"hidden\"\n")).unwrap_err();
        assert!(error.contains("did you mean \"s3_secret_key\"?"), "{error}");
        for (case, line) in [
            ("number", "s3_secret_key = 1"),
            ("bare", "\ns3_key = hidden"),
        ] {
            let error = load(case, &format!("{known}{line}\n")).unwrap_err();
            assert!(!error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn tokens_differ_and_digests_agree() {
        assert_ne!(token(), token());
        assert_eq!(token().len(), 43);
        assert_eq!(digest("a"), digest("a"));
        assert!(is_equal("abc", "abc") && !is_equal("abc", "abd"));
    }
}
