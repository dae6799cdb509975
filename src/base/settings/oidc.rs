//! The settings of sign-in with OpenID Connect.

use std::net::IpAddr;

use anyhow::{Result, ensure};

use super::Settings;

/// Whether nobody between both servers can read what is sent to this address: https, or plain http
/// to this machine.
pub(crate) fn is_oidc_address(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = ip
        .parse()
        .map_or(host == "localhost", |ip: IpAddr| ip.is_loopback());
    match url.scheme() {
        "https" => !host.is_empty(),
        "http" => is_loopback,
        _ => false,
    }
}

impl Settings {
    pub(super) fn check_oidc(&self) -> Result<()> {
        if self.oidc_issuer.is_empty() {
            return Ok(());
        }
        ensure!(
            is_oidc_address(&self.oidc_issuer),
            "oidc_issuer must be an https address, or one of this machine"
        );
        ensure!(
            !self.oidc_client_id.is_empty(),
            "oidc_issuer needs oidc_client_id, the name of this server at the provider"
        );
        Ok(())
    }
}
