//! Posts at a given pace, whatever becomes of them: what is late is not waited for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::http::Http;
use crate::load::{Posted, Posts, drive};
use crate::socket::message_number;

/// A post that was acknowledged.
pub struct Accepted {
    /// The message.
    pub id: u64,
    /// Its text.
    pub body: String,
    /// When it was sent.
    pub sent: Instant,
    /// When it was acknowledged.
    pub acknowledged: Instant,
}

/// What was offered and what became of it.
#[derive(Default)]
pub struct Offered {
    /// Acknowledged posts, in the order of their ids.
    pub accepted: Vec<Accepted>,
    /// When posts were refused, with 429 or 503.
    pub refused: Vec<Instant>,
    /// Every other answer, and none.
    pub errors: Vec<String>,
    /// How many seconds it took to offer all.
    pub seconds: f64,
}

impl Offered {
    /// How many posts were sent.
    pub fn sent(&self) -> usize {
        self.accepted.len() + self.refused.len() + self.errors.len()
    }

    /// Fails unless each was acknowledged.
    pub fn all_accepted(self) -> Result<Self> {
        ensure!(
            self.refused.is_empty(),
            "{} of {} posts were refused",
            self.refused.len(),
            self.sent()
        );
        self.no_errors()
    }

    /// Fails unless each was acknowledged or refused.
    pub fn no_errors(self) -> Result<Self> {
        if let Some(first) = self.errors.first() {
            anyhow::bail!(
                "{} of {} posts failed, first: {first}",
                self.errors.len(),
                self.sent()
            );
        }
        Ok(self)
    }

    /// Acknowledged posts with their texts.
    pub fn posted(&self) -> Posted {
        self.accepted
            .iter()
            .map(|accepted| (accepted.id, accepted.body.clone()))
            .collect()
    }

    /// When each was sent.
    pub fn times(&self) -> BTreeMap<u64, Instant> {
        self.accepted
            .iter()
            .map(|accepted| (accepted.id, accepted.sent))
            .collect()
    }
}

impl Posts {
    /// Offers so many a second for this long, or until told to stop, spread over these connections.
    /// `newest` is kept at the newest message that was acknowledged. Blocks.
    pub fn offer(
        &self,
        connections: usize,
        per_second: f64,
        time: Duration,
        stop: &AtomicBool,
        newest: &AtomicU64,
    ) -> Result<Offered> {
        let driven = drive(self.address, connections, |number, mut http| async move {
            let mut mine = Offered::default();
            let begun = Instant::now();
            for turn in 0.. {
                let due =
                    Duration::from_secs_f64((number + turn * connections) as f64 / per_second);
                if due >= time {
                    break;
                }
                tokio::time::sleep_until((begun + due).into()).await;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (body, request) = self.next(number + turn * connections);
                if let Some(accepted) = self.attempt(&mut http, body, &request, &mut mine).await? {
                    newest.fetch_max(accepted.id, Ordering::AcqRel);
                    mine.accepted.push(accepted);
                }
            }
            Ok(mine)
        })?;
        let mut all = Offered {
            seconds: (driven.to - driven.from).as_secs_f64(),
            ..Offered::default()
        };
        for one in driven.done {
            all.accepted.extend(one.accepted);
            all.refused.extend(one.refused);
            all.errors.extend(one.errors);
        }
        all.accepted.sort_unstable_by_key(|accepted| accepted.id);
        Ok(all)
    }

    async fn attempt(
        &self,
        http: &mut Http,
        body: String,
        request: &[u8],
        mine: &mut Offered,
    ) -> Result<Option<Accepted>> {
        let sent = Instant::now();
        let closes = match http.send(request).await {
            Ok(answer) if answer.status == 200 => {
                let id = message_number(answer.body)?;
                return Ok(Some(Accepted {
                    id,
                    body,
                    sent,
                    acknowledged: Instant::now(),
                }));
            }
            Ok(answer) => {
                match answer.status {
                    429 | 503 => mine.refused.push(Instant::now()),
                    other => mine.errors.push(format!("answered {other}")),
                }
                answer
                    .header("connection")
                    .is_some_and(|value| value.eq_ignore_ascii_case("close"))
            }
            Err(error) => {
                mine.errors.push(format!("{error:#}"));
                true
            }
        };
        if closes {
            *http = Http::connect(self.address)
                .await
                .context("after a refusal")?;
        }
        Ok(None)
    }
}

/// For offers that nothing stops.
pub static NEVER_STOP: AtomicBool = AtomicBool::new(false);
