//! Mail that a server has sent: into a folder, or to an SMTP server that answers as a test says.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{Folder, POLL_INTERVAL, WAIT_TIMEOUT};

/// The folder that a server writes its mail into.
pub struct Mailbox(Folder);

impl Mailbox {
    /// An empty folder.
    pub fn new() -> Self {
        Self(Folder::new())
    }

    /// The setting that has a server use it.
    pub fn setting(&self) -> String {
        format!("folder:{}", self.0.path().display())
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder can be read");
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|end| end == "eml"))
            .collect();
        files.sort();
        files
    }

    /// Every mail to this address, decoded, oldest first.
    pub fn to(&self, address: &str) -> Vec<String> {
        let mails = self.files().into_iter().map(|path| {
            let mail = std::fs::read_to_string(path).expect("a mail can be read");
            decoded(&mail)
        });
        let line = format!("To: {address}\r\n");
        mails.filter(|mail| mail.contains(&line)).collect()
    }

    /// Waits for a mail to this address with this subject; the newest.
    pub async fn wait_for(&self, address: &str, subject: &str) -> String {
        let line = format!("Subject: {subject}\r\n");
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            let mut mails = self.to(address);
            mails.retain(|mail| mail.contains(&line));
            if let Some(mail) = mails.pop() {
                return mail;
            }
            assert!(
                Instant::now() < deadline,
                "no mail {subject:?} to {address}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// The path of the link in a mail.
pub fn link_in(mail: &str) -> String {
    let start = mail.find("\r\nhttp://").expect("a link") + 9;
    let link = mail[start..].lines().next().expect("a line");
    let path = link.find('/').expect("a path");
    link[path..].trim().to_owned()
}

/// Without the quoted-printable coding of its parts.
fn decoded(mail: &str) -> String {
    let joined = mail.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_str();
    while let Some((text, after)) = rest.split_once('=') {
        bytes.extend(text.bytes());
        match after.get(..2).map(|code| u8::from_str_radix(code, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(b'=');
                rest = after;
            }
        }
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An SMTP server on this machine. It answers to receivers as it is told, then accepts all.
pub struct SmtpServer {
    address: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl SmtpServer {
    /// Answers to the first receivers with these lines.
    pub async fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let received: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers: VecDeque<_> = answers.iter().copied().collect();
        let (answers, mails) = (Arc::new(Mutex::new(answers)), received.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, mails) = (answers.clone(), mails.clone());
                tokio::spawn(async move { serve(stream, &answers, &mails).await });
            }
        });
        Self { address, received }
    }

    /// The setting that has a server use it.
    pub fn setting(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Waits for the first mail that was accepted.
    pub async fn wait_for_mail(&self) -> String {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            if let Some(mail) = self.mails().first() {
                return mail.clone();
            }
            assert!(Instant::now() < deadline, "no mail was sent");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// What was accepted.
    pub fn mails(&self) -> Vec<String> {
        self.received.lock().expect("no panic").clone()
    }
}

async fn serve(
    stream: TcpStream,
    answers: &Mutex<VecDeque<&'static str>>,
    mails: &Mutex<Vec<String>>,
) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut answer = "220 test".to_owned();
    loop {
        if write
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else {
            return;
        };
        answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" | "MAIL" | "RSET" => "250 ok".to_owned(),
            "RCPT" => {
                let told = answers.lock().expect("no panic").pop_front();
                told.unwrap_or("250 ok").to_owned()
            }
            "DATA" => {
                if write.write_all(b"354 go on\r\n").await.is_err() {
                    return;
                }
                let mut mail = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    mail.push_str(&line);
                    mail.push_str("\r\n");
                }
                mails.lock().expect("no panic").push(decoded(&mail));
                "250 ok".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "502 no".to_owned(),
        };
    }
}
