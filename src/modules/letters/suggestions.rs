//! Questions to begin a letter with, from a service that the host configures. It gets a mood and a
//! few words of the author, and nothing of the letter, nor of whom it is to. Of its answer only
//! questions are kept: it does not write.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::model::{LetterId, State};
use super::{Letters, WRITE, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::settings::Settings;
use crate::base::text::{is_short, normalize_line, normalize_optional_line};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Requests of one account in a day (UTC).
pub const MAX_SUGGESTIONS_PER_DAY: i64 = 10;
/// Characters (graphemes) of what the author says they would write about.
pub const MAX_SUGGESTION_TOPIC_CHARS: usize = 100;
/// Questions of one answer that are kept.
const MAX_QUESTIONS: usize = 5;
/// Characters (graphemes) of a question; longer ones are left out.
const MAX_QUESTION_CHARS: usize = 160;
/// Bytes of an answer.
const MAX_ANSWER_BYTES: usize = 65_536;
/// Requests of an instance at a time.
const MAX_REQUESTS_AT_ONCE: usize = 4;
/// For one request, the answer included.
const SUGGESTION_TIMEOUT: Duration = Duration::from_secs(20);
/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
/// Days for which requests are counted.
const COUNTED_DAYS: i64 = 2;
/// What questions end with.
const MARKS: [char; 4] = ['?', '\u{ff1f}', '\u{61f}', '\u{37e}'];
const MOODS: [&str; 6] = ["glad", "quiet", "missing", "thanks", "heavy", "curious"];

const INSTRUCTIONS: &str = "Somebody wants to write a personal letter by themselves, and does not \
    know how to begin. Reply with three to five short questions that they could answer in their \
    letter, one on each line, and nothing else. Never write any sentence of a letter.";

/// Asks the service. Cheap to clone.
#[derive(Clone)]
pub(super) struct Prompter {
    client: Client,
    address: String,
    model: String,
    key: String,
    permits: Arc<Semaphore>,
}

impl Prompter {
    /// `None` where the host configured no service, and when there can be no client.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        if settings.letters_prompts_url.is_empty() {
            return None;
        }
        // Fails where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(SUGGESTION_TIMEOUT)
            .no_proxy()
            .build()
            .inspect_err(|error| tracing::error!(%error, "no client for questions"));
        let base = settings.letters_prompts_url.trim_end_matches('/');
        Some(Self {
            client: client.ok()?,
            address: format!("{base}/chat/completions"),
            model: settings.letters_prompts_model.clone(),
            key: settings.letters_prompts_key.clone(),
            permits: Arc::new(Semaphore::new(MAX_REQUESTS_AT_ONCE)),
        })
    }

    /// The questions for a mood and a topic, in a language.
    async fn ask(&self, mood: &str, topic: &str, language: &str) -> anyhow::Result<Vec<String>> {
        let _permit = self.permits.acquire().await?;
        let wish = format!("Mood: {mood}. About: {topic}. Language of the questions: {language}.");
        let body = json!({
            "model": self.model, "max_tokens": 300,
            "messages": [
                { "role": "system", "content": INSTRUCTIONS },
                { "role": "user", "content": wish },
            ],
        });
        let request = self.client.post(&self.address);
        let request = request.header("content-type", "application/json");
        let mut request = request.body(serde_json::to_vec(&body)?);
        if !self.key.is_empty() {
            request = request.bearer_auth(&self.key);
        }
        // The address may have a key of its own: it is not for the log.
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        anyhow::ensure!(answer.status() == 200, "status {}", answer.status());
        let answer: Value = serde_json::from_slice(&read(answer).await?)?;
        let text = answer["choices"][0]["message"]["content"].as_str();
        Ok(questions(text.unwrap_or_default()))
    }
}

/// A body of a bounded size.
async fn read(mut answer: Response) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        anyhow::ensure!(body.len() + chunk.len() <= MAX_ANSWER_BYTES, "too long");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The questions among the lines of an answer, without numbers before them.
fn questions(text: &str) -> Vec<String> {
    let is_mark = |c: char| c.is_ascii_digit() || " .-*)\u{2022}\"".contains(c);
    let lines = text.lines().map(|line| {
        let line = normalize_line(line);
        line.trim_start_matches(is_mark)
            .trim_end_matches('"')
            .to_owned()
    });
    lines
        .filter(|line| line.ends_with(MARKS) && is_short(line, MAX_QUESTION_CHARS))
        .take(MAX_QUESTIONS)
        .collect()
}

/// Counts a request of an account, up to its quota of the day.
async fn count(tx: &mut Tx, of: AccountId, now: Micros) -> Result<()> {
    const ADD: &str = "INSERT INTO letter_suggestions (account_id, day, asked) \
        VALUES ($1, $2, 1) ON CONFLICT (account_id, day) DO UPDATE \
        SET asked = letter_suggestions.asked + 1 WHERE letter_suggestions.asked < $3";
    let row = (of, now.0 / DAY, MAX_SUGGESTIONS_PER_DAY);
    match tx.execute(ADD, row).await? {
        0 => Err(Error::Conflict("error-suggestions-per-day")),
        _ => Ok(()),
    }
}

/// Deletes what was counted on earlier days.
pub(super) async fn forget(tx: &mut Tx, now: Micros) -> Result<()> {
    const DELETE: &str = "DELETE FROM letter_suggestions WHERE day < $1";
    tx.execute(DELETE, (now.0 / DAY - COUNTED_DAYS,)).await?;
    Ok(())
}

#[derive(Deserialize)]
pub(super) struct SuggestInput {
    letter: LetterId,
    /// One of [`MOODS`], or empty.
    #[serde(default)]
    mood: String,
    /// What the letter would be about, in a few words; may be empty.
    #[serde(default)]
    topic: String,
}

/// `letters.suggest`: asks for questions for a draft. They stand beside it, never in it.
pub(super) async fn suggest(
    letters: Letters,
    viewer: Viewer,
    input: SuggestInput,
) -> Result<Outcome> {
    const SET: &str = "UPDATE letters SET suggested = $2 WHERE id = $1 AND state = 'draft'";
    let (id, author) = (input.letter, viewer.account);
    let letter = letters.own(id, author).await?;
    if letter.state != State::Draft {
        return Err(Error::Conflict("error-letter-sealed"));
    }
    let prompter = letters.prompter.clone();
    let prompter = prompter.ok_or(Error::Conflict("error-suggestions-off"))?;
    let topic = normalize_optional_line(&input.topic);
    if !is_short(&topic, MAX_SUGGESTION_TOPIC_CHARS) {
        return Err(Error::field("topic", "error-suggestion-topic"));
    }
    let mood = MOODS.into_iter().find(|mood| *mood == input.mood);
    let space = letter.space_id;
    let count = async move |tx: &mut Tx| count(tx, author, Micros::now()).await;
    letters.permitted(author, &WRITE, space, count).await?;
    let asked = prompter.ask(mood.unwrap_or("any"), &topic, viewer.lang.tag());
    let found = match asked.await {
        Ok(found) if !found.is_empty() => found,
        Ok(_) => return Err(Error::Conflict("error-suggestions-none")),
        Err(error) => {
            tracing::warn!(%error, "no questions came for a letter");
            return Err(Error::Conflict("error-suggestions-failed"));
        }
    };
    let count = found.len();
    let text = found.join("\n");
    let work = async move |tx: &mut Tx| {
        store::lock(tx, id).await?;
        tx.execute(SET, (id, &text)).await?;
        Ok(())
    };
    letters.permitted(author, &WRITE, space, work).await?;
    let location = format!("/letters/{id}/desk#letter-suggestions");
    Ok(Outcome::new(json!({ "questions": count }), location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_of_an_answer_are_kept() {
        let answer = "Sure! Here they are:\n1. What did you hear today?\n- \"Who was there?\"\n\
            Dear Ann, I miss you.\n\n\u{4eca}\u{65e5}\u{306f}\u{4f55}\u{3092}\u{898b}\u{307e}\
            \u{3057}\u{305f}\u{304b}\u{ff1f}\n2) C?\n3) D?\n4) E?\n";
        let found = questions(answer);
        assert_eq!(found[..2], ["What did you hear today?", "Who was there?"]);
        assert_eq!(found.len(), MAX_QUESTIONS);
        assert!(found[2].ends_with('\u{ff1f}'));
        assert!(questions(&format!("{}?", "a".repeat(200))).is_empty());
    }
}
