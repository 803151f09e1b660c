//! What lies in the stream and what is said of it: a message holds the number of a capture, and its
//! reply subject is where anybody, of whatever process, may say what becomes of it.

use std::time::Duration;

use async_nats::jetstream::Message;
use bytes::Bytes;
use store::job::stream::Came;

/// A message that was fetched.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub image: Came,
    /// Where anybody may say what becomes of it.
    pub reply: String,
}

/// What is said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It leaves the stream.
    Ack,
    /// It leaves the stream without having been done.
    Term,
    /// It is to be had again after this time.
    After(Duration),
}

impl Word {
    pub(super) fn bytes(self) -> Bytes {
        match self {
            Word::Ack => Bytes::from_static(b"+ACK"),
            Word::Term => Bytes::from_static(b"+TERM"),
            Word::After(Duration::ZERO) => Bytes::from_static(b"-NAK"),
            // It does not count as returned: until then nobody else gets it. So this is also how a
            // lease gets another length than the consumer's, and how it is extended: +WPI could
            // only begin the consumer's own time anew.
            Word::After(time) => format!("-NAK {{\"delay\": {}}}", time.as_nanos()).into(),
        }
    }
}

/// Reads a message; one that is none of ours says nothing.
pub(super) fn read(message: &Message) -> Option<Fetched> {
    let info = message.info().ok()?;
    let capture = std::str::from_utf8(&message.payload).ok()?.parse().ok()?;
    Some(Fetched {
        image: Came {
            capture,
            deliveries: i32::try_from(info.delivered).unwrap_or(i32::MAX),
        },
        reply: message.reply.as_ref()?.to_string(),
    })
}
