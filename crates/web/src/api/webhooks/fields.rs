//! The fields of a webhook and of its deliveries, and the words about its addresses.

use rest::field::{Field, Kind};
use rest::shape::{self, Shape};

/// About webhooks.
pub const ABOUT: &str = "Webhooks: whom a project tells what becomes of its jobs. Of kind \
`webhook` a JSON document is posted to an address, signed with a secret that only the two know; of \
kind `email` a letter goes to the owner or a member of the project, where the server sends e-mail.\n\n\
What is not taken with a status of 2xx is sent again after 10 seconds, 1, 5 and 30 minutes, 2 and 6 \
hours, and then given up. It may arrive more than once: `X-Hawkmoth-Delivery` stays the same. Without \
a `secret` one is made, and shown once in the answer to the POST.\n\n\
## Actions\n\n\
### `/webhooks/{id}/test/` (`POST`)\n\nTry it out.\n\n\
### `/webhooks/{id}/deliveries/`\n\nWhat was told, and what is to be told; kept for 30 days.";
/// About trying out.
pub const TEST: &str = "Sends a test now, once, and answers with what became of it.";
/// About the log.
pub const DELIVERIES: &str = "What was told and what is to be told, the newest first. Kept for 30 \
days.";
/// About sending again.
pub const REDELIVER: &str = "Has something sent again that was delivered or given up. 409 while it \
is still being tried, and where the webhook is switched off.";

/// The events that can be chosen.
const EVENTS: &[(&str, &str)] = &[
    ("job.ended", "A job has ended"),
    ("job.no_worker", "A job waits, and no worker was heard of"),
];

/// All events.
const TOLD: &[(&str, &str)] = &[EVENTS[0], EVENTS[1], ("test", "A test")];

const KINDS: &[(&str, &str)] = &[("webhook", "Webhook"), ("email", "E-mail")];

const STATES: &[(&str, &str)] = &[
    ("waiting", "Is to be sent, for the first time or again"),
    ("delivered", "Was taken"),
    ("failed", "Was given up"),
];

/// Longest address.
pub const LONGEST_TARGET: usize = 1024;

/// The fields of a delivery.
pub const DELIVERY: &[Field] = &[
    Field::id(),
    Field::shown(
        "key",
        "By which a receiver knows it again",
        Kind::Text(None),
    ),
    Field::shown("event", "Event", Kind::Choice(TOLD)),
    Field::shown("job", "Job", Kind::Link("jobs")).nullable(),
    Field::shown("state", "State", Kind::Choice(STATES)),
    Field::shown("attempts", "Tries", Kind::Integer(Some(0), None)),
    Field::shown("response_status", "Status of the last answer", Kind::Any)
        .holds(shape::INTEGER_OR_NULL),
    Field::shown("reason", "Why the last try failed", Kind::Any).holds(shape::TEXT_OR_NULL),
    Field::shown("next_try_at", "Next try at", Kind::DateTime).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("sent_at", "Last tried at", Kind::DateTime).nullable(),
    Field::shown("finished_at", "Finished at", Kind::DateTime).nullable(),
    Field::shown("body", "What is told", Kind::Any).holds(shape::OBJECT),
];

/// The fields of a webhook, in the order of its JSON; what is only sent comes last.
pub const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(255))).required(),
    Field::new("project", "Project", Kind::Link("projects")).required(),
    Field::new("kind", "Kind", Kind::Choice(KINDS))
        .default("\"webhook\"")
        .help("It stays what it was made as."),
    Field::new("target", "Target", Kind::Text(Some(LONGEST_TARGET)))
        .required()
        .help(
            "An http or https address, or the e-mail address of the project's owner or a member.",
        ),
    Field::new("events", "Events", Kind::Texts(50))
        .default("[\"job.ended\"]")
        .holds(Shape::List(&Shape::Of(Kind::Choice(EVENTS)))),
    Field::new("only_failures", "Only failures", Kind::Boolean)
        .default("false")
        .help("Of jobs that have ended, only those that failed."),
    Field::new(
        "no_worker_minutes",
        "Minutes without a worker",
        Kind::Integer(Some(1), Some(10_080)),
    )
    .default("30")
    .help("After how many minutes job.no_worker is told: once, until a worker was heard of again."),
    Field::new("enabled", "Enabled", Kind::Boolean)
        .default("true")
        .help("Where it is switched off, what waits to be sent is given up."),
    Field::shown("last_delivery", "Last delivery", Kind::Nested(DELIVERY)).nullable(),
    Field::shown("created_at", "Created at", Kind::DateTime),
    Field::shown("updated_at", "Updated at", Kind::DateTime),
    Field::new("secret", "Secret", Kind::Text(Some(255)))
        .write_only()
        .nullable()
        .help("What signs, of at least 16 characters. Without it one is made."),
];

/// A webhook as POST answers it: with the secret, where that was made.
pub const MADE: &[Field] = &[
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    FIELDS[3],
    FIELDS[4],
    FIELDS[5],
    FIELDS[6],
    FIELDS[7],
    FIELDS[8],
    FIELDS[9],
    FIELDS[10],
    FIELDS[11],
    FIELDS[12],
    Field::shown("secret", "The secret, shown this once", Kind::Text(None)).sometimes(),
];
