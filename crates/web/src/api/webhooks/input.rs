//! Bodies that make or change a webhook. The idea: what could never be delivered is refused when it
//! is written, with a message at the field: an address that may not be asked, a person who does not
//! belong to the project, a letter of a server that sends none.

use domain::telling::{Channel, Event, SHORTEST_SECRET, Wishes};
use outgoing::Reach;
use rest::{ApiError, ApiResult, Form, How, JsonBody};
use serde_json::Value;
use store::webhook::{NewWebhook, Webhook, WebhookChange};
use url::Url;

use super::super::internal;
use super::fields::FIELDS;
use crate::call::{Call, found};

/// Where the server sends no letters.
pub const NO_MAIL: &str = "This server sends no e-mail. Whoever runs it sets --smtp-url and \
                           --mail-from.";

/// Reads the body of a new webhook; beside it the secret, where that was made here. Whether the
/// caller may make it is not asked here.
///
/// # Errors
/// 400 with all messages.
pub async fn new(call: &Call, body: JsonBody) -> ApiResult<(NewWebhook, Option<String>)> {
    let mut form = Form::read(FIELDS, body, How::Whole)?;
    let mut project = None;
    if let Some(id) = form.integer("project") {
        project = found(call.store().project(id).await)?;
        if project.is_none() {
            form.missing("project", id);
        }
    }
    let channel = form.text("kind").and_then(|kind| Channel::from_word(&kind));
    if let Some(channel) = channel {
        target(call, &mut form, channel, project.as_ref().map(|p| p.id)).await?;
        secret(&mut form, channel);
    }
    let events = events(&mut form);
    form.finish()?;
    let (Some(project), Some(channel)) = (project, channel) else {
        return Err(ApiError::Internal("a checked value is missing".to_owned()));
    };
    let (sealed, made) = sealed(call, &form, channel);
    let new = NewWebhook {
        project_id: project.id,
        name: form.text("name").unwrap_or_default(),
        channel,
        target: form.text("target").unwrap_or_default(),
        secret: sealed,
        wishes: Wishes {
            events: events.unwrap_or_default(),
            only_failures: form.boolean("only_failures").unwrap_or_default(),
            minutes: minutes(&form).unwrap_or(30),
        },
        enabled: form.boolean("enabled").unwrap_or(true),
    };
    Ok((new, made))
}

/// Reads a change of a webhook.
///
/// # Errors
/// 400 with all messages.
pub async fn change(
    call: &Call,
    row: &Webhook,
    body: JsonBody,
    how: How,
) -> ApiResult<WebhookChange> {
    let mut form = Form::read(FIELDS, body, how)?;
    if form
        .integer("project")
        .is_some_and(|id| id != row.project_id)
    {
        form.wrong("project", "It cannot be moved to another project.");
    }
    if form.text("kind").is_some_and(|kind| kind != row.kind) {
        form.wrong("kind", "It stays what it was made as. Make another one.");
    }
    let channel = row.channel();
    target(call, &mut form, channel, Some(row.project_id)).await?;
    secret(&mut form, channel);
    let events = events(&mut form);
    form.finish()?;
    let vault = call.state.links.vault();
    Ok(WebhookChange {
        name: form.text("name"),
        target: form.text("target"),
        secret: form.text("secret").map(|secret| vault.close(&secret)),
        events,
        only_failures: form.boolean("only_failures"),
        minutes: minutes(&form),
        enabled: form.boolean("enabled"),
    })
}

fn minutes(form: &Form) -> Option<u32> {
    form.integer("no_worker_minutes")
        .and_then(|minutes| u32::try_from(minutes).ok())
}

/// The secret that was sent, or a new one, sealed; and the new one as it is. Letters have none.
fn sealed(call: &Call, form: &Form, channel: Channel) -> (String, Option<String>) {
    let vault = call.state.links.vault();
    match (channel, form.text("secret")) {
        (Channel::Email, _) => (String::new(), None),
        (Channel::Webhook, Some(sent)) => (vault.close(&sent), None),
        (Channel::Webhook, None) => {
            let made = hex::encode(rand::random::<[u8; 32]>());
            (vault.close(&made), Some(made))
        }
    }
}

fn secret(form: &mut Form, channel: Channel) {
    let Some(sent) = form.text("secret") else {
        return;
    };
    if channel == Channel::Email {
        form.wrong("secret", "An e-mail is not signed.");
    } else if sent.chars().count() < SHORTEST_SECRET {
        let words = format!("Ensure this field has at least {SHORTEST_SECRET} characters.");
        form.wrong("secret", words);
    }
}

/// The events that were sent, each once.
fn events(form: &mut Form) -> Option<Vec<Event>> {
    let words: Vec<String> = match form.value("events")? {
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => return None,
    };
    if words.is_empty() {
        form.wrong("events", "This list may not be empty.");
    }
    let mut events = Vec::new();
    for word in words {
        match Event::from_word(&word).filter(|event| Event::CHOSEN.contains(event)) {
            Some(event) if events.contains(&event) => {}
            Some(event) => events.push(event),
            None => form.wrong("events", format!("\"{word}\" is not a valid choice.")),
        }
    }
    Some(events)
}

/// Says what is wrong with where it is sent.
async fn target(
    call: &Call,
    form: &mut Form,
    channel: Channel,
    project: Option<i64>,
) -> ApiResult<()> {
    if channel == Channel::Email && call.state.teller.mailer().is_none() {
        form.wrong("kind", NO_MAIL);
        return Ok(());
    }
    let Some(target) = form.text("target") else {
        return Ok(());
    };
    match (channel, project) {
        (Channel::Webhook, _) => {
            if let Some(why) = unreachable(&target) {
                form.wrong("target", why);
            }
        }
        (Channel::Email, Some(project)) => {
            let may = call.store().may_be_mailed(project, &target).await;
            if !may.map_err(internal)? {
                let words = "Nobody of this project has this address: only its owner and its \
                             members can be told by e-mail.";
                form.wrong("target", words);
            }
        }
        (Channel::Email, None) => {}
    }
    Ok(())
}

/// Why nothing can be posted to an address.
fn unreachable(address: &str) -> Option<String> {
    let url = Url::parse(address).ok();
    let known = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let Some(url) = url.filter(known) else {
        return Some("Enter a valid URL.".to_owned());
    };
    let refused = Reach::of_process().check(&url).err()?.to_string();
    Some(format!(
        "T{}.",
        refused.strip_prefix('t').unwrap_or(&refused)
    ))
}

#[cfg(test)]
mod tests {
    use super::unreachable;

    #[test]
    fn addresses_that_lead_nowhere_are_told() {
        for good in ["https://moths.example/hook?a=b", "http://127.0.0.1:9/"] {
            assert_eq!(unreachable(good), None, "{good}");
        }
        for (bad, words) in [
            ("moths.example/hook", "Enter a valid URL."),
            ("ftp://moths.example/", "Enter a valid URL."),
            (
                "http://169.254.169.254/",
                "This server sends no requests to",
            ),
        ] {
            let said = unreachable(bad).unwrap_or_default();
            assert!(said.starts_with(words), "{bad}: {said}");
        }
    }
}
