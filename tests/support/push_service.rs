//! A push service, as browsers have one: takes messages for devices, and gives them to the test
//! decrypted, as the browser would get them (RFC 8291).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as VerifyingKey};
use serde_json::Value;

use super::{POLL_INTERVAL, WAIT_TIMEOUT};

const AUTH: [u8; 16] = *b"sixteen bytes ok";

/// A device that has subscribed. It reads one message, because its key is used once.
pub struct Device {
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    name: String,
    key: Option<EphemeralPrivateKey>,
    public: Vec<u8>,
}

/// What arrived for a device.
struct Arrived {
    headers: HeaderMap,
    body: Vec<u8>,
}

#[derive(Default)]
struct Inbox {
    arrived: HashMap<String, Vec<Arrived>>,
    /// The answers for a device; after the last, 201.
    answers: HashMap<String, Vec<u16>>,
    asked: HashMap<String, usize>,
}

/// The service, which runs as long as the test.
#[derive(Clone)]
pub struct PushService {
    origin: String,
    inbox: Arc<Mutex<Inbox>>,
}

async fn take(
    State(service): State<PushService>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut inbox = service.inbox.lock().expect("no panic");
    *inbox.asked.entry(name.clone()).or_default() += 1;
    let answers = inbox.answers.entry(name.clone()).or_default();
    let status = match answers.is_empty() {
        true => 201,
        false => answers.remove(0),
    };
    if status == 201 {
        let body = body.to_vec();
        let arrived = inbox.arrived.entry(name).or_default();
        arrived.push(Arrived { headers, body });
    }
    StatusCode::from_u16(status).expect("a status")
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(from: &Prk, info: &[&[u8]]) -> [u8; N] {
    let mut derived = [0; N];
    let expanded = from.expand(info, Length(N)).expect("a length");
    expanded.fill(&mut derived).expect("a length");
    derived
}

impl PushService {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = Self {
            origin: format!("http://{address}"),
            inbox: Arc::default(),
        };
        let router = Router::new()
            .route("/device/{name}", post(take))
            .with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    /// A new device.
    pub fn device(&self, name: &str) -> Device {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).expect("a key");
        let public = key.compute_public_key().expect("a key").as_ref().to_vec();
        Device {
            endpoint: format!("{}/device/{name}", self.origin),
            p256dh: BASE64.encode(&public),
            auth: BASE64.encode(AUTH),
            name: name.to_owned(),
            key: Some(key),
            public,
        }
    }

    /// Has the next requests for a device answered so.
    pub fn answer(&self, device: &Device, statuses: &[u16]) {
        let mut inbox = self.inbox.lock().expect("no panic");
        inbox.answers.insert(device.name.clone(), statuses.to_vec());
    }

    /// How many requests there were for a device.
    pub fn asked(&self, device: &Device) -> usize {
        let inbox = self.inbox.lock().expect("no panic");
        inbox.asked.get(&device.name).copied().unwrap_or(0)
    }

    /// Waits for a message and decrypts it. Checks who sent it by the key that the server tells.
    pub async fn receive(&self, device: &mut Device, server_key: &str) -> Value {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        let arrived = loop {
            let taken = {
                let mut inbox = self.inbox.lock().expect("no panic");
                let arrived = inbox.arrived.entry(device.name.clone()).or_default();
                (!arrived.is_empty()).then(|| arrived.remove(0))
            };
            match taken {
                Some(arrived) => break arrived,
                None => assert!(Instant::now() < deadline, "no message for {}", device.name),
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        };
        assert_eq!(arrived.headers["content-encoding"], "aes128gcm");
        assert!(arrived.headers.contains_key("ttl"));
        assert!(arrived.body.len() <= 3 << 10, "{}", arrived.body.len());
        let authorization = arrived.headers["authorization"].to_str().expect("text");
        self.check_sender(authorization, server_key);
        let key = device.key.take().expect("one message for each device");
        decrypt(&arrived.body, key, &device.public)
    }

    fn check_sender(&self, authorization: &str, server_key: &str) {
        let statement = authorization.strip_prefix("vapid t=").expect("VAPID");
        let (statement, key) = statement.split_once(", k=").expect("a key");
        assert_eq!(key, server_key);
        let (signed, signature) = statement.rsplit_once('.').expect("a signature");
        let key = VerifyingKey::new(
            &ECDSA_P256_SHA256_FIXED,
            BASE64.decode(key).expect("base64"),
        );
        let signature = BASE64.decode(signature).expect("base64");
        key.verify(signed.as_bytes(), &signature)
            .expect("is signed");
        let claims = BASE64.decode(signed.split('.').nth(1).expect("claims"));
        let claims: Value = serde_json::from_slice(&claims.expect("base64")).expect("JSON");
        assert_eq!(claims["aud"], self.origin.as_str());
        let subject = claims["sub"].as_str().expect("a subject");
        assert!(subject.starts_with("https://"), "{subject}");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let left = claims["exp"].as_u64().expect("a time") - now.expect("a time").as_secs();
        assert!(left <= 24 * 3600, "{left}");
    }
}

fn decrypt(body: &[u8], key: EphemeralPrivateKey, own_public: &[u8]) -> Value {
    let (salt, rest) = body.split_at(16);
    let (size, rest) = rest.split_at(4);
    assert!(u32::from_be_bytes(size.try_into().expect("four")) as usize >= body.len());
    let (length, rest) = rest.split_at(1);
    let (sender, record) = rest.split_at(length[0].into());
    let peer = UnparsedPublicKey::new(&ECDH_P256, sender);
    let (cek, nonce): ([u8; 16], [u8; 12]) = agree_ephemeral(key, &peer, |shared| {
        let shared = Salt::new(HKDF_SHA256, &AUTH).extract(shared);
        let input: [u8; 32] = derive(&shared, &[b"WebPush: info\0", own_public, sender]);
        let keys = Salt::new(HKDF_SHA256, salt).extract(&input);
        let cek = derive(&keys, &[b"Content-Encoding: aes128gcm\0"]);
        (cek, derive(&keys, &[b"Content-Encoding: nonce\0"]))
    })
    .expect("a key of the sender");
    let cek = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &cek).expect("a key"));
    let nonce = Nonce::assume_unique_for_key(nonce);
    let mut record = record.to_vec();
    let opened = cek.open_in_place(nonce, Aad::empty(), &mut record);
    let opened = opened.expect("it was encrypted for this device");
    let end = opened.iter().rposition(|byte| *byte != 0).expect("an end");
    assert_eq!(opened[end], 2, "the last record");
    serde_json::from_slice(&opened[..end]).expect("JSON")
}
