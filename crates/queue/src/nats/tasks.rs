//! Tasks in JetStream: one work-queue stream, and for each generation of a job a subject and a
//! durable consumer. The idea: the server bounds nothing by itself. It hands out as often as it is
//! asked (an exhausted message would lie in the stream for ever and count nowhere), and every call
//! ends, whatever the server leaves unanswered.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType, Stream};
use futures_util::{StreamExt, TryStreamExt, future};
use store::job::stream::Sight;

use super::Nats;
use super::known::Known;
use super::message::{Fetched, Word, read};
use super::names::Names;
use super::told::Told;
use crate::{QueueError, QueueResult};

/// Publications under way at once.
const WINDOW: usize = 1000;
/// An id that comes again within this is the same publication, sent twice.
const REPEATS: Duration = Duration::from_secs(120);
/// Acknowledgements under way at once.
const ACKS: usize = 64;
/// Consumers that are remembered, each of some kilobytes: usually of more jobs than run at once.
const KNOWN: usize = 1000;

type PullConsumer = Consumer<pull::Config>;

/// The tasks of one installation.
pub(super) struct Tasks {
    nats: Nats,
    names: Names,
    /// Whose tasks they are, as the stream says.
    owner: String,
    /// How long a message is somebody's when nothing else is said, by consumers made here.
    wait: Duration,
    /// How long the next message of a fetch is waited for.
    guard: Duration,
    consumers: Known<Arc<PullConsumer>>,
    /// What is wrong with the stream.
    told: Told,
}

impl Tasks {
    pub(super) fn new(nats: Nats, owner: &str, wait: Duration, guard: Duration) -> Tasks {
        Tasks {
            names: Names::new(&nats.prefix),
            nats,
            owner: format!("Tasks of Hawkmoth, installation {owner}"),
            wait: wait.max(Duration::from_secs(1)),
            guard,
            consumers: Known::new(KNOWN),
            told: Told::default(),
        }
    }

    pub(super) fn answers(&self) -> QueueResult<()> {
        self.nats.answers()
    }

    /// Forgets what is known of a job that has ended: whoever ends it tells no other process.
    pub(super) fn forget(&self, job: i64) {
        self.consumers.forget_job(job);
    }

    /// The stream, made where there is none.
    pub(super) async fn stream(&self) -> QueueResult<Stream> {
        self.answers()?;
        let stream = match self.found_or_made().await {
            Ok(stream) => self.is_ours(&stream).map(|()| stream),
            failed => failed,
        };
        match &stream {
            Ok(_) => self.told.over(),
            Err(error) => self.told.say(&error.to_string()),
        }
        stream
    }

    /// Looks at the stream when a process starts: one that cannot be had now is opened when it is
    /// first used.
    ///
    /// # Errors
    /// Where it is another's.
    pub(super) async fn begin(&self) -> QueueResult<()> {
        if self.answers().is_err() {
            return Ok(()); // that was said by who tried to connect
        }
        match self.found_or_made().await {
            Ok(stream) => self.is_ours(&stream),
            Err(error) => {
                self.told.say(&error.to_string());
                Ok(())
            }
        }
    }

    async fn found_or_made(&self) -> QueueResult<Stream> {
        let config = Config {
            name: self.names.stream(),
            subjects: vec![self.names.all()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            duplicate_window: REPEATS,
            description: Some(self.owner.clone()),
            ..Config::default()
        };
        let stream = self.nats.context.get_or_create_stream(config).await;
        stream.map_err(|e| QueueError::nats("the stream cannot be had", e))
    }

    fn is_ours(&self, stream: &Stream) -> QueueResult<()> {
        let owner = stream.cached_info().config.description.as_deref();
        if owner == Some(&self.owner) {
            return Ok(());
        }
        let name = self.names.stream();
        Err(QueueError::Nats(format!(
            "the stream {name} on this NATS server belongs to another installation (or to this one \
             under another secret key): choose another --nats-prefix, or delete it"
        )))
    }

    /// The consumer of a generation, made where there is none: one that is made anew hands out
    /// everything that still lies in the stream.
    pub(super) async fn consumer(
        &self,
        stream: &Stream,
        job: i64,
        generation: i64,
    ) -> QueueResult<Arc<PullConsumer>> {
        let name = Names::consumer(job, generation);
        let config = pull::Config {
            durable_name: Some(name.clone()),
            filter_subject: self.names.subject(job, generation),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.wait,
            max_deliver: -1,
            max_ack_pending: 100_000,
            max_waiting: 2048,
            ..pull::Config::default()
        };
        let consumer = stream.get_or_create_consumer(&name, config).await;
        let consumer = consumer.map_err(|e| QueueError::nats("the consumer cannot be had", e))?;
        let consumer = Arc::new(consumer);
        self.consumers.put(job, generation, consumer.clone());
        Ok(consumer)
    }

    /// The consumer of a generation, if the server has it.
    async fn found(&self, job: i64, generation: i64) -> QueueResult<Option<Arc<PullConsumer>>> {
        if let Some(consumer) = self.consumers.get(job, generation) {
            return Ok(Some(consumer));
        }
        self.stream().await?; // which looks whether it is this installation's
        let name = Names::consumer(job, generation);
        let stream = self.names.stream();
        let found = self
            .nats
            .context
            .get_consumer_from_stream(name, stream)
            .await;
        match found {
            Ok(consumer) => {
                let consumer: Arc<PullConsumer> = Arc::new(consumer);
                self.consumers.put(job, generation, consumer.clone());
                Ok(Some(consumer))
            }
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(QueueError::nats("the consumer cannot be had", error)),
        }
    }

    /// Puts images into the stream, and returns when they are there. What was put there under the
    /// same id within two minutes stays one message.
    pub(super) async fn publish(
        &self,
        job: i64,
        generation: i64,
        sweep: i32,
        captures: &[i64],
    ) -> QueueResult<()> {
        let stream = self.stream().await?;
        self.consumer(&stream, job, generation).await?;
        let subject = self.names.subject(job, generation);
        let lost = |error| QueueError::nats("a task cannot be put into the queue", error);
        for chunk in captures.chunks(WINDOW) {
            let mut landed = Vec::with_capacity(chunk.len());
            for capture in chunk {
                // What was lost is sent again under an id that the server has not seen.
                let again = match sweep {
                    0 => String::new(),
                    sweep => format!(":{sweep}"),
                };
                let message = PublishMessage::build()
                    .payload(capture.to_string().into())
                    .message_id(format!("{job}:{generation}:{capture}{again}"));
                let sent = self.nats.context.send_publish(subject.clone(), message);
                landed.push(sent.await.map_err(lost)?);
            }
            for one in landed {
                one.await.map_err(lost)?;
            }
        }
        Ok(())
    }

    /// Takes out at most so many images; each is somebody's from now on, for as long as it is
    /// returned with them. Without a consumer there are none.
    pub(super) async fn fetch(
        &self,
        job: i64,
        generation: i64,
        max: usize,
    ) -> QueueResult<(Vec<Fetched>, Duration)> {
        self.answers()?;
        let Some(consumer) = self.found(job, generation).await? else {
            return Ok((Vec::new(), self.wait));
        };
        let wait = consumer.cached_info().config.ack_wait;
        // Without a time-out on the server: with one an empty fetch would take all of it. It may
        // stay without an answer after a purge, after a delete, or when the server is frozen; then
        // the guard ends it, and what has arrived is kept.
        let fetch = consumer.fetch().max_messages(max).messages();
        let mut came = fetch
            .await
            .map_err(|e| QueueError::nats("tasks cannot be had", e))?;
        let (mut all, mut asked) = (Vec::new(), false);
        loop {
            match tokio::time::timeout(self.guard, came.next()).await {
                Ok(Some(Ok(message))) => all.extend(read(&message)),
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    tracing::debug!(job.id = job, %error, "a fetch was refused");
                    self.consumers.forget(job, generation);
                    break;
                }
                Err(_) if asked => break,
                // What does not arrive now is nobody's until its lease is over: a server that has
                // the consumer and is only slow gets a second chance.
                Err(_) => {
                    asked = true;
                    self.consumers.forget(job, generation);
                    if !matches!(self.found(job, generation).await, Ok(Some(_))) {
                        break;
                    }
                }
            }
        }
        Ok((all, wait))
    }

    /// Says what becomes of messages, and waits until the server has heard it. Of what is gone
    /// already there is nothing to say.
    pub(super) async fn say(&self, replies: &[String], word: Word) -> QueueResult<()> {
        if replies.is_empty() {
            return Ok(());
        }
        self.answers()?;
        for chunk in replies.chunks(ACKS) {
            let said = chunk.iter().map(|reply| {
                let client = self.nats.client();
                client.request(reply.clone(), word.bytes())
            });
            for heard in future::join_all(said).await {
                use async_nats::client::RequestErrorKind::NoResponders;
                match heard {
                    Ok(_) => {}
                    Err(error) if error.kind() == NoResponders => {} // its consumer is gone
                    Err(error) => return Err(QueueError::nats("a task cannot be settled", error)),
                }
            }
        }
        Ok(())
    }

    /// Takes messages out of the stream without waiting: should that be lost they come again.
    pub(super) async fn acknowledge(&self, replies: &[String]) -> QueueResult<()> {
        self.answers()?;
        for reply in replies {
            let said = self.nats.client().publish(reply.clone(), Word::Ack.bytes());
            let lost = |error| QueueError::nats("a task cannot be acknowledged", error);
            said.await.map_err(lost)?;
        }
        Ok(())
    }

    /// Whether the message at this place still lies in the stream.
    pub(super) async fn is_stored(&self, stream: &Stream, sequence: u64) -> QueueResult<bool> {
        use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
        match stream.get_raw_message(sequence).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == NoMessageFound => Ok(false),
            Err(error) => Err(QueueError::nats("a task cannot be looked at", error)),
        }
    }

    /// How many images of a generation wait, and how many are in somebody's hands; `None` without
    /// a consumer.
    pub(super) async fn depth(&self, job: i64, generation: i64) -> QueueResult<Option<(u64, u64)>> {
        use async_nats::jetstream::context::ConsumerInfoErrorKind::NotFound;
        let stream = self.stream().await?;
        match stream.consumer_info(Names::consumer(job, generation)).await {
            Ok(info) => {
                let leased = u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
                Ok(Some((info.num_pending, leased)))
            }
            Err(error) if error.kind() == NotFound => Ok(None),
            Err(error) => Err(QueueError::nats("the consumer cannot be looked at", error)),
        }
    }

    /// Every consumer of this installation's jobs, and what it holds.
    pub(super) async fn look(&self, stream: &Stream) -> QueueResult<Vec<Sight>> {
        let failed = |error| QueueError::nats("the consumers cannot be listed", error);
        let mut seen = Vec::new();
        let mut consumers = stream.consumers();
        while let Some(info) = consumers.try_next().await.map_err(failed)? {
            let Some((job, generation)) = Names::read_consumer(&info.name) else {
                continue;
            };
            seen.push(Sight {
                job,
                generation,
                waiting: i64::try_from(info.num_pending).unwrap_or(i64::MAX),
                leased: i64::try_from(info.num_ack_pending).unwrap_or(i64::MAX),
            });
        }
        Ok(seen)
    }

    /// Every generation of which something lies in the stream.
    pub(super) async fn stored(&self, stream: &Stream) -> QueueResult<Vec<(i64, i64)>> {
        self.subjects(stream, &self.names.all()).await
    }

    async fn subjects(&self, stream: &Stream, of: &str) -> QueueResult<Vec<(i64, i64)>> {
        let failed = |error| QueueError::nats("the queue cannot be looked at", error);
        let mut found = Vec::new();
        let mut subjects = stream.info_with_subjects(of).await.map_err(failed)?;
        while let Some((subject, _)) = subjects.try_next().await.map_err(failed)? {
            found.extend(self.names.read_subject(&subject));
        }
        Ok(found)
    }

    /// Takes away what there is of a job's generations up to this one: first the messages, then
    /// their consumers.
    pub(super) async fn clear(&self, job: i64, generation: i64) -> QueueResult<()> {
        let stream = self.stream().await?;
        let mut over = self.subjects(&stream, &self.names.of_job(job)).await?;
        let known = self.consumers.generations(job).into_iter();
        over.extend(known.map(|number| (job, number)));
        over.push((job, generation));
        over.retain(|(of, number)| *of == job && *number <= generation);
        over.sort_unstable();
        over.dedup();
        for (job, generation) in over {
            let subject = self.names.subject(job, generation);
            let purged = stream.purge().filter(subject).await;
            purged.map_err(|e| QueueError::nats("the queue cannot be emptied", e))?;
            self.consumers.forget(job, generation);
            let name = Names::consumer(job, generation);
            match stream.delete_consumer(&name).await {
                Ok(_) => {}
                Err(error) => tracing::debug!(job.id = job, %error, "the consumer stays"),
            }
        }
        Ok(())
    }
}

/// Whether a consumer is not there, and not out of reach.
fn is_missing(error: &async_nats::jetstream::stream::ConsumerError) -> bool {
    use async_nats::jetstream::stream::ConsumerErrorKind::JetStream;
    matches!(error.kind(), JetStream(inner) if inner.code() == 404)
}
