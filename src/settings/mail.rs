//! Settings of the mail server through which letters are sent: to people who are told of their
//! jobs, and to those who have forgotten their password.

use clap::Args;
use telling::{BadMail, Mailer};

/// Through whom letters are sent; without these settings none are.
#[derive(Args, Clone, Default)]
pub struct Mail {
    /// Address of the mail server: smtps://user:password@host, or
    /// smtp://user:password@host:587?tls=required. Without tls, smtp:// is not encrypted
    #[arg(
        long,
        env = "HAWKMOTH_SMTP_URL",
        value_name = "URL",
        requires = "mail_from",
        hide_env_values = true
    )]
    smtp_url: Option<String>,
    /// From whom letters are, such as "Hawkmoth <hawkmoth@example.org>"
    #[arg(
        long,
        env = "HAWKMOTH_MAIL_FROM",
        value_name = "SENDER",
        requires = "smtp_url"
    )]
    mail_from: Option<String>,
}

impl Mail {
    /// What sends letters, where that is set.
    ///
    /// # Errors
    /// Where an address cannot be used.
    pub fn mailer(&self) -> Result<Option<Mailer>, BadMail> {
        let set = self.smtp_url.as_ref().zip(self.mail_from.as_ref());
        set.map(|(server, from)| Mailer::new(server, from))
            .transpose()
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}
