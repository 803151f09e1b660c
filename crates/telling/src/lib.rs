//! Telling people: sends what `store` has written down to be told, as a signed POST or as a letter.
//! The idea: whatever a receiver does, a try ends within a bounded time with a sentence, and that
//! sentence is written down; when it is tried again is not decided here.
//! May depend on `files` (the vault), `outgoing`, `store` and `domain`.

mod mail;
mod post;
mod sign;
pub mod testing;

#[cfg(test)]
mod tests;

use domain::metric;
use domain::telling::Channel;
use files::Links;
use store::webhook::{Delivery, DeliveryState, Sent, Webhook};
use store::{Store, StoreResult};

pub use mail::{BadMail, Letter, Mailer, NotSent};
pub use sign::signature;

use post::{Parcel, Poster};

/// Sends what is to be told. Cheap to clone.
#[derive(Clone)]
pub struct Teller {
    poster: Poster,
    mailer: Option<Mailer>,
    links: Links,
}

impl Teller {
    /// A teller of the server that these links lead to; without a mailer it sends no letters.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built: no cryptography provider.
    pub fn new(links: Links, mailer: Option<Mailer>) -> Result<Teller, reqwest::Error> {
        Ok(Teller {
            poster: Poster::new()?,
            mailer,
            links,
        })
    }

    /// What sends letters, where that is set up.
    pub fn mailer(&self) -> Option<&Mailer> {
        self.mailer.as_ref()
    }

    /// Tries a delivery that was taken, and writes down how that ended.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn deliver(
        &self,
        store: &Store,
        webhook: &Webhook,
        taken: &Delivery,
    ) -> StoreResult<Delivery> {
        let sent = match webhook.channel() {
            Channel::Webhook => self.post(webhook, taken).await?,
            Channel::Email => self.write(store, webhook, taken).await?,
        };
        let after = store.settle_delivery(taken, &sent).await?;
        let outcome = match after.delivery_state() {
            DeliveryState::Delivered => "delivered",
            DeliveryState::Waiting => "again",
            DeliveryState::Failed => "failed",
        };
        let kind = webhook.channel().word();
        metrics::counter!(metric::DELIVERIES.name, "kind" => kind, "outcome" => outcome)
            .increment(1);
        Ok(after)
    }

    async fn post(&self, webhook: &Webhook, taken: &Delivery) -> StoreResult<Sent> {
        let Some(secret) = self.links.vault().open(&webhook.secret) else {
            return Ok(in_vain(
                "Its secret cannot be read: it was sealed under another key of the server. Give \
                 the webhook another secret.",
            ));
        };
        let (event, root) = (taken.event(), self.links.public_url());
        let parcel = Parcel {
            url: &webhook.target,
            event: event.word(),
            delivery: &taken.key,
            body: taken.news()?.body(event, &taken.key, root).to_string(),
            secret: &secret,
        };
        Ok(self.poster.send(parcel).await)
    }

    async fn write(&self, store: &Store, webhook: &Webhook, taken: &Delivery) -> StoreResult<Sent> {
        let Some(mailer) = &self.mailer else {
            return Ok(in_vain("This process sends no e-mail."));
        };
        let to = &webhook.target;
        // They may have left the project since this was set up.
        if !store.may_be_mailed(webhook.project_id, to).await? {
            return Ok(in_vain("Nobody of the project has this address."));
        }
        let (event, news) = (taken.event(), taken.news()?);
        let letter = Letter {
            to: to.clone(),
            subject: news.subject(event),
            text: news.letter(event, self.links.public_url()),
            key: taken.key.clone(),
        };
        Ok(match mailer.send(letter).await {
            Ok(()) => Sent::Taken(None),
            Err(why) => Sent::Not {
                status: None,
                for_good: why.for_good,
                reason: why.to_string(),
            },
        })
    }
}

/// What no further try would mend.
fn in_vain(reason: &str) -> Sent {
    Sent::Not {
        status: None,
        reason: reason.to_owned(),
        for_good: true,
    }
}
