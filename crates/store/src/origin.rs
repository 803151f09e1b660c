//! On whose behalf something is done, and in which trace. The idea: it is set once around a
//! request or a running job, and what is written down there (events of jobs, lines of their logs)
//! picks it up; no call hands it on. Where spans are exported, a step is one of them and has its
//! numbers; where not, numbers are drawn for the lines of logs alone.

use std::fmt::Write as _;

use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, SpanId, TraceId};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of all spans that may be exported.
pub const SPANS: &str = "hawkmoth";

tokio::task_local! {
    static ORIGIN: Origin;
}

/// A span of a trace, with the numbers of the W3C's trace context in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// 32 digits.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
}

/// What stands behind what is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The person who asked for it.
    pub user: Option<i64>,
    /// The span in which it happens, where traces are kept.
    pub trace: Option<Trace>,
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Trace {
    /// The first span of a new trace.
    pub fn fresh() -> Trace {
        Trace::within(&digits(&rand::random::<[u8; 16]>()))
    }

    /// A new span of a trace.
    pub fn within(trace_id: &str) -> Trace {
        Trace {
            trace_id: trace_id.to_owned(),
            span_id: digits(&rand::random::<[u8; 8]>()),
        }
    }

    /// The numbers of a span; none where spans are not exported.
    pub fn of(span: &Span) -> Option<Trace> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context();
        let context = context.span().span_context().clone();
        context.is_valid().then(|| Trace {
            trace_id: context.trace_id().to_string(),
            span_id: context.span_id().to_string(),
        })
    }

    /// Makes a new span a step of this one, wherever this one was.
    pub fn leads_to(&self, span: &Span) {
        if let Some(context) = self.context() {
            // It fails where spans are not exported, which is no harm.
            let _ = span.set_parent(Context::new().with_remote_span_context(context));
        }
    }

    /// Links a span to this one: it is about it and no step of it.
    pub fn is_linked_from(&self, span: &Span) {
        if let Some(context) = self.context() {
            span.add_link(context);
        }
    }

    fn context(&self) -> Option<SpanContext> {
        let trace = TraceId::from_hex(&self.trace_id).ok()?;
        let span = SpanId::from_hex(&self.span_id).ok()?;
        let state = TraceState::default();
        Some(SpanContext::new(
            trace,
            span,
            TraceFlags::SAMPLED,
            true,
            state,
        ))
    }

    /// The span that the header `traceparent` names.
    pub fn named_by(text: &str) -> Option<Trace> {
        let (trace_id, span_id) = Trace::parts(text)?;
        Some(Trace { trace_id, span_id })
    }

    /// A new span of the trace that the header `traceparent` names.
    pub fn of_header(text: &str) -> Option<Trace> {
        Trace::parts(text).map(|(trace_id, _)| Trace::within(&trace_id))
    }

    fn parts(text: &str) -> Option<(String, String)> {
        let mut parts = text.trim().split('-');
        let (version, trace_id, span_id) = (parts.next()?, parts.next()?, parts.next()?);
        let sound = |part: &str, length: usize| {
            let alphabet = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            part.len() == length && part.bytes().all(alphabet)
        };
        let nothing = |part: &str| part.bytes().all(|b| b == b'0');
        let good = sound(version, 2)
            && version != "ff"
            && sound(trace_id, 32)
            && sound(span_id, 16)
            && !nothing(trace_id)
            && !nothing(span_id);
        good.then(|| (trace_id.to_owned(), span_id.to_owned()))
    }
}

impl Origin {
    /// What is written by a future has this origin.
    pub async fn around<F: Future>(self, future: F) -> F::Output {
        ORIGIN.scope(self, future).await
    }

    /// The origin of the task; nobody and no trace where none was set.
    pub fn current() -> Origin {
        ORIGIN.try_with(Origin::clone).unwrap_or_default()
    }

    /// A step within this: the same person, and the numbers of this span or, where spans are not
    /// exported and traces kept all the same, new ones.
    pub fn step(span: &Span) -> Origin {
        let mut origin = Origin::current();
        let drawn = origin.trace.map(|trace| Trace::within(&trace.trace_id));
        origin.trace = Trace::of(span).or(drawn);
        origin
    }

    /// Does something as a step within this.
    pub fn within<F: Future>(span: Span, future: F) -> impl Future<Output = F::Output> {
        Origin::step(&span).around(future).instrument(span)
    }
}

#[cfg(test)]
mod unit {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn traces_of_others_are_gone_on_with() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = "00f067aa0ba902b7";
        let ours = Trace::of_header(&format!("00-{id}-{parent}-01")).unwrap();
        assert_eq!(ours.trace_id, id);
        assert!(ours.span_id != parent && ours.span_id.len() == 16);
        for bad in [
            String::new(),
            format!("00-{id}"),
            format!("ff-{id}-{parent}-01"),
            format!("00-{}-{parent}-01", "0".repeat(32)),
            format!("00-{id}-{}-01", "0".repeat(16)),
            format!("00-{}-{parent}-01", id.to_uppercase()),
            format!("00-{id}0-{parent}-01"),
        ] {
            assert_eq!(Trace::of_header(&bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_step_is_a_span_of_the_same_trace() {
        let trace = Trace::fresh();
        let origin = Origin {
            user: Some(3),
            trace: Some(trace.clone()),
        };
        let (inner, step) = origin
            .clone()
            .around(async { (Origin::current(), Origin::step(&Span::none())) })
            .await;
        assert_eq!(inner, origin);
        let span = step.trace.unwrap();
        assert_eq!((step.user, &span.trace_id), (Some(3), &trace.trace_id));
        assert_ne!(span.span_id, trace.span_id);
        assert_eq!(Origin::current(), Origin::default());
    }
}
