//! Letters through SMTP. The idea: one connection for each, closed at once, so nothing of a
//! server that went away is kept; plain text only.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

/// How long a letter may take in all.
const TIME: Duration = Duration::from_secs(30);

/// A setting that no letter can be sent with.
#[derive(Debug, thiserror::Error)]
pub enum BadMail {
    /// Of the server.
    #[error(
        "the address of the mail server cannot be used ({0}): write smtps://user:password@host, or \
         smtp://user:password@host:587?tls=required"
    )]
    Server(String),
    /// Of the sender.
    #[error("the sender of mails {0:?} is no address such as Hawkmoth <hawkmoth@example.org>")]
    Sender(String),
}

/// Why a letter was not sent.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NotSent {
    /// As a sentence.
    pub reason: String,
    /// Whether another try is in vain.
    pub for_good: bool,
}

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// About what, on one line.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The same for each try of the same letter.
    pub key: String,
}

/// Sends letters. Cheap to clone; never shows its password.
#[derive(Clone)]
pub struct Mailer {
    smtp: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    time: Duration,
}

impl Mailer {
    /// A mailer by this server (`smtps://user:password@host`) from this sender
    /// (`Hawkmoth <hawkmoth@example.org>`).
    ///
    /// # Errors
    /// [`BadMail`].
    pub fn new(server: &str, from: &str) -> Result<Mailer, BadMail> {
        let from = from
            .parse::<Mailbox>()
            .map_err(|_| BadMail::Sender(from.to_owned()))?;
        let name = ClientId::Domain(from.email.domain().to_owned());
        let smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(server)
            .map_err(|error| BadMail::Server(error.to_string()))?
            .hello_name(name)
            .timeout(Some(TIME))
            .build();
        Ok(Mailer {
            smtp,
            from,
            time: TIME,
        })
    }

    /// Sends a letter; the mail server has it then.
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(&self, letter: Letter) -> Result<(), NotSent> {
        let message = self.message(letter)?;
        let sent = tokio::time::timeout(self.time, self.smtp.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(NotSent {
                reason: format!("The mail server did not take it: {error}."),
                for_good: error.is_permanent(),
            }),
            Err(_) => Err(NotSent {
                reason: format!(
                    "The mail server did not take it within {} seconds.",
                    self.time.as_secs()
                ),
                for_good: false,
            }),
        }
    }

    fn message(&self, letter: Letter) -> Result<Message, NotSent> {
        let unsound = |why: String| NotSent {
            reason: format!("No letter can be made of it: {why}."),
            for_good: true,
        };
        let to = letter
            .to
            .parse::<Address>()
            .map_err(|error| unsound(format!("{} is no address ({error})", letter.to)))?;
        let id = format!("<{}@{}>", letter.key, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(id))
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .map_err(|error| unsound(error.to_string()))
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}
