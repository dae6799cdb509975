//! Codes of an authenticator app (TOTP, RFC 6238) as the second step of signing in, and recovery
//! codes that stand in for a lost one.

use anyhow::anyhow;
use totp_rs::{Builder, Secret, Totp};

use super::Community;
use super::account_mail::Letter;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::base::security_log::SecurityEvent;
use crate::engine::viewer::Viewer;

/// Of a secret, as RFC 4226 recommends for SHA-1.
const SECRET_BYTES: usize = 20;
const SECRET_CHARS: usize = 32; // in base32
/// Characters of a code, with room for spaces and dashes that people type.
const MAX_CODE_CHARS: usize = 40;
const RECOVERY_CODES: usize = 10;
/// Of a recovery code: 120 random bits, so that a stolen digest tells nothing of it. Base32 fills
/// whole characters.
const RECOVERY_BYTES: usize = 15;

/// Whether an account asks for a code, and how many recovery codes it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TotpState {
    pub(super) is_on: bool,
    pub(super) codes_left: i64,
}

/// A new secret, in base32.
pub(super) fn new_secret() -> Result<String> {
    Ok(Secret::from(random(SECRET_BYTES)?).to_base32())
}

/// Whether a secret of a form can be one: of [`new_secret`].
pub(super) fn is_secret(text: &str) -> bool {
    text.len() == SECRET_CHARS && Secret::try_from_base32(text).is_ok()
}

fn random(bytes: usize) -> Result<Vec<u8>> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|error| anyhow!("the random source: {error}"))?;
    Ok(buffer)
}

fn totp(secret: &str) -> Result<Totp> {
    let secret = Secret::try_from_base32(secret).map_err(|_| anyhow!("a secret is no base32"))?;
    // One step of 30 s before and after: clocks differ.
    let totp = Builder::new().with_secret(secret).with_skew(1).build();
    Ok(totp.map_err(|error| anyhow!("a secret cannot be used: {error}"))?)
}

/// The step of 30 s that a code is of; `None` for a wrong one.
fn step_of(secret: &str, code: &str, now: Micros) -> Result<Option<i64>> {
    let seconds = u64::try_from(now.0 / 1_000_000).unwrap_or_default();
    let step = totp(secret)?.check(code, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// The letters and digits of a code as typed.
fn plain(code: &str) -> String {
    let kept = code.chars().filter(char::is_ascii_alphanumeric);
    kept.take(MAX_CODE_CHARS)
        .collect::<String>()
        .to_ascii_uppercase()
}

/// The address of a secret that authenticator apps read from a QR code.
pub(super) fn otpauth(secret: &str, server: &str, name: &str) -> String {
    let encoded = |text: &str| -> String {
        let bytes = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        });
        bytes.collect()
    };
    let (server, name) = (encoded(server), encoded(name));
    format!("otpauth://totp/{server}:{name}?secret={secret}&issuer={server}")
}

/// The QR code of an address as an `<svg>`; none if it is too long for one.
pub fn qr_svg(text: &str) -> Option<String> {
    use qrcode::render::svg::Color;
    let code = qrcode::QrCode::new(text).ok()?;
    let mut renderer = code.render::<Color<'_>>();
    let svg = renderer.module_dimensions(4, 4).build();
    let start = svg.find("<svg")?;
    Some(svg[start..].to_owned())
}

impl Community {
    /// Whether an account asks for a code.
    pub(super) async fn totp_state(&self, account: AccountId) -> Result<TotpState> {
        const READ: &str = "SELECT \
            EXISTS (SELECT 1 FROM totp_secrets WHERE account_id = $1), \
            (SELECT count(*) FROM recovery_codes WHERE account_id = $1)";
        let (is_on, codes_left) = self.engine().db.one(READ, (account,)).await?;
        Ok(TotpState { is_on, codes_left })
    }

    /// Has an account ask for a code from now on. Returns its recovery codes, which are shown once.
    ///
    /// # Errors
    /// `Invalid` when `code` is not one of `secret`, `Conflict` when the account asks already.
    pub(super) async fn turn_totp_on(
        &self,
        viewer: &Viewer,
        secret: String,
        code: &str,
    ) -> Result<Vec<String>> {
        if !is_secret(&secret) {
            return Err(Error::field("form", "error-message-shape"));
        }
        let step = step_of(&secret, &plain(code), Micros::now())?
            .ok_or(Error::field("code", "error-code-wrong"))?;
        let codes = new_recovery_codes()?;
        let digests: Vec<String> = codes.iter().map(|code| digest(&plain(code))).collect();
        let account = self.accounts.get(viewer.account).await?;
        let about = (&*account.email, &*account.name);
        let notice = self.letter(Letter::TotpOn, about, viewer.lang).await?;
        let (engine, id) = (self.engine().clone(), viewer.account);
        let write = self.engine().db.write(async move |tx| {
            const INSERT: &str = "INSERT INTO totp_secrets \
                (account_id, secret, last_step, created_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (account_id) DO NOTHING";
            const CODE: &str = "INSERT INTO recovery_codes (account_id, digest) VALUES ($1, $2)";
            let row = (id, secret, step, Micros::now());
            if tx.execute(INSERT, row).await? == 0 {
                return Err(Error::Conflict("error-totp-on"));
            }
            delete_codes(tx, id).await?;
            for digest in digests {
                tx.execute(CODE, (id, digest)).await?;
            }
            engine.mail.add(tx, &notice).await
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "totp_on");
        Ok(codes)
    }

    /// Has an account ask for no code any more.
    pub(super) async fn turn_totp_off(&self, viewer: &Viewer) -> Result<()> {
        let account = self.accounts.get(viewer.account).await?;
        let about = (&*account.email, &*account.name);
        let notice = self.letter(Letter::TotpOff, about, viewer.lang).await?;
        let (engine, id) = (self.engine().clone(), viewer.account);
        let write = self.engine().db.write_protective(async move |tx| {
            const DELETE: &str = "DELETE FROM totp_secrets WHERE account_id = $1";
            if tx.execute(DELETE, (id,)).await? > 0 {
                delete_codes(tx, id).await?;
                engine.mail.add(tx, &notice).await?;
            }
            Ok(())
        });
        write.await?;
        SecurityEvent::CredentialChanged.record(viewer.account, viewer.address, "totp_off");
        Ok(())
    }

    /// Whether a code of the account is right: of its authenticator, later than the one used last,
    /// or one of its recovery codes, which is used up. Count the try first.
    pub(super) async fn use_code(&self, account: AccountId, code: &str) -> Result<bool> {
        let code = plain(code);
        let write = self.engine().db.write_protective(async move |tx| {
            const READ: &str = "SELECT secret FROM totp_secrets WHERE account_id = $1";
            const USE: &str = "UPDATE totp_secrets SET last_step = $2 \
                WHERE account_id = $1 AND last_step < $2";
            const RECOVER: &str =
                "DELETE FROM recovery_codes WHERE account_id = $1 AND digest = $2";
            let secret: Option<String> = tx.optional_scalar(READ, (account,)).await?;
            let Some(secret) = secret else {
                return Ok(false);
            };
            let used = match step_of(&secret, &code, Micros::now())? {
                Some(step) => tx.execute(USE, (account, step)).await?,
                None => tx.execute(RECOVER, (account, digest(&code))).await?,
            };
            Ok(used > 0)
        });
        write.await
    }
}

async fn delete_codes(tx: &mut Tx, account: AccountId) -> Result<()> {
    const DELETE: &str = "DELETE FROM recovery_codes WHERE account_id = $1";
    tx.execute(DELETE, (account,)).await.map(drop)
}

fn digest(code: &str) -> String {
    secrets::digest(code)
}

/// Twenty-four letters and digits each, in groups of four.
fn new_recovery_codes() -> Result<Vec<String>> {
    let new = || -> Result<String> {
        let code = Secret::from(random(RECOVERY_BYTES)?).to_base32();
        let groups: Vec<String> = code
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        Ok(groups.join("-"))
    };
    (0..RECOVERY_CODES).map(|_| new()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_rfc_6238_is_right_in_its_window() {
        // The test vector of RFC 6238 for SHA-1, of six digits.
        let secret = Secret::from(b"12345678901234567890".to_vec()).to_base32();
        let at = |seconds: i64| Micros(seconds * 1_000_000);
        assert!(is_secret(&secret));
        assert_eq!(step_of(&secret, "287082", at(59)).unwrap(), Some(1));
        assert_eq!(step_of(&secret, "287082", at(89)).unwrap(), Some(1));
        assert_eq!(step_of(&secret, "287082", at(120)).unwrap(), None);
        assert_eq!(step_of(&secret, "", at(59)).unwrap(), None);
    }

    #[test]
    fn recovery_codes_differ_and_are_read_as_typed() {
        let codes = new_recovery_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert_ne!(codes[0], codes[1]);
        assert_eq!(codes[0].len(), 29);
        let typed = format!(" {} ", codes[0].to_lowercase().replace('-', " "));
        assert_eq!(plain(&typed), plain(&codes[0]));
    }

    #[test]
    fn qr_code_is_svg_without_styles() {
        let address = otpauth(&new_secret().unwrap(), "chat.example.org:8080", "Zoë & Co");
        assert!(
            address.contains("chat.example.org%3A8080:Zo%C3%AB%20%26%20Co?"),
            "{address}"
        );
        let svg = qr_svg(&address).unwrap();
        assert!(svg.starts_with("<svg") && !svg.contains("style"), "{svg}");
    }
}
